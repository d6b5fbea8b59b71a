//! Data sources: those the generated files read, evaluated; any other is refused, because its answer would be made up.

use crate::document;
use crate::facts::{ACCOUNT, partition, zones};
use crate::plan::Settings;
use crate::store::{Store, digits};
use crate::value::Value;

/// What a data source answers.
///
/// # Errors
/// What the provider would say; or that this one does not know the data source.
pub fn read(type_: &str, config: &Value, settings: &Settings, store: &Store) -> Result<Value, String> {
    let Value::Map(mut members) = config.clone() else { return Err("no configuration".to_owned()) };
    let mut set = |name: &str, value: Value| drop(members.insert(name.to_owned(), value));
    let region = config.at("region").text().unwrap_or(&settings.region);
    let partition = partition(region);
    let suffix = if partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
    match type_ {
        "aws_caller_identity" => {
            set("id", ACCOUNT.into());
            set("account_id", ACCOUNT.into());
            set("arn", Value::String(format!("arn:{partition}:iam::{ACCOUNT}:user/stand-in")));
            set("user_id", "AIDASTANDINSTANDIN000".into());
        }
        "aws_partition" => {
            set("id", partition.into());
            set("partition", partition.into());
            set("dns_suffix", suffix.into());
            let reversed: Vec<_> = suffix.split('.').rev().collect();
            set("reverse_dns_prefix", Value::String(reversed.join(".")));
        }
        "aws_region" => {
            for name in ["id", "name", "region"] {
                set(name, region.into());
            }
            set("endpoint", Value::String(format!("ec2.{region}.{suffix}")));
            set("description", region.into());
        }
        "aws_availability_zones" => {
            let excluded: Vec<_> = config.at("exclude_names").texts().collect();
            let names: Vec<_> =
                zones(region).into_iter().filter(|name| !excluded.contains(&name.as_str())).collect();
            // Ids are by account in AWS; here letter and number run together.
            let ids = names.iter().enumerate().map(|(at, _)| Value::String(format!("{region}-az{}", at + 1)));
            set("zone_ids", Value::List(ids.collect()));
            set("group_names", Value::List(vec![region.into()]));
            set("names", Value::List(names.into_iter().map(Value::String).collect()));
            set("id", region.into());
        }
        "aws_iam_policy_document" => {
            let (json, minified) = document::render(config)?;
            set("id", Value::String(digits(&json)[..10].to_owned()));
            set("json", Value::String(json));
            set("minified_json", Value::String(minified));
        }
        "aws_iam_role" => {
            let name = config.at("name").text().unwrap_or_default();
            // A role AWS makes by itself for a service is there in every account.
            let found = store.get("global", "aws_iam_role", name).or_else(|| {
                let path = name.starts_with("AWSServiceRoleFor").then_some("/aws-service-role/")?;
                let arn = format!("arn:{partition}:iam::{ACCOUNT}:role{path}{name}");
                Some(Value::Map([("arn".to_owned(), Value::String(arn))].into()))
            });
            let found = found.ok_or_else(|| format!("reading IAM Role ({name}): couldn't find resource"))?;
            for (attribute, value) in found.members() {
                if members.get(attribute).is_some_and(Value::is_null) {
                    members.insert(attribute.to_owned(), value.clone());
                }
            }
            members.insert("id".to_owned(), name.into());
        }
        // docs.aws.amazon.com/IAM/latest/APIReference/API_GetOutboundWebIdentityFederationInfo.html; the identifier before
        // the domain is the account's own.
        "aws_iam_outbound_web_identity_federation" => {
            let issuer = format!("https://{ACCOUNT}.tokens.sts.global.api.aws");
            set("issuer_identifier", Value::String(issuer));
        }
        other => return Err(format!("the stand-in does not evaluate the data source {other}")),
    }
    Ok(Value::Map(members))
}
