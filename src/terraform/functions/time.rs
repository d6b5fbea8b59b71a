//! Functions on times, which are text as RFC 3339 has it.

use jiff::Timestamp;
use jiff::civil::{DateTime, Weekday};
use jiff::tz::Offset;

use crate::source::Value;

use super::{Arguments, Outcome, Refusal, text_value};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) fn call(name: &str, arguments: &mut Arguments) -> Outcome {
    let first = arguments.text()?;
    let second = arguments.text()?;
    match name {
        "formatdate" => format(&first, &Time::parse(&second)?),
        "timeadd" => {
            let time = Time::parse(&first)?;
            let duration = duration(&second).ok_or(Refusal::Failed("needs a duration such as 1h30m"))?;
            let later = time.later(duration).ok_or_else(out_of_range)?;
            let written = format!(
                "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}",
                later.civil.year(),
                later.civil.month(),
                later.civil.day(),
                later.civil.hour(),
                later.civil.minute(),
                later.civil.second(),
                later.zone("Z", ":")
            );
            Ok(Value::Str(written.into()))
        }
        _ => Ok(Value::Int(match Time::parse(&first)?.instant.cmp(&Time::parse(&second)?.instant) {
            std::cmp::Ordering::Less => -1,
            std::cmp::Ordering::Equal => 0,
            std::cmp::Ordering::Greater => 1,
        })),
    }
}

/// A time as it is written: what the clock showed, and how far it was from UTC.
struct Time {
    civil: DateTime,
    offset: Offset,
    instant: Timestamp,
}

impl Time {
    fn parse(text: &str) -> Result<Self, Refusal> {
        let (civil, offset) =
            written(text).ok_or(Refusal::Failed("needs a time such as 2026-01-31T12:00:00Z"))?;
        let instant = offset.to_timestamp(civil).map_err(|_| out_of_range())?;
        Ok(Self { civil, offset, instant })
    }

    fn later(&self, nanoseconds: i128) -> Option<Self> {
        let instant = self.instant.as_nanosecond().checked_add(nanoseconds)?;
        let instant = Timestamp::from_nanosecond(instant).ok()?;
        Some(Self { civil: self.offset.to_datetime(instant), offset: self.offset, instant })
    }

    /// How far the clock is from UTC: `utc` if it is not, or else `+02`, the sign between, `00`.
    fn zone(&self, utc: &str, between: &str) -> String {
        let seconds = self.offset.seconds();
        if seconds == 0 && !utc.is_empty() {
            return utc.to_owned();
        }
        let minutes = seconds.abs() / 60;
        let sign = if seconds < 0 { '-' } else { '+' };
        format!("{sign}{:02}{between}{:02}", minutes / 60, minutes % 60)
    }
}

/// What the clock shows, and how far it is from UTC.
fn written(text: &str) -> Option<(DateTime, Offset)> {
    if !text.is_ascii() {
        return None;
    }
    let digits = |range: std::ops::Range<usize>| {
        let digits = text.get(range)?;
        digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse::<i16>().ok()).flatten()
    };
    let small = |at: usize| digits(at..at + 2).and_then(|number| i8::try_from(number).ok());
    let signs = [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")];
    if !signs.iter().all(|(at, sign)| text.get(*at..at + 1) == Some(sign)) {
        return None;
    }
    let rest = text.get(19..)?;
    let (nanoseconds, zone) = match rest.strip_prefix('.') {
        Some(fraction) => {
            let end = fraction.find(|letter: char| !letter.is_ascii_digit())?;
            let (fraction, zone) = fraction.split_at(end);
            let nine: String = fraction.chars().chain("000000000".chars()).take(9).collect();
            (nine.parse().ok().filter(|_| !fraction.is_empty())?, zone)
        }
        None => (0, rest),
    };
    let civil =
        DateTime::new(digits(0..4)?, small(5)?, small(8)?, small(11)?, small(14)?, small(17)?, nanoseconds)
            .ok()?;
    let offset = match zone {
        "Z" => Offset::UTC,
        _ => {
            let sign = match zone.get(..1)? {
                "+" => 1,
                "-" => -1,
                _ => return None,
            };
            let (hours, minutes) = zone.get(1..)?.split_once(':')?;
            let two = |text: &str| {
                (text.len() == 2 && text.bytes().all(|digit| digit.is_ascii_digit()))
                    .then(|| text.parse::<i32>().ok())
                    .flatten()
            };
            let (hours, minutes) = (two(hours)?, two(minutes)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()?
        }
    };
    Some((civil, offset))
}

/// The calendar of the library ends with the year 9999.
fn out_of_range() -> Refusal {
    Refusal::Unknown("a time so far away is not evaluated".into())
}

/// A duration as Go writes it, `-1h30m5.5s`, in nanoseconds.
fn duration(text: &str) -> Option<i128> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut sum = 0_i128;
    while !rest.is_empty() {
        let number = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (number, after) = rest.split_at(number);
        let unit = after.find(|letter: char| letter.is_ascii_digit() || letter == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        rest = after;
        let unit = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000_i128,
            _ => return None,
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
            return None;
        }
        let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        sum = sum.checked_add(whole.checked_mul(unit)?)?;
        let kept = fraction.get(..fraction.len().min(18))?;
        if !kept.is_empty() {
            let scale = 10_i128.pow(u32::try_from(kept.len()).ok()?);
            sum = sum.checked_add(kept.parse::<i128>().ok()?.checked_mul(unit)? / scale)?;
        }
    }
    // Go counts nanoseconds in 64 bits.
    i64::try_from(sum).ok()?;
    Some(if negative { -sum } else { sum })
}

