//! The small types a blueprint is made of: names, networks, durations, quantities. Each says in its own words what
//! is wrong with a text and what to write instead; the JSON Schema carries the same check as a `format`.

use std::borrow::Cow;
use std::fmt;

use ipnet::Ipv4Net;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A check of one format: the error says what is wrong and what to write instead.
pub type Check = fn(&str) -> Result<(), String>;

macro_rules! scalars {
    ($($(#[doc = $doc:literal])* $name:ident = $format:literal, $check:path, [$($example:literal),+];)*) => {
        $(
            $(#[doc = $doc])*
            #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
            #[serde(try_from = "String", into = "String")]
            pub struct $name(String);

            impl $name {
                /// The text as written.
                pub fn as_str(&self) -> &str {
                    &self.0
                }
            }

            impl TryFrom<String> for $name {
                type Error = String;
                fn try_from(text: String) -> Result<Self, String> {
                    $check(&text)?;
                    Ok(Self(text))
                }
            }

            impl Known for $name {
                fn known(text: &str) -> Self {
                    Self(text.to_owned())
                }
            }

            impl From<$name> for String {
                fn from(scalar: $name) -> Self {
                    scalar.0
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                    out.write_str(&self.0)
                }
            }

            impl std::borrow::Borrow<str> for $name {
                fn borrow(&self) -> &str {
                    &self.0
                }
            }

            impl JsonSchema for $name {
                fn schema_name() -> Cow<'static, str> {
                    stringify!($name).into()
                }
                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    json_schema!({
                        "type": "string",
                        "format": $format,
                        "description": concat!($($doc, "\n"),*).trim(),
                        "examples": [$($example),+],
                    })
                }
            }
        )*

        /// Every format name of the schema with its check.
        pub const FORMATS: &[(&str, Check)] = &[$(($format, $check)),*];
    };
}

scalars! {
    /// A name of a thing: lower-case letters, digits and hyphens, at most 30 characters, as in Kubernetes.
    Name = "nexafi-name", check_name, ["ledger-service", "financial-services"];
    /// A region's role in the platform: lower-case letters and digits, at most 16 characters.
    RoleName = "nexafi-role", check_role, ["primary", "secondary"];
    /// The platform's name: lower-case letters, digits and hyphens, at most 20 characters. It begins the name of
    /// every AWS resource.
    PlatformName = "nexafi-platform", check_platform, ["nexafi"];
    /// An e-mail address somebody reads.
    Email = "nexafi-email", check_email, ["platform@nexafi.example"];
    /// An AWS region.
    AwsRegion = "nexafi-aws-region", check_aws_region, ["us-east-1", "eu-central-1"];
    /// An IPv4 network in CIDR notation, host bits zero.
    Cidr = "nexafi-cidr", check_cidr, ["10.0.0.0/16"];
    /// An IPv4 or IPv6 network in CIDR notation, host bits zero.
    AnyCidr = "nexafi-any-cidr", check_any_cidr, ["203.0.113.0/24", "2001:db8::/32"];
    /// A length of time: a number and `s`, `m`, `h` or `d`.
    Duration = "nexafi-duration", check_duration, ["15m", "4h"];
    /// An amount of CPU, memory or storage, as in Kubernetes.
    Quantity = "nexafi-quantity", check_quantity, ["500m", "512Mi"];
    /// An Amazon Resource Name.
    Arn = "nexafi-arn", check_arn, ["arn:aws:iam::123456789012:role/platform-admin"];
    /// Which key encrypts: `platform` (this platform's own key for the purpose), `aws-managed` (the service's default
    /// key), `none` (no encryption), or the ARN of a key of yours.
    KmsKey = "nexafi-kms-key", check_kms_key, ["platform", "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"];
    /// A permissions boundary: `platform` (one of the platform's own), `none`, or the ARN of an IAM policy.
    Boundary = "nexafi-boundary", check_boundary, ["platform", "arn:aws:iam::123456789012:policy/boundary"];
    /// The name of an EKS add-on.
    AddonName = "nexafi-addon", check_addon, ["amazon-cloudwatch-observability"];
    /// Where data may be: an AWS region, or a jurisdiction in capitals.
    Residency = "nexafi-residency", check_residency, ["EU", "eu-central-1"];
    /// The digest of a container image.
    Digest = "nexafi-digest", check_digest, ["sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"];
    /// A Kubernetes minor version, in quotes.
    KubernetesVersion = "nexafi-kubernetes-version", check_kubernetes_version, ["1.34"];
    /// A date, year first.
    Date = "nexafi-date", check_date, ["2027-06-30"];
    /// A host name.
    Host = "nexafi-host", check_host, ["api.nexafi.example"];
    /// An absolute URL path.
    UrlPath = "nexafi-path", check_path, ["/health/ready"];
    /// The name of an S3 bucket.
    BucketName = "nexafi-bucket", check_bucket, ["nexafi-terraform-state"];
    /// A version constraint as Terraform writes it.
    VersionConstraint = "nexafi-version-constraint", check_constraint, ["~> 1.11", ">= 6.0.0, < 7.0.0"];
    /// The repository of a container image: registry host and path, no tag.
    Repository = "nexafi-repository", check_repository, ["registry.nexafi.example/ledger-service"];
    /// A registry of container images, or a path in one: images below it are meant.
    Registry = "nexafi-registry", check_registry, ["registry.nexafi.example"];
    /// A label key as Kubernetes defines it: an optional DNS prefix and a name.
    LabelKey = "nexafi-label-key", check_label_key, ["nexafi-gen/class"];
    /// A label value as Kubernetes defines it: at most 63 letters, digits, `-`, `_` and `.`.
    LabelValue = "nexafi-label-value", check_label_value, ["financial"];
    /// The name of an environment variable.
    EnvName = "nexafi-env-name", check_env_name, ["LOG_LEVEL"];
    /// The key of an AWS tag: at most 128 letters, digits, spaces and `_.:/=+-@`, not beginning with `aws:`.
    TagKey = "nexafi-tag-key", check_tag_key, ["cost-center"];
    /// An EC2 instance type.
    InstanceType = "nexafi-instance-type", check_instance_type, ["m6i.xlarge"];
}

/// A scalar from a text that stands in this program. The texts are few, and a test reads every default back, so a
/// text that fails its own check cannot stay; it is kept as written until that test names it.
pub(super) fn known<T: Known>(text: &str) -> T {
    T::known(text)
}

/// Scalars that a default can be written for.
pub(super) trait Known {
    /// Takes the text as it is.
    fn known(text: &str) -> Self;
}

/// The check of a format, if it is one of ours.
pub fn check_of(format: &str) -> Option<Check> {
    FORMATS.iter().find(|(name, _)| *name == format).map(|(_, check)| *check)
}

impl Cidr {
    /// The network. The text was checked when the value was made, so there always is one; `None` never happens for
    /// a value that came through `TryFrom`.
    pub fn network(&self) -> Option<Ipv4Net> {
        self.0.parse().ok()
    }
}

impl Duration {
    /// The length in seconds.
    pub fn seconds(&self) -> u64 {
        parse_duration(&self.0).unwrap_or(0)
    }
}

/// Jurisdictions that `policies/` knows the regions of (`src/policy/facts/jurisdictions.yaml`).
const JURISDICTIONS: [&str; 10] = ["EU", "UK", "CH", "US", "CA", "AU", "IN", "JP", "SG", "BR"];

impl Boundary {
    /// The platform's own.
    pub fn platform() -> Self {
        Self("platform".to_owned())
    }
}

impl Default for Boundary {
    fn default() -> Self {
        Self::platform()
    }
}

impl KmsKey {
    /// The platform's own key for the purpose at hand.
    pub fn platform() -> Self {
        Self("platform".to_owned())
    }
}

fn dns_label(text: &str, longest: usize, what: &str, hyphens: bool) -> Result<(), String> {
    let allowed =
        if hyphens { "lower-case letters, digits and hyphens" } else { "lower-case letters and digits" };
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || (hyphens && byte == b'-');
    if text.is_empty() {
        return Err(format!("{what} cannot be empty; write a word of {allowed}"));
    }
    if text.len() > longest {
        return Err(format!(
            "{what} can have at most {longest} characters, this one has {}; choose a shorter one",
            text.chars().count()
        ));
    }
    if !text.bytes().all(fits)
        || !text.starts_with(|first: char| first.is_ascii_lowercase())
        || text.ends_with('-')
    {
        let cleaned = suggestion(text, hyphens);
        let instead = if cleaned.is_empty() { String::new() } else { format!("; write `{cleaned}`") };
        return Err(format!("{what} is made of {allowed} and begins with a letter{instead}"));
    }
    Ok(())
}

/// The nearest valid name to what was written, so that a message can say what to write.
fn suggestion(text: &str, hyphens: bool) -> String {
    let mut name = String::new();
    for char in text.chars() {
        if char.is_ascii_alphanumeric() {
            name.push(char.to_ascii_lowercase());
        } else if hyphens && !name.ends_with('-') {
            name.push('-');
        }
    }
    let name = name.trim_start_matches(|char: char| !char.is_ascii_lowercase());
    name.trim_end_matches('-').chars().take(if hyphens { 30 } else { 16 }).collect()
}

fn check_name(text: &str) -> Result<(), String> {
    dns_label(text, 30, "a name", true)
}

fn check_role(text: &str) -> Result<(), String> {
    dns_label(text, 16, "a region's role", false)
}

fn check_platform(text: &str) -> Result<(), String> {
    dns_label(text, 20, "the platform's name", true)
}

fn check_email(text: &str) -> Result<(), String> {
    let valid = text.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty()
            && user
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte))
            && check_host(host).is_ok()
    });
    if valid {
        Ok(())
    } else {
        Err("not an e-mail address; write name@host, such as platform@nexafi.example".into())
    }
}

