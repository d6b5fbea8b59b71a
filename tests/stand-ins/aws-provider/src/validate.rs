//! What the provider refuses of a configuration before anything is planned.

use std::sync::LazyLock;

use nexafi_gen::terraform::schema::{Block, Type};
use regex::Regex;

use crate::document::{self, Use};
use crate::facts::{Allowed, CONSTRAINTS};
use crate::messages::{Diagnostic, Selector};
use crate::value::Value;

/// Whether a text is an ARN, by the provider's own expression for the region and account.
pub fn is_arn(text: &str) -> bool {
    static ARN: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"^arn:[\w-]+:[a-zA-Z0-9-]+:([a-z]{2,}(-[a-z]+)+-\d)?:(\d{12}|aws|aws-managed|third-party|cw.{10})?:.+$").ok()
    });
    ARN.as_ref().is_some_and(|arn| arn.is_match(text))
}

/// Arguments that are ARNs without being called so.
const ARNS: [(&str, &str); 3] = [
    ("aws_cloudwatch_log_group", "kms_key_id"),
    ("aws_cloudtrail", "kms_key_id"),
    ("aws_flow_log", "log_destination"),
];

/// Checks a resource's configuration. What is not known yet is not judged.
pub fn resource(type_: &str, block: &Block, config: &Value) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    walk(type_, block, config, &mut Vec::new(), &mut found);
    for constraint in CONSTRAINTS.iter().filter(|constraint| constraint.type_ == type_) {
        constrained(config, &constraint.path, &constraint.allowed, &mut Vec::new(), &mut found);
    }
    if type_.starts_with("aws_vpc_security_group_") {
        let peers = ["cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id"];
        let named = peers.iter().filter(|peer| !config.at(peer).is_null()).count();
        if named != 1 {
            found.push(Diagnostic::error(
                "Invalid Attribute Combination",
                format!(
                    "{named} attributes specified when one (and only one) of [{}] is required",
                    peers.join(",")
                ),
            ));
        }
    }
    found
}

/// Checks a data source's configuration.
pub fn data(type_: &str, block: &Block, config: &Value) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    computed(block, config, &mut Vec::new(), &mut found);
    if type_ == "aws_iam_policy_document" {
        for statement in config.at("statement").items() {
            let effect = statement.at("effect").text();
            if effect.is_some_and(|effect| effect != "Allow" && effect != "Deny") {
                found.push(Diagnostic::error(
                    "expected effect to be one of [\"Allow\" \"Deny\"]",
                    format!("got {}", effect.unwrap_or_default()),
                ));
            }
            let sid = statement.at("sid").text().unwrap_or_default();
            if !sid.chars().all(|c| c.is_ascii_alphanumeric()) {
                found.push(Diagnostic::error(
                    "invalid value for sid",
                    format!("{sid}: must only include alphanumeric characters"),
                ));
            }
        }
    }
    found
}

fn walk(type_: &str, block: &Block, config: &Value, path: &mut Vec<Selector>, found: &mut Vec<Diagnostic>) {
    if path.is_empty() {
        computed(block, config, path, found);
    }
    for (name, attribute) in &block.attributes {
        let value = config.at(name);
        let arn = name == "arn"
            || name.ends_with("_arn")
            || name.ends_with("_arns")
            || ARNS.contains(&(type_, name));
        if arn && !attribute.computed_only() {
            let list = matches!(attribute.type_, Type::List(_) | Type::Set(_));
            let texts: Vec<&str> =
                if list { value.texts().collect() } else { value.text().into_iter().collect() };
            // A restore test names every protected resource by a star
            // (registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/backup_restore_testing_selection).
            let every = |text: &&str| type_ == "aws_backup_restore_testing_selection" && *text == "*";
            for text in texts.into_iter().filter(|text| !text.is_empty() && !is_arn(text) && !every(text)) {
                let text = format!("\"{name}\" ({text}) is an invalid ARN: arn: invalid prefix or sections");
                found.push(Diagnostic::error(text, "").at(&with(path, name)));
            }
        }
        let document = matches!(name.as_str(), "policy" | "assume_role_policy" | "inline_policy");
        if document
            && let Some(text) = value.text()
            && !text.is_empty()
            && serde_json::from_str::<serde_json::Value>(text).map_or(true, |json| !json.is_object())
        {
            let text = format!("\"{name}\" contains an invalid JSON policy: {text}");
            found.push(Diagnostic::error(text, "").at(&with(path, name)));
        }
        if matches!(name.as_str(), "cidr_block" | "cidr_ipv4" | "destination_cidr_block")
            && let Some(text) = value.text()
            && text.parse::<ipnet::Ipv4Net>().map_or(true, |net| net.trunc() != net)
        {
            let text =
                format!("\"{text}\" is not a valid IPv4 CIDR block: it has to be the network's own address");
            found.push(Diagnostic::error(text, "").at(&with(path, name)));
        }
    }
    for (name, nested) in &block.blocks {
        for (at, item) in config.at(name).items().iter().enumerate() {
            path.push(Selector::Attribute(name.clone()));
            path.push(Selector::Index(i64::try_from(at).unwrap_or_default()));
            walk(type_, &nested.block, item, path, found);
            path.truncate(path.len() - 2);
        }
    }
}

