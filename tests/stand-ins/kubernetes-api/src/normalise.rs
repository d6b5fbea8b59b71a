//! What becomes of an object when the API server reads it into its own types and writes it again: quantities in their
//! canonical form, fields without a value gone. `kubectl apply` of a manifest that says such a thing in another way
//! changes the object each time it runs, and `kubectl diff` is never clean.

use serde_json::{Map, Value};

use crate::definitions::{Definitions, item_of};

/// Strings that are kept when empty, for an empty one means something else than none (pointers in Kubernetes' types).
const EMPTY_MEANS_SOMETHING: [&str; 4] =
    ["storageClassName", "ingressClassName", "loadBalancerClass", "volumeAttributesClassName"];

/// Booleans that are dropped when false, numbers that are dropped when 0: no pointers, `omitempty`.
const DROPPED_WHEN_ZERO: [&str; 15] = [
    "hostNetwork",
    "hostPID",
    "hostIPC",
    "stdin",
    "stdinOnce",
    "tty",
    "readOnly",
    "paused",
    "publishNotReadyAddresses",
    "minReadySeconds",
    "hostPort",
    "nodePort",
    "initialDelaySeconds",
    "healthCheckNodePort",
    "globalDefault",
];

/// Brings a value into the form in which the API server keeps it.
pub(crate) fn normalise(known: &Definitions, type_: &str, value: &mut Value) {
    let plain = known.plain(type_).to_owned();
    match value {
        Value::Object(map) => {
            let before = std::mem::take(map);
            for (key, mut inner) in before {
                let Some(field) = known.field(&plain, &key) else { continue };
                normalise(known, &field.type_, &mut inner);
                let free = known.is_free_mapping(&plain);
                if !inner.is_null()
                    && (free || field.required || !is_dropped(known, &field.type_, &key, &inner))
                {
                    map.insert(key, inner);
                }
            }
        }
        Value::Array(items) => {
            let item_type = item_of(&plain).to_owned();
            for item in items {
                normalise(known, &item_type, item);
            }
        }
        Value::String(text) if plain == "q" => {
            if let Some(canonical) = canonical_quantity(text) {
                *text = canonical;
            }
        }
        Value::Number(number) if plain == "q" => {
            let text = number.to_string();
            *value = Value::String(canonical_quantity(&text).unwrap_or(text));
        }
        _ => {}
    }
}

fn is_dropped(known: &Definitions, type_: &str, key: &str, value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty() && !EMPTY_MEANS_SOMETHING.contains(&key),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty() && known.plain(type_).starts_with('{'),
        Value::Bool(value) => !value && DROPPED_WHEN_ZERO.contains(&key),
        Value::Number(number) => number.as_i64() == Some(0) && DROPPED_WHEN_ZERO.contains(&key),
        Value::Null => true,
    }
}

const DECIMAL: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
const BINARY: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

fn power(exponent: i32) -> Option<i128> {
    10_i128.checked_pow(u32::try_from(exponent).ok()?)
}

/// A quantity in billionths, the smallest there are, and whether it is written with a binary suffix. `None` for what is
/// no quantity, or too large to matter.
fn read_quantity(text: &str) -> Option<(i128, bool)> {
    let end = text.find(|char: char| !char.is_ascii_digit() && !".+-".contains(char)).unwrap_or(text.len());
    let (number, suffix) = text.split_at_checked(end)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let scale = 9 - i32::try_from(fraction.len()).ok()?;
    if let Some(at) = BINARY.iter().skip(1).position(|known| *known == suffix) {
        let unit = 1024_i128.checked_pow(u32::try_from(at).ok()? + 1)?;
        return Some((digits.checked_mul(unit)?.checked_mul(power(scale)?)?, true));
    }
    let (_, exponent) = DECIMAL.iter().find(|(known, _)| *known == suffix)?;
    Some((digits.checked_mul(power(scale + exponent)?)?, false))
}

/// A quantity in billionths.
pub(crate) fn nano(text: &str) -> Option<i128> {
    read_quantity(text).map(|(nano, _)| nano)
}

/// The canonical form of a quantity (`k8s.io/apimachinery/pkg/api/resource`): the largest suffix that leaves a whole
/// number.
pub(crate) fn canonical_quantity(text: &str) -> Option<String> {
    let (nano, binary) = read_quantity(text)?;
    if nano == 0 {
        return Some("0".to_owned());
    }
    if binary && nano % power(9)? == 0 && (nano / power(9)?).abs() >= 1024 {
        let mut amount = nano / power(9)?;
        let mut at = 0;
        while amount % 1024 == 0 && at + 1 < BINARY.len() {
            amount /= 1024;
            at += 1;
        }
        return Some(format!("{amount}{}", BINARY[at]));
    }
    let (suffix, unit) = DECIMAL
        .iter()
        .rev()
        .filter_map(|(suffix, exponent)| Some((suffix, power(9 + exponent)?)))
        .find(|(_, unit)| nano % unit == 0)?;
    Some(format!("{}{suffix}", nano / unit))
}

/// A nested value; null where it is missing.
pub(crate) fn at<'a>(value: &'a Value, path: &[&str]) -> &'a Value {
    path.iter().fold(value, |value, key| &value[*key])
}

/// A nested mapping, made where it is missing.
pub(crate) fn map_at<'a>(value: &'a mut Value, path: &[&str]) -> &'a mut Map<String, Value> {
    let mut inner = value;
    for key in path {
        if !inner[*key].is_object() {
            inner[*key] = Value::Object(Map::new());
        }
        inner = &mut inner[*key];
    }
    if !inner.is_object() {
        *inner = Value::Object(Map::new());
    }
    match inner {
        Value::Object(map) => map,
        _ => unreachable!("it was made one above"),
    }
}