fn check_aws_region(text: &str) -> Result<(), String> {
    if is_region(text) {
        return Ok(());
    }
    let zone = text.strip_suffix(|letter: char| letter.is_ascii_lowercase());
    if zone.is_some_and(is_region) {
        return Err("this is an availability zone; write the region, without the letter at the end".into());
    }
    Err("not an AWS region; write one such as us-east-1".into())
}

/// Three or more words of lower-case letters and digits, the last a number: `us-east-1`, `us-gov-west-1`.
fn is_region(text: &str) -> bool {
    let mut words = text.split('-');
    let word =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let last = text.rsplit('-').next().unwrap_or("");
    words.clone().count() >= 3
        && words.all(word)
        && !last.is_empty()
        && last.bytes().all(|byte| byte.is_ascii_digit())
}

fn check_cidr(text: &str) -> Result<(), String> {
    let net: Ipv4Net = text.parse().map_err(|_| cidr_error(text))?;
    if net.addr() == net.network() {
        Ok(())
    } else {
        Err(format!("the address has bits outside of its prefix; write `{}`", net.trunc()))
    }
}

fn cidr_error(text: &str) -> String {
    let Some((address, prefix)) = text.split_once('/') else {
        return "a network needs a prefix length; write one such as 10.0.0.0/16".into();
    };
    if prefix.parse::<u32>().is_ok_and(|prefix| prefix > 32) {
        return format!("the prefix length /{prefix} is out of range; IPv4 has /0 to /32");
    }
    if let Some(octet) = address.split('.').find(|octet| octet.parse::<u32>().is_ok_and(|value| value > 255))
    {
        return format!("{octet} is out of range; each part of an IPv4 address is 0 to 255");
    }
    "not an IPv4 network; write one such as 10.0.0.0/16".into()
}

