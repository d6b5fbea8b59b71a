//! Which files a module has: both syntaxes, files that override, and `OpenTofu`'s.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "terraform is looked for, and a test that cannot run says so"
)]

use std::collections::BTreeMap;
use std::process::Command;

use nexafi_gen::cli::ExitCode;
use nexafi_gen::source::{SourceFile, Sources};
use nexafi_gen::terraform::{self, Tree};

use crate::cli::Desk;
use crate::terraform::told;

/// A module that says the same in the native syntax and in JSON.
const NATIVE: &str = r#"
variable "name" {
  type    = string
  default = "logs"
}

locals {
  tags = { Name = "${var.name}-1" }
}

resource "aws_s3_bucket" "this" {
  bucket = var.name
  tags   = local.tags
}

resource "aws_security_group" "this" {
  for_each = toset(["a", "b"])
  name     = each.key

  ingress {
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }

  timeouts {
    create = "5m"
  }

  lifecycle {
    ignore_changes = [tags]
  }
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  dynamic "versioning_configuration" {
    for_each = ["Enabled"]
    content {
      status = versioning_configuration.value
    }
  }
}
"#;

const JSON: &str = r#"{
  "//": "The same as main.tf.",
  "variable": {"name": {"type": "string", "default": "logs"}},
  "locals": {"tags": {"Name": "${var.name}-1"}},
  "resource": {
    "aws_s3_bucket": {"this": {"bucket": "${var.name}", "tags": "${local.tags}"}},
    "aws_security_group": {
      "this": {
        "for_each": "${toset([\"a\", \"b\"])}",
        "name": "${each.key}",
        "ingress": [{"from_port": 22, "to_port": 22, "protocol": "tcp", "cidr_blocks": ["0.0.0.0/0"]}],
        "timeouts": {"create": "5m"},
        "lifecycle": {"ignore_changes": ["tags"]}
      }
    },
    "aws_s3_bucket_versioning": {
      "this": {
        "bucket": "${aws_s3_bucket.this.id}",
        "dynamic": {
          "versioning_configuration": {
            "for_each": ["Enabled"],
            "content": {"status": "${versioning_configuration.value}"}
          }
        }
      }
    }
  }
}
"#;

/// What of a directory's files Terraform would refuse.
fn invalid(desk: &Desk) -> String {
    let ran = desk.run("lint . --format concise");
    let lines = ran.out.lines().filter(|line| line.contains(" NXF-CFG-02"));
    lines.map(|line| format!("{line}\n")).collect::<Vec<_>>().concat()
}

/// Every verdict of a module, without its place.
fn verdicts(name: &str, text: &str) -> Vec<String> {
    let desk = Desk::new();
    desk.put(name, text);
    let ran = desk.run("lint . --all --format json");
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let rows = report["results"].as_array().unwrap().iter();
    let mut verdicts: Vec<String> = rows
        .map(|row| format!("{} {} {}", row["policy"], row["verdict"], row["subject"]["address"]))
        .collect();
    verdicts.sort();
    verdicts
}

#[test]
fn a_module_in_json_is_judged_like_the_same_in_the_native_syntax() {
    let native = verdicts("main.tf", NATIVE);
    assert!(native.iter().filter(|verdict| verdict.contains("fail")).count() > 5, "{native:?}");
    assert_eq!(verdicts("main.tf.json", JSON), native);
    assert_eq!(verdicts("main.tofu", NATIVE), native);
    assert_eq!(verdicts("main.tofu.json", JSON), native);
}

#[test]
fn faults_in_json_are_named_at_their_place() {
    let text = r#"{
  "locals": {"a": "${var.nope}", "b": "one\t${upper(nope.x)}"},
  "resource": {
    "aws_s3_bucket": {
      "one": {"bukket": "x", "bucket": 1, "bucket": 2},
      "two": {"grant": [{"permissions": ["READ"], "type": "Group"}, {"typ": "Group"}]}
    },
    "aws_s3_buckt": {"three": {}},
    "aws_vpc": {"four": {"cidr_block": "10.0.0.0/16", "depends_on": ["aws_vpc.five"], "enable_dns_support": [true]}}
  },
  "variable": {"v": {"type": "strng"}},
  "output": {"o": {"value": "${1 +}"}, "p": {}},
  "modul": {}
}
"#;
    let desk = Desk::new();
    desk.put("main.tf.json", text);
    insta::assert_snapshot!(invalid(&desk));
}

