//! Numbers and texts in the records that `build.rs` writes and the tool reads; both compile this file.
//!
//! A number has seven bits a byte, the lowest first, and the eighth bit says that more follow. A text is its length in bytes
//! and what it says.
#![allow(dead_code, reason = "the build script writes, the tool reads")]

/// Writes a number.
pub(crate) fn write_number(record: &mut Vec<u8>, mut number: usize) {
    while number >= 128 {
        record.push(u8::try_from(number % 128).unwrap_or(0) | 128);
        number /= 128;
    }
    record.push(u8::try_from(number).unwrap_or(0));
}

/// Writes a text.
pub(crate) fn write_text(record: &mut Vec<u8>, text: &str) {
    write_number(record, text.len());
    record.extend(text.as_bytes());
}

/// Takes a number from the front; `None` if there is none.
pub(crate) fn number(rest: &mut &[u8]) -> Option<usize> {
    let mut number = 0;
    for shift in (0..usize::BITS).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        number |= usize::from(byte & 127).checked_shl(shift)?;
        if byte & 128 == 0 {
            return Some(number);
        }
    }
    None
}

/// Takes a text from the front; `None` if there is none.
pub(crate) fn text<'r>(rest: &mut &'r [u8]) -> Option<&'r str> {
    let length = number(rest)?;
    let (text, after) = rest.split_at_checked(length)?;
    *rest = after;
    std::str::from_utf8(text).ok()
}

/// A number for a text by which a sorted table finds it: FNV-1a in 64 bits
/// (<http://www.isthe.com/chongo/tech/comp/fnv/>). Two texts may have the same one.
pub(crate) fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