fn check_any_cidr(text: &str) -> Result<(), String> {
    let net: ipnet::IpNet = text.parse().map_err(|_| {
        if text.contains(':') {
            "not a network; write one such as 2001:db8::/32".into()
        } else {
            cidr_error(text)
        }
    })?;
    if net.addr() == net.network() {
        Ok(())
    } else {
        Err(format!("the address has bits outside of its prefix; write `{}`", net.trunc()))
    }
}

fn parse_duration(text: &str) -> Option<u64> {
    let unit = text.chars().last()?;
    let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
    let factor = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86400,
        _ => return None,
    };
    number.checked_mul(factor)
}

fn check_duration(text: &str) -> Result<(), String> {
    parse_duration(text)
        .map(|_| ())
        .ok_or_else(|| "not a length of time; write a number and s, m, h or d: 15m".into())
}

fn check_quantity(text: &str) -> Result<(), String> {
    let digits = text.trim_end_matches(|char: char| char.is_ascii_alphabetic());
    let suffix = text.get(digits.len()..).unwrap_or("");
    let known = ["", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].contains(&suffix);
    let number = !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && digits.parse::<f64>().is_ok();
    if known && number {
        return Ok(());
    }
    let hint = match suffix {
        "MB" | "mb" | "Mb" | "MiB" => "; write Mi",
        "GB" | "gb" | "Gb" | "GiB" => "; write Gi",
        _ => "; write a number and a unit: 500m for CPU, 512Mi for memory",
    };
    Err(format!("not an amount Kubernetes understands{hint}"))
}

