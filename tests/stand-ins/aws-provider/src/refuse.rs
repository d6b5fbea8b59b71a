//! What AWS refuses when an object is made, changed or deleted: the provider passes it on as its error.

use std::collections::BTreeSet;

use ipnet::Ipv4Net;

use crate::document::{allows, keeps_control};
use crate::facts::{EKS_VERSIONS, dependents, zones};
use crate::store::Store;
use crate::validate;
use crate::value::Value;

/// Where something is about to happen.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// What there is already.
    pub store: &'a Store,
    /// The region of the provider.
    pub region: &'a str,
}

/// Types that stand outside of any region.
pub fn scope<'r>(type_: &str, region: &'r str) -> &'r str {
    if type_.starts_with("aws_iam_") || type_.starts_with("aws_s3_bucket") { "global" } else { region }
}

impl Scene<'_> {
    fn all(&self, type_: &str) -> Vec<Value> {
        self.store.all(scope(type_, self.region), type_)
    }

    fn get(&self, type_: &str, id: &str) -> Option<Value> {
        self.store.get(scope(type_, self.region), type_, id)
    }

    /// Why AWS would not make or change an object, if it would not.
    pub fn refusal(&self, type_: &str, planned: &Value) -> Option<String> {
        self.references(type_, planned).or_else(|| validate::documents(type_, planned)).or_else(
            || match type_ {
                "aws_vpc" => vpc(planned),
                "aws_subnet" => self.subnet(planned),
                "aws_vpc_peering_connection" => self.peering(planned),
                "aws_vpc_security_group_ingress_rule" | "aws_vpc_security_group_egress_rule" => rule(planned),
                "aws_nat_gateway" => self.nat(planned),
                "aws_eks_cluster" => self.cluster(planned),
                "aws_eks_node_group" => node_group(planned),
                "aws_kms_key" => key(planned),
                "aws_cloudwatch_log_group" => self.log_group(planned),
                "aws_cloudtrail" => self.trail(planned),
                "aws_lb" => self.load_balancer(planned),
                "aws_config_delivery_channel" => self.delivery_channel(planned),
                "aws_config_configuration_recorder_status" => self.recorder_status(planned),
                _ => None,
            },
        )
    }

    /// Networks, clusters and roles that are named have to be there.
    fn references(&self, of: &str, planned: &Value) -> Option<String> {
        let missing = |type_: &str, id: &str| !id.is_empty() && self.get(type_, id).is_none();
        let texts = |path: &str| -> Vec<String> {
            let value = planned.at(path);
            value.text().into_iter().chain(value.texts()).map(str::to_owned).collect()
        };
        for (path, type_, code) in [
            ("vpc_id", "aws_vpc", "InvalidVpcID.NotFound"),
            ("subnet_id", "aws_subnet", "InvalidSubnetID.NotFound"),
            ("subnet_ids", "aws_subnet", "InvalidSubnetID.NotFound"),
            ("vpc_config.subnet_ids", "aws_subnet", "InvalidParameterException"),
            ("route_table_id", "aws_route_table", "InvalidRouteTableID.NotFound"),
            ("cluster_name", "aws_eks_cluster", "ResourceNotFoundException"),
            ("vpc_config.security_group_ids", "aws_security_group", "InvalidParameterException"),
            ("launch_template.id", "aws_launch_template", "InvalidRequestException"),
        ] {
            // The network of a load balancer is an answer, not an argument: here it is made up.
            if of == "aws_lb" && path == "vpc_id" {
                continue;
            }
            if let Some(id) = texts(path).into_iter().find(|id| missing(type_, id)) {
                // Every VPC comes with a route table and a security group of its own.
                let of_vpc = self.all("aws_vpc").iter().any(|vpc| {
                    [vpc.at("main_route_table_id"), vpc.at("default_security_group_id")]
                        .contains(&&Value::from(id.as_str()))
                });
                if !of_vpc {
                    return Some(format!("{code}: The {path} '{id}' does not exist"));
                }
            }
        }
        ["role_arn", "node_role_arn", "pod_execution_role_arn", "iam_role_arn"].into_iter().find_map(|path| {
            let arn = planned.at(path).text()?;
            let name = arn.rsplit('/').next()?;
            (!arn.contains("/aws-service-role/") && missing("aws_iam_role", name))
                .then(|| format!("InvalidParameterException: Role {arn} does not exist"))
        })
    }

    fn subnet(&self, planned: &Value) -> Option<String> {
        let text = planned.at("cidr_block").text()?;
        let net = network(text)?;
        let vpc = self.get("aws_vpc", planned.at("vpc_id").text()?)?;
        let around = network(vpc.at("cidr_block").text()?)?;
        if !(16..=28).contains(&net.prefix_len()) || !around.contains(&net) {
            return Some(format!("InvalidSubnet.Range: The CIDR '{text}' is invalid."));
        }
        let zone = planned.at("availability_zone").text().unwrap_or_default();
        if !zone.is_empty() && !zones(self.region).iter().any(|known| known == zone) {
            return Some(format!(
                "InvalidParameterValue: Value ({zone}) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: {}.",
                zones(self.region).join(", ")
            ));
        }
        let overlaps = self.all("aws_subnet").iter().any(|other| {
            other.at("vpc_id") == planned.at("vpc_id")
                && other.at("id") != planned.at("id")
                && other.at("cidr_block").text().and_then(network).is_some_and(|other| overlap(other, net))
        });
        overlaps.then(|| format!("InvalidSubnet.Conflict: The CIDR '{text}' conflicts with another subnet"))
    }

    /// Both networks have to be there, in whichever region, and must not overlap.
    fn peering(&self, planned: &Value) -> Option<String> {
        let near = self.get("aws_vpc", planned.at("vpc_id").text()?)?;
        let region = planned.at("peer_region").text().filter(|text| !text.is_empty()).unwrap_or(self.region);
        let id = planned.at("peer_vpc_id").text()?;
        let Some(far) = self.store.get(region, "aws_vpc", id) else {
            return Some(format!("InvalidVpcID.NotFound: The vpc ID '{id}' does not exist in {region}"));
        };
        let (near, far) = (network(near.at("cidr_block").text()?)?, network(far.at("cidr_block").text()?)?);
        overlap(near, far)
            .then(|| format!("OverlappingCidrBlock: {near} and {far} overlap; the peering would fail"))
    }

    /// A public NAT gateway needs a way out of the network, which has to be there before.
    fn nat(&self, planned: &Value) -> Option<String> {
        let subnet = self.get("aws_subnet", planned.at("subnet_id").text()?)?;
        let vpc = subnet.at("vpc_id");
        let out = self.all("aws_internet_gateway").iter().any(|gateway| gateway.at("vpc_id") == vpc);
        (!out && planned.at("connectivity_type").text() != Some("private"))
            .then(|| "Gateway.NotAttached: Network has no Internet gateway attached".to_owned())
    }

    fn cluster(&self, planned: &Value) -> Option<String> {
        let version = planned.at("version").text().unwrap_or_default();
        if !version.is_empty() && !EKS_VERSIONS.contains(&version) {
            return Some(format!("InvalidParameterException: unsupported Kubernetes version {version}"));
        }
        let subnets = planned.at("vpc_config.subnet_ids").texts();
        let zones: BTreeSet<String> = subnets
            .filter_map(|id| Some(self.get("aws_subnet", id)?.at("availability_zone").text()?.to_owned()))
            .collect();
        if zones.len() < 2 {
            return Some(
                "InvalidParameterException: Subnets specified must be in at least two different AZs"
                    .to_owned(),
            );
        }
        let access = |path: &str| planned.at(path);
        (!access("vpc_config.endpoint_private_access").is_true()
            && *access("vpc_config.endpoint_public_access") == Value::Bool(false))
        .then(|| {
            "InvalidParameterException: Private and public endpoint access cannot both be disabled".to_owned()
        })
    }

    fn log_group(&self, planned: &Value) -> Option<String> {
        let arn = planned.at("kms_key_id").text()?;
        let service = format!("logs.{}.amazonaws.com", self.region);
        let allowed = self.key_policy(arn).is_some_and(|policy| {
            ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"].iter().all(|action| {
                [&*service, "logs.amazonaws.com"].iter().any(|who| allows(&policy, who, action))
            })
        });
        (!allowed).then(|| {
            format!("InvalidParameterException: The specified KMS key does not exist or is not allowed to be used with {arn}")
        })
    }

    fn key_policy(&self, arn: &str) -> Option<String> {
        let keys = self.all("aws_kms_key");
        let key = keys.iter().find(|key| key.at("arn").text() == Some(arn))?;
        key.at("policy").text().map(str::to_owned)
    }

    fn bucket_policy(&self, bucket: &str) -> Option<String> {
        self.get("aws_s3_bucket_policy", bucket)?.at("policy").text().map(str::to_owned)
    }

    fn trail(&self, planned: &Value) -> Option<String> {
        let bucket = planned.at("s3_bucket_name").text()?;
        let service = "cloudtrail.amazonaws.com";
        let policy = self.bucket_policy(bucket).unwrap_or_default();
        if !["s3:GetBucketAcl", "s3:PutObject"].iter().all(|action| allows(&policy, service, action)) {
            return Some(format!(
                "InsufficientS3BucketPolicyException: Incorrect S3 bucket policy is detected for bucket: {bucket}"
            ));
        }
        let arn = planned.at("kms_key_id").text()?;
        let policy = self.key_policy(arn).unwrap_or_default();
        (!allows(&policy, service, "kms:GenerateDataKey")).then(|| {
            "InsufficientEncryptionPolicyException: Insufficient permissions to access S3 bucket or KMS key".to_owned()
        })
    }

    /// Subnets of two zones, and a bucket that lets the service write to it, by its policy and its encryption.
    fn load_balancer(&self, planned: &Value) -> Option<String> {
        let subnets = planned.at("subnets").texts();
        let zones: BTreeSet<String> = subnets
            .filter_map(|id| Some(self.get("aws_subnet", id)?.at("availability_zone").text()?.to_owned()))
            .collect();
        if zones.len() < 2 {
            return Some(
                "ValidationError: At least two subnets in two different Availability Zones must be specified"
                    .to_owned(),
            );
        }
        let bucket = planned.at("access_logs.bucket").text()?;
        let policy = self.bucket_policy(bucket).unwrap_or_default();
        let encryption = self.get("aws_s3_bucket_server_side_encryption_configuration", bucket);
        let encrypted = encryption.is_some_and(|found| {
            let algorithm = found.at("rule.apply_server_side_encryption_by_default.sse_algorithm");
            algorithm.text().is_some_and(|algorithm| algorithm != "AES256")
        });
        (encrypted || !allows(&policy, "logdelivery.elasticloadbalancing.amazonaws.com", "s3:PutObject")).then(|| {
            format!("InvalidConfigurationRequest: Access Denied for bucket: {bucket}. Please check S3bucket permission")
        })
    }

    fn delivery_channel(&self, planned: &Value) -> Option<String> {
        let recorders = self.all("aws_config_configuration_recorder");
        let Some(recorder) = recorders.first() else {
            return Some(
                "NoAvailableConfigurationRecorderException: Configuration recorder is not available"
                    .to_owned(),
            );
        };
        let bucket = planned.at("s3_bucket_name").text()?;
        let policy = self.bucket_policy(bucket).unwrap_or_default();
        // Config writes as its recorder's role, or as itself.
        let role = recorder.at("role_arn").text().unwrap_or_default();
        let allowed = ["s3:GetBucketAcl", "s3:PutObject"]
            .iter()
            .all(|action| ["config.amazonaws.com", role].iter().any(|who| allows(&policy, who, action)));
        (!allowed).then(|| {
            format!(
                "InsufficientDeliveryPolicyException: Insufficient delivery policy to s3 bucket: {bucket}"
            )
        })
    }

    fn recorder_status(&self, planned: &Value) -> Option<String> {
        (planned.at("is_enabled").is_true() && self.all("aws_config_delivery_channel").is_empty())
            .then(|| "NoAvailableDeliveryChannelException: Delivery channel is not available".to_owned())
    }

    /// Why AWS would not delete an object, if it would not.
    pub fn kept(&self, type_: &str, object: &Value) -> Option<String> {
        if object.at("deletion_protection").is_true() {
            return Some(
                "InvalidRequestException: Cannot delete a cluster with deletion protection enabled"
                    .to_owned(),
            );
        }
        if object.at("enable_deletion_protection").is_true() {
            return Some(
                "OperationNotPermitted: Load balancer cannot be deleted because deletion protection is enabled"
                    .to_owned(),
            );
        }
        let found = dependents(type_)?;
        let name = object.at(found.attribute);
        found.users.into_iter().find_map(|(user, path)| {
            let used = self.all(user).iter().any(|user| {
                let named = user.at(path);
                named == name || named.items().contains(name)
            });
            used.then(|| {
                format!(
                    "DependencyViolation: {} has a dependent {user} and cannot be deleted",
                    name.text().unwrap_or_default()
                )
            })
        })
    }
}

