//! `rsadecrypt`: PKCS #1 v1.5, RFC 8017, with the keys that PEM files hold.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use num_bigint::BigUint;

use super::{Arguments, Outcome, Refusal, text_value};

pub(super) fn decrypt(arguments: &mut Arguments) -> Outcome {
    let (ciphertext, key) = (arguments.text()?, arguments.text()?);
    let failed = || Refusal::Failed("the text does not decrypt with this key");
    let ciphertext = STANDARD.decode(ciphertext.replace(['\r', '\n'], "")).map_err(|_| failed())?;
    let key = Key::parse(&key).ok_or(Refusal::Failed("the key is no private RSA key"))?;
    let plain = key.decrypt(&ciphertext).ok_or_else(failed)?;
    Ok(text_value(String::from_utf8_lossy(&plain)))
}

struct Key {
    modulus: BigUint,
    exponent: BigUint,
}

impl Key {
    /// The first private key in a PEM file: PKCS #1, or PKCS #8 around it.
    fn parse(pem: &str) -> Option<Self> {
        let (_, rest) = pem.split_once("-----BEGIN ")?;
        let (label, rest) = rest.split_once("-----")?;
        let (body, _) = rest.split_once("-----END ")?;
        let der = STANDARD.decode(body.split_whitespace().collect::<String>()).ok()?;
        let mut key = Der { rest: &der }.sequence()?;
        key.integer()?;
        if label == "PRIVATE KEY" {
            key.take(0x30)?;
            let inner = key.take(0x04)?;
            key = Der { rest: inner }.sequence()?;
            key.integer()?;
        } else if label != "RSA PRIVATE KEY" {
            return None;
        }
        let modulus = key.integer()?;
        key.integer()?;
        Some(Self { modulus, exponent: key.integer()? })
    }

    fn decrypt(&self, ciphertext: &[u8]) -> Option<Vec<u8>> {
        let length = usize::try_from(self.modulus.bits().div_ceil(8)).ok()?;
        let number = BigUint::from_bytes_be(ciphertext);
        if ciphertext.len() != length || length > 2048 || number >= self.modulus {
            return None;
        }
        let plain = number.modpow(&self.exponent, &self.modulus).to_bytes_be();
        // A zero that the number does not keep, then 2, at least eight random bytes, and a zero.
        let padded = plain.strip_prefix(&[2]).filter(|_| plain.len() + 1 == length)?;
        let end = padded.iter().position(|byte| *byte == 0).filter(|end| *end >= 8)?;
        padded.get(end + 1..).map(<[u8]>::to_vec)
    }
}

/// The few kinds of ASN.1 that a key is made of.
struct Der<'d> {
    rest: &'d [u8],
}

impl<'d> Der<'d> {
    fn take(&mut self, tag: u8) -> Option<&'d [u8]> {
        let [found, first, rest @ ..] = self.rest else { return None };
        let (length, rest) = match first {
            0..=0x7F => (usize::from(*first), rest),
            _ => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
                (
                    bytes.iter().try_fold(0_usize, |length, byte| {
                        length.checked_mul(256)?.checked_add(usize::from(*byte))
                    })?,
                    rest,
                )
            }
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.rest = rest;
        (*found == tag).then_some(content)
    }

    fn sequence(&mut self) -> Option<Self> {
        self.take(0x30).map(|rest| Self { rest })
    }

    fn integer(&mut self) -> Option<BigUint> {
        self.take(0x02).map(BigUint::from_bytes_be)
    }
}