fn check_arn(text: &str) -> Result<(), String> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let shaped = matches!(parts.as_slice(), ["arn", partition, service, _, account, resource]
        if partition.starts_with("aws") && !service.is_empty() && !resource.is_empty()
            && (account.is_empty() || *account == "aws" || (account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()))))
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    if shaped {
        Ok(())
    } else {
        Err("not an ARN; write arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE, the account with 12 digits".into())
    }
}

fn check_kms_key(text: &str) -> Result<(), String> {
    if ["platform", "aws-managed", "none"].contains(&text) {
        return Ok(());
    }
    if text.starts_with("arn:") {
        check_arn(text)?;
        if text.split(':').nth(2) == Some("kms") && text.contains(":key/") {
            return Ok(());
        }
        return Err("this ARN is not a KMS key's; it has the form arn:aws:kms:REGION:ACCOUNT:key/ID".into());
    }
    Err("write platform, aws-managed, none, or the ARN of a key".into())
}

fn check_addon(text: &str) -> Result<(), String> {
    dns_label(text, 63, "the name of an add-on", true)
}

fn check_boundary(text: &str) -> Result<(), String> {
    if ["platform", "none"].contains(&text) {
        return Ok(());
    }
    if text.starts_with("arn:") {
        check_arn(text)?;
        if text.split(':').nth(2) == Some("iam") && text.contains(":policy/") {
            return Ok(());
        }
        return Err(
            "this ARN is not an IAM policy's; it has the form arn:aws:iam::ACCOUNT:policy/NAME".into()
        );
    }
    Err("write platform, none, or the ARN of an IAM policy".into())
}

fn check_residency(text: &str) -> Result<(), String> {
    if JURISDICTIONS.contains(&text) || check_aws_region(text).is_ok() {
        return Ok(());
    }
    Err(format!("write an AWS region, such as eu-central-1, or one of {}", JURISDICTIONS.join(", ")))
}

fn check_digest(text: &str) -> Result<(), String> {
    let hex = text.strip_prefix("sha256:").unwrap_or("");
    if hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Ok(());
    }
    Err("not an image digest; it is `sha256:` and 64 lower-case hexadecimal digits, as `docker inspect` prints it".into())
}

fn check_kubernetes_version(text: &str) -> Result<(), String> {
    let minor = text.strip_prefix("1.").unwrap_or("");
    if !minor.is_empty() && minor.len() <= 2 && minor.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    Err("not a Kubernetes minor version; write it in quotes, without the patch: \"1.34\"".into())
}

fn check_date(text: &str) -> Result<(), String> {
    text.parse::<jiff::civil::Date>()
        .map(|_| ())
        .map_err(|_| "not a date; write year-month-day: 2027-06-30".into())
}

fn check_host(text: &str) -> Result<(), String> {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if text.len() <= 253 && text.contains('.') && text.split('.').all(label) {
        Ok(())
    } else {
        Err("not a host name; write one such as api.nexafi.example, lower case, no scheme, no port".into())
    }
}

