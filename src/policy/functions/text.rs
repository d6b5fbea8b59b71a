//! Strings, conversions, quantities and durations.

use super::super::value::{Outcome, Undecided, Val, as_float, error};
use super::super::world::Context;
use super::take;
use crate::source::{Partial, secret};

/// `partly` decides where only the ends of the string are written, if they decide.
fn two<'a>(
    values: &[Val<'a>],
    holds: fn(&str, &str) -> bool,
    partly: fn(&Partial, &str) -> Option<bool>,
) -> Outcome<'a> {
    let [text, part] = take(values)?;
    let part = part.as_text()?;
    if let Val::Partial(partial) = text
        && let Some(decided) = partly(partial, part)
    {
        return Ok(Val::Bool(decided));
    }
    Ok(Val::Bool(holds(text.as_text()?, part)))
}

/// `s.contains(t)`
pub(super) fn contains<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    two(
        values,
        |text, part| text.contains(part),
        |partial, part| (partial.start.contains(part) || partial.end.contains(part)).then_some(true),
    )
}

pub(super) fn starts_with<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    two(
        values,
        |text, part| text.starts_with(part),
        |partial, part| match (partial.start.starts_with(part), part.starts_with(&*partial.start)) {
            (true, _) => Some(true),
            (false, true) => None,
            (false, false) => Some(false),
        },
    )
}

pub(super) fn ends_with<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    two(
        values,
        |text, part| text.ends_with(part),
        |partial, part| match (partial.end.ends_with(part), part.ends_with(&*partial.end)) {
            (true, _) => Some(true),
            (false, true) => None,
            (false, false) => Some(false),
        },
    )
}

/// Only for patterns that an expression computes; literal ones are compiled with the expression.
pub(super) fn matches<'a>(context: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [text, pattern] = take(values)?;
    match context.pattern(pattern.as_text()?) {
        Ok(regex) => Ok(Val::Bool(regex.is_match(text.as_text()?))),
        Err(why) => error(why),
    }
}

pub(super) fn lower_ascii<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [text] = take(values)?;
    Ok(Val::text(text.as_text()?.to_ascii_lowercase()))
}

pub(super) fn upper_ascii<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [text] = take(values)?;
    Ok(Val::text(text.as_text()?.to_ascii_uppercase()))
}

pub(super) fn trim<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [text] = take(values)?;
    Ok(Val::text(text.as_text()?.trim()))
}

pub(super) fn replace<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [text, from, to] = take(values)?;
    Ok(Val::text(text.as_text()?.replace(from.as_text()?, to.as_text()?)))
}

pub(super) fn split<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [text, separator] = take(values)?;
    Ok(Val::list(text.as_text()?.split(separator.as_text()?).map(Val::text).collect()))
}

pub(super) fn join<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [list, separator] = take(values)?;
    let mut parts = Vec::new();
    for item in list.items()? {
        parts.push(item.as_text()?.to_owned());
    }
    Ok(Val::text(parts.join(separator.as_text()?)))
}

pub(super) fn string<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [value] = take(values)?;
    match value {
        Val::Bool(_) | Val::Int(_) | Val::Float(_) | Val::Str(_) => Ok(Val::text(value.to_string())),
        other => other.refuse("a string, number or boolean"),
    }
}

/// Cuts towards zero, as the language definition says of `int(double)`.
pub(super) fn int<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [value] = take(values)?;
    match value {
        Val::Int(value) => Ok(Val::Int(*value)),
        Val::Float(value) => format!("{:.0}", value.trunc()).parse().map_or_else(
            |_| error(format!("{value} is no whole number of 64 bits")),
            |value| Ok(Val::Int(value)),
        ),
        Val::Str(text) => match text.parse() {
            Ok(value) => Ok(Val::Int(value)),
            Err(_) => error(format!("\"{text}\" is no whole number")),
        },
        other => other.refuse("a number or a string that holds one"),
    }
}

pub(super) fn double<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [value] = take(values)?;
    match value {
        Val::Int(_) | Val::Float(_) => Ok(Val::Float(as_float(value))),
        Val::Str(text) => match text.parse() {
            Ok(value) => Ok(Val::Float(value)),
            Err(_) => error(format!("\"{text}\" is no number")),
        },
        other => other.refuse("a number or a string that holds one"),
    }
}

pub(super) fn bool<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [value] = take(values)?;
    match value {
        Val::Bool(value) => Ok(Val::Bool(*value)),
        Val::Str(text) if text == "true" => Ok(Val::Bool(true)),
        Val::Str(text) if text == "false" => Ok(Val::Bool(false)),
        other => other.refuse("true, false or a string that says so"),
    }
}

