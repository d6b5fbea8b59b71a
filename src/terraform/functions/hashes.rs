//! Hashes of text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use crate::source::Value;

use super::{Arguments, Outcome, Refusal, never};

pub(super) fn call(name: &str, arguments: &mut Arguments) -> Outcome {
    match name {
        "uuidv5" => uuid(arguments),
        "bcrypt" => Err(never("bcrypt adds a random salt")),
        _ => {
            let text = arguments.text()?;
            of(name, text.as_bytes())
        }
    }
}

/// The hash that a function's name ends with.
pub(super) fn of(name: &str, bytes: &[u8]) -> Outcome {
    let text = match name.trim_start_matches("file") {
        "md5" => hex(&Md5::digest(bytes)),
        "sha1" => hex(&Sha1::digest(bytes)),
        "sha256" => hex(&Sha256::digest(bytes)),
        "sha512" => hex(&Sha512::digest(bytes)),
        "base64sha256" => STANDARD.encode(Sha256::digest(bytes)),
        "base64sha512" => STANDARD.encode(Sha512::digest(bytes)),
        _ => return Err(Refusal::Failed("there is no such hash")),
    };
    Ok(Value::Str(text.into()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// RFC 9562, section 5.5: the SHA-1 of a namespace and a name.
fn uuid(arguments: &mut Arguments) -> Outcome {
    let (namespace, name) = (arguments.text()?, arguments.text()?);
    let namespace = match &*namespace {
        "dns" => "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "url" => "6ba7b811-9dad-11d1-80b4-00c04fd430c8",
        "oid" => "6ba7b812-9dad-11d1-80b4-00c04fd430c8",
        "x500" => "6ba7b814-9dad-11d1-80b4-00c04fd430c8",
        other => other,
    };
    let dashes: Vec<usize> = namespace.match_indices('-').map(|(at, _)| at).collect();
    let digits: String = namespace.chars().filter(|letter| *letter != '-').collect();
    let namespace = u128::from_str_radix(&digits, 16)
        .ok()
        .filter(|_| digits.len() == 32 && dashes == [8, 13, 18, 23])
        .ok_or(Refusal::Failed("needs dns, url, oid, x500 or a UUID as namespace"))?;
    let hash = Sha1::digest([&namespace.to_be_bytes()[..], name.as_bytes()].concat());
    let first = hash.iter().take(16).fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
    // Version 5, variant 10.
    let number = first & !(0xF << 76) & !(0b11 << 62) | 5 << 76 | 0b10 << 62;
    let hex = format!("{number:032x}");
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or("");
    let parts = [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)];
    Ok(Value::Str(parts.join("-").into()))
}
