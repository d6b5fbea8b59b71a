//! The evidence page: what an auditor is handed. One HTML file that needs nothing else, and the same controls as CSV.
//!
//! A pure function of what was judged. Nothing in it depends on where the blueprint lies or how its path was typed.

mod control;
mod csv;
mod entry;
mod excerpt;
mod limits;
mod page;
mod view;
mod waivers;

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::blueprint::Platform;
use crate::policy::Policy;
use crate::policy::waiver::Stated;
use crate::source::{FileId, Finding, Sources, Span};

pub use page::PageError;

/// The page's file name.
pub const PAGE: &str = "report.html";
/// The file name of the controls as CSV.
pub const CONTROLS: &str = "controls.csv";

/// What the page is made of.
pub struct Evidence<'a> {
    /// The platform.
    pub platform: &'a Platform,
    /// Every file that was judged. Paths of generated files are those below the output directory.
    pub sources: &'a Sources,
    /// The blueprint's file.
    pub blueprint: FileId,
    /// The blueprint's file name.
    pub name: &'a str,
    /// Where a path into the blueprint leads.
    pub place: &'a dyn Fn(&str) -> Option<Span>,
    /// Every verdict, passes too.
    pub verdicts: &'a [Finding],
    /// The policies that were applied.
    pub policies: Vec<&'a Policy>,
    /// The frameworks that are wanted; none means all.
    pub frameworks: &'a [String],
    /// Policies of which a rule lacked an input.
    pub skipped: &'a BTreeSet<String>,
    /// The blueprint's waivers.
    pub waivers: Vec<Stated>,
    /// The day that was judged by.
    pub at: Option<Date>,
    /// The architecture as SVG.
    pub picture: String,
    /// What went in.
    pub inputs: Vec<Hashed>,
    /// What comes out.
    pub outputs: Vec<Hashed>,
}

/// A file and its hash.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Hashed {
    /// What it is: `blueprint`, `policies`, `facts`, `templates`, `generated`.
    pub kind: &'static str,
    /// Its path, or its name.
    pub path: String,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
    /// Of a table of facts: where they were read, and when.
    pub note: String,
}

/// What is written.
#[derive(Debug)]
pub struct Files {
    /// `report.html`.
    pub page: String,
    /// `controls.csv`.
    pub controls: String,
    /// How many controls are in which state.
    pub tally: Tally,
}

/// How many controls are in which state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Every policy that found something to judge was met everywhere.
    pub met: usize,
    /// A policy failed.
    pub failed: usize,
    /// A value that decides is not fixed by the files.
    pub unproven: usize,
    /// Somebody answers for what is not met.
    pub waived: usize,
    /// Nothing here that a policy looks at.
    pub silent: usize,
}

impl Tally {
    /// Every control that a policy is evidence for.
    pub fn total(&self) -> usize {
        self.met + self.failed + self.unproven + self.waived + self.silent
    }
}

/// Makes the page and the table.
///
/// # Errors
/// A template of ours that does not fit its data: our fault, never the blueprint's.
pub fn files(evidence: &Evidence<'_>) -> Result<Files, PageError> {
    let entries = entry::entries(evidence);
    let frameworks = control::frameworks(evidence, &entries);
    let controls = csv::table(evidence, &frameworks, &entries);
    let page = page::page(evidence, &entries, &frameworks, &controls)?;
    Ok(Files { page, controls, tally: control::tally(&frameworks) })
}
