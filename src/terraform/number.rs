//! Terraform's numbers: binary floating point with 512 bits, so `0.1 + 0.2` is `0.3` and `1 / 3` has 154 digits.
//!
//! A [`Value`] holds a number as an `i64`, as the double whose shortest digits are the number's own, or as digits.

use std::cmp::Ordering;
use std::sync::Arc;

use num_bigint::{BigInt, BigUint, Sign};

use crate::source::Value;

/// Bits of a mantissa.
const PRECISION: u64 = 512;
/// Bits of a double's mantissa.
const DOUBLE: u64 = 53;
/// Powers of ten past which a number is not computed with: its digits alone would fill a page.
const MOST: i64 = 5_000;

/// `mantissa * 2^exponent`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Number {
    mantissa: BigInt,
    exponent: i64,
}

impl Number {
    /// A whole number.
    pub(super) fn whole(value: impl Into<BigInt>) -> Self {
        Self::rounded(value.into(), 0, false)
    }

    /// The number a value is, without any conversion.
    pub(super) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Int(whole) => Some(Self::whole(*whole)),
            // The shortest digits are what was written or computed.
            Value::Float(number) => Self::parse(&number.to_string()),
            Value::Decimal(digits) => Self::parse(digits),
            _ => None,
        }
    }

    /// A decimal number as Terraform reads it: `-12.5e3`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (digits, power) = match rest.split_once(['e', 'E']) {
            Some((digits, power)) => (digits, power.parse::<i64>().ok()?),
            None => (rest, 0),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all = format!("{whole}{fraction}");
        if all.is_empty() || !all.bytes().all(|digit| digit.is_ascii_digit()) || all.len() > 20_000 {
            return None;
        }
        let power = power.checked_sub(i64::try_from(fraction.len()).ok()?)?;
        let magnitude = BigInt::from(BigUint::parse_bytes(all.as_bytes(), 10)?);
        let mantissa = if negative { -magnitude } else { magnitude };
        if mantissa.sign() == Sign::NoSign {
            return Some(Self::whole(0));
        }
        if power.abs() > MOST {
            return None;
        }
        let ten = BigInt::from(10).pow(u32::try_from(power.abs()).ok()?);
        if power >= 0 { Some(Self::whole(mantissa * ten)) } else { Self::ratio(mantissa, &ten, 0) }
    }

    /// `over / under * 2^exponent`, rounded; `None` if `under` is zero.
    fn ratio(over: BigInt, under: &BigInt, exponent: i64) -> Option<Self> {
        if under.sign() == Sign::NoSign {
            return None;
        }
        // Two bits more than are kept, and one that says whether anything follows.
        let shift = (PRECISION + 3 + under.bits()).saturating_sub(over.bits());
        let over = over << shift;
        let quotient = &over / under;
        let inexact = &quotient * under != over;
        Some(Self::rounded(quotient, exponent - i64::try_from(shift).ok()?, inexact))
    }

    /// Rounds to 512 bits, half to even; `more` says that nonzero bits follow the mantissa's last.
    fn rounded(mantissa: BigInt, exponent: i64, more: bool) -> Self {
        let bits = mantissa.bits();
        let Some(excess) = bits.checked_sub(PRECISION).filter(|excess| *excess > 0) else {
            return Self { mantissa, exponent }.reduced();
        };
        let (sign, magnitude) = mantissa.into_parts();
        let mut kept: BigUint = &magnitude >> excess;
        let half = magnitude.bit(excess - 1);
        let rest = more || magnitude.trailing_zeros().is_some_and(|zeros| zeros < excess - 1);
        if half && (rest || kept.bit(0)) {
            kept += 1_u8;
        }
        let exponent = exponent.saturating_add(i64::try_from(excess).unwrap_or(i64::MAX));
        Self { mantissa: BigInt::from_biguint(sign, kept), exponent }.reduced()
    }

    /// Without the zero bits at its end, so that equal numbers are the same.
    fn reduced(self) -> Self {
        match self.mantissa.trailing_zeros() {
            None => Self { mantissa: BigInt::ZERO, exponent: 0 },
            Some(zeros) => Self {
                mantissa: self.mantissa >> zeros,
                exponent: self.exponent.saturating_add(i64::try_from(zeros).unwrap_or(0)),
            },
        }
    }

    /// Both mantissas with one exponent.
    fn aligned(&self, other: &Self) -> Option<(BigInt, BigInt, i64)> {
        let least = self.exponent.min(other.exponent);
        let up = |number: &Self| {
            let shift = u64::try_from(number.exponent - least).ok().filter(|shift| *shift < 100_000)?;
            Some(&number.mantissa << shift)
        };
        Some((up(self)?, up(other)?, least))
    }

    pub(super) fn add(&self, other: &Self) -> Option<Self> {
        let (one, two, exponent) = self.aligned(other)?;
        Some(Self::rounded(one + two, exponent, false))
    }

    pub(super) fn subtract(&self, other: &Self) -> Option<Self> {
        self.add(&other.negated())
    }

    pub(super) fn multiply(&self, other: &Self) -> Self {
        Self::rounded(&self.mantissa * &other.mantissa, self.exponent.saturating_add(other.exponent), false)
    }

    /// `None` if the other is zero.
    pub(super) fn divide(&self, other: &Self) -> Option<Self> {
        Self::ratio(self.mantissa.clone(), &other.mantissa, self.exponent - other.exponent)
    }

    /// What is left of a division; it has the sign of the dividend. By zero nothing is divided, and all is left.
    pub(super) fn remainder(&self, other: &Self) -> Option<Self> {
        match self.divide(other) {
            Some(quotient) => self.subtract(&quotient.truncated().multiply(other)),
            None => Some(self.clone()),
        }
    }

    pub(super) fn negated(&self) -> Self {
        Self { mantissa: -&self.mantissa, exponent: self.exponent }
    }

    /// Without its fraction.
    pub(super) fn truncated(&self) -> Self {
        match u64::try_from(-self.exponent) {
            Ok(shift) => {
                let (sign, magnitude) = self.mantissa.clone().into_parts();
                Self::whole(BigInt::from_biguint(sign, magnitude >> shift))
            }
            Err(_) => self.clone(),
        }
    }

    pub(super) fn floor(&self) -> Self {
        let truncated = self.truncated();
        if self.is_negative() && truncated != *self {
            return truncated.subtract(&Self::whole(1)).unwrap_or(truncated);
        }
        truncated
    }

    pub(super) fn ceil(&self) -> Self {
        self.negated().floor().negated()
    }

    pub(super) fn is_negative(&self) -> bool {
        self.mantissa.sign() == Sign::Minus
    }

    /// Minus one, zero or one.
    pub(super) fn signum(&self) -> i64 {
        match self.mantissa.sign() {
            Sign::Minus => -1,
            Sign::NoSign => 0,
            Sign::Plus => 1,
        }
    }

    /// The whole number it is, if it is one.
    pub(super) fn to_whole(&self) -> Option<BigInt> {
        let shift = u64::try_from(self.exponent).ok()?;
        (shift <= 20_000).then(|| &self.mantissa << shift)
    }

    pub(super) fn to_i64(&self) -> Option<i64> {
        self.to_whole().and_then(|whole| i64::try_from(whole).ok())
    }

    /// The nearest double.
    pub(super) fn to_f64(&self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// The number that functions compute with doubles, by the fewest digits that no other double has. Go finds one digit
    /// less than Rust where the next smaller double is nearer than the next larger one.
    pub(super) fn of_double(double: f64) -> Option<Self> {
        let bits = double.to_bits();
        let (fraction, power) = (bits & ((1 << 52) - 1), i64::try_from(bits >> 52 & 0x7FF).ok()?);
        let (mantissa, exponent) = match power {
            0x7FF => return None,
            0 => (fraction, -1074),
            _ => (fraction | 1 << 52, power - 1075),
        };
        let exact = Self::rounded(BigInt::from(mantissa), exponent, false);
        let (digits, point) = exact.digits(DOUBLE);
        let digits = if digits.is_empty() { "0".to_owned() } else { exact.placed(&digits, point) };
        let near = Self::parse(&digits)?;
        Some(if double.is_sign_negative() { near.negated() } else { near })
    }

    /// The fewest digits that no other number of so many bits has, and how many of them stand before the point.
    fn digits(&self, precision: u64) -> (String, i64) {
        let magnitude = self.mantissa.magnitude();
        if self.exponent >= 0 && magnitude.bits() + self.exponent.unsigned_abs() <= precision {
            let digits = (magnitude << self.exponent.unsigned_abs()).to_string();
            let point = i64::try_from(digits.len()).unwrap_or(0);
            return (digits.trim_end_matches('0').to_owned(), point);
        }
        // One bit more than the mantissa has: its last bit is half a unit of the number's last place.
        let shift = precision + 1 - magnitude.bits();
        let exponent = self.exponent - i64::try_from(shift).unwrap_or(0);
        let half = |mantissa: BigUint| {
            let power = exponent.unsigned_abs();
            if exponent >= 0 {
                mantissa << power
            } else {
                mantissa * BigUint::from(5_u8).pow(power_of(power))
            }
        };
        let middle = magnitude << shift;
        let inclusive = !magnitude.bit(0) || shift > 1;
        let lower = half(&middle - 1_u8).to_string();
        let upper = half(&middle + 1_u8).to_string();
        let exact = half(middle).to_string();
        let places = if exponent < 0 { exponent } else { 0 };
        let point = i64::try_from(exact.len()).unwrap_or(0) + places;
        let (digits, carried) = shortest(&lower, &exact, &upper, inclusive);
        (digits, point + carried)
    }

    /// The value that holds the number.
    pub(super) fn to_value(&self) -> Value {
        if let Some(whole) = self.to_i64() {
            return Value::Int(whole);
        }
        if self.exponent.abs() > 20_000 {
            return Value::Unknown("the number is too far from zero, or too near, to evaluate".into());
        }
        let digits = self.to_string();
        match digits.parse::<f64>() {
            Ok(near) if near.is_finite() && near.to_string() == digits => Value::Float(near),
            _ => Value::Decimal(digits.into()),
        }
    }

    /// Digits with a fixed number of places behind the point.
    pub(super) fn to_fixed(&self, places: usize) -> String {
        let scale = BigInt::from(10).pow(power_of(u64::try_from(places).unwrap_or(0)));
        let scaled = &self.mantissa * scale;
        let whole = match u64::try_from(-self.exponent) {
            Ok(shift) if shift > 0 => {
                let (_, magnitude) = scaled.into_parts();
                let mut kept: BigUint = &magnitude >> shift;
                let half = magnitude.bit(shift - 1);
                let rest = magnitude.trailing_zeros().is_some_and(|zeros| zeros < shift - 1);
                if half && (rest || kept.bit(0)) {
                    kept += 1_u8;
                }
                kept
            }
            _ => (scaled << self.exponent.unsigned_abs()).into_parts().1,
        };
        let sign = if self.is_negative() { "-" } else { "" };
        let digits = format!("{whole:0>width$}", whole = whole.to_string(), width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }

    /// Digits with an exponent, as `%e` has it: `1.5e+06`. Without a number of places, as many as the number needs.
    pub(super) fn to_exponential(&self, places: Option<usize>) -> String {
        let (digits, point) = match places {
            Some(places) => self.significant(places + 1),
            None => self.digits(PRECISION),
        };
        let sign = if self.is_negative() { "-" } else { "" };
        let first = digits.get(..1).filter(|first| !first.is_empty()).unwrap_or("0");
        let mut rest = digits.get(1..).unwrap_or("").to_owned();
        if let Some(places) = places {
            rest = format!("{rest:0<places$}");
        }
        let exponent = if digits.is_empty() { 0 } else { point - 1 };
        let dot = if rest.is_empty() { "" } else { "." };
        let minus = if exponent < 0 { '-' } else { '+' };
        format!("{sign}{first}{dot}{rest}e{minus}{:02}", exponent.abs())
    }

    /// As `%g` has it: with an exponent if it is small or large, and without zeros at the end.
    pub(super) fn to_general(&self, precision: Option<usize>) -> String {
        let precision = precision.map(|precision| precision.max(1));
        let (digits, point) = match precision {
            Some(precision) => self.significant(precision),
            None => self.digits(PRECISION),
        };
        let digits = digits.trim_end_matches('0');
        let length = i64::try_from(digits.len()).unwrap_or(i64::MAX);
        let mut most = precision.map_or(6, |precision| i64::try_from(precision).unwrap_or(i64::MAX));
        if precision.is_some() && most > length && length >= point {
            most = length;
        }
        let exponent = if digits.is_empty() { 0 } else { point - 1 };
        if exponent < -4 || exponent >= most {
            return self.to_exponential(Some(digits.len().saturating_sub(1)));
        }
        self.placed(digits, point)
    }

    /// The first digits, rounded half to even.
    fn significant(&self, count: usize) -> (String, i64) {
        if self.mantissa.sign() == Sign::NoSign {
            return (String::new(), 1);
        }
        let (power, places) = (self.exponent.unsigned_abs(), self.exponent.min(0));
        let magnitude = self.mantissa.magnitude();
        let exact = if self.exponent >= 0 {
            magnitude << power
        } else {
            magnitude * BigUint::from(5_u8).pow(power_of(power))
        };
        let exact = exact.to_string();
        let point = i64::try_from(exact.len()).unwrap_or(0) + places;
        rounded_at(&exact, count, point)
    }

    fn placed(&self, digits: &str, point: i64) -> String {
        let sign = if self.is_negative() { "-" } else { "" };
        let Ok(before) = usize::try_from(point) else {
            let zeros = usize::try_from(point.unsigned_abs()).unwrap_or(0);
            return format!("{sign}0.{}{digits}", "0".repeat(zeros));
        };
        match digits.split_at_checked(before) {
            Some((whole, "")) => format!("{sign}{}", if whole.is_empty() { "0" } else { whole }),
            Some(("", fraction)) => format!("{sign}0.{fraction}"),
            Some((whole, fraction)) => format!("{sign}{whole}.{fraction}"),
            None => format!("{sign}{digits}{}", "0".repeat(before - digits.len())),
        }
    }
}

/// As Terraform converts a number to a string: never with an exponent.
impl std::fmt::Display for Number {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (digits, point) = self.digits(PRECISION);
        if digits.is_empty() {
            return formatter.write_str("0");
        }
        formatter.write_str(&self.placed(&digits, point))
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match self.signum().cmp(&other.signum()) {
            Ordering::Equal => match self.aligned(other) {
                Some((one, two, _)) => one.cmp(&two),
                None => {
                    let larger = self.exponent.cmp(&other.exponent);
                    if self.is_negative() { larger.reverse() } else { larger }
                }
            },
            different => different,
        }
    }
}

