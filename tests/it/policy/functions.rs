//! Host functions: one table each, on the cases that decide.

use nexafi_gen::policy::facts;

use super::{Inputs, check, check_with};

fn all(this: &str, cases: &[(&str, &str)]) {
    for (assert, expected) in cases {
        let verdict = check(assert, this);
        assert_eq!(verdict.split(':').next().unwrap(), *expected, "{assert}: {verdict}");
    }
}

#[test]
fn text_and_conversions() {
    all(
        "{name: Ledger-Service, list: [a, b], image: 'registry.example/x@sha256:00'}",
        &[
            ("size(this.name) == 14 && this.name.size() == 14", "pass"),
            ("this.name.contains('Serv')", "pass"),
            ("this.name.startsWith('Ledger')", "pass"),
            ("this.name.endsWith('ice')", "pass"),
            ("this.name.matches('^[A-Z]')", "pass"),
            ("this.name.matches('^[a-z]+$')", "fail"),
            ("this.image.matches('@sha256:[0-9a-f]+$')", "pass"),
            ("this.name.matches(this.list[0])", "fail"),
            ("this.name.lowerAscii() == 'ledger-service'", "pass"),
            ("this.name.upperAscii() == 'LEDGER-SERVICE'", "pass"),
            ("' x '.trim() == 'x'", "pass"),
            ("this.name.replace('-', '.') == 'Ledger.Service'", "pass"),
            ("this.name.split('-') == ['Ledger', 'Service']", "pass"),
            ("this.list.join('+') == 'a+b'", "pass"),
            ("string(12) + string(true) + string(1.5) == '12true1.5'", "pass"),
            ("int('12') == 12 && int(1.9) == 1 && int(-1.9) == -1", "pass"),
            ("int('x') == 1", "unproven"),
            ("int(1e300) == 1", "unproven"),
            ("double('1.5') == 1.5", "pass"),
            ("bool('true') && !bool('false')", "pass"),
            ("bool('yes')", "unproven"),
            ("json('{\"a\": [1, 2]}').a[1] == 2", "pass"),
            ("json('{').a == 1", "unproven"),
            ("values({'a': 1, 'b': 2}) == [1, 2]", "pass"),
            ("flatten([[1], [2, 3], 4, null]) == [1, 2, 3, 4]", "pass"),
            ("distinct([1, 2, 1]) == [1, 2]", "pass"),
            ("this.list[0] == 'a' || unproven('nobody says')", "pass"),
            ("this.list[0] == 'b' || unproven('nobody says')", "unproven"),
            ("address(this) == 'subject' && key == 'subject' && size(keys) == 0", "pass"),
        ],
    );
}

#[test]
fn quantities_and_durations() {
    all(
        "{}",
        &[
            ("quantity('500m') == 0.5", "pass"),
            ("quantity('1Gi') == 1073741824", "pass"),
            ("quantity('1G') == 1000000000", "pass"),
            ("quantity('1.5Ki') == 1536", "pass"),
            ("quantity('2e3') == 2000", "pass"),
            ("quantity(2) == 2", "pass"),
            ("quantity('two') == 2", "unproven"),
            ("quantity('inf') > 2", "unproven"),
            ("quantity('') == 0", "unproven"),
            ("durationSeconds('60m') == 3600", "pass"),
            ("durationSeconds('1h30m') == 5400", "pass"),
            ("durationSeconds('2d') == 172800", "pass"),
            ("durationSeconds('15') == 15", "unproven"),
            ("durationSeconds('') == 0", "unproven"),
            ("durationSeconds('9223372036854775807w') > 0", "unproven"),
            ("scheduleSeconds('cron(0 * * * ? *)') == 3600", "pass"),
            ("scheduleSeconds('cron(0 * ? * * *)') == 3600", "pass"),
            ("scheduleSeconds('cron(0/20 * * * ? *)') == 1200", "pass"),
            ("scheduleSeconds('cron(0 0/5 * * ? *)') == 5 * 3600", "pass"),
            ("scheduleSeconds('cron(5,35 8-17 ? * MON-FRI *)') == (62 * 60 + 30) * 60", "pass"),
            ("scheduleSeconds('cron(0 3 1 * ? *)') == 31 * 86400", "pass"),
            ("scheduleSeconds('cron(0 3 1 1,4,7,10 ? *)') == 92 * 86400", "pass"),
            ("scheduleSeconds('cron(0 3 29 2 ? *)') == 1461 * 86400", "pass"),
            ("scheduleSeconds('rate(12 hours)') == 43200", "pass"),
            ("scheduleSeconds('rate(1 day)') == 86400", "pass"),
            ("scheduleSeconds('cron(0 3 L * ? *)') > 0", "unproven"),
            ("scheduleSeconds('cron(0 3 * * ? 2030)') > 0", "unproven"),
            ("scheduleSeconds('cron(0 3 31 2 ? *)') > 0", "unproven"),
            ("scheduleSeconds('cron(0 3 * * *)') > 0", "unproven"),
            ("scheduleSeconds('rate(9223372036854775807 days)') > 0", "unproven"),
            ("scheduleSeconds('hourly') > 0", "unproven"),
        ],
    );
}

#[test]
fn names_of_images() {
    all(
        "{digest: 'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef'}",
        &[
            ("imageName('redis') == 'docker.io/library/redis'", "pass"),
            ("imageName('redis:8@' + this.digest) == 'docker.io/library/redis'", "pass"),
            ("imageName('nginx/nginx-ingress:5') == 'docker.io/nginx/nginx-ingress'", "pass"),
            ("imageName('index.docker.io/library/redis') == 'docker.io/library/redis'", "pass"),
            ("imageName('registry.example:5000/a/b') == 'registry.example:5000/a/b'", "pass"),
            ("imageName('registry.example:5000/a/b:1') == 'registry.example:5000/a/b'", "pass"),
            ("imageName('localhost/a') == 'localhost/a'", "pass"),
            ("imageName(null) == ''", "unproven"),
        ],
    );
}

