//! Which policies a run applies: `--select`, `--ignore`, `--framework`.

use std::collections::BTreeSet;

use crate::source::{did_you_mean, fault};

use super::Error;
use super::args::Chosen;

/// What choosing needs to know of a policy.
pub(super) struct Known<'a> {
    /// `NXF-NET-001`.
    pub(super) id: &'a str,
    /// The directory its file lies in: `network`.
    pub(super) domain: &'a str,
    /// The frameworks it proves a control of.
    pub(super) frameworks: Vec<&'a str>,
}

/// Who stays.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Choice {
    /// One answer a policy, in the order given.
    pub(super) applies: Vec<bool>,
    /// Codes of input faults that are not reported.
    pub(super) ignored_faults: BTreeSet<String>,
}

/// Applies the flags. A word that names nothing is a mistake: checking less than was asked for must not look like
/// success.
pub(super) fn choose(known: &[Known<'_>], chosen: &Chosen) -> Result<Choice, Error> {
    let faults: Vec<&str> = fault::ALL.iter().map(|fault| fault.code).collect();
    for word in &chosen.select {
        if !known.iter().any(|policy| names(word, policy)) {
            return Err(unknown("--select", word, known, &[]));
        }
    }
    let mut ignored_faults = BTreeSet::new();
    for word in &chosen.ignore {
        let named: Vec<&str> = faults.iter().copied().filter(|code| names_id(word, code)).collect();
        if named.is_empty() && !known.iter().any(|policy| names(word, policy)) {
            return Err(unknown("--ignore", word, known, &faults));
        }
        ignored_faults.extend(named.into_iter().map(str::to_owned));
    }
    let frameworks: BTreeSet<&str> =
        known.iter().flat_map(|policy| policy.frameworks.iter().copied()).collect();
    for word in &chosen.framework {
        if !frameworks.contains(word.as_str()) {
            let help = match did_you_mean(word, frameworks.iter().copied()) {
                Some(close) => format!("did you mean `{close}`?"),
                None => {
                    format!("known are: {}", frameworks.iter().copied().collect::<Vec<_>>().join(", "))
                }
            };
            let message = format!("--framework {word}: no policy proves a control of such a framework");
            return Err(Error::Usage { message, help });
        }
    }
    let applies = known
        .iter()
        .map(|policy| {
            let named_by = |words: &[String]| words.iter().any(|word| names(word, policy));
            let framework = chosen.framework.is_empty()
                || chosen.framework.iter().any(|word| policy.frameworks.contains(&word.as_str()));
            framework && (chosen.select.is_empty() || named_by(&chosen.select)) && !named_by(&chosen.ignore)
        })
        .collect();
    Ok(Choice { applies, ignored_faults })
}

/// An id, the beginning of ids (`NXF-NET`), the domain inside them (`NET`) or the directory (`network`).
fn names(word: &str, policy: &Known<'_>) -> bool {
    names_id(word, policy.id) || word.eq_ignore_ascii_case(policy.domain)
}

fn names_id(word: &str, id: &str) -> bool {
    let word = word.to_ascii_uppercase();
    let word = word.trim_end_matches('-');
    let id = id.to_ascii_uppercase();
    id == word
        || id.rsplit_once('-').is_some_and(|(group, _)| {
            group == word || group.split_once('-').is_some_and(|(_, domain)| domain == word)
        })
}

fn unknown(flag: &str, word: &str, known: &[Known<'_>], faults: &[&str]) -> Error {
    let upper = word.to_ascii_uppercase();
    let domains: BTreeSet<&str> = known
        .iter()
        .flat_map(|policy| {
            let short = policy.id.rsplit_once('-').and_then(|(group, _)| group.split_once('-'));
            [Some(policy.domain), short.map(|(_, domain)| domain)]
        })
        .flatten()
        .collect();
    let ids = known.iter().map(|policy| policy.id).chain(faults.iter().copied());
    let help = match did_you_mean(&upper, ids.chain(domains.iter().copied())) {
        Some(close) => format!("did you mean `{close}`? `nexafi-gen policies list` lists them all"),
        None => "`nexafi-gen policies list` lists ids and domains".to_owned(),
    };
    Error::Usage { message: format!("{flag} {word}: there is no policy or domain of that name"), help }
}
