//! What the real provider and AWS refuse, the stand-in refuses: otherwise a green run would prove nothing.

use std::fmt::Write as _;

use crate::bench::bench;

const PROVIDER: &str = r#"
terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

provider "aws" {
  region = "eu-central-1"
}
"#;

/// What a resource says, and what has to be said of it.
type Fault = (&'static str, &'static str, &'static str);

const BEFORE_PLANNING: [Fault; 16] = [
    ("aws_vpc", r#"cidr_block = "10.0.0.1/16""#, "not a valid IPv4 CIDR block"),
    (
        "aws_vpc",
        "cidr_block = \"10.0.0.0/16\"\n arn = \"arn:aws:ec2:eu-central-1:123456789012:vpc/vpc-1\"",
        "decided automatically",
    ),
    (
        "aws_iam_role_policy_attachment",
        "role = \"r\"\n policy_arn = \"AmazonEKSClusterPolicy\"",
        "(AmazonEKSClusterPolicy) is an invalid ARN",
    ),
    ("aws_iam_role", r#"assume_role_policy = "{""#, "\"assume_role_policy\" contains an invalid JSON policy"),
    ("aws_iam_role", "assume_role_policy = \"{}\"\n name = \"a role\"", "a role does not match"),
    ("aws_cloudwatch_log_group", "retention_in_days = 2555", "got 2555"),
    ("aws_kms_key", "deletion_window_in_days = 3", "range (7 - 30), got 3"),
    ("aws_kms_alias", "name = \"platform\"\n target_key_id = \"k\"", "platform does not match"),
    ("aws_flow_log", "traffic_type = \"EVERYTHING\"\n vpc_id = \"vpc-1\"", "got EVERYTHING"),
    (
        "aws_eks_cluster",
        "name = \"c\"\n role_arn = \"arn:aws:iam::123456789012:role/r\"\n enabled_cluster_log_types = [\"api\", \"audits\"]\n vpc_config {\n subnet_ids = [\"subnet-1\"]\n }",
        "got audits",
    ),
    (
        "aws_eks_node_group",
        "cluster_name = \"c\"\n node_role_arn = \"arn:aws:iam::123456789012:role/r\"\n subnet_ids = [\"subnet-1\"]\n scaling_config {\n desired_size = 1\n max_size = 1\n min_size = 1\n }\n taint {\n key = \"k\"\n effect = \"NoSchedule\"\n }",
        "got NoSchedule",
    ),
    (
        "aws_eks_node_group",
        "cluster_name = \"c\"\n node_role_arn = \"r\"\n subnet_ids = [\"subnet-1\"]\n scaling_config {\n desired_size = 1\n max_size = 1\n min_size = 1\n }",
        "\"node_role_arn\" (r) is an invalid ARN",
    ),
    ("aws_launch_template", "metadata_options {\n http_tokens = \"always\"\n }", "got always"),
    ("aws_security_group", r#"description = "it's ours""#, "it's ours does not match"),
    (
        "aws_vpc_security_group_ingress_rule",
        "security_group_id = \"sg-1\"\n ip_protocol = \"tcp\"\n from_port = 1\n to_port = 2\n cidr_ipv4 = \"10.0.0.0/8\"\n referenced_security_group_id = \"sg-2\"",
        "2 attributes specified when one",
    ),
    (
        "aws_guardduty_detector_feature",
        "detector_id = \"d\"\n name = \"EVERYTHING\"\n status = \"ENABLED\"",
        "got EVERYTHING",
    ),
];

const WHEN_APPLYING: [Fault; 17] = [
    (
        "aws_subnet",
        "vpc_id = aws_vpc.here.id\n cidr_block = \"10.1.0.0/24\"",
        "InvalidSubnet.Range: The CIDR '10.1.0.0/24' is invalid.",
    ),
    (
        "aws_subnet",
        "vpc_id = aws_vpc.here.id\n cidr_block = \"10.0.0.0/25\"\n depends_on = [aws_subnet.here]",
        "The CIDR '10.0.0.0/25' conflicts with another subnet",
    ),
    (
        "aws_subnet",
        "vpc_id = aws_vpc.here.id\n cidr_block = \"10.0.9.0/24\"\n availability_zone = \"eu-central-1d\"",
        "Value (eu-central-1d) for parameter availabilityZone is invalid",
    ),
    ("aws_subnet", "vpc_id = \"vpc-0\"\n cidr_block = \"10.0.8.0/24\"", "InvalidVpcID.NotFound"),
    ("aws_vpc", r#"cidr_block = "10.0.0.0/8""#, "InvalidVpc.Range"),
    (
        "aws_vpc_security_group_ingress_rule",
        "security_group_id = aws_security_group.here.id\n ip_protocol = \"tcp\"\n from_port = 443\n to_port = 80\n cidr_ipv4 = \"10.0.0.0/8\"",
        "Invalid TCP/UDP port range (443:80)",
    ),
    (
        "aws_vpc_security_group_egress_rule",
        "security_group_id = aws_security_group.here.id\n ip_protocol = \"udp\"\n cidr_ipv4 = \"10.0.0.0/8\"",
        "Must specify both from and to ports with udp",
    ),
    (
        "aws_nat_gateway",
        "subnet_id = aws_subnet.here.id\n allocation_id = \"eipalloc-1\"",
        "Network has no Internet gateway attached",
    ),
    (
        "aws_iam_role",
        r#"assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole" }] })"#,
        "MalformedPolicyDocument: Missing required field Principal",
    ),
    (
        "aws_iam_role_policy",
        "role = aws_iam_role.here.id\n policy = jsonencode({ Version = \"2012-10-17\", Statement = [{ Effect = \"Permit\", Action = \"s3:Get*\", Resource = \"*\" }] })",
        "a statement must say Allow or Deny",
    ),
    (
        "aws_iam_role_policy",
        "role = aws_iam_role.here.id\n policy = jsonencode({ Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Action = \"GetObject\", Resource = \"*\" }] })",
        "must be prefaced by a vendor",
    ),
    (
        "aws_iam_role_policy",
        "role = aws_iam_role.here.id\n policy = jsonencode({ Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Action = \"s3:GetObject\", Resource = \"bucket/*\" }] })",
        "must be in ARN format",
    ),
    (
        "aws_kms_key",
        r#"policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "kms:Decrypt", Principal = { AWS = "arn:aws:iam::123456789012:root" }, Resource = "*" }] })"#,
        "will not allow you to update the key policy in the future",
    ),
    (
        "aws_cloudwatch_log_group",
        "name = \"sealed\"\n kms_key_id = aws_kms_key.here.arn",
        "not allowed to be used with",
    ),
    (
        "aws_eks_cluster",
        "name = \"old\"\n version = \"1.24\"\n role_arn = aws_iam_role.here.arn\n vpc_config {\n subnet_ids = [aws_subnet.here.id]\n }",
        "unsupported Kubernetes version 1.24",
    ),
    (
        "aws_eks_cluster",
        "name = \"narrow\"\n role_arn = aws_iam_role.here.arn\n vpc_config {\n subnet_ids = [aws_subnet.here.id]\n }",
        "at least two different AZs",
    ),
    (
        "aws_iam_role",
        "name = \"here\"\n assume_role_policy = aws_iam_role.here.assume_role_policy",
        "EntityAlreadyExists: here already exists",
    ),
];

/// What the faulty resources need around them, and is right.
const AROUND: &str = r#"
resource "aws_vpc" "here" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_subnet" "here" {
  vpc_id            = aws_vpc.here.id
  cidr_block        = "10.0.0.0/24"
  availability_zone = "eu-central-1a"
}

resource "aws_security_group" "here" {
  vpc_id = aws_vpc.here.id
}

resource "aws_kms_key" "here" {
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "kms:*", Principal = { AWS = "arn:aws:iam::123456789012:root" }, Resource = "*" }]
  })
}