fn check_path(text: &str) -> Result<(), String> {
    if text.starts_with('/')
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'`{}|\\^<>".contains(&byte))
    {
        Ok(())
    } else {
        Err("not a URL path; it begins with / and has no spaces or quotes".into())
    }
}

fn check_bucket(text: &str) -> Result<(), String> {
    let fits = (3..=63).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.')
        && text.starts_with(|char: char| char.is_ascii_alphanumeric())
        && text.ends_with(|char: char| char.is_ascii_alphanumeric());
    if fits {
        Ok(())
    } else {
        Err("not a bucket name; 3 to 63 lower-case letters, digits, dots and hyphens".into())
    }
}

fn check_constraint(text: &str) -> Result<(), String> {
    let clause = |clause: &str| {
        let version = clause.trim().trim_start_matches(['~', '>', '<', '=', '!']).trim();
        !version.is_empty()
            && version.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
    };
    if text.split(',').all(clause) {
        Ok(())
    } else {
        Err("not a version constraint; write one such as \"~> 1.11\"".into())
    }
}

fn check_repository(text: &str) -> Result<(), String> {
    let fits = !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._/:".contains(&byte));
    if !fits {
        return Err("not an image repository; write registry.example/path/name in lower case".into());
    }
    if text.rsplit('/').next().is_some_and(|last| last.contains(':')) && text.contains('/') {
        return Err("the repository carries a tag; write the tag under `tag`".into());
    }
    Ok(())
}

fn check_registry(text: &str) -> Result<(), String> {
    let part = |part: &str| !part.is_empty() && part.starts_with(|first: char| first.is_ascii_alphanumeric());
    let fits = text.split('/').all(part)
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._/:".contains(&byte))
        && text.split('/').next().is_some_and(|host| host.contains(['.', ':']) || host == "localhost");
    if fits {
        Ok(())
    } else {
        Err("not a registry; write registry.example, or registry.example/path, lower case, no scheme, no tag"
            .into())
    }
}

fn qualified(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        && text.starts_with(|char: char| char.is_ascii_alphanumeric())
        && text.ends_with(|char: char| char.is_ascii_alphanumeric())
}

fn check_label_key(text: &str) -> Result<(), String> {
    let fits = match text.split_once('/') {
        Some((prefix, name)) => {
            qualified(name)
                && !prefix.is_empty()
                && prefix.split('.').all(|part| qualified(part) && !part.contains('_'))
        }
        None => qualified(text),
    };
    if fits { Ok(()) } else { Err("not a label key; write `name` or `dns.prefix/name`".into()) }
}

fn check_label_value(text: &str) -> Result<(), String> {
    if text.is_empty() || qualified(text) {
        Ok(())
    } else {
        Err("not a label value; at most 63 letters, digits, `-`, `_` and `.`, a letter or digit at both ends"
            .into())
    }
}

fn check_instance_type(text: &str) -> Result<(), String> {
    let fits = text.split_once('.').is_some_and(|(family, size)| {
        !family.is_empty()
            && !size.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte))
    });
    if fits { Ok(()) } else { Err("not an EC2 instance type; write one such as m6i.xlarge".into()) }
}

fn check_env_name(text: &str) -> Result<(), String> {
    let fits = !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !text.starts_with(|first: char| first.is_ascii_digit());
    if fits {
        Ok(())
    } else {
        Err("not the name of an environment variable; write letters, digits and `_`: LOG_LEVEL".into())
    }
}

/// docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
fn check_tag_key(text: &str) -> Result<(), String> {
    if text.to_ascii_lowercase().starts_with("aws:") {
        return Err("keys that begin with `aws:` are AWS's own; choose another".into());
    }
    let fits = (1..=128).contains(&text.chars().count())
        && text.chars().all(|char| char.is_alphanumeric() || " _.:/=+-@".contains(char));
    if fits { Ok(()) } else { Err("not a tag key; 1 to 128 letters, digits, spaces and `_.:/=+-@`".into()) }
}
