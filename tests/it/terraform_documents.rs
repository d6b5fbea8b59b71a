//! `data.aws_iam_policy_document` as a value. What the provider makes of it is taken from its own acceptance tests
//! (hashicorp/terraform-provider-aws, `internal/service/iam/policy_document_data_source_test.go`), with the partition written
//! out; a `Sid` that is empty is left out since version 5 of the provider (`policy_model.go`).

use nexafi_gen::source::{Node, Value};

use crate::cli::Desk;
use crate::terraform::module;

/// The value of a local beside some documents.
fn local(text: &str, expression: &str) -> (Value, bool) {
    let text = format!("{text}\nlocals {{\n  value = {expression}\n}}\n");
    let (_, module, findings) = module(&[&text]);
    assert!(findings.is_empty(), "{findings:?}");
    let node = module.blocks_of("locals").last().unwrap().body.get("value").unwrap().clone();
    let partial = module.is_partial_json(&node);
    (node.value, partial)
}

fn text(documents: &str, expression: &str) -> String {
    match local(documents, expression).0 {
        Value::Str(text) => text.to_string(),
        other => panic!("{other:?}"),
    }
}

const BASIC: &str = r#"
data "aws_iam_policy_document" "test" {
  policy_id = "policy_id"
  statement {
    sid = "1"
    actions = [
      "s3:ListAllMyBuckets",
      "s3:GetBucketLocation",
    ]
    resources = ["arn:aws:s3:::*"]
  }
  statement {
    actions   = ["s3:ListBucket"]
    resources = ["arn:aws:s3:::foo"]
    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values = [
        "home/",
        "",
        "home/&{aws:username}/",
      ]
    }
    not_principals {
      type        = "AWS"
      identifiers = ["arn:blahblah:example"]
    }
  }
  statement {
    actions = ["s3:*"]
    resources = [
      "arn:aws:s3:::foo/home/&{aws:username}",
      "arn:aws:s3:::foo/home/&{aws:username}/*",
    ]
    principals {
      type        = "AWS"
      identifiers = ["arn:blahblah:example"]
    }
  }
  statement {
    effect        = "Deny"
    not_actions   = ["s3:*"]
    not_resources = ["arn:aws:s3:::*"]
  }
  statement {
    effect  = "Allow"
    actions = ["kinesis:*"]
    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
  }
  statement {
    effect  = "Allow"
    actions = ["firehose:*"]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
  }
}
"#;

const BASIC_JSON: &str = r#"{
  "Version": "2012-10-17",
  "Id": "policy_id",
  "Statement": [
    {
      "Sid": "1",
      "Effect": "Allow",
      "Action": [
        "s3:ListAllMyBuckets",
        "s3:GetBucketLocation"
      ],
      "Resource": "arn:aws:s3:::*"
    },
    {
      "Effect": "Allow",
      "Action": "s3:ListBucket",
      "Resource": "arn:aws:s3:::foo",
      "NotPrincipal": {
        "AWS": "arn:blahblah:example"
      },
      "Condition": {
        "StringLike": {
          "s3:prefix": [
            "home/",
            "",
            "home/${aws:username}/"
          ]
        }
      }
    },
    {
      "Effect": "Allow",
      "Action": "s3:*",
      "Resource": [
        "arn:aws:s3:::foo/home/${aws:username}/*",
        "arn:aws:s3:::foo/home/${aws:username}"
      ],
      "Principal": {
        "AWS": "arn:blahblah:example"
      }
    },
    {
      "Effect": "Deny",
      "NotAction": "s3:*",
      "NotResource": "arn:aws:s3:::*"
    },
    {
      "Effect": "Allow",
      "Action": "kinesis:*",
      "Principal": {
        "AWS": "*"
      }
    },
    {
      "Effect": "Allow",
      "Action": "firehose:*",
      "Principal": "*"
    }
  ]
}"#;

