//! The subnet plan: which part of a VPC a tier and a zone get.
//!
//! Every tier has a part of the VPC of its own and every zone letter a place in it, whether they are used or not.
//! So a zone, a region or a tier that is added never moves a subnet that is there: AWS cannot renumber a subnet, it
//! can only replace it, with everything inside.
//!
//! | part of the VPC         | tier                     | subnet of a /16 |
//! |-------------------------|--------------------------|-----------------|
//! | first three eighths     | `private`                | /20, a to f     |
//! | fourth eighth           | `financial`              | /22, a to f     |
//! | third quarter           | `database`               | /21, a to f     |
//! | seventh eighth          | `public`                 | /22, a to f     |
//! | last eighth             | four slots for your own  | /24, a to f     |

use ipnet::Ipv4Net;

/// The largest and the smallest VPC the plan cuts: AWS allows VPCs of /16 to /28 and subnets down to /28
/// (docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html).
pub const VPC_PREFIXES: std::ops::RangeInclusive<u8> = 16..=20;

/// Zone letters a region can have; each has its place in the plan. No region has more than six.
pub const ZONE_LETTERS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// The part of a VPC that belongs to a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The tier named `private`.
    Private,
    /// The tier named `financial`: nodes that handle protected data.
    Financial,
    /// The tier named `database`.
    Database,
    /// The tier named `public`.
    Public,
    /// One of the four spare slots.
    Slot(u8),
}

impl Part {
    /// The part a tier of this name has by itself.
    pub fn of(tier: &str) -> Option<Self> {
        match tier {
            "private" => Some(Self::Private),
            "financial" => Some(Self::Financial),
            "database" => Some(Self::Database),
            "public" => Some(Self::Public),
            _ => None,
        }
    }

    /// Start of the part in 32nds of the VPC, and how much longer the subnets' prefix is than the VPC's.
    fn layout(self) -> (u32, u8) {
        match self {
            Self::Private => (0, 4),
            Self::Financial => (12, 6),
            Self::Database => (16, 5),
            Self::Public => (24, 6),
            Self::Slot(slot) => (28 + u32::from(slot), 8),
        }
    }
}

/// The subnet of a part and a zone letter; `None` if the VPC's prefix is outside of [`VPC_PREFIXES`], the letter is
/// none, or the slot is above 3.
pub fn subnet(vpc: Ipv4Net, part: Part, letter: &str) -> Option<Ipv4Net> {
    let zone = u32::try_from(ZONE_LETTERS.iter().position(|known| *known == letter)?).ok()?;
    if !VPC_PREFIXES.contains(&vpc.prefix_len()) || matches!(part, Part::Slot(4..)) {
        return None;
    }
    let (start, longer) = part.layout();
    let thirty_second = 1_u32 << (32 - 5 - u32::from(vpc.prefix_len()));
    let prefix = vpc.prefix_len() + longer;
    let size = 1_u32 << (32 - u32::from(prefix));
    let address = u32::from(vpc.network()).checked_add(start * thirty_second)?.checked_add(zone * size)?;
    Ipv4Net::new(address.into(), prefix).ok()
}

/// The range of a cluster's service addresses where nothing is said: a /20 that follows from the VPC's own range
/// alone, so that it stays when regions are added, and differs for VPCs that differ in their second number.
///
/// EKS takes ranges of /24 to /12 inside of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16 that do not overlap the VPC
/// (`docs.aws.amazon.com/eks/latest/APIReference/API_KubernetesNetworkConfigRequest.html`).
pub fn service_range(vpc: Ipv4Net) -> Option<Ipv4Net> {
    let [first, second, third, _] = vpc.network().octets();
    let (base, index) = if first == 10 {
        (u32::from_be_bytes([172, 16, 0, 0]), u32::from(second))
    } else {
        (u32::from_be_bytes([10, 240, 0, 0]), u32::from(second.wrapping_add(third)))
    };
    Ipv4Net::new((base + (index << 12)).into(), 20).ok()
}

/// Whether two networks share an address.
pub fn overlap(left: Ipv4Net, right: Ipv4Net) -> bool {
    left.contains(&right) || right.contains(&left)
}