/// What is a secret, and what only looks like one.
#[test]
fn literal_secrets() {
    let secret = [
        ("DB_PASSWORD", "changeme"),
        ("dbPassword", "Tr0ub4dor-and-3"),
        ("redispassword", "12345678"),
        ("RABBITMQ_DEFAULT_PASS", "guest"),
        ("secret_string", "plain"),
        ("API_TOKEN", "9f86d081884c7d659a2feaa0c55ad015"),
        ("client-secret", "q8ZbX2nLmV41TtRw77"),
        ("x", "AKIAIOSFODNN7EXAMPLE"),
        ("x", "export AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("x", "postgres://ledger:Vju8kq2w@db/ledger"),
        ("x", "-----BEGIN EC PRIVATE KEY-----"),
        ("x", "{\"password\": \"hunter2\"}"),
        ("x", "spring.datasource.password=hunter"),
        ("x", "curl --password=s3cret-sauce"),
        ("x", "ghp_0123456789abcdefghijABCDEFGHIJ012345"),
        ("x", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"),
    ];
    for (name, value) in secret {
        let verdict = check("literalSecret(this.name, this.value) != null", &this(name, value));
        assert_eq!(verdict, "pass", "{name} {value}");
    }
    let none = [
        ("DB_PASSWORD", "${DB_PASSWORD}"),
        ("DB_PASSWORD", "$(cat /run/secrets/password)"),
        ("DB_PASSWORD", "<your password>"),
        ("DB_PASSWORD", "********"),
        ("DB_PASSWORD", "true"),
        ("DB_PASSWORD", ""),
        ("DB_PASSWORD", "/run/secrets/password"),
        ("DB_PASSWORD", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-AbCdEf"),
        ("DB_PASSWORD_FILE", "secrets/password.txt"),
        ("PASSWORD_POLICY", "strong"),
        ("secret", "redis-client-v2-2026"),
        ("secretName", "q8ZbX2nLmV41TtRw77"),
        ("secretKey", "password"),
        ("key", "password"),
        ("token", "https://login.nexafi.example/token"),
        ("kms_key", "1234abcd-12ab-34cd-56ef-1234567890ab"),
        ("digest", "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"),
        ("x", "password = os.environ['DB_PASSWORD']"),
        ("x", "the password: at least fourteen characters"),
        ("x", "if password == expected; then"),
        ("x", "https://nexafi.example:8443/a@b"),
        ("x", "postgres://ledger:${PASSWORD}@db/ledger"),
        ("x", "-----BEGIN CERTIFICATE-----"),
    ];
    for (name, value) in none {
        let verdict = check("literalSecret(this.name, this.value) == null", &this(name, value));
        assert_eq!(verdict, "pass", "{name} {value}");
    }
    // A pattern that does not compile would be missing in silence.
    let table = include_str!("../../../src/policy/facts/secret-patterns.yaml");
    assert_eq!(nexafi_gen::source::secret::patterns(), table.matches("\n  - what: ").count());
}

fn this(name: &str, value: &str) -> String {
    serde_json::json!({"name": name, "value": value}).to_string()
}

#[test]
fn address_ranges() {
    all(
        "{}",
        &[
            ("cidrContains('10.0.0.0/8', '10.1.0.0/16')", "pass"),
            ("cidrContains('10.1.0.0/16', '10.0.0.0/8')", "fail"),
            ("cidrContains('10.0.0.0/8', '10.200.3.4')", "pass"),
            ("cidrContains('0.0.0.0/0', '::/0')", "fail"),
            ("cidrOverlaps('10.0.0.0/16', '10.0.128.0/20')", "pass"),
            ("cidrOverlaps('10.0.0.0/16', '10.1.0.0/16')", "fail"),
            ("isPublicCidr('0.0.0.0/0')", "pass"),
            ("isPublicCidr('::/0')", "pass"),
            ("isPublicCidr('203.0.113.7/32')", "pass"),
            ("isPublicCidr('10.4.0.0/16')", "fail"),
            ("isPublicCidr('172.16.0.0/12')", "fail"),
            ("isPublicCidr('172.16.0.0/11')", "pass"),
            ("isPublicCidr('100.64.1.0/24')", "fail"),
            ("isPublicCidr('fd00::/8')", "fail"),
            ("isPublicCidr('pl-12345')", "unproven"),
            ("isPublicCidr(null)", "unproven"),
            ("isInternet('0.0.0.0/0') && isInternet('0.0.0.0/1') && isInternet('::/0')", "pass"),
            (
                "isInternet('203.0.113.0/24') || isInternet('10.0.0.0/8') || isInternet('2001:db8::/32')",
                "fail",
            ),
            ("isInternet('fc00::/7')", "fail"),
            ("isInternet('everybody')", "unproven"),
        ],
    );
}

const MODULE: &str = r#"
resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}
resource "aws_vpc" "other" {
  cidr_block = "10.1.0.0/16"
}
resource "aws_flow_log" "main" {
  vpc_id       = aws_vpc.main.id
  traffic_type = "ALL"
}
resource "aws_subnet" "a" {
  vpc_id = aws_vpc.main.id
}
resource "aws_kms_key" "main" {
  enable_key_rotation = true
}
resource "aws_eks_cluster" "main" {
  encryption_config {
    provider {
      key_arn = aws_kms_key.main.arn
    }
  }
}
data "aws_region" "here" {}
resource "aws_sns_topic" "t" {
  name = data.aws_region.here.name
}
terraform {
  required_version = "~> 1.11"
}
"#;

fn on_module(assert: &str) -> String {
    check_with(assert, "{}", Inputs { terraform: Some(MODULE), ..Inputs::default() })
}

#[test]
fn the_graph_of_a_module() {
    let key = "resources('aws_eks_cluster')[0].encryption_config[0].provider[0].key_arn";
    for (assert, expected) in [
        ("size(resources('aws_vpc')) == 2".to_owned(), "pass"),
        ("size(resources(['aws_vpc', 'aws_subnet'])) == 3".to_owned(), "pass"),
        ("size(resources('data.aws_region')) == 1 && size(resources('data.aws_vpc')) == 0".to_owned(), "pass"),
        ("resources('aws_vpc').map(v, address(v)) == ['aws_vpc.main', 'aws_vpc.other']".to_owned(), "pass"),
        (
            "referrers(resources('aws_vpc')[0], 'aws_flow_log').exists(f, f.traffic_type == 'ALL')"
                .to_owned(),
            "pass",
        ),
        ("referrers(resources('aws_vpc')[1], 'aws_flow_log').exists(f, true)".to_owned(), "fail"),
        ("size(referrers(resources('aws_vpc')[0], ['aws_flow_log', 'aws_subnet'])) == 2".to_owned(), "pass"),
        ("size(referrers(resources('data.aws_region')[0], 'aws_sns_topic')) == 1".to_owned(), "pass"),
        ("isInternetGateway('igw-12345678')".to_owned(), "pass"),
        ("isInternetGateway('vgw-12345678') || isInternetGateway(null)".to_owned(), "fail"),
        (format!("isInternetGateway({key})"), "fail"),
        (format!("references({key}, 'aws_kms_key')"), "pass"),
        (format!("resolve({key}).enable_key_rotation"), "pass"),
        (format!("address(resolve({key})) == 'aws_kms_key.main' && kindOf({key}) == 'aws_kms_key'"), "pass"),
        ("resolve('arn:aws:kms:x') == null".to_owned(), "pass"),
        ("references(resources('aws_sns_topic')[0].name, 'data.aws_region')".to_owned(), "pass"),
        ("isInternet(referrers(resources('aws_kms_key')[0], 'aws_eks_cluster')[0].encryption_config[0].provider[0].key_arn)".to_owned(), "unproven"),
        ("isInternet(resources('aws_flow_log')[0].vpc_id)".to_owned(), "fail"),
        ("resources('data.aws_region')[0].name == 'us-east-1'".to_owned(), "unproven"),
        ("blocks('terraform')[0].required_version == '~> 1.11'".to_owned(), "pass"),
        ("references(resources('aws_subnet'), 'aws_vpc')".to_owned(), "unproven"),
        ("kindOf(resources('data.aws_region')[0]) == 'data.aws_region'".to_owned(), "pass"),
    ] {
        let verdict = on_module(&assert);
        assert_eq!(verdict.split(':').next().unwrap(), expected, "{assert}: {verdict}");
    }
}

#[test]
fn a_called_module_may_declare_more() {
    let terraform = r#"
resource "aws_vpc" "main" {}
resource "aws_vpc" "other" {}
module "logs" {
  source = "./logs"
  vpc    = aws_vpc.main.id
}
resource "aws_sns_topic" "t" {
  policy = module.logs.policy
}
"#;
    for (assert, expected) in [
        ("resources('aws_vpc').exists(v, address(v) == 'aws_vpc.main')", "pass"),
        ("resources('aws_guardduty_detector').exists(v, true)", "unproven"),
        ("size(resources('aws_guardduty_detector')) == 0", "unproven"),
        ("referrers(resources('aws_vpc')[0], 'aws_flow_log').exists(f, true)", "unproven"),
        ("referrers(resources('aws_vpc')[1], 'aws_flow_log').exists(f, true)", "fail"),
        ("references(resources('aws_sns_topic')[0].policy, 'aws_iam_policy')", "unproven"),
        ("resolve(resources('aws_sns_topic')[0].policy) == null", "unproven"),
    ] {
        let verdict = check_with(assert, "{}", Inputs { terraform: Some(terraform), ..Inputs::default() });
        assert_eq!(verdict.split(':').next().unwrap(), expected, "{assert}: {verdict}");
    }
}

const IAM: &str = r#"
variable "count" {
  type = number
}
data "aws_iam_policy_document" "base" {
  statement {
    sid       = "Read"
    actions   = ["s3:GetObject"]
    resources = ["*"]
  }
  statement {
    sid       = "Keep"
    actions   = ["s3:ListBucket"]
    resources = ["*"]
  }
}
data "aws_iam_policy_document" "doc" {
  source_policy_documents = [data.aws_iam_policy_document.base.json]
  statement {
    sid       = "Read"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.b.arn]
    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}
data "aws_iam_policy_document" "open" {
  dynamic "statement" {
    for_each = range(var.count)
    content {
      actions = ["s3:*"]
    }
  }
}
data "aws_iam_policy_document" "circle" {
  source_policy_documents = [data.aws_iam_policy_document.other.json]
}
data "aws_iam_policy_document" "other" {
  source_policy_documents = [data.aws_iam_policy_document.circle.json]
}
resource "aws_s3_bucket" "b" {}
resource "aws_ssm_parameter" "p" {}
resource "aws_iam_policy" "reference" {
  policy = data.aws_iam_policy_document.doc.json
}
resource "aws_iam_policy" "circle" {
  policy = data.aws_iam_policy_document.circle.json
}
resource "aws_iam_policy" "open" {
  policy = data.aws_iam_policy_document.open.json
}
resource "aws_iam_policy" "elsewhere" {
  policy = aws_ssm_parameter.p.value
}
resource "aws_iam_policy" "json" {
  policy = <<EOT
{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": ["a", "b"], "Principal": "*"}}
EOT
}
resource "aws_iam_policy" "encoded" {
  policy = jsonencode({
    Statement = [{
      Effect    = "Allow"
      NotAction = ["iam:*"]
      Resource  = aws_s3_bucket.b.arn
      Principal = { Service = "ec2.amazonaws.com", AWS = ["1", "2"] }
      Condition = { StringEquals = { "aws:SourceAccount" = "123456789012" } }
    }]
  })
}
resource "aws_iam_policy" "broken" {
  policy = "not json"
}
resource "aws_iam_policy" "none" {}
"#;

#[test]
fn statements_of_every_way_to_write_a_policy() {
    for (name, assert, expected) in [
        ("json", "s.size() == 1 && s[0].effect == 'Allow' && s[0].actions == ['*']", "pass"),
        (
            "json",
            "s[0].resources == ['a', 'b'] && s[0].principals[0] == {'type': '*', 'identifiers': ['*']}",
            "pass",
        ),
        ("json", "s[0].conditions.size() == 0 && s[0].notActions == []", "pass"),
        ("encoded", "s[0].notActions == ['iam:*'] && s[0].actions == []", "pass"),
        (
            "encoded",
            "s[0].principals.exists(p, p.type == 'Service') && s[0].principals.exists(p, p.type == 'AWS' && p.identifiers.size() == 2)",
            "pass",
        ),
        (
            "encoded",
            "s[0].conditions[0].variable == 'aws:SourceAccount' && '123456789012' in s[0].conditions[0].values",
            "pass",
        ),
        ("encoded", "s[0].resources.all(r, references(r, 'aws_s3_bucket'))", "pass"),
        ("encoded", "'*' in s[0].resources", "unproven"),
        ("reference", "s.map(x, x.sid) == ['Read', 'Keep']", "pass"),
        ("reference", "s[0].effect == 'Deny' && s[1].effect == 'Allow'", "pass"),
        ("reference", "s[0].conditions[0].test == 'Bool' && s[0].conditions[0].values == ['false']", "pass"),
        ("reference", "s[0].principals[0].type == 'AWS'", "pass"),
        ("open", "s.size() == 0", "unproven"),
        ("circle", "s.size() == 0", "unproven"),
        ("elsewhere", "s.size() == 0", "unproven"),
        ("broken", "s.size() == 0", "unproven"),
        ("none", "s.size() == 0", "pass"),
    ] {
        let policy = format!(
            "statements(resources('aws_iam_policy').filter(p, address(p) == 'aws_iam_policy.{name}')[0].policy)"
        );
        let assert = format!("[{policy}].all(s, {assert})");
        let verdict = check_with(&assert, "{}", Inputs { terraform: Some(IAM), ..Inputs::default() });
        assert_eq!(verdict.split(':').next().unwrap(), expected, "{name}: {assert}: {verdict}");
    }
}

const PARTIAL: &str = r#"
variable "bucket" { type = string }
variable "account" { type = string }
locals { root = "arn:aws:iam::${var.account}:root" }
data "aws_kms_alias" "ours" { name = "alias/bank/logs" }
data "aws_kms_alias" "theirs" { name = "alias/aws/s3" }
data "aws_kms_key" "found" { key_id = "alias/aws/ebs" }
data "aws_kms_key" "named" { key_id = aws_kms_alias.ours.name }
resource "aws_kms_key" "own" {}
resource "aws_kms_alias" "ours" { name = "alias/${var.account}-logs" }
resource "aws_sns_topic" "objects" { name = "arn:aws:s3:::${var.bucket}/*" }
resource "aws_sns_topic" "root" { name = local.root }
resource "aws_sns_topic" "inner" { name = "${local.root}/x" }
resource "aws_sns_topic" "json" { policy = "{\"a\": \"x-${var.bucket}\", \"b\": \"${var.bucket}\"}" }
resource "aws_sns_topic" "hidden" { name = "${var.bucket}${var.account}" }
resource "aws_cloudwatch_log_group" "own" { kms_key_id = aws_kms_key.own.arn }
resource "aws_cloudwatch_log_group" "alias" { kms_key_id = aws_kms_alias.ours.arn }
resource "aws_cloudwatch_log_group" "ours" { kms_key_id = data.aws_kms_alias.ours.target_key_arn }
resource "aws_cloudwatch_log_group" "theirs" { kms_key_id = data.aws_kms_alias.theirs.target_key_arn }
resource "aws_cloudwatch_log_group" "found" { kms_key_id = data.aws_kms_key.found.arn }
resource "aws_cloudwatch_log_group" "named" { kms_key_id = data.aws_kms_key.named.arn }
resource "aws_cloudwatch_log_group" "partial" { kms_key_id = "arn:aws:kms:eu-central-1:${var.account}:key/1" }
resource "aws_cloudwatch_log_group" "unknown" { kms_key_id = var.bucket }
resource "aws_cloudwatch_log_group" "unsaid" {}
"#;

#[test]
fn strings_of_which_only_the_ends_are_written() {
    let of = |topic: &str, field: &str| {
        format!("resources('aws_sns_topic').filter(t, address(t) == 'aws_sns_topic.{topic}')[0].{field}")
    };
    for (topic, field, assert, expected) in [
        ("objects", "name", "x == '*' || x == null || x == ''", "fail"),
        ("objects", "name", "has(x.y) || type(x) == 'string'", "pass"),
        ("objects", "name", "x != 'arn:aws:s3:::docs/y' && x != '/*'", "pass"),
        ("objects", "name", "x == 'arn:aws:s3:::docs/*'", "unproven"),
        (
            "objects",
            "name",
            "x.startsWith('arn:aws:s3') && !x.startsWith('arn:aws:sqs') && x.endsWith('/*')",
            "pass",
        ),
        ("objects", "name", "x.startsWith('arn:aws:s3:::docs')", "unproven"),
        ("objects", "name", "x.endsWith('docs/*')", "unproven"),
        ("objects", "name", "x.contains('s3') && !(x in ['*', 'a'])", "pass"),
        ("objects", "name", "x.contains('docs')", "unproven"),
        ("objects", "name", "x.matches('docs')", "unproven"),
        ("objects", "name", "x + 'y' == 'y'", "unproven"),
        ("objects", "name", "x < 'b'", "unproven"),
        ("objects", "name", "size(x) > 3", "unproven"),
        ("objects", "name", "references(x, 'aws_s3_bucket')", "unproven"),
        ("objects", "name", "resolve(x) == null", "unproven"),
        ("objects", "name", "isInternetGateway(x)", "unproven"),
        ("root", "name", "x.startsWith('arn:aws:iam::') && x.endsWith(':root')", "pass"),
        (
            "inner",
            "name",
            "x.startsWith('arn:aws:iam::') && x.endsWith('/x') && !x.endsWith(':root')",
            "pass",
        ),
        ("json", "policy.a", "x == '*'", "fail"),
        ("json", "policy.b", "x == '*'", "unproven"),
        ("hidden", "name", "x == '*'", "unproven"),
    ] {
        let assert = format!("[{}].all(x, {assert})", of(topic, field));
        let verdict = check_with(&assert, "{}", Inputs { terraform: Some(PARTIAL), ..Inputs::default() });
        assert_eq!(verdict.split(':').next().unwrap(), expected, "{topic}: {assert}: {verdict}");
    }
}

#[test]
fn keys_of_ours_and_of_aws() {
    for (group, expected) in [
        ("own", "pass"),
        ("alias", "pass"),
        ("ours", "pass"),
        ("theirs", "fail"),
        ("found", "fail"),
        ("named", "pass"),
        ("partial", "pass"),
        ("unknown", "unproven"),
        ("unsaid", "fail"),
    ] {
        let assert = format!(
            "isCustomerKey(resources('aws_cloudwatch_log_group').filter(g, address(g) == 'aws_cloudwatch_log_group.{group}')[0].kms_key_id)"
        );
        let verdict = check_with(&assert, "{}", Inputs { terraform: Some(PARTIAL), ..Inputs::default() });
        assert_eq!(verdict.split(':').next().unwrap(), expected, "{group}: {verdict}");
    }
    all(
        "{alias: alias/aws/s3, none: '', key: 'arn:aws:kms:eu-central-1:123456789012:key/1'}",
        &[
            ("isCustomerKey(this.key) && isCustomerKey('alias/bank')", "pass"),
            ("isCustomerKey(this.alias) || isCustomerKey(this.none) || isCustomerKey(this.unsaid)", "fail"),
        ],
    );
}

#[test]
fn configuration_files_in_configuration_files() {
    all(
        r##"{redis: "# off\nport 0\ntls-port 6379\n\nport 1\ntls-protocols \"TLSv1.2 TLSv1.3\"\nempty", rabbit: "listeners.tcp = none\nlisteners.ssl.default=5671\n[section]\na: b", elastic: "xpack.security.http.ssl.enabled: true\nxpack:\n  security:\n    transport.ssl.enabled: 'true'\nlist: [1, 2]", broken: "a: [", plain: "text"}"##,
        &[
            ("properties(this.redis).port == '1' && properties(this.redis)['tls-port'] == '6379'", "pass"),
            ("properties(this.redis)['tls-protocols'] == 'TLSv1.2 TLSv1.3'", "pass"),
            ("properties(this.redis).empty == '' && size(properties(this.redis)) == 4", "pass"),
            ("properties(this.rabbit)['listeners.tcp'] == 'none'", "pass"),
            (
                "properties(this.rabbit)['listeners.ssl.default'] == '5671' && properties(this.rabbit).a == 'b'",
                "pass",
            ),
            ("properties(this.unsaid).a == null", "unproven"),
            ("setting(yaml(this.elastic), 'xpack.security.http.ssl.enabled')", "pass"),
            ("setting(yaml(this.elastic), 'xpack.security.transport.ssl.enabled') == 'true'", "pass"),
            (
                "setting(yaml(this.elastic), 'xpack.security') != null && yaml(this.elastic).list[1] == 2",
                "pass",
            ),
            ("setting(yaml(this.elastic), 'xpack.security.other.enabled') == null", "pass"),
            ("setting(null, 'a.b') == null && yaml('') == null", "pass"),
            ("setting(yaml(this.plain), 'a') == null", "unproven"),
            ("yaml(this.broken) == null", "unproven"),
        ],
    );
}

const MANIFESTS: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: core}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ledger, namespace: core}
spec:
  template:
    metadata: {labels: {app: ledger}}
    spec:
      initContainers: [{name: migrate}]
      containers: [{name: main}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: job}]}}}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: core}