#[test]
fn a_document_is_the_text_the_provider_makes_of_it() {
    assert_eq!(text(BASIC, "data.aws_iam_policy_document.test.json"), BASIC_JSON);
    let minified: serde_json::Value = serde_json::from_str(BASIC_JSON).unwrap();
    let compact = text(BASIC, "data.aws_iam_policy_document.test.minified_json");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&compact).unwrap(), minified);
    assert!(
        compact.starts_with(
            r#"{"Version":"2012-10-17","Id":"policy_id","Statement":[{"Sid":"1","Effect":"Allow""#
        )
    );
    let decoded = "jsondecode(data.aws_iam_policy_document.test.json).Statement[0].Action[1]";
    assert_eq!(text(BASIC, decoded), "s3:GetBucketLocation");
}

/// Documents, the one that is asked for, and its JSON without blanks.
type Case = (&'static str, &'static str, &'static str);

const THREE: &str = r#"
data "aws_iam_policy_document" "policy_a" {
  statement {
    sid     = ""
    effect  = "Allow"
    actions = ["foo:ActionOne"]
  }
  statement {
    sid     = "SID"
    effect  = "Allow"
    actions = ["bar:ActionOne"]
  }
}
data "aws_iam_policy_document" "policy_b" {
  statement {
    sid     = "validSidTwo"
    effect  = "Deny"
    actions = ["foo:ActionTwo"]
  }
}
data "aws_iam_policy_document" "policy_c" {
  statement {
    sid     = "LAST"
    effect  = "Deny"
    actions = ["bar:ActionTwo"]
  }
}
data "aws_iam_policy_document" "test" {
  version = "2012-10-17"
  MERGE_policy_documents = [
    data.aws_iam_policy_document.policy_a.json,
    data.aws_iam_policy_document.policy_b.json,
    data.aws_iam_policy_document.policy_c.json
  ]
}
"#;

fn three(merge: &str, sid: &str, last: &str) -> String {
    THREE.replace("MERGE", merge).replace("SID", sid).replace("LAST", last)
}

#[test]
fn documents_merge_as_the_provider_merges_them() {
    let value = |documents: &str| text(documents, "data.aws_iam_policy_document.test.minified_json");
    assert_eq!(
        value(&three("source", "validSidOne", "")),
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"foo:ActionOne"},{"Sid":"validSidOne","Effect":"Allow","Action":"bar:ActionOne"},{"Sid":"validSidTwo","Effect":"Deny","Action":"foo:ActionTwo"},{"Effect":"Deny","Action":"bar:ActionTwo"}]}"#
    );
    assert_eq!(
        value(&three("override", "overrideSid", "overrideSid")),
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"foo:ActionOne"},{"Sid":"overrideSid","Effect":"Deny","Action":"bar:ActionTwo"},{"Sid":"validSidTwo","Effect":"Deny","Action":"foo:ActionTwo"}]}"#
    );
    let cases: [Case; 6] = [
        (
            "a statement of its own takes the place of one it includes",
            r#"
            data "aws_iam_policy_document" "source" {
              statement {
                sid       = "SourceJSONTestConflicting"
                actions   = ["iam:*"]
                resources = ["*"]
              }
            }
            data "aws_iam_policy_document" "test" {
              source_policy_documents = [data.aws_iam_policy_document.source.json, null]
              statement {
                sid       = "SourceJSONTestConflicting"
                actions   = ["*"]
                resources = ["*"]
              }
            }"#,
            r#"{"Version":"2012-10-17","Statement":[{"Sid":"SourceJSONTestConflicting","Effect":"Allow","Action":"*","Resource":"*"}]}"#,
        ),
        (
            "the older version",
            r#"data "aws_iam_policy_document" "test" {
              version = "2008-10-17"
              statement {
                actions   = ["ec2:*"]
                resources = ["*"]
              }
            }"#,
            r#"{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}"#,
        ),
        (
            "no statement, no list of them",
            r#"data "aws_iam_policy_document" "test" {}"#,
            r#"{"Version":"2012-10-17"}"#,
        ),
        (
            "several blocks of principals, one and two identifiers",
            r#"data "aws_iam_policy_document" "test" {
              statement {
                actions   = ["*"]
                resources = ["*"]
                sid       = "StatementPrincipalIdentifiersStringAndSlice"
                principals {
                  identifiers = ["arn:aws:iam::111111111111:root"]
                  type        = "AWS"
                }
                principals {
                  identifiers = ["arn:aws:iam::222222222222:root", "arn:aws:iam::333333333333:root"]
                  type        = "AWS"
                }
              }
            }"#,
            r#"{"Version":"2012-10-17","Statement":[{"Sid":"StatementPrincipalIdentifiersStringAndSlice","Effect":"Allow","Action":"*","Resource":"*","Principal":{"AWS":["arn:aws:iam::111111111111:root","arn:aws:iam::333333333333:root","arn:aws:iam::222222222222:root"]}}]}"#,
        ),
        (
            "the order of blocks is that of their hashes",
            MULTIPLE,
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Principal":{"AWS":["arn:aws:iam::333333333333:root","arn:aws:iam::444444444444:root","arn:aws:iam::222222222222:root","arn:aws:iam::111111111111:root"]}}]}"#,
        ),
        (
            "JSON that somebody wrote: what the provider does not know is dropped",
            r#"data "aws_iam_policy_document" "test" {
              source_policy_documents = [jsonencode({
                Id        = "mine"
                version   = "2012-10-17"
                Statement = [{
                  Effect    = "Allow"
                  Action    = ["b:Two", "a:One"]
                  Principal = { Service = ["a.amazonaws.com", "b.amazonaws.com"], AWS = "*" }
                  Condition = { Bool = { "aws:SecureTransport" = true }, NumericLess = { "s3:x" = 1 } }
                  Comment   = "dropped"
                  Resource  = "<&>"
                }]
              })]
            }"#,
            r#"{"Version":"2012-10-17","Id":"mine","Statement":[{"Effect":"Allow","Action":["b:Two","a:One"],"Resource":"\u003c\u0026\u003e","Principal":{"AWS":"*","Service":["b.amazonaws.com","a.amazonaws.com"]},"Condition":{"Bool":{"aws:SecureTransport":"true"}}}]}"#,
        ),
    ];
    for (name, documents, expected) in cases {
        assert_eq!(value(documents), expected, "{name}");
    }
    let gov = MULTIPLE.replace("arn:aws:", "arn:aws-us-gov:");
    assert!(value(&gov).contains(
        r#"["arn:aws-us-gov:iam::333333333333:root","arn:aws-us-gov:iam::222222222222:root","arn:aws-us-gov:iam::111111111111:root","arn:aws-us-gov:iam::444444444444:root"]"#
    ));
}

