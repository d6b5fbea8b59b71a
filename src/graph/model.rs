//! What is in the picture: boxes in boxes, the things inside them, and what leads from one to another.

use crate::blueprint::Platform;
use crate::blueprint::model::DataKind;

use super::build;

/// A thing's number in its picture.
pub type NodeId = usize;

/// A platform as a picture, before anything is placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// `nexafi, production`.
    pub title: String,
    /// The most sensitive class of data, as the blueprint says it.
    pub classification: &'static str,
    /// Where cardholder data lives and what can reach it, a sentence each.
    pub summary: Vec<String>,
    /// The regions, the active one first.
    pub regions: Vec<Area>,
    /// Who comes in from outside, if there is a way in.
    pub source: Option<Node>,
    /// What is called outside of the platform.
    pub outside: Vec<Node>,
    /// Who calls whom.
    pub edges: Vec<Edge>,
    /// Connections between regions.
    pub peerings: Vec<Peering>,
}

impl Picture {
    /// The picture of a platform.
    pub fn new(platform: &Platform) -> Self {
        build::picture(platform)
    }

    /// Everything in the picture that is not a box, in order of its number.
    pub fn nodes(&self) -> Vec<&Node> {
        let mut nodes: Vec<&Node> = self.source.iter().chain(&self.outside).collect();
        for region in &self.regions {
            region.walk(&mut |area| nodes.extend(&area.nodes));
        }
        nodes.sort_by_key(|node| node.id);
        nodes
    }
}

/// What a box stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AreaKind {
    /// An AWS region.
    Region,
    /// A VPC.
    Vpc,
    /// An EKS cluster: the tiers its pods stand in.
    Cluster,
    /// A subnet tier, over all its zones.
    Tier,
    /// A group of nodes.
    NodeGroup,
    /// A Fargate profile.
    Fargate,
    /// Services of AWS in the region that stand in no VPC.
    Regional,
}

impl AreaKind {
    /// The word in front of the name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Region => "region",
            Self::Vpc => "VPC",
            Self::Cluster => "EKS cluster",
            Self::Tier => "subnets",
            Self::NodeGroup => "node group",
            Self::Fargate => "Fargate profile",
            Self::Regional => "outside the VPC",
        }
    }

    /// A class of its own.
    pub fn class(self) -> &'static str {
        match self {
            Self::Region => "region",
            Self::Vpc => "vpc",
            Self::Cluster => "cluster",
            Self::Tier => "tier",
            Self::NodeGroup => "group",
            Self::Fargate => "fargate",
            Self::Regional => "regional",
        }
    }
}

/// A box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// What it stands for.
    pub kind: AreaKind,
    /// Its name.
    pub name: String,
    /// What else to know of it, a line each.
    pub facts: Vec<String>,
    /// Kinds of data that something inside handles.
    pub holds: Vec<DataKind>,
    /// Kinds of data that what it stands by for handles: in a disaster they are here.
    pub stands_for: Vec<DataKind>,
    /// Boxes inside.
    pub areas: Vec<Area>,
    /// Things that stand in it directly.
    pub nodes: Vec<Node>,
}

impl Area {
    /// Calls `see` with this box and every box inside, outer ones first.
    pub fn walk<'a>(&'a self, see: &mut impl FnMut(&'a Self)) {
        see(self);
        for area in &self.areas {
            area.walk(see);
        }
    }

    /// What it is and its name, `node group financial-services`.
    pub fn label(&self) -> String {
        if self.name.is_empty() {
            self.kind.word().to_owned()
        } else {
            format!("{} {}", self.kind.word(), self.name)
        }
    }
}

/// What a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodeKind {
    /// Whoever calls from outside.
    Source,
    /// A load balancer with the ingress controller behind it.
    LoadBalancer,
    /// One of the platform's own services.
    Service,
    /// Infrastructure the services need.
    Component,
    /// A data store that AWS runs.
    Store,
    /// An S3 bucket.
    Bucket,
    /// An EFS file system.
    FileSystem,
    /// A KMS key of the platform.
    Key,
    /// An address outside of the platform.
    Outside,
}