spec: {podSelector: {}}
";

#[test]
fn objects_and_their_pods() {
    for (assert, expected) in [
        ("objects('Deployment').map(d, address(d)) == ['Deployment/core/ledger']", "pass"),
        ("size(objects(['Deployment', 'CronJob'])) == 2", "pass"),
        ("size(objects('NetworkPolicy.networking.k8s.io')) == 1", "pass"),
        ("size(objects('NetworkPolicy.crd.projectcalico.org')) == 0", "pass"),
        ("size(objects('Namespace.core')) == 1", "pass"),
        ("pod(objects('Deployment')[0]).metadata.labels.app == 'ledger'", "pass"),
        ("pod(objects('Namespace')[0]) == null", "pass"),
        ("containers(objects('Deployment')[0]).map(c, c.name) == ['migrate', 'main']", "pass"),
        ("containers(objects('CronJob')[0])[0].name == 'job'", "pass"),
        ("namespaceOf(objects('Deployment')[0]) == 'core'", "pass"),
        ("namespaceOf(objects('CronJob')[0]) == 'default'", "pass"),
        ("namespaceOf(objects('Namespace')[0]) == null", "pass"),
        ("kindOf(objects('CronJob')[0]) == 'CronJob'", "pass"),
    ] {
        let verdict = check_with(assert, "{}", Inputs { kubernetes: Some(MANIFESTS), ..Inputs::default() });
        assert_eq!(verdict.split(':').next().unwrap(), expected, "{assert}: {verdict}");
    }
}