#[test]
fn a_file_of_broken_json_declares_what_nobody_knows() {
    let desk = Desk::new();
    desk.put("main.tf", "output \"o\" {\n  value = var.a\n}\n");
    desk.put("variables.tf.json", "{\"variable\": {\"a\": {}}");
    let ran = desk.run("lint . --format concise");
    assert_eq!(
        ran.out,
        "variables.tf.json:1:1: high NXF-CFG-020 not valid Terraform: this object is never closed\n"
    );
}

#[test]
fn a_comment_in_json_waives_what_its_block_fails() {
    let desk = Desk::new();
    desk.put(
        "main.tf.json",
        r#"{"resource": {"aws_s3_bucket": {"a": {
          "//": "nexafi-gen:waive NXF-LOG-007 owner=ana ticket=SEC-1 expires=2027-01-31 reason=\"A public site.\""
        }, "b": {}}}}"#,
    );
    insta::assert_snapshot!(desk.run("lint . --select NXF-LOG-007 --all --format concise").shown());
}

/// The module in `tests/fixtures/overrides`, read as its files are given.
fn overridden() -> (Sources, terraform::Directory) {
    let mut sources = Sources::default();
    let names = ["main.tf", "a_override.tf", "b_override.tf.json", "override.tf"];
    let ids: Vec<_> = names
        .iter()
        .map(|name| {
            let path = format!("{}/tests/fixtures/overrides/{name}", env!("CARGO_MANIFEST_DIR"));
            let text = std::fs::read_to_string(path).unwrap();
            sources.add(SourceFile::new(*name, text))
        })
        .collect();
    let directory = terraform::parse(&sources, &ids);
    (sources, directory)
}

#[test]
fn overridden_values_are_those_that_terraform_plans() {
    let (sources, directory) = overridden();
    let (module, findings) = terraform::evaluate(&sources, &Tree::alone(directory), &BTreeMap::new());
    assert_eq!(told(&sources, &findings), "");
    let mut ours = BTreeMap::new();
    for block in module.blocks_of("output") {
        let value = block.body.get("value").map(|node| format!("{:?}", node.value)).unwrap();
        let span = block.body.get("value").unwrap().span;
        let file = sources.get(span.file).unwrap();
        let place = format!("{}:{}", file.path(), file.line_column(span.start as usize).line);
        ours.insert(block.labels[0].to_string(), (value, place));
    }
    let inputs: Vec<String> = module
        .resources
        .iter()
        .map(|resource| {
            let place = resource.body.get("input").map(|node| {
                let file = sources.get(node.span.file).unwrap();
                format!("{}:{}", file.path(), file.line_column(node.span.start as usize).line)
            });
            format!("{} {}", resource.address, place.unwrap_or_default())
        })
        .collect();
    insta::assert_debug_snapshot!((ours, inputs));

    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/overrides");
    let desk = Desk::new();
    for entry in walkdir::WalkDir::new(&source) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let below = entry.path().strip_prefix(&source).unwrap().to_str().unwrap().to_owned();
            desk.put(&below, std::fs::read(entry.path()).unwrap());
        }
    }
    let run =
        |arguments: &[&str]| Command::new("terraform").args(arguments).current_dir(&desk.directory).output();
    let Ok(init) = run(&["init", "-no-color"]) else {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "terraform is not on PATH");
        eprintln!("skipped: terraform is not on PATH");
        return;
    };
    assert!(init.status.success(), "{}", String::from_utf8_lossy(&init.stderr));
    let planned = run(&["plan", "-no-color", "-out=plan"]).unwrap();
    assert!(planned.status.success(), "{}", String::from_utf8_lossy(&planned.stderr));
    let shown = run(&["show", "-json", "plan"]).unwrap();
    let plan: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    let report: serde_json::Value = {
        let ran = desk.run("lint . --all --format json");
        serde_json::from_str(&ran.out).unwrap()
    };
    assert!(report["results"].is_array());
    let theirs = &plan["planned_values"]["outputs"];
    assert_eq!(theirs["replaced"]["value"], "b_override 2");
    assert_eq!(theirs["called"]["value"], "other: base");
    let mut addresses: Vec<String> = plan["planned_values"]["root_module"]["resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|resource| resource["address"].as_str().unwrap().to_owned())
        .collect();
    addresses.sort();
    let mut own: Vec<String> = module.resources.iter().map(|resource| resource.address.to_string()).collect();
    own.sort();
    assert_eq!(own, addresses);
    for resource in &module.resources {
        let planned = plan["planned_values"]["root_module"]["resources"].as_array().unwrap();
        let planned = planned.iter().find(|other| other["address"] == *resource.address).unwrap();
        for name in ["input", "triggers_replace"] {
            let theirs = &planned["values"][name];
            let ours = resource.body.get(name).map_or(serde_json::Value::Null, |node| json(&node.value));
            assert_eq!(&ours, theirs, "{} {name}", resource.address);
        }
    }
}

