//! The check against the AWS provider's schema.

use nexafi_gen::terraform::schema::{self, Kind};

use crate::terraform::{module, told};

#[test]
fn the_embedded_schema_is_whole() {
    let aws = schema::aws().unwrap();
    assert_eq!(aws.version(), "6.66.0");
    assert_eq!(aws.types(Kind::Resource).count(), 1725);
    assert_eq!(aws.types(Kind::Data).count(), 683);
    let mut attributes = 0;
    for kind in [Kind::Provider, Kind::Resource, Kind::Data] {
        for type_ in aws.types(kind) {
            let block = aws.get(kind, type_).unwrap_or_else(|| panic!("{type_} does not decode"));
            attributes += block.attributes.len();
        }
    }
    assert!(attributes > 20_000, "{attributes}");
}

#[test]
fn types_answer_for_their_attributes() {
    assert_eq!(schema::has_attribute("aws_vpc", "cidr_block"), Some(true));
    assert_eq!(schema::has_attribute("aws_vpc", "cidr"), Some(false));
    assert_eq!(schema::has_attribute("aws_eks_cluster", "vpc_config"), Some(true));
    assert_eq!(schema::has_attribute("data.aws_iam_policy_document", "json"), Some(true));
    assert_eq!(schema::has_attribute("aws_region", "name"), None);
}

#[test]
fn what_the_schema_allows_is_no_finding() {
    let (sources, module, findings) = module(&[r#"
provider "aws" {
  alias  = "primary"
  region = "eu-west-1"
  default_tags {
    tags = { a = 1 }
  }
}
variable "open" {}
resource "aws_vpc" "main" {
  cidr_block           = "10.0.0.0/16"
  enable_dns_support   = "true"
  enable_dns_hostnames = var.open
  tags                 = { Name = "main", Count = 3 }
  provider             = aws.primary
  lifecycle {
    prevent_destroy = true
  }
}
resource "aws_subnet" "a" {
  for_each          = toset(["a"])
  vpc_id            = aws_vpc.main.id
  availability_zone = each.key
}
resource "aws_eks_cluster" "main" {
  name     = "main"
  role_arn = aws_iam_role.cluster.arn
  vpc_config {
    subnet_ids              = [aws_subnet.a["a"].id]
    endpoint_private_access = true
  }
  dynamic "encryption_config" {
    for_each = var.open
    content {}
  }
  timeouts {
    create = "30m"
  }
}
resource "aws_iam_role" "cluster" {
  assume_role_policy = jsonencode({ Statement = [{ Resource = aws_vpc.main.arn }] })
}
resource "aws_security_group" "web" {
  vpc_id = aws_vpc.main.id
  ingress {
    from_port = 443
    to_port   = "443"
    protocol  = "tcp"
  }
}
data "aws_iam_policy_document" "doc" {
  statement {
    actions   = ["s3:*"]
    resources = [aws_vpc.main.arn, "*"]
  }
}
resource "aws_wafv2_web_acl" "main" {
  scope = "REGIONAL"
  default_action {
    allow {}
  }
  rule {
    name     = "one"
    priority = 1
    statement {
      anything { goes = true }
    }
    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "one"
      sampled_requests_enabled   = true
    }
  }
  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = "all"
    sampled_requests_enabled   = true
  }
}
resource "kubernetes_namespace" "other" {
  whatever = 1
}
output "vpc" {
  value = aws_vpc.main.default_security_group_id
}
"#]);
    assert_eq!(told(&sources, &findings), "");
    assert_eq!(told(&sources, &schema::check(&module)), "");
}

#[test]
fn what_the_schema_forbids_is_found_where_it_stands() {
    let (sources, module, findings) = module(&[r#"
provider "aws" {
  regoin = "eu-west-1"
}
resource "aws_vpc" "main" {
  cidr_blok  = "10.0.0.0/16"
  arn        = "arn:aws:..."
  tags       = ["a"]
  enable_dns_support = "yes"
  lifecycle {
    prevent_destory = true
  }
}
resource "aws_vcp" "typo" {}
resource "aws_iam_policy_document" "wrong" {}
data "aws_vpcc" "typo" {}
resource "aws_subnet" "a" {
  cidr_block = { a = 1 }
  tags {
    Name = "x"
  }
}
resource "aws_eks_cluster" "main" {
  name       = null
  role_arn   = aws_vpc.main.rn
  vpc_config = {}
}
resource "aws_eks_node_group" "main" {
  cluster_name  = "main"
  node_role_arn = ["a"]
  subnet_ids    = "subnet-1"
  scaling_config {
    desired_size = "many"
    min_size     = 1
  }
  scaling_config {
    desired_size = 1
    min_size     = 1
    max_size     = 1
  }
  launch_template {
    idd     = "lt"
    version = 1
  }
}
resource "aws_security_group" "web" {
  ingress {
    from_prt  = 1
    self      = "perhaps"
    protocol  = "tcp"
  }
  egress = [{ from_port = 1, to_port = 1, protocol = "tcp" }]
}
resource "aws_instance" "counted" {
  count = 2
}
output "o" {
  value = [aws_instance.counted.id, aws_instance.counted[0].idd, aws_instance.counted[*].nothing_like_it]
}
"#]);
    insta::assert_snapshot!(format!(
        "{}---\n{}",
        told(&sources, &findings),
        told(&sources, &schema::check(&module))
    ));
}

#[test]
fn a_policy_that_is_no_json_is_found_although_it_is_judged() {
    let (sources, module, _) = module(&[r#"
resource "aws_sqs_queue_policy" "open" {
  queue_url = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders"
  policy    = "{\"Statement\": [{\"Effect\": \"Deny\"},]}"
}
resource "aws_iam_role" "sound" {
  assume_role_policy = "{\"Statement\": []}"
}
resource "aws_lb_listener" "web" {
  load_balancer_arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/a/1"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  default_action {
    type = "fixed-response"
  }
}
"#]);
    insta::assert_snapshot!(told(&sources, &schema::check(&module)));
}