fn format(pattern: &str, time: &Time) -> Outcome {
    let mut result = String::new();
    let mut rest = pattern;
    while let Some(letter) = rest.chars().next() {
        if letter == '\'' {
            rest = quoted(rest.get(1..).unwrap_or(""), &mut result)?;
            continue;
        }
        let length = if letter.is_ascii_alphabetic() {
            rest.len() - rest.trim_start_matches(letter).len()
        } else {
            letter.len_utf8()
        };
        let (token, after) = rest.split_at(length);
        rest = after;
        if letter.is_ascii_alphabetic() {
            let piece =
                piece(token, time).ok_or(Refusal::Failed("the format has a letter that means nothing"))?;
            result.push_str(&piece);
        } else {
            result.push_str(token);
        }
    }
    Ok(text_value(result))
}

/// Literal text behind an apostrophe; two of them stand for one.
fn quoted<'t>(text: &'t str, result: &mut String) -> Result<&'t str, Refusal> {
    if let Some(rest) = text.strip_prefix('\'') {
        result.push('\'');
        return Ok(rest);
    }
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('\'').ok_or(Refusal::Failed("an apostrophe is not closed"))?;
        result.push_str(before);
        match after.strip_prefix('\'') {
            Some(after) => {
                result.push('\'');
                rest = after;
            }
            None => return Ok(after),
        }
    }
}

fn piece(token: &str, time: &Time) -> Option<String> {
    let civil = time.civil;
    let short = |name: &str| name.get(..3).unwrap_or(name).to_owned();
    let month = MONTHS.get(usize::try_from(civil.month() - 1).ok()?).copied()?;
    let number = |value: i8| match token.len() {
        1 => Some(value.to_string()),
        2 => Some(format!("{value:02}")),
        _ => None,
    };
    match token {
        "YY" => Some(format!("{:02}", civil.year() % 100)),
        "YYYY" => Some(format!("{:04}", civil.year())),
        "M" | "MM" => number(civil.month()),
        "MMM" => Some(short(month)),
        "MMMM" => Some(month.to_owned()),
        "D" | "DD" => number(civil.day()),
        "EEE" => Some(short(weekday(civil.weekday()))),
        "EEEE" => Some(weekday(civil.weekday()).to_owned()),
        "h" | "hh" => number(civil.hour()),
        "H" | "HH" => number(if civil.hour() % 12 == 0 { 12 } else { civil.hour() % 12 }),
        "AA" => Some(if civil.hour() < 12 { "AM" } else { "PM" }.to_owned()),
        "aa" => Some(if civil.hour() < 12 { "am" } else { "pm" }.to_owned()),
        "m" | "mm" => number(civil.minute()),
        "s" | "ss" => number(civil.second()),
        "Z" => Some(time.zone("Z", ":")),
        "ZZZ" => Some(time.zone("UTC", "")),
        "ZZZZ" => Some(time.zone("", "")),
        "ZZZZZ" => Some(time.zone("", ":")),
        _ => None,
    }
}

fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}