resource "aws_iam_role" "here" {
  name = "here"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "eks.amazonaws.com" } }]
  })
}
"#;

fn resources(faults: &[Fault]) -> String {
    let mut text = PROVIDER.to_owned();
    for (at, (type_, body, _)) in faults.iter().enumerate() {
        write!(text, "\nresource \"{type_}\" \"fault_{at}\" {{\n {body}\n}}\n").unwrap();
    }
    text
}

/// Every fault is told, about the resource that has it, and there is no other.
fn told(text: &str, faults: &[Fault]) {
    let errors: Vec<String> = text
        .split("Error: ")
        .skip(1)
        .map(|error| error.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    let mut missed = Vec::new();
    for (at, (type_, _, wanted)) in faults.iter().enumerate() {
        let address = format!("with {type_}.fault_{at},");
        let told = errors.iter().any(|error| error.contains(&address) && error.contains(wanted));
        if !told {
            missed.push(format!("{type_}.fault_{at}: {wanted}"));
        }
    }
    assert_eq!(missed, [""; 0], "{text}");
    assert_eq!(errors.len(), faults.len(), "{text}");
}

#[test]
fn what_the_provider_refuses_is_refused_before_planning() {
    let Some(bench) = bench() else { return };
    bench.add("main.tf", &resources(&BEFORE_PLANNING));
    bench.run(&["init", "-no-color"]).ok();
    told(&bench.run(&["validate", "-no-color"]).refused(), &BEFORE_PLANNING);
}

#[test]
fn what_aws_refuses_is_refused_when_it_is_applied() {
    let Some(bench) = bench() else { return };
    bench.add("main.tf", &(resources(&WHEN_APPLYING) + AROUND));
    bench.run(&["init", "-no-color"]).ok();
    told(&bench.run(&["apply", "-no-color", "-auto-approve"]).refused(), &WHEN_APPLYING);
    assert_eq!(bench.objects(), 5, "what is right was made, and nothing else");
}

#[test]
fn what_is_in_use_is_kept_what_cannot_change_is_replaced_and_what_is_gone_is_made_again() {
    let Some(bench) = bench() else { return };
    bench.add("main.tf", &format!("{PROVIDER}{AROUND}"));
    bench.run(&["init", "-no-color"]).ok();
    bench.run(&["apply", "-no-color", "-auto-approve"]).ok();

    bench.add("main.tf", &format!("{PROVIDER}{}", AROUND.replace("10.0.", "10.7.")));
    let plan = bench.run(&["plan", "-no-color"]).ok();
    assert!(plan.contains("# aws_vpc.here must be replaced"), "{plan}");
    assert!(plan.contains("Plan: 3 to add, 0 to change, 3 to destroy."), "{plan}");

    bench.add("main.tf", &format!("{PROVIDER}{AROUND}"));
    bench.run(&["state", "rm", "aws_subnet.here", "aws_security_group.here"]).ok();
    let kept = bench.run(&["destroy", "-no-color", "-auto-approve"]).refused();
    assert!(kept.contains("DependencyViolation: vpc-"), "{kept}");

    bench.forget("aws_vpc");
    let plan = bench.run(&["plan", "-no-color"]).ok();
    assert!(plan.contains("# aws_vpc.here will be created"), "{plan}");
}

#[test]
fn data_sources_answer_as_the_provider_does() {
    let Some(bench) = bench() else { return };
    let data = r#"
data "aws_caller_identity" "here" {}
data "aws_partition" "here" {}
data "aws_region" "here" {}
data "aws_availability_zones" "here" {}

data "aws_iam_policy_document" "base" {
  statement {
    sid       = "Replaced"
    actions   = ["s3:Get*"]
    resources = ["*"]
  }
}

data "aws_iam_policy_document" "here" {
  source_policy_documents = [data.aws_iam_policy_document.base.json]

  statement {
    sid       = "Replaced"
    effect    = "Deny"
    actions   = ["s3:Put*", "s3:Delete*", "s3:Get*"]
    resources = ["arn:aws:s3:::b/&{aws:username}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["z<", "a&b"]
    }
  }

  statement {
    not_actions   = ["iam:*"]
    not_resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["config.amazonaws.com"]
    }
    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::123456789012:role/a", "arn:aws:iam::123456789012:role/b"]
    }
  }
}

output "answers" {
  value = jsonencode([
    data.aws_caller_identity.here.account_id, data.aws_partition.here.dns_suffix, data.aws_region.here.region,
    data.aws_availability_zones.here.names,
  ])
}

output "document" {
  value = data.aws_iam_policy_document.here.json
}
"#;
    bench.add("main.tf", &format!("{PROVIDER}{data}"));
    bench.run(&["init", "-no-color"]).ok();
    bench.run(&["apply", "-no-color", "-auto-approve"]).ok();
    assert_eq!(
        bench.run(&["output", "-raw", "answers"]).ok(),
        r#"["123456789012","amazonaws.com","eu-central-1",["eu-central-1a","eu-central-1b","eu-central-1c"]]"#
    );
    insta::assert_snapshot!("document", bench.run(&["output", "-raw", "document"]).ok());
}
