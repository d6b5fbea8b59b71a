//! Address ranges.

use std::net::IpAddr;

use ipnet::IpNet;

use super::super::value::{Outcome, Undecided, Val, error};
use super::super::world::Context;
use super::{take, terraform};

/// Ranges no one reaches from the internet: RFC 1918, RFC 6598 (shared), RFC 1122 (loopback), RFC 3927 (link-local),
/// RFC 4193 (unique local), RFC 4291 (link-local, loopback).
const PRIVATE: [&str; 9] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "fc00::/7",
    "fe80::/10",
    "::1/128",
];

fn range(value: &Val<'_>) -> Result<IpNet, Undecided> {
    let text = value.as_text()?;
    match text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)) {
        Ok(range) => Ok(range.trunc()),
        Err(_) => error(format!("\"{text}\" is no address range; \"10.0.0.0/16\" is")),
    }
}

pub(super) fn cidr_contains<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [outer, inner] = take(values)?;
    Ok(Val::Bool(range(outer)?.contains(&range(inner)?)))
}

pub(super) fn cidr_overlaps<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [one, two] = take(values)?;
    let (one, two) = (range(one)?, range(two)?);
    Ok(Val::Bool(one.contains(&two) || two.contains(&one)))
}

pub(super) fn is_public_cidr<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [value] = take(values)?;
    let range = range(value)?;
    Ok(Val::Bool(!is_private(&range)))
}

fn is_private(range: &IpNet) -> bool {
    PRIVATE.iter().filter_map(|private| private.parse::<IpNet>().ok()).any(|private| private.contains(range))
}

/// Shorter prefixes than any one owner of addresses has: registries hand out nothing larger than a /8 of IPv4
/// (IANA IPv4 Address Space Registry) and a /16 of IPv6 (RFC 7020, RIR policies). So two halves of the internet are
/// the internet as well.
pub(super) fn is_internet<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    const NETWORKS: [&str; 3] = ["vpc", "subnet", "vpc_ipv4_cidr_block_association"];
    let [value] = take(values)?;
    // The range of a VPC or subnet may be known only after apply, but it is one network's.
    if let Val::Reference(reference) = value {
        let type_ = terraform::type_of(reference)?;
        let name =
            type_.trim_start_matches("data.").trim_start_matches("aws_").trim_start_matches("default_");
        if NETWORKS.contains(&name) {
            return Ok(Val::Bool(false));
        }
    }
    let range = range(value)?;
    let widest = if range.addr().is_ipv4() { 8 } else { 16 };
    Ok(Val::Bool(range.prefix_len() < widest && !is_private(&range)))
}