const MULTIPLE: &str = r#"data "aws_iam_policy_document" "test" {
  statement {
    actions   = ["*"]
    resources = ["*"]
    principals {
      identifiers = ["arn:aws:iam::111111111111:root", "arn:aws:iam::222222222222:root"]
      type        = "AWS"
    }
    principals {
      identifiers = ["arn:aws:iam::333333333333:root"]
      type        = "AWS"
    }
    principals {
      identifiers = ["arn:aws:iam::444444444444:root"]
      type        = "AWS"
    }
  }
}"#;

#[test]
fn what_the_provider_refuses_has_no_value_and_says_why() {
    let refused = [
        (
            three("source", "conflictSid", "conflictSid"),
            "two statements of source_policy_documents have one Sid",
        ),
        (
            r#"data "aws_iam_policy_document" "test" {
              statement {
                sid     = "1"
                actions = ["ec2:*"]
              }
              statement {
                sid     = "1"
                actions = ["s3:*"]
              }
            }"#
            .to_owned(),
            "two of its statements have one Sid",
        ),
        (
            r#"data "aws_iam_policy_document" "test" {
              version = "2008-10-17"
              statement {
                actions   = ["*"]
                resources = ["arn:aws:s3:::foo/home/&{aws:username}"]
              }
            }"#
            .to_owned(),
            "`&{` stands for a variable, and version 2008-10-17 has none",
        ),
        (
            r#"data "aws_iam_policy_document" "test" {
              source_policy_documents = ["{"]
            }"#
            .to_owned(),
            "a document that it includes is not the JSON of a policy",
        ),
    ];
    for (documents, why) in refused {
        let desk = Desk::new();
        desk.put(
            "main.tf",
            format!(
                "{documents}\nresource \"aws_iam_policy\" \"p\" {{\n  policy = data.aws_iam_policy_document.test.json\n}}\n"
            ),
        );
        let ran = desk.run("lint . --select NXF-IAM-001 --format json");
        assert!(ran.out.contains(why), "{why}\n{}", ran.out);
        assert!(ran.out.contains("\"unproven\""), "{}", ran.out);
    }
}

