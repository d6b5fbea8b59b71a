//! Base64, character encodings, addresses.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::source::Value;

use super::{Arguments, Outcome, Refusal, never, text_value};

/// What stands in the query of an address as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b' ');

pub(super) fn call(name: &str, arguments: &mut Arguments) -> Outcome {
    let text = arguments.text()?;
    match name {
        "base64encode" => Ok(Value::Str(STANDARD.encode(text.as_bytes()).into())),
        "base64decode" => {
            let bytes = decoded(&text)?;
            String::from_utf8(bytes).map(text_value).map_err(|_| Refusal::Failed("the result is not UTF-8"))
        }
        // Every compressor makes other bytes of one text.
        "base64gzip" => Err(never("the bytes of a compressed text depend on who compresses it")),
        "urlencode" => Ok(Value::Str(utf8_percent_encode(&text, PLAIN).to_string().replace(' ', "+").into())),
        "textencodebase64" => {
            let bytes = charset(&arguments.text()?)?.encode(&text)?;
            Ok(Value::Str(STANDARD.encode(bytes).into()))
        }
        _ => {
            let charset = charset(&arguments.text()?)?;
            charset.decode(&decoded(&text)?).map(text_value)
        }
    }
}

/// Line breaks within Base64 mean nothing, nor do the bits behind the last byte.
fn decoded(text: &str) -> Result<Vec<u8>, Refusal> {
    let lenient = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(&alphabet::STANDARD, lenient)
        .decode(text.replace(['\r', '\n'], ""))
        .map_err(|_| Refusal::Failed("the text is not Base64"))
}

/// The encodings that browsers, whose tables are at hand, and IANA have by the same name and with the same letters.
const SHARED: &[&str] = &[
    "iso-8859-2",
    "iso-8859-3",
    "iso-8859-4",
    "iso-8859-5",
    "iso-8859-6",
    "iso-8859-7",
    "iso-8859-8",
    "iso-8859-10",
    "iso-8859-13",
    "iso-8859-14",
    "iso-8859-15",
    "iso-8859-16",
    "windows-1250",
    "windows-1251",
    "windows-1252",
    "windows-1253",
    "windows-1254",
    "windows-1255",
    "windows-1256",
    "windows-1257",
    "windows-1258",
    "koi8-r",
    "koi8-u",
    "ibm866",
    "macintosh",
    "shift_jis",
    "euc-jp",
    "iso-2022-jp",
    "gbk",
    "gb18030",
    "euc-kr",
];

/// A character encoding by its name in the registry of IANA.
enum Charset {
    Utf8,
    Ascii,
    Latin1,
    Utf16 { big: bool, mark: bool },
    Other(&'static encoding_rs::Encoding),
}

fn charset(name: &str) -> Result<Charset, Refusal> {
    let lower = name.to_ascii_lowercase();
    Ok(match lower.as_str() {
        "utf-8" | "csutf8" => Charset::Utf8,
        "iso-8859-1" | "latin1" | "l1" | "iso_8859-1" | "iso-ir-100" | "ibm819" | "cp819" => Charset::Latin1,
        "utf-16" | "csutf16" => Charset::Utf16 { big: true, mark: true },
        "utf-16be" | "csutf16be" => Charset::Utf16 { big: true, mark: false },
        "utf-16le" | "csutf16le" => Charset::Utf16 { big: false, mark: false },
        "us-ascii" => Charset::Ascii,
        "ascii" | "utf8" | "unicode" | "cp1252" | "x-sjis" => {
            return Err(Refusal::Failed("Terraform knows no such character encoding"));
        }
        name if SHARED.contains(&name) => match encoding_rs::Encoding::for_label(name.as_bytes()) {
            Some(encoding) => Charset::Other(encoding),
            None => return Err(never("this character encoding is not evaluated")),
        },
        _ => return Err(never("this character encoding is not evaluated")),
    })
}

impl Charset {
    fn encode(&self, text: &str) -> Result<Vec<u8>, Refusal> {
        let missing = Refusal::Failed("the encoding has no such character");
        match self {
            Self::Ascii if !text.is_ascii() => Err(missing),
            Self::Utf8 | Self::Ascii => Ok(text.as_bytes().to_vec()),
            Self::Latin1 => {
                let bytes: Result<Vec<u8>, _> =
                    text.chars().map(|letter| u8::try_from(u32::from(letter))).collect();
                bytes.map_err(|_| missing)
            }
            Self::Utf16 { big, mark } => {
                let units = mark.then_some(0xFEFF).into_iter().chain(text.encode_utf16());
                Ok(units
                    .flat_map(|unit| if *big { unit.to_be_bytes() } else { unit.to_le_bytes() })
                    .collect())
            }
            Self::Other(encoding) => match encoding.encode(text) {
                (bytes, _, false) if !has_controls(text) => Ok(bytes.into_owned()),
                _ => Err(missing),
            },
        }
    }

    fn decode(&self, bytes: &[u8]) -> Result<String, Refusal> {
        let failed = || Refusal::Failed("the bytes are none of this encoding");
        match self {
            Self::Utf8 => String::from_utf8(bytes.to_vec()).map_err(|_| failed()),
            Self::Ascii if !bytes.is_ascii() => Err(failed()),
            Self::Ascii => Ok(bytes.iter().map(|byte| char::from(*byte)).collect()),
            Self::Latin1 => Ok(bytes.iter().map(|byte| char::from(*byte)).collect()),
            Self::Utf16 { big, mark } => {
                let (big, bytes) = match bytes {
                    [0xFE, 0xFF, rest @ ..] if *mark => (true, rest),
                    [0xFF, 0xFE, rest @ ..] if *mark => (false, rest),
                    _ => (*big, bytes),
                };
                if bytes.len() % 2 != 0 {
                    return Err(failed());
                }
                let units = bytes.chunks_exact(2).map(|pair| {
                    let pair = <[u8; 2]>::try_from(pair).unwrap_or_default();
                    if big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
                });
                char::decode_utf16(units).collect::<Result<String, _>>().map_err(|_| failed())
            }
            Self::Other(encoding) => match encoding.decode_without_bom_handling(bytes) {
                (text, false) if !has_controls(&text) => Ok(text.into_owned()),
                _ => Err(failed()),
            },
        }
    }
}

/// Control letters that browsers put where an encoding has nothing.
fn has_controls(text: &str) -> bool {
    text.contains(|letter| ('\u{80}'..='\u{9f}').contains(&letter))
}
