//! Functions on networks, and Base64.

use crate::source::Value;

use super::{Arguments, Outcome, Refusal};

pub(super) fn call(name: &str, arguments: &mut Arguments) -> Outcome {
    let prefix = arguments.text()?;
    let net: ipnet::IpNet = prefix.parse().map_err(|_| Refusal::Failed("needs a CIDR"))?;
    let net = net.trunc();
    match name {
        "cidrnetmask" => Ok(Value::Str(net.netmask().to_string().into())),
        "cidrhost" => {
            let at = arguments.whole()?;
            let size =
                1_i128.checked_shl(u32::from(net.max_prefix_len() - net.prefix_len())).unwrap_or(i128::MAX);
            let at = if at < 0 { size + i128::from(at) } else { i128::from(at) };
            if at < 0 || at >= size {
                return Err(Refusal::Failed("the network has no such host"));
            }
            let at = u128::try_from(at).unwrap_or(0);
            Ok(Value::Str(offset(net.network(), at).to_string().into()))
        }
        _ => {
            let (bits, at) = (arguments.whole()?, arguments.whole()?);
            let length = i64::from(net.prefix_len()).checked_add(bits);
            let length = length.and_then(|length| u8::try_from(length).ok());
            let Some(length) = length.filter(|length| *length <= net.max_prefix_len() && bits >= 0) else {
                return Err(Refusal::Failed("the network has too few bits left"));
            };
            let fits =
                u32::try_from(bits).ok().and_then(|bits| 1_i128.checked_shl(bits)).unwrap_or(i128::MAX);
            if at < 0 || i128::from(at) >= fits {
                return Err(Refusal::Failed("no such subnet"));
            }
            let shift = u32::from(net.max_prefix_len() - length);
            let step = u128::try_from(at).unwrap_or(0).checked_shl(shift).unwrap_or(0);
            Ok(Value::Str(format!("{}/{length}", offset(net.network(), step)).into()))
        }
    }
}

fn offset(address: std::net::IpAddr, by: u128) -> std::net::IpAddr {
    match address {
        std::net::IpAddr::V4(address) => {
            let by = u32::try_from(by).unwrap_or(u32::MAX);
            std::net::Ipv4Addr::from_bits(address.to_bits().saturating_add(by)).into()
        }
        std::net::IpAddr::V6(address) => {
            std::net::Ipv6Addr::from_bits(address.to_bits().saturating_add(by)).into()
        }
    }
}

/// Base64 with the standard alphabet and padding, RFC 4648 section 4.
pub(super) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits =
            group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            if place <= group.len() {
                let at = (bits >> (18 - 6 * place)) & 63;
                text.push(ALPHABET.get(at as usize).copied().map_or('=', char::from));
            } else {
                text.push('=');
            }
        }
    }
    text
}