#[test]
fn label_selectors() {
    all(
        "{app: ledger, tier: '1'}",
        &[
            ("selects({}, this)", "pass"),
            ("selects(null, this)", "fail"),
            ("selects({'matchLabels': {'app': 'ledger'}}, this)", "pass"),
            ("selects({'matchLabels': {'app': 'ledger', 'x': 'y'}}, this)", "fail"),
            (
                "selects({'matchExpressions': [{'key': 'app', 'operator': 'In', 'values': ['a', 'ledger']}]}, this)",
                "pass",
            ),
            (
                "selects({'matchExpressions': [{'key': 'app', 'operator': 'NotIn', 'values': ['ledger']}]}, this)",
                "fail",
            ),
            (
                "selects({'matchExpressions': [{'key': 'zone', 'operator': 'NotIn', 'values': ['x']}]}, this)",
                "pass",
            ),
            ("selects({'matchExpressions': [{'key': 'zone', 'operator': 'Exists'}]}, this)", "fail"),
            ("selects({'matchExpressions': [{'key': 'zone', 'operator': 'DoesNotExist'}]}, this)", "pass"),
            ("selects({'matchExpressions': [{'key': 'app', 'operator': 'Sounds'}]}, this)", "unproven"),
        ],
    );
}

#[test]
fn taints_and_tolerations() {
    let taint = "[{'key': 'nexafi-gen/class', 'value': 'financial', 'effect': 'NO_SCHEDULE'}]";
    for (tolerations, expected) in [
        ("[]", "fail"),
        ("[{operator: Exists}]", "pass"),
        ("[{key: nexafi-gen/class, operator: Exists}]", "pass"),
        ("[{key: nexafi-gen/class, value: financial, effect: NoSchedule}]", "pass"),
        ("[{key: nexafi-gen/class, operator: Equal, value: financial}]", "pass"),
        ("[{key: nexafi-gen/class, value: other}]", "fail"),
        ("[{key: nexafi-gen/class, value: financial, effect: NoExecute}]", "fail"),
        ("[{key: other, operator: Exists}]", "fail"),
        ("[{key: nexafi-gen/class, operator: Gt, value: '1'}]", "unproven"),
        ("'unknown:x'", "unproven"),
    ] {
        let this = format!("{{spec: {{tolerations: {tolerations}}}}}");
        let verdict = check(&format!("tolerates(this, {taint})"), &this);
        assert_eq!(verdict.split(':').next().unwrap(), expected, "{tolerations}: {verdict}");
    }
    assert_eq!(check("tolerates(this, [{'key': 'a', 'effect': 'PreferNoSchedule'}])", "{spec: {}}"), "pass");
    assert_eq!(check("tolerates(this, null)", "{spec: {}}"), "pass");
}

