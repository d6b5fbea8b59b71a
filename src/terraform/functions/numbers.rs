//! Functions on numbers.

use num_bigint::BigInt;

use crate::source::Value;
use crate::terraform::number::Number;

use super::{Arguments, Outcome, Refusal, never};

pub(super) fn call(name: &str, arguments: &mut Arguments) -> Outcome {
    match name {
        "parseint" => return parseint(arguments),
        "log" | "pow" => {
            // Terraform computes these two with doubles.
            let (one, other) = (arguments.number()?.to_f64(), arguments.number()?.to_f64());
            let result = if name == "pow" { power(one, other) } else { logarithm(one) / logarithm(other) };
            if result.is_nan() {
                return Err(Refusal::Failed("the result is no number"));
            }
            let result = Number::of_double(result).ok_or_else(|| never("infinity is not evaluated"))?;
            return Ok(result.to_value());
        }
        _ => {}
    }
    let mut result = arguments.number()?;
    match name {
        "abs" if result.is_negative() => result = result.negated(),
        "abs" => {}
        "ceil" => result = result.ceil(),
        "floor" => result = result.floor(),
        "signum" if result.to_whole().is_none() => return Err(Refusal::Failed("needs a whole number")),
        "signum" => return Ok(Value::Int(result.signum())),
        _ => {
            while arguments.are_left() {
                let next = arguments.number()?;
                if if name == "max" { next > result } else { next < result } {
                    result = next;
                }
            }
        }
    }
    Ok(result.to_value())
}

/// The natural logarithm, step by step as Go computes it (the algorithm of FreeBSD's `e_log.c`), so that its last digit
/// is Terraform's on every machine.
fn logarithm(number: f64) -> f64 {
    if number.is_nan() || number < 0.0 {
        return f64::NAN;
    }
    if number == 0.0 {
        return f64::NEG_INFINITY;
    }
    if number.is_infinite() {
        return number;
    }
    let (mut fraction, mut exponent) = halves(number);
    if fraction < std::f64::consts::FRAC_1_SQRT_2 {
        fraction *= 2.0;
        exponent -= 1.0;
    }
    let f = fraction - 1.0;
    let s = f / (2.0 + f);
    let s2 = s * s;
    let s4 = s2 * s2;
    let odd = s2
        * (0.666_666_666_666_673_5
            + s4 * (0.285_714_287_436_623_9
                + s4 * (0.181_835_721_616_180_5 + s4 * 0.147_981_986_051_165_86)));
    let even =
        s4 * (0.399_999_999_994_094_2 + s4 * (0.222_221_984_321_497_84 + s4 * 0.153_138_376_992_093_73));
    let rest = odd + even;
    let half_square = 0.5 * f * f;
    let (high, low) = (0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10);
    exponent * high - ((half_square - (s * (half_square + rest) + exponent * low)) - f)
}

/// A number as a fraction from one half to one, and the power of two it is multiplied with.
fn halves(number: f64) -> (f64, f64) {
    let mut fraction = number;
    let mut exponent = 0.0;
    while fraction.abs() >= 1.0 {
        fraction *= 0.5;
        exponent += 1.0;
    }
    while fraction != 0.0 && fraction.abs() < 0.5 {
        fraction *= 2.0;
        exponent -= 1.0;
    }
    (fraction, exponent)
}

/// A power as Go computes it where the exponent is whole: by squaring fractions, whose rounding shows in the last digit.
fn power(base: f64, exponent: f64) -> f64 {
    let whole = exponent.abs();
    if exponent.fract() != 0.0 || whole > 1_000.0 || base == 0.0 || base.abs().to_bits() == 1.0_f64.to_bits()
    {
        return base.powf(exponent);
    }
    let (mut square, mut twos) = halves(base);
    let (mut result, mut result_twos) = (1.0, 0.0);
    let mut left = whole;
    while left > 0.0 {
        if twos.abs() > 4_096.0 {
            return base.powf(exponent);
        }
        if left % 2.0 > 0.5 {
            result *= square;
            result_twos += twos;
        }
        square *= square;
        twos *= 2.0;
        if square < 0.5 {
            square += square;
            twos -= 1.0;
        }
        left = (left / 2.0).floor();
    }
    if exponent < 0.0 {
        result = 1.0 / result;
        result_twos = -result_twos;
    }
    // In two steps, since the power of two alone may be no double.
    let half = (result_twos / 2.0).trunc();
    result * half.exp2() * (result_twos - half).exp2()
}

/// A whole number in digits of any base up to 62; from 37 on upper case letters are other digits than lower case ones.
fn parseint(arguments: &mut Arguments) -> Outcome {
    let Value::Str(text) = arguments.known()? else {
        return Err(Refusal::Failed("needs a string of digits"));
    };
    let base = arguments.whole()?;
    let base = u32::try_from(base).ok().filter(|base| (2..=62).contains(base));
    let base = base.ok_or(Refusal::Failed("needs a base from 2 to 62"))?;
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(&text)),
    };
    let failed = Refusal::Failed("the text is no whole number of this base");
    if digits.is_empty() || digits.len() > 2_000 {
        return Err(failed);
    }
    let mut whole = BigInt::ZERO;
    for letter in digits.chars() {
        let digit = match letter {
            '0'..='9' => u32::from(letter) - u32::from('0'),
            'a'..='z' => u32::from(letter) - u32::from('a') + 10,
            'A'..='Z' if base <= 36 => u32::from(letter) - u32::from('A') + 10,
            'A'..='Z' => u32::from(letter) - u32::from('A') + 36,
            _ => return Err(failed),
        };
        if digit >= base {
            return Err(failed);
        }
        whole = whole * base + digit;
    }
    Ok(Number::whole(if negative { -whole } else { whole }).to_value())
}