impl NodeKind {
    /// What it is, in a word or two.
    pub fn word(self) -> &'static str {
        match self {
            Self::Source => "callers",
            Self::LoadBalancer => "load balancer",
            Self::Service => "service",
            Self::Component => "component",
            Self::Store => "managed data store",
            Self::Bucket => "S3 bucket",
            Self::FileSystem => "EFS file system",
            Self::Key => "KMS key",
            Self::Outside => "outside",
        }
    }

    /// A class of its own.
    pub fn class(self) -> &'static str {
        match self {
            Self::Source | Self::Outside => "outside",
            Self::LoadBalancer => "door",
            Self::Service => "service",
            Self::Component => "component",
            Self::Store | Self::Bucket | Self::FileSystem => "store",
            Self::Key => "key",
        }
    }
}

/// How near a thing is to cardholder data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// It has no way there.
    None,
    /// It calls something that has a way there.
    Indirect,
    /// It calls something that handles cardholder data.
    Direct,
    /// It handles cardholder data itself.
    Holds,
}

/// A thing in a box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its number in the picture.
    pub id: NodeId,
    /// What it is.
    pub kind: NodeKind,
    /// Its name.
    pub name: String,
    /// The most telling fact, a few characters: `:5003 ×3`.
    pub note: String,
    /// What else to know of it, a line each.
    pub facts: Vec<String>,
    /// Kinds of data it handles, the most sensitive first.
    pub handles: Vec<DataKind>,
    /// How near it is to cardholder data.
    pub reach: Reach,
}

/// What an edge says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EdgeKind {
    /// A declared dependency.
    Call,
    /// The way in from outside.
    WayIn,
    /// A call to the world outside.
    Egress,
    /// A permission of AWS to use a bucket.
    Permission,
}

impl EdgeKind {
    /// A class of its own.
    pub fn class(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::WayIn => "way-in",
            Self::Egress => "egress",
            Self::Permission => "permission",
        }
    }
}

/// Who calls whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// The caller.
    pub from: NodeId,
    /// The called.
    pub to: NodeId,
    /// What it says.
    pub kind: EdgeKind,
    /// In words, `payment-service calls ledger-service on 5002`.
    pub words: String,
    /// In a few characters, `5002`.
    pub label: String,
    /// Whether the called handles cardholder data.
    pub cardholder: bool,
}

/// A connection between the VPCs of two regions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peering {
    /// Which region asks: its place among the regions.
    pub from: usize,
    /// Which region accepts.
    pub to: usize,
    /// In words, with the tiers it connects.
    pub words: String,
    /// The calls that may cross, in words.
    pub calls: Vec<String>,
}

/// What a kind of data is called in the picture; short, for it stands on small things.
pub(super) fn short(kind: DataKind) -> &'static str {
    match kind {
        DataKind::CardholderData => "cardholder",
        DataKind::Credentials => "credentials",
        DataKind::FinancialRecords => "financial",
        DataKind::PersonalData => "personal",
        DataKind::AuditLog => "audit",
    }
}

/// What a kind of data is called in a sentence.
pub(super) fn long(kind: DataKind) -> &'static str {
    match kind {
        DataKind::CardholderData => "cardholder data",
        DataKind::Credentials => "credentials",
        DataKind::FinancialRecords => "financial records",
        DataKind::PersonalData => "personal data",
        DataKind::AuditLog => "audit log",
    }
}

/// Every kind of data, the most sensitive first.
pub(super) const DATA: [DataKind; 5] = [
    DataKind::CardholderData,
    DataKind::Credentials,
    DataKind::FinancialRecords,
    DataKind::PersonalData,
    DataKind::AuditLog,
];