#[test]
fn scheduling_follows_selector_affinity_and_taints() {
    let labels = "{'nexafi-gen/class': 'financial', 'cores': '4'}";
    let required = |terms: &str| {
        format!(
            "{{spec: {{affinity: {{nodeAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: \
             {{nodeSelectorTerms: {terms}}}}}}}}}}}"
        )
    };
    for (this, expected) in [
        ("{spec: {}}".to_owned(), "pass"),
        ("{spec: {nodeSelector: {nexafi-gen/class: financial}}}".to_owned(), "pass"),
        ("{spec: {nodeSelector: {nexafi-gen/class: general}}}".to_owned(), "fail"),
        ("{spec: {nodeSelector: {kubernetes.io/os: linux}}}".to_owned(), "pass"),
        ("{spec: {nodeSelector: {topology.kubernetes.io/zone: us-east-1a}}}".to_owned(), "unproven"),
        (
            required("[{matchExpressions: [{key: nexafi-gen/class, operator: In, values: [financial]}]}]"),
            "pass",
        ),
        (
            required("[{matchExpressions: [{key: nexafi-gen/class, operator: NotIn, values: [financial]}]}]"),
            "fail",
        ),
        (required("[{matchExpressions: [{key: cores, operator: Gt, values: ['3']}]}]"), "pass"),
        (required("[{matchExpressions: [{key: cores, operator: Lt, values: ['3']}]}]"), "fail"),
        (required("[{}]"), "fail"),
        (required("[{}, {matchExpressions: [{key: cores, operator: Exists}]}]"), "pass"),
        (required("[{matchFields: [{key: metadata.name, operator: In, values: [n]}]}]"), "unproven"),
    ] {
        let verdict = check(&format!("schedulable(this, {labels}, [])"), &this);
        assert_eq!(verdict.split(':').next().unwrap(), expected, "{this}: {verdict}");
    }
    let tainted = "schedulable(this, {}, [{'key': 'a', 'value': 'b', 'effect': 'NoSchedule'}])";
    assert_eq!(check(tainted, "{spec: {}}"), "fail");
}