/// A value as JSON.
fn json(value: &nexafi_gen::source::Value) -> serde_json::Value {
    use nexafi_gen::source::Value;
    match value {
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Str(text) => text.to_string().into(),
        Value::List(items) => items.iter().map(|item| json(&item.value)).collect(),
        Value::Map(map) => {
            let members = map.iter().map(|(name, entry)| (name.to_string(), json(&entry.node.value)));
            serde_json::Value::Object(members.collect())
        }
        _ => serde_json::Value::Null,
    }
}

#[test]
fn an_override_with_nothing_to_override_is_a_finding() {
    let desk = Desk::new();
    desk.put(
        "main.tf",
        "resource \"aws_s3_bucket\" \"a\" {\n  bucket = \"a\"\n}\nvariable \"v\" {}\nprovider \"aws\" {\n  region = \"eu-central-1\"\n}\n",
    );
    desk.put(
        "override.tf",
        "variable \"b\" {}\nlocals { c = 1 }\noutput \"p\" { value = 1 }\nresource \"aws_s3_bucket\" \"x\" {}\ndata \"aws_vpc\" \"x\" {}\n\
         module \"m\" { source = \"./x\" }\nprovider \"aws\" { alias = \"x\" }\nprovider \"google\" {}\nmoved {\n  from = aws_s3_bucket.q\n  to   = aws_s3_bucket.a\n}\n\
         check \"d\" {}\nresource \"aws_s3_bucket\" \"a\" {\n  bukket     = \"b\"\n  depends_on = [aws_vpc.x]\n}\n",
    );
    insta::assert_snapshot!(invalid(&desk));
}

#[test]
fn opentofu_reads_its_own_file_in_place_of_terraforms() {
    let desk = Desk::new();
    desk.put("main.tf", "locals {\n  a = b c\n}\n");
    desk.put("main.tofu", "locals {\n  a = 1\n}\n");
    desk.put("more.tf.json", "nothing");
    desk.put("more.tofu.json", "{\"output\": {\"a\": {\"value\": \"${local.a}\"}}}");
    desk.put("other.tf", "output \"b\" {\n  value = local.a\n}\n");
    desk.put(".hidden.tf", "nothing");
    let ran = desk.run("lint . -v");
    assert_eq!(ran.code, ExitCode::Clean, "{}", ran.shown());
    let passed_over: Vec<&str> = ran.err.lines().filter(|line| line.starts_with("passed over")).collect();
    insta::assert_debug_snapshot!(passed_over);
    // A hook names what was changed.
    let ran = desk.run("lint main.tf");
    assert_eq!(ran.code, ExitCode::Clean, "{}", ran.shown());
    insta::assert_snapshot!("named", ran.shown());
}

#[test]
fn a_module_may_have_empty_files() {
    let desk = Desk::new();
    desk.put("main.tf", "module \"m\" {\n  source = \"./m\"\n}\n");
    desk.put("outputs.tf", "");
    desk.put("terraform.tfvars", "\n");
    desk.put("m/main.tf", "");
    let ran = desk.run("lint main.tf outputs.tf");
    assert_eq!(ran.code, ExitCode::Clean, "{}", ran.shown());
}
