//! Files, byte spans, lines and columns, the spanned value tree, findings. The bottom of the crate: knows
//! nothing of blueprints, Terraform, Kubernetes or policies.

mod concealed;
pub mod edit;
mod file;
mod finding;
mod loose;
mod passes;
mod path;
pub mod pattern;
pub mod secret;
pub(crate) mod tables;
mod tree;
pub mod yaml;

pub use concealed::SENSITIVE;
pub use file::{FileId, LineColumn, SourceFile, Sources, Span};
pub use finding::{
    Acceptance, Controls, FaultCode, Finding, Fix, Related, Severity, Subject, SubjectKind, Verdict, fault,
};
pub use loose::loose_json;
pub use passes::{Pass, Passes};
pub use path::{normalise, relative};
pub use tree::{Entry, List, Map, Node, Partial, Reference, Shape, Value};

/// The closest of `candidates` to `word`, if close enough that a typing error explains the difference.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&word.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(score, _)| *score >= 0.8)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, candidate)| candidate)
}