#[test]
fn the_documentation_names_every_function() {
    let text = include_str!("../../../docs/policy-language.md");
    for usage in nexafi_gen::policy::functions() {
        let name = usage.split('(').next().unwrap().rsplit('.').next().unwrap();
        assert!(text.contains(&format!("{name}(")), "docs/policy-language.md says nothing of {usage}");
    }
}

#[test]
fn dates() {
    all(
        "{}",
        &[
            ("daysBetween('2026-12-01', '2027-03-01') == 90", "pass"),
            ("daysBetween('2026-12-31', '2026-12-31') == 0", "pass"),
            ("daysBetween('2027-01-01', '2026-12-31') == -1", "pass"),
            ("daysBetween('2028-02-28', '2028-03-01') == 2", "pass"),
            ("daysBetween('tomorrow', '2026-12-31') == 2", "unproven"),
            ("'2026-12-31' < '2027-01-01' && today > '2026-01-01'", "unproven"),
        ],
    );
}

#[test]
fn facts_that_age_are_tables() {
    all(
        "{version: '1.33'}",
        &[
            ("facts('eks-versions').versions[this.version].standard == '2026-07-29'", "pass"),
            ("facts('eks-versions').source.contains('docs.aws.amazon.com')", "pass"),
            ("facts('eks-versions').versions['0.9'] == null", "pass"),
            ("facts('eks-version').versions['1.33'] == null", "unproven"),
        ],
    );
}