fn network(text: &str) -> Option<Ipv4Net> {
    text.parse().ok()
}

fn overlap(one: Ipv4Net, other: Ipv4Net) -> bool {
    one.contains(&other) || other.contains(&one)
}

fn vpc(planned: &Value) -> Option<String> {
    let text = planned.at("cidr_block").text()?;
    (!network(text).is_some_and(|net| (16..=28).contains(&net.prefix_len())))
        .then(|| format!("InvalidVpc.Range: The CIDR '{text}' is invalid."))
}

fn rule(planned: &Value) -> Option<String> {
    let port = |name: &str| planned.at(name).number();
    let protocol = planned.at("ip_protocol").text().unwrap_or_default();
    match (port("from_port"), port("to_port")) {
        // For ICMP they are type and code.
        (Some(from), Some(to)) if from > to && !protocol.starts_with("icmp") => {
            Some(format!("InvalidParameterValue: Invalid TCP/UDP port range ({from}:{to})"))
        }
        (None, None) if protocol == "tcp" || protocol == "udp" => Some(format!(
            "MissingParameter: Invalid value for portRange. Must specify both from and to ports with {protocol}."
        )),
        _ => None,
    }
}

fn node_group(planned: &Value) -> Option<String> {
    let size = |name: &str| planned.at(&format!("scaling_config.{name}")).number();
    let (min, desired, max) = (size("min_size")?, size("desired_size")?, size("max_size")?);
    if min > desired {
        return Some(
            "InvalidParameterException: Minimum capacity can't be greater than desired size".to_owned(),
        );
    }
    if desired > max {
        return Some("InvalidParameterException: desired capacity can't be greater than max size".to_owned());
    }
    (!planned.at("launch_template").items().is_empty()
        && planned.at("disk_size").number().is_some_and(|size| size > 0.0))
    .then(|| "InvalidParameterException: Disk size must be specified within the launch template.".to_owned())
}

fn key(planned: &Value) -> Option<String> {
    let policy = planned.at("policy").text().filter(|policy| !policy.is_empty())?;
    let wanted = !planned.at("bypass_policy_lockout_safety_check").is_true();
    (wanted && !keeps_control(policy)).then(|| {
        "MalformedPolicyDocumentException: The new key policy will not allow you to update the key policy in the future.".to_owned()
    })
}