#[test]
fn what_is_not_known_leaves_the_rest_of_the_document_known() {
    let documents = r#"
    resource "aws_s3_bucket" "b" {}
    variable "open" {}
    data "aws_iam_policy_document" "inner" {
      statement {
        sid       = "read"
        actions   = ["s3:GetObject", "s3:ListBucket"]
        resources = [aws_s3_bucket.b.arn, "arn:aws:s3:::own"]
      }
    }
    data "aws_iam_policy_document" "test" {
      source_policy_documents = [data.aws_iam_policy_document.inner.json]
      statement {
        actions   = ["iam:*"]
        resources = ["*"]
      }
    }
    data "aws_iam_policy_document" "open" {
      source_policy_documents = [var.open]
      statement {
        actions   = ["iam:*"]
        resources = ["*"]
      }
    }"#;
    let (value, partial) = local(documents, "data.aws_iam_policy_document.test.json");
    assert!(partial, "{value:?}");
    let tree = Node::new(nexafi_gen::source::Span::default(), value);
    assert_eq!(tree.at(&["Statement", "0", "Action", "0"]).unwrap().as_str(), Some("s3:ListBucket"));
    assert_eq!(tree.at(&["Statement", "1", "Action"]).unwrap().as_str(), Some("iam:*"));
    let (reference, _) =
        local(documents, "jsondecode(data.aws_iam_policy_document.test.json).Statement[0].Resource[1]");
    assert!(
        matches!(&reference, Value::Reference(found) if &*found.address == "aws_s3_bucket.b"),
        "{reference:?}"
    );
    let (open, _) = local(documents, "data.aws_iam_policy_document.open.json");
    let Value::Map(open) = open else { panic!("{open:?}") };
    assert!(matches!(&open.get("Statement").unwrap().value, Value::Unknown(_)));
}

/// Every verdict of IAM-001 in a module: one a document, wherever it is used.
fn verdicts(text: &str) -> Vec<String> {
    let desk = Desk::new();
    desk.put("main.tf", text);
    let ran = desk.run("lint . --select NXF-IAM-001 --all --format json");
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let rows = report["results"].as_array().unwrap().iter();
    let told = |row: &serde_json::Value| {
        format!("{} {}", row["verdict"].as_str().unwrap(), row["subject"]["address"].as_str().unwrap())
    };
    rows.map(told).collect()
}

#[test]
fn a_document_is_judged_once_at_the_document_whatever_it_goes_through() {
    let document = r#"data "aws_iam_policy_document" "wide" {
      statement {
        actions   = ["*"]
        resources = ["*"]
      }
    }
    "#;
    let ways = [
        "data.aws_iam_policy_document.wide.json",
        "data.aws_iam_policy_document.wide.minified_json",
        "jsonencode(jsondecode(data.aws_iam_policy_document.wide.json))",
        "replace(data.aws_iam_policy_document.wide.json, \"x\", \"x\")",
    ];
    for way in ways {
        let policy = format!(
            "resource \"aws_iam_policy\" \"p\" {{\n  policy = {way}\n}}\nresource \"aws_iam_role_policy_attachment\" \"a\" {{\n  role = \"r\"\n  policy_arn = aws_iam_policy.p.arn\n}}\n"
        );
        let found = verdicts(&format!("{document}{policy}"));
        let failed: Vec<&String> = found.iter().filter(|row| row.starts_with("fail")).collect();
        assert_eq!(failed, ["fail data.aws_iam_policy_document.wide"], "{way}: {found:?}");
    }
    // Used by nobody; and given to a module that is not read, where it may grant nothing, as a boundary.
    let elsewhere = "module \"m\" {\n  source = \"git::https://example.test/m\"\n  policy = data.aws_iam_policy_document.wide.json\n}\n";
    let found = verdicts(&format!("{document}{elsewhere}"));
    assert!(found.contains(&"unproven data.aws_iam_policy_document.wide".to_owned()), "{found:?}");
    assert!(!found.iter().any(|row| row.starts_with("fail")), "{found:?}");
    assert!(verdicts(document).contains(&"fail data.aws_iam_policy_document.wide".to_owned()));
}
