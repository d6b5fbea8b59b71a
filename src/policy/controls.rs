//! The frameworks that policies give evidence for.

use super::facts;

/// A framework, in the edition that control ids refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Framework {
    /// Payment Card Industry Data Security Standard.
    PciDss,
    /// NIST Special Publication 800-53.
    Nist80053,
    /// CIS Amazon EKS Benchmark.
    CisEks,
    /// CIS Amazon Web Services Foundations Benchmark.
    CisAwsFoundations,
    /// AICPA Trust Services Criteria, for SOC 2 reports.
    Soc2,
    /// Digital Operational Resilience Act.
    Dora,
}

/// A part of a framework: a requirement's section, a family, an article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// `10.2`, `AU`, `CC7`.
    pub id: String,
    /// What it is about.
    pub title: String,
}

impl Section {
    /// Whether a control of the same framework belongs to it: `10.2.1` to `10.2`, `AU-12` to `AU`, `9(2)` to `9`.
    pub fn holds(&self, control: &str) -> bool {
        control
            .strip_prefix(self.id.as_str())
            .is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_alphanumeric()))
    }
}

impl Framework {
    /// Every framework, in the order reports list them.
    pub const ALL: [Self; 6] =
        [Self::PciDss, Self::Nist80053, Self::CisEks, Self::CisAwsFoundations, Self::Soc2, Self::Dora];

    /// The id that blueprints, policies and `--framework` use.
    pub fn id(self) -> &'static str {
        match self {
            Self::PciDss => "pci-dss-4.0.1",
            Self::Nist80053 => "nist-800-53-r5",
            Self::CisEks => "cis-eks-1.8",
            Self::CisAwsFoundations => "cis-aws-foundations-5.0",
            Self::Soc2 => "soc2-tsc-2017",
            Self::Dora => "dora-2022-2554",
        }
    }

    /// The name a report prints.
    pub fn title(self) -> &'static str {
        match self {
            Self::PciDss => "PCI DSS v4.0.1",
            Self::Nist80053 => "NIST SP 800-53 Rev. 5",
            Self::CisEks => "CIS Amazon EKS Benchmark v1.8.0",
            Self::CisAwsFoundations => "CIS Amazon Web Services Foundations Benchmark v5.0.0",
            Self::Soc2 => "SOC 2: Trust Services Criteria 2017",
            Self::Dora => "DORA: Regulation (EU) 2022/2554",
        }
    }

    /// What its control ids look like, for a message.
    pub fn control_example(self) -> &'static str {
        match self {
            Self::PciDss => "10.2.1",
            Self::Nist80053 => "AU-12 or SC-7(5)",
            Self::CisEks => "4.1.1",
            Self::CisAwsFoundations => "3.7",
            Self::Soc2 => "CC7.2",
            Self::Dora => "9 (an article), 9(2) (a paragraph)",
        }
    }

    /// The framework of an id.
    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|framework| framework.id() == id)
    }

    /// The parts of the framework, in its own order: a table of facts.
    pub fn sections(self) -> Vec<Section> {
        let parts = facts::table("framework-sections")
            .and_then(|facts| facts.table.at(&["frameworks", self.id()])?.as_map());
        let mut sections = Vec::new();
        for (id, entry) in parts.iter().flat_map(|parts| parts.iter()) {
            let title = entry.node.as_str().unwrap_or_default().to_owned();
            sections.push(Section { id: id.to_string(), title });
        }
        sections
    }

    /// Whether an id has the form of this framework's controls.
    pub fn has_form(self, control: &str) -> bool {
        match self {
            Self::PciDss | Self::CisEks | Self::CisAwsFoundations => {
                numbers(control).is_some_and(|parts| parts >= 2)
            }
            Self::Nist80053 => {
                let (base, enhancement) = parenthesised(control);
                base.split_once('-').is_some_and(|(family, number)| {
                    family.len() == 2
                        && family.bytes().all(|byte| byte.is_ascii_uppercase())
                        && digits(number)
                }) && enhancement.is_none_or(digits)
            }
            Self::Soc2 => ["CC", "PI", "A", "C", "P"]
                .iter()
                .any(|series| control.strip_prefix(series).and_then(numbers).is_some_and(|parts| parts == 2)),
            Self::Dora => {
                let (article, paragraph) = parenthesised(control);
                digits(article) && paragraph.is_none_or(digits)
            }
        }
    }
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// How many numbers `10.2.1` has; `None` if it is something else.
fn numbers(text: &str) -> Option<usize> {
    text.split('.').all(digits).then(|| text.split('.').count())
}

fn parenthesised(text: &str) -> (&str, Option<&str>) {
    match text.split_once('(') {
        Some((base, rest)) => (base, Some(rest.strip_suffix(')').unwrap_or(""))),
        None => (text, None),
    }
}