fn with(path: &[Selector], name: &str) -> Vec<Selector> {
    path.iter().cloned().chain([Selector::Attribute(name.to_owned())]).collect()
}

/// Terraform leaves it to the provider to refuse what only the provider may set.
fn computed(block: &Block, config: &Value, path: &mut Vec<Selector>, found: &mut Vec<Diagnostic>) {
    for (name, _) in block.attributes.iter().filter(|(_, attribute)| attribute.computed_only()) {
        if !config.at(name).is_null() {
            found.push(
                Diagnostic::error(
                    "Invalid or unknown key",
                    format!("Can't configure a value for \"{name}\": its value will be decided automatically based on the result of applying this configuration."),
                )
                .at(&with(path, name)),
            );
        }
    }
    for (name, nested) in &block.blocks {
        for (at, item) in config.at(name).items().iter().enumerate() {
            path.push(Selector::Attribute(name.clone()));
            path.push(Selector::Index(i64::try_from(at).unwrap_or_default()));
            computed(&nested.block, item, path, found);
            path.truncate(path.len() - 2);
        }
    }
}

/// Checks the values at a path, in every block it goes through.
fn constrained(
    value: &Value,
    path: &[&str],
    allowed: &Allowed,
    at: &mut Vec<Selector>,
    found: &mut Vec<Diagnostic>,
) {
    let Some((name, rest)) = path.split_first() else { return };
    let value = value.at(name);
    at.push(Selector::Attribute((*name).to_owned()));
    if rest.is_empty() {
        let several = std::slice::from_ref(value);
        for value in if let Value::List(items) = value { items } else { several } {
            if let Some(wrong) = wrong(value, allowed) {
                found.push(Diagnostic::error(format!("{}: {wrong}", path.join(".")), "").at(at));
            }
        }
    } else {
        for (index, item) in value.items().iter().enumerate() {
            at.push(Selector::Index(i64::try_from(index).unwrap_or_default()));
            constrained(item, rest, allowed, at, found);
            at.pop();
        }
    }
    at.pop();
}

fn wrong(value: &Value, allowed: &Allowed) -> Option<String> {
    let shown = value.text().map_or_else(|| value.to_json().to_string(), str::to_owned);
    if matches!(value, Value::Null | Value::Unknown) {
        return None;
    }
    match allowed {
        Allowed::In(words) => {
            (!words.contains(&shown.as_str())).then(|| format!("expected one of {words:?}, got {shown}"))
        }
        Allowed::Range(low, high) => value
            .number()
            .filter(|number| number < low || number > high)
            .map(|number| format!("expected to be in the range ({low} - {high}), got {number}")),
        Allowed::Length(low, high) => {
            let length = shown.chars().count();
            (length < *low || length > *high)
                .then(|| format!("expected length to be in the range ({low} - {high}), got {shown}"))
        }
        Allowed::Matches(expression) => {
            (!expression.is_match(&shown)).then(|| format!("{shown} does not match {expression}"))
        }
    }
}

/// What AWS says of the policy documents of a resource about to be made.
pub fn documents(type_: &str, planned: &Value) -> Option<String> {
    let (argument, used) = match type_ {
        "aws_iam_role" => ("assume_role_policy", Use::Trust),
        "aws_iam_role_policy" | "aws_iam_policy" => ("policy", Use::Identity),
        "aws_kms_key" | "aws_s3_bucket_policy" | "aws_vpc_endpoint" => ("policy", Use::Resource),
        _ => return None,
    };
    let fault = document::fault(planned.at(argument).text().filter(|text| !text.is_empty())?, used)?;
    Some(format!("MalformedPolicyDocument: {fault}"))
}
