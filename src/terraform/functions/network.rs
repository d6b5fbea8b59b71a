//! Functions on networks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use num_bigint::BigInt;

use crate::source::{Node, Value};

use super::{Arguments, Outcome, Refusal, list, never};

pub(super) fn call(name: &str, arguments: &mut Arguments) -> Outcome {
    let net = parse(&arguments.text()?).ok_or(Refusal::Failed("needs a CIDR"))?;
    let free = u32::from(net.max_prefix_len() - net.prefix_len());
    match name {
        "cidrnetmask" if net.network().is_ipv4() => Ok(Value::Str(net.netmask().to_string().into())),
        "cidrnetmask" => Err(Refusal::Failed("needs an IPv4 network")),
        "cidrhost" => {
            let at = arguments.integer()?;
            let all = BigInt::from(1) << free;
            let at = if at.sign() == num_bigint::Sign::Minus { &all + at } else { at };
            let at = u128::try_from(&at).ok().filter(|_| at < all);
            let host = offset(net.network(), at.ok_or(Refusal::Failed("the network has no such host"))?);
            Ok(Value::Str(host.to_string().into()))
        }
        "cidrsubnet" => {
            let (bits, at) = (arguments.whole()?, arguments.integer()?);
            if bits < 0 || at.sign() == num_bigint::Sign::Minus {
                // Terraform's answer has nothing to do with the question.
                return Err(never("a negative number of a subnet is not evaluated"));
            }
            let bits = u32::try_from(bits).ok().filter(|bits| *bits <= free);
            let bits = bits.ok_or(Refusal::Failed("the network has too few bits left"))?;
            let at = u128::try_from(&at).ok().filter(|_| at < BigInt::from(1) << bits);
            let at = at.ok_or(Refusal::Failed("the network has no such subnet"))?;
            let step = at.checked_shl(free - bits).unwrap_or(0);
            let length = u32::from(net.prefix_len()) + bits;
            Ok(Value::Str(format!("{}/{length}", offset(net.network(), step)).into()))
        }
        _ => subnets(net, arguments),
    }
}

/// One subnet after the other, each with its own number of bits.
fn subnets(net: IpNet, arguments: &mut Arguments) -> Outcome {
    let too_many = || Refusal::Failed("the network has too few bits left");
    let last = numeric(net.broadcast());
    let mut next = Some(numeric(net.network()));
    let mut subnets = Vec::new();
    while arguments.are_left() {
        let bits = arguments.whole()?;
        let bits = u8::try_from(bits).ok().filter(|bits| *bits > 0).ok_or_else(too_many)?;
        let length = net.prefix_len().checked_add(bits).filter(|length| *length <= net.max_prefix_len());
        let length = length.ok_or_else(too_many)?;
        let size = 1_u128.checked_shl(u32::from(net.max_prefix_len() - length)).unwrap_or(0);
        // A subnet starts where one of its size can.
        let start = next.and_then(|next| next.checked_next_multiple_of(size)).ok_or_else(too_many)?;
        let end = start.checked_add(size - 1).filter(|end| *end <= last).ok_or_else(too_many)?;
        next = end.checked_add(1);
        let address = offset(net.network(), start - numeric(net.network()));
        subnets.push(Node::string(arguments.span, format!("{address}/{length}")));
    }
    Ok(list(subnets))
}

/// A network as Terraform reads it: zeros may stand before the decimals of an address.
fn parse(text: &str) -> Option<IpNet> {
    let (address, length) = text.split_once('/')?;
    let address = if address.contains(':') {
        address.to_owned()
    } else {
        let plain = |part: &str| match part.trim_start_matches('0') {
            "" if !part.is_empty() => "0".to_owned(),
            rest => rest.to_owned(),
        };
        address.split('.').map(plain).collect::<Vec<_>>().join(".")
    };
    if length.len() > 1 && length.starts_with('0') || length.starts_with('+') {
        return None;
    }
    format!("{address}/{length}").parse::<IpNet>().ok().map(|net| net.trunc())
}

fn numeric(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn offset(address: IpAddr, by: u128) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let by = u32::try_from(by).unwrap_or(u32::MAX);
            Ipv4Addr::from_bits(address.to_bits().saturating_add(by)).into()
        }
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits().saturating_add(by)).into(),
    }
}