/// The digits of a number, which text in a string shares.
pub(super) fn text(value: &Value) -> Option<Arc<str>> {
    match value {
        Value::Int(whole) => Some(whole.to_string().into()),
        Value::Float(number) => Some(number.to_string().into()),
        Value::Decimal(digits) => Some(digits.clone()),
        _ => None,
    }
}

fn power_of(power: u64) -> u32 {
    u32::try_from(power).unwrap_or(u32::MAX)
}

/// Digits rounded to their first `count`, half to even, with zeros at the end left out.
fn rounded_at(digits: &str, count: usize, point: i64) -> (String, i64) {
    let Some((kept, rest)) = digits.split_at_checked(count) else { return (digits.to_owned(), point) };
    let tail = rest.get(1..).unwrap_or("").bytes().any(|digit| digit != b'0');
    let odd = kept.bytes().last().is_some_and(|last| (last - b'0') % 2 == 1);
    let up = match rest.bytes().next() {
        Some(b'6'..=b'9') => true,
        Some(b'5') => tail || odd,
        _ => false,
    };
    let (kept, point) = if up { increased(kept, point) } else { (kept.to_owned(), point) };
    (kept.trim_end_matches('0').to_owned(), point)
}

/// One unit of the last place more.
fn increased(digits: &str, point: i64) -> (String, i64) {
    let nines = digits.len() - digits.trim_end_matches('9').len();
    let kept = digits.get(..digits.len() - nines).unwrap_or("");
    match kept.char_indices().last().and_then(|(at, last)| Some((at, last.to_digit(10)?))) {
        Some((at, last)) => (format!("{}{}", kept.get(..at).unwrap_or(""), last + 1), point),
        None => ("1".to_owned(), point + 1),
    }
}

/// The shortest digits between two bounds, and whether they are one longer than the exact ones: where the exact number can be cut off or rounded up without reaching them.
fn shortest(lower: &str, exact: &str, upper: &str, inclusive: bool) -> (String, i64) {
    let width = upper.len();
    // A bound with fewer digits has zeros before them.
    let padded = |digits: &str| format!("{digits:0>width$}").into_bytes();
    let (lower, padded_exact, upper) = (padded(lower), padded(exact), upper.as_bytes());
    let lead = width - exact.len();
    for (at, ((low, digit), high)) in lower.iter().zip(&padded_exact).zip(upper).enumerate() {
        let last = at + 1 == width;
        let down = low != digit || (inclusive && last);
        let up = digit != high && (inclusive || digit + 1 < *high || !last);
        let kept = (at + 1).saturating_sub(lead);
        if !down && !up {
            continue;
        }
        let prefix = exact.get(..kept).unwrap_or("");
        return match (down, up) {
            (true, true) => rounded_at(exact, kept, 0),
            (true, false) => (prefix.trim_end_matches('0').to_owned(), 0),
            _ => increased(prefix, 0),
        };
    }
    (exact.trim_end_matches('0').to_owned(), 0)
}
