//! Schedules of AWS, `cron(0 * * * ? *)` and `rate(12 hours)`: how long they let pass.

use jiff::civil::{Date, date};

use super::super::value::{Outcome, Undecided, Val, error, unknown};
use super::super::world::Context;
use super::take;

/// What a field of a cron expression allows, and its values' names.
struct Field {
    first: i16,
    last: i16,
    names: &'static [&'static str],
}

const MINUTE: Field = Field { first: 0, last: 59, names: &[] };
const HOUR: Field = Field { first: 0, last: 23, names: &[] };
const DAY: Field = Field { first: 1, last: 31, names: &[] };
const MONTH: Field = Field {
    first: 1,
    last: 12,
    names: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
};
/// Sunday is 1 (docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html).
const WEEKDAY: Field = Field { first: 1, last: 7, names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"] };

/// The longest time between two runs of a schedule, in seconds.
pub(super) fn schedule_seconds<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [value] = take(values)?;
    let text = value.as_text()?.trim();
    let inside = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
    if let Some(rate) = inside("rate") {
        return rate_seconds(rate).map(Val::Int);
    }
    match inside("cron") {
        Some(cron) => cron_seconds(cron).map(Val::Int),
        None => error(format!("\"{text}\" is no schedule; cron(0 * * * ? *) and rate(12 hours) are")),
    }
}

fn rate_seconds(rate: &str) -> Result<i64, Undecided> {
    let wrong = || error(format!("\"rate({rate})\" is no rate; rate(12 hours) is one"));
    let Some((number, unit)) = rate.trim().split_once(' ') else { return wrong() };
    let unit = match unit.trim() {
        "minute" | "minutes" => 60,
        "hour" | "hours" => 3_600,
        "day" | "days" => 86_400,
        _ => return wrong(),
    };
    number.parse::<i64>().ok().and_then(|number| number.checked_mul(unit)).map_or_else(wrong, Ok)
}

fn cron_seconds(cron: &str) -> Result<i64, Undecided> {
    let fields: Vec<&str> = cron.split_whitespace().collect();
    let [minute, hour, day, month, weekday, year] = fields[..] else {
        return error(format!("\"cron({cron})\" has {} fields; AWS has six", fields.len()));
    };
    if year != "*" {
        return unknown(format!("the years of cron({cron}) are not looked at"));
    }
    let minutes = allowed(minute, &MINUTE)?;
    let hours = allowed(hour, &HOUR)?;
    let days = allowed(day, &DAY)?;
    let months = allowed(month, &MONTH)?;
    let weekdays = allowed(weekday, &WEEKDAY)?;
    let times: Vec<i64> = hours
        .iter()
        .flat_map(|hour| minutes.iter().map(move |minute| i64::from(*hour) * 60 + i64::from(*minute)))
        .collect();
    let (Some(first), Some(last)) = (times.first(), times.last()) else {
        return error(format!("cron({cron}) never runs"));
    };
    let within = times.iter().zip(times.iter().skip(1)).map(|(one, next)| next - one).max().unwrap_or(0);
    // Eight years hold every length of a year and, with the leap day, every gap there is.
    let (mut longest, mut previous, mut runs) = (within, None, false);
    let mut today: Date = date(2025, 1, 1);
    for number in 0..365 * 8 + 2_i64 {
        let matches = months.contains(&i16::from(today.month()))
            && days.contains(&i16::from(today.day()))
            && weekdays.contains(&(i16::from(today.weekday().to_sunday_zero_offset()) + 1));
        if matches {
            if let Some(previous) = previous {
                longest = longest.max((number - previous) * 24 * 60 + first - last);
            }
            previous = Some(number);
            runs = true;
        }
        let Ok(tomorrow) = today.tomorrow() else { break };
        today = tomorrow;
    }
    if runs { Ok(longest * 60) } else { error(format!("cron({cron}) never runs")) }
}

/// The values a field allows, sorted.
fn allowed(text: &str, field: &Field) -> Result<Vec<i16>, Undecided> {
    let mut values = Vec::new();
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, number(step, field, text)?.max(1)),
            None => (part, 1),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" || range == "?" => (field.first, field.last),
            Some((from, to)) => (number(from, field, text)?, number(to, field, text)?),
            None => {
                let from = number(range, field, text)?;
                (from, if part.contains('/') { field.last } else { from })
            }
        };
        let mut value = from;
        while value <= to.min(field.last) {
            if value >= field.first {
                values.push(value);
            }
            value = value.saturating_add(step);
        }
    }
    values.sort_unstable();
    values.dedup();
    Ok(values)
}

fn number(text: &str, field: &Field, whole: &str) -> Result<i16, Undecided> {
    let named = (field.first..).zip(field.names).find(|(_, name)| name.eq_ignore_ascii_case(text));
    match text.parse().ok().or(named.map(|(value, _)| value)) {
        Some(value) => Ok(value),
        // `L`, `W` and `#` pick days that depend on the month.
        None => unknown(format!("`{whole}` of a cron expression is not understood here")),
    }
}