/// A table nobody can check, or renew, is not a table of facts.
#[test]
fn every_table_of_facts_names_its_source_and_the_day_it_was_read() {
    for name in facts::names() {
        let table = facts::table(name).unwrap();
        assert!(table.read.is_some(), "{name} says no day under `read`");
        let verdict = check(&format!("facts('{name}').source != null"), "{}");
        assert_eq!(verdict, "pass", "{name} names no source");
    }
}

#[test]
fn rights_of_iam_statements() {
    all(
        "{a: {actions: ['s3:Get*', 'ec2:Run?nstances']}, b: {actions: [], notActions: ['iam:*']}, c: {actions: ['*']}, \
         d: {actions: ['a*b*c']}}",
        &[
            ("grants(this.a, 's3:getobject') && grants(this.a, 'EC2:RunInstances')", "pass"),
            ("grants(this.a, 's3:PutObject') || grants(this.a, 'ec2:RunTheInstances')", "fail"),
            ("grants(this.b, 's3:GetObject') && !grants(this.b, 'iam:PassRole')", "pass"),
            ("grants(this.c, 'iam:PassRole')", "pass"),
            ("grants(this.d, 'abc') && grants(this.d, 'aXbbcc') && !grants(this.d, 'abcd')", "pass"),
            ("grants(this.nothing, 'iam:PassRole')", "fail"),
            ("restrictable('s3:GetObject') && restrictable('S3:*') && restrictable('*')", "pass"),
            ("restrictable('ec2:DescribeInstances') || restrictable('ec2:Describe*')", "fail"),
            ("restrictable('ecr:GetAuthorizationToken') || restrictable('sts:GetCallerIdentity')", "fail"),
            ("restrictable('ec2:De*') && restrictable('e*:DescribeInstances')", "pass"),
            ("restrictable('nosuchservice:Get')", "unproven"),
        ],
    );
}