/// The value a JSON text holds. Text of which a part is not known is decoded already, around that part.
pub(super) fn json<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [text] = take(values)?;
    if let Val::Map(_) | Val::List(_) = text {
        return Ok(text.clone());
    }
    if text.stands_for_unknown() {
        return Ok(Val::Null);
    }
    match serde_json::from_str(text.as_text()?) {
        Ok(json) => Ok(Val::from_json(&json)),
        Err(why) => error(format!("the text is not JSON: {why}")),
    }
}

/// What the suffix of a quantity multiplies with; the binary ones first, as `i` ends them.
const SUFFIXES: [(&str, f64); 15] = [
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("Ei", 1_152_921_504_606_846_976.0),
    ("n", 1e-9),
    ("u", 1e-6),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("E", 1e18),
];

/// The grammar of `resource.Quantity` in Kubernetes' apimachinery.
pub(super) fn quantity<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [value] = take(values)?;
    let text = match value {
        Val::Int(_) | Val::Float(_) => return Ok(Val::Float(as_float(value))),
        other => other.as_text()?,
    };
    let (number, factor) = SUFFIXES
        .iter()
        .find_map(|(suffix, factor)| text.strip_suffix(suffix).map(|number| (number, *factor)))
        .unwrap_or((text, 1.0));
    let plain = number.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'+' | b'-' | b'e' | b'E'));
    match number.parse::<f64>() {
        Ok(number) if plain => Ok(Val::Float(number * factor)),
        _ => error(format!("\"{text}\" is no quantity; \"500m\" and \"1Gi\" are")),
    }
}

pub(super) fn duration_seconds<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [value] = take(values)?;
    let text = match value {
        Val::Int(seconds) => return Ok(Val::Int(*seconds)),
        other => other.as_text()?,
    };
    seconds(text).map(Val::Int)
}

fn seconds(text: &str) -> Result<i64, Undecided> {
    let wrong = || error(format!("\"{text}\" is no duration; \"60m\", \"1h30m\" and \"2d\" are"));
    let (mut total, mut rest) = (0_i64, text);
    if rest.is_empty() {
        return wrong();
    }
    while let Some(unit) = rest.find(|next: char| !next.is_ascii_digit()) {
        let factor = match rest.get(unit..=unit) {
            Some("s") => 1,
            Some("m") => 60,
            Some("h") => 3_600,
            Some("d") => 86_400,
            Some("w") => 604_800,
            _ => return wrong(),
        };
        let part = rest.get(..unit).and_then(|number| number.parse::<i64>().ok());
        let Some(sum) =
            part.and_then(|part| part.checked_mul(factor)).and_then(|part| total.checked_add(part))
        else {
            return wrong();
        };
        total = sum;
        rest = rest.get(unit + 1..).unwrap_or("");
    }
    if rest.is_empty() { Ok(total) } else { wrong() }
}

/// `docker.io/library/redis` of `redis:8@sha256:...`: the name that a registry knows an image by, without tag and
/// digest (github.com/distribution/reference, `ParseNormalizedNamed`).
pub(super) fn image_name<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [image] = take(values)?;
    let image = image.as_text()?.trim();
    let image = image.split_once('@').map_or(image, |(name, _)| name);
    let tag = image.rfind(':').filter(|at| image.rfind('/').is_none_or(|slash| slash < *at));
    let name = tag.and_then(|at| image.get(..at)).unwrap_or(image);
    let host = name.split_once('/').filter(|(host, _)| host.contains(['.', ':']) || *host == "localhost");
    let (host, path) = host.unwrap_or(("docker.io", name));
    let host = if matches!(host, "index.docker.io" | "registry-1.docker.io") { "docker.io" } else { host };
    let library = if host == "docker.io" && !path.contains('/') { "library/" } else { "" };
    Ok(Val::text(format!("{host}/{library}{path}")))
}

/// What kind of secret a value is under a name, null if it is none.
pub(super) fn literal_secret<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [name, value] = take(values)?;
    let Val::Str(value) = value else { return Ok(Val::Null) };
    let name = if matches!(name, Val::Null) { "" } else { name.as_text()? };
    Ok(secret::in_value(name, value).map_or(Val::Null, |secret| Val::text(secret.what)))
}

/// Whole days from one date to another, negative if the second is earlier.
pub(super) fn days_between<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [from, to] = take(values)?;
    let date = |value: &Val<'a>| -> Result<jiff::civil::Date, Undecided> {
        let text = value.as_text()?;
        text.parse().or_else(|_| error(format!("`{text}` is no date such as 2026-12-31")))
    };
    Ok(Val::Int(i64::from((date(to)? - date(from)?).get_days())))
}