/// What Pod Security admission has against a pod, number by number of what it has.
#[test]
fn pod_security_admission() {
    const GOOD: &str = "{securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}, containers: \
                        [{name: a, securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]}";
    let bad = |spec: &str, level: &str, version: &str| {
        let manifest =
            format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: subject, namespace: n}}\nspec: {spec}\n");
        let assert = format!("size(podSecurityViolations(objects('Pod')[0], '{level}', '{version}')) == N");
        (0..20)
            .find(|count| {
                let assert = assert.replace('N', &count.to_string());
                check_with(&assert, "{}", Inputs { kubernetes: Some(&manifest), ..Inputs::default() })
                    == "pass"
            })
            .unwrap_or_else(|| panic!("{spec} {level} {version} is not decided"))
    };
    assert_eq!(bad(GOOD, "restricted", "v1.34"), 0);
    assert_eq!(bad("{containers: [{name: a}]}", "baseline", "latest"), 0);
    assert_eq!(bad("{containers: [{name: a}]}", "restricted", "latest"), 4);
    assert_eq!(
        bad(
            "{hostNetwork: true, containers: [{name: a, securityContext: {privileged: true}}]}",
            "privileged",
            "latest"
        ),
        0
    );
    let baseline = [
        "hostNetwork: true",
        "hostPID: true",
        "hostIPC: true",
        "volumes: [{name: v, hostPath: {path: /}}]",
        "securityContext: {sysctls: [{name: kernel.msgmax}]}",
        "securityContext: {seccompProfile: {type: Unconfined}}",
        "securityContext: {appArmorProfile: {type: Unconfined}}",
        "securityContext: {windowsOptions: {hostProcess: true}}",
        "securityContext: {seLinuxOptions: {type: spc_t}}",
        "securityContext: {seLinuxOptions: {role: r}}",
        "initContainers: [{name: b, securityContext: {privileged: true}}]",
        "ephemeralContainers: [{name: b, securityContext: {capabilities: {add: [SYS_ADMIN]}}}]",
        "initContainers: [{name: b, ports: [{containerPort: 80, hostPort: 80}]}]",
        "initContainers: [{name: b, securityContext: {procMount: Unmasked}}]",
        "initContainers: [{name: b, lifecycle: {preStop: {httpGet: {host: x, port: 80}}}}]",
    ];
    for part in baseline {
        assert_eq!(bad(&format!("{{{part}, containers: [{{name: a}}]}}"), "baseline", "v1.34"), 1, "{part}");
    }
    // Controls and what they allow came with versions.
    let since = [
        ("initContainers: [{name: b, livenessProbe: {tcpSocket: {host: x, port: 80}}}]", "v1.33", 0),
        ("securityContext: {sysctls: [{name: net.ipv4.tcp_rmem}]}", "v1.31", 1),
        ("securityContext: {sysctls: [{name: net.ipv4.tcp_rmem}]}", "v1.32", 0),
        ("securityContext: {seLinuxOptions: {type: container_engine_t}}", "v1.30", 1),
        ("securityContext: {seLinuxOptions: {type: container_engine_t}}", "v1.31", 0),
        ("volumes: [{name: v, hostPath: null}]", "latest", 0),
        ("volumes: null", "latest", 0),
    ];
    for (part, version, count) in since {
        assert_eq!(
            bad(&format!("{{{part}, containers: [{{name: a}}]}}"), "baseline", version),
            count,
            "{part}"
        );
    }
    // A container says more than its pod; of a Windows pod nothing is asked that Windows does not have.
    let own = GOOD.replace("drop: [ALL]", "drop: [ALL], add: [CHOWN]");
    assert_eq!(bad(&own, "restricted", "v1.34"), 1);
    assert_eq!(bad(&GOOD.replace("{name: a,", "{name: a, x: y,"), "restricted", "v1.34"), 0);
    assert_eq!(
        bad(&GOOD.replace("runAsNonRoot: true", "runAsNonRoot: true, runAsUser: 0"), "restricted", "v1.34"),
        1
    );
    assert_eq!(bad(&GOOD.replace("runAsNonRoot: true", "runAsNonRoot: false"), "restricted", "v1.34"), 1);
    assert_eq!(
        bad(
            &GOOD.replace("containers:", "volumes: [{name: v, nfs: {server: s}}], containers:"),
            "restricted",
            "v1.34"
        ),
        1
    );
    let windows = "{os: {name: windows}, securityContext: {runAsNonRoot: true}, containers: [{name: a}]}";
    assert_eq!(bad(windows, "restricted", "v1.34"), 0);
    assert_eq!(bad(windows, "restricted", "v1.24"), 3);
}

#[test]
fn what_network_policies_let_through() {
    const WORLD: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: b, labels: {zone: data}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: a, labels: {app: web}}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: b, labels: {app: db}}
spec: {containers: [{name: db, ports: [{name: sql, containerPort: 5432}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: free, namespace: c, labels: {app: free}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: a}
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
  egress:
    - {to: [{namespaceSelector: {matchLabels: {zone: data}}, podSelector: {matchLabels: {app: db}}}], ports: [{port: sql}]}
    - {to: [{ipBlock: {cidr: 203.0.113.0/24}}], ports: [{port: 443}, {port: 53, protocol: UDP}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: b}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
    - {from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: a}}}], ports: [{port: 5000, endPort: 6000}]}
";
    let pod = |name: &str| format!("objects('Pod').filter(p, p.metadata.name == '{name}')[0]");
    let (web, db, free) = (pod("web"), pod("db"), pod("free"));
    let cases = [
        (format!("connects({web}, {db}, 5432)"), "pass"),
        (format!("connects({web}, {db}, 5433)"), "fail"),
        (format!("connects({web}, {db}, '5432/UDP')"), "fail"),
        (format!("connects({db}, {web}, 80)"), "fail"),
        (format!("connects({free}, {db}, 5432)"), "fail"),
        (format!("connects({web}, {free}, 80)"), "fail"),
        // Of the database's way out no policy says anything.
        (format!("connects({db}, {free}, 80)"), "pass"),
        (
            format!(
                "connects({db}, {{'namespace': 'kube-system', 'labels': {{'k8s-app': 'kube-dns'}}}}, '53/UDP')"
            ),
            "pass",
        ),
        (format!("connects({web}, {{'namespace': 'kube-system', 'labels': {{}}}}, '53/UDP')"), "fail"),
        (format!("addresses({web}, 'egress') == [{{'cidr': '203.0.113.0/24', 'ports': [443, 53]}}]"), "pass"),
        (format!("size(addresses({db}, 'ingress')) == 0"), "pass"),
        (format!("addresses({db}, 'egress').exists(a, a.cidr == '0.0.0.0/0' && size(a.ports) == 0)"), "pass"),
        (format!("connects({web}, {db}, 'sql')"), "unproven"),
        (format!("size(addresses({web}, 'sideways')) == 0"), "unproven"),
    ];
    for (assert, expected) in cases {
        let verdict = check_with(&assert, "{}", Inputs { kubernetes: Some(WORLD), ..Inputs::default() });
        assert_eq!(verdict.split(':').next().unwrap(), expected, "{assert}: {verdict}");
    }
}
