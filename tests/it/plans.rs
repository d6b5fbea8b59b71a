//! Plans that `terraform show -json` printed, as `lint` judges them. That the fixture is what the stock terraform prints, and that
//! a plan and the files it was made of have the same verdicts, the stand-in's tests hold.

use nexafi_gen::cli::ExitCode;
use nexafi_gen::source::{FileId, Node, Sources};
use nexafi_gen::terraform::plan;
use serde_json::{Value as Json, json};

use crate::cli::{Desk, Ran};

/// The secret that the fixture was planned with.
const SECRET: &str = "Tr0ub4dor-and-3";

fn fixture() -> String {
    std::fs::read_to_string("tests/fixtures/plans/plan.json").unwrap()
}

fn parsed() -> Json {
    serde_json::from_str(&fixture()).unwrap()
}

fn results(ran: &Ran) -> Vec<Json> {
    let report: Json = serde_json::from_str(&ran.out).unwrap();
    report["results"].as_array().unwrap().clone()
}

/// The verdicts of a policy, `verdict address`.
fn verdicts(ran: &Ran, policy: &str) -> Vec<String> {
    let rows = results(ran);
    let of = rows.iter().filter(|row| row["policy"] == policy);
    let mut found: Vec<String> = of
        .map(|row| {
            format!("{} {}", row["verdict"].as_str().unwrap(), row["subject"]["address"].as_str().unwrap())
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

fn number(json: &Json) -> usize {
    json.as_u64().unwrap().try_into().unwrap()
}

fn all(desk: &Desk) -> Ran {
    desk.run("lint plan.json --all --format json")
}

/// A plan of some resources, each with what is written of it.
fn planned(resources: &[(&str, Json, Json)], configuration: &Json) -> String {
    let changes: Vec<Json> = resources
        .iter()
        .map(|(address, after, unknown)| {
            let (type_, name) = address.split_once('.').unwrap();
            json!({
                "address": address, "mode": "managed", "type": type_, "name": name.split('[').next(),
                "provider_name": "registry.terraform.io/hashicorp/aws",
                "change": {"actions": ["create"], "before": null, "after": after, "after_unknown": unknown,
                           "before_sensitive": false, "after_sensitive": {}},
            })
        })
        .collect();
    json!({"format_version": "1.2", "terraform_version": "1.11.4", "resource_changes": changes,
           "configuration": {"root_module": {"resources": configuration}}})
    .to_string()
}

#[test]
fn the_plan_as_people_see_it() {
    let desk = Desk::new();
    desk.put("plan.json", fixture());
    insta::assert_snapshot!("plan_concise", desk.run("lint plan.json --format concise").shown());
    insta::assert_snapshot!(
        "plan_graphical",
        desk.run("lint plan.json --select NXF-ENC-004,NXF-NET-004").shown()
    );
}

#[test]
fn what_refers_to_what_is_told_by_the_configuration() {
    let desk = Desk::new();
    desk.put("plan.json", fixture());
    let ran = all(&desk);
    // One of two buckets has the block: by `each.value` of a `for_each` over the buckets.
    assert_eq!(
        verdicts(&ran, "NXF-LOG-007"),
        [
            "fail aws_s3_bucket.records[\"invoices\"]",
            "pass aws_s3_bucket.records[\"ledgers\"]",
            "pass aws_s3_bucket_public_access_block.records[\"ledgers\"]"
        ]
    );
    // Through the output of one instance of a module.
    assert_eq!(
        verdicts(&ran, "NXF-NET-001"),
        [
            "pass aws_flow_log.main",
            "pass module.net[\"main\"].aws_vpc.this",
            // The flow log goes where a local value says, which a plan does not show.
            "unproven module.net[\"spare\"].aws_vpc.this"
        ]
    );
    // Blocks that a `dynamic` block makes.
    assert!(verdicts(&ran, "NXF-NET-004").contains(&"fail aws_security_group.admin".to_owned()));
}

#[test]
fn how_the_text_is_laid_out_changes_places_only() {
    let desk = Desk::new();
    let told = |text: String| {
        desk.put("plan.json", text);
        let mut rows = results(&all(&desk));
        for row in &mut rows {
            row.as_object_mut().unwrap().remove("location");
        }
        rows.sort_by_key(ToString::to_string);
        rows
    };
    let wanted = told(fixture());
    assert!(wanted.len() > 100, "{}", wanted.len());
    assert_eq!(told(parsed().to_string()), wanted, "in one line, as terraform prints it");
    let mut sorted = parsed();
    sorted.sort_all_objects();
    assert_eq!(told(serde_json::to_string_pretty(&sorted).unwrap()), wanted, "with sorted keys");
    assert_eq!(told(format!("\u{feff}{}", fixture().replace('\n', "\r\n"))), wanted, "as Windows saves it");
}

#[test]
fn places_are_those_of_the_values() {
    let desk = Desk::new();
    desk.put("plan.json", fixture());
    let text = fixture();
    let lines: Vec<&str> = text.lines().collect();
    let rows = results(&desk.run("lint plan.json --format json"));
    assert!(!rows.is_empty());
    for row in rows {
        let place = &row["location"];
        let (line, column) = (number(&place["line"]), number(&place["column"]));
        let rest = &lines[line - 1][column - 1..];
        let name = row["subject"]["address"].as_str().unwrap().replace('"', "\\\"");
        let pointer = row["location"]["pointer"].as_str().unwrap();
        let last = pointer.rsplit('.').next().unwrap();
        // The address in the header, the argument that is wrong or its value; blocks of the configuration stand together.
        let fits = rest.starts_with(&format!("\"{name}\""))
            || rest.starts_with(&format!("\"{last}\""))
            || lines[line - 1][..column - 1].contains(&format!("\"{last}\":"))
            || last.parse::<usize>().is_ok()
            || name.starts_with("provider.")
            || name.starts_with("variable.")
            || name.starts_with("output.");
        assert!(fits, "{row:#}\n{rest}");
    }
}

#[test]
fn sensitive_values_reach_no_report() {
    let desk = Desk::new();
    assert!(fixture().contains(SECRET), "the fixture holds it, so that this proves something");
    desk.put("plan.json", fixture());
    // A policy that would print the password, were it let.
    desk.put(
        "policies/password.yaml",
        "id: BANK-SEC-001\ntitle: Passwords are long\nseverity: high\nrationale: Short ones are guessed.\ncontrols:\n  soc2-tsc-2017: [{id: CC6.1, by: judgement}]\nrules:\n  terraform:\n    resource: aws_db_instance\n    assert: size(this.password) > 40\n    at: password\n    message: the password {{ this.password }} is short\n    help: take another than {{ this.password }}\nexamples:\n  - name: long\n    terraform: |\n      resource \"aws_db_instance\" \"a\" {\n        instance_class = \"db.m6i.large\"\n        password = \"0123456789012345678901234567890123456789x\"\n      }\n    expect: {aws_db_instance.a: pass}\n  - name: short\n    terraform: |\n      resource \"aws_db_instance\" \"a\" {\n        instance_class = \"db.m6i.large\"\n        password = \"short\"\n      }\n    expect: {aws_db_instance.a: fail}\n",
    );
    for format in ["graphical", "concise", "json", "sarif", "junit", "github", "gitlab", "csv", "markdown"] {
        let ran = desk.run(&format!("lint plan.json --policies policies --verbose --format {format}"));
        assert!(ran.out.contains("the password (sensitive value) is short"), "{format}: {}", ran.shown());
        assert!(!ran.shown().contains(SECRET), "{format}");
    }
}

#[test]
fn what_is_destroyed_or_left_over_is_not_judged() {
    let desk = Desk::new();
    let mut plan = parsed();
    for change in plan["resource_changes"].as_array_mut().unwrap() {
        if change["type"] == "aws_kms_key" {
            change["change"]["actions"] = json!(["delete"]);
            change["change"]["before"] = change["change"]["after"].take();
        }
        if change["type"] == "aws_db_instance" {
            change["deposed"] = json!("2ba1d0c0");
        }
        if change["type"] == "aws_security_group" {
            change["change"]["actions"] = json!(["delete", "create"]);
        }
    }
    desk.put("plan.json", plan.to_string());
    let judged: Vec<String> =
        results(&all(&desk)).iter().map(|row| row["subject"]["type"].as_str().unwrap().to_owned()).collect();
    assert!(!judged.contains(&"aws_kms_key".to_owned()) && !judged.contains(&"aws_db_instance".to_owned()));
    assert!(judged.contains(&"aws_security_group".to_owned()), "what is replaced is there afterwards");
}

#[test]
fn what_the_provider_fills_in_is_no_argument_of_anybody() {
    let key = "arn:aws:kms:eu-central-1:123456789012:key/aws-own";
    // Of a database that is there AWS has filled in the key of its own, if nobody wrote one.
    let written = |expressions: Json| {
        let text = planned(
            &[(
                "aws_db_instance.a",
                json!({"identifier": "a", "engine": "postgres", "storage_encrypted": true, "kms_key_id": key}),
                json!({}),
            )],
            &json!([{"address": "aws_db_instance.a", "mode": "managed", "type": "aws_db_instance", "name": "a",
                     "provider_config_key": "aws", "expressions": expressions}]),
        );
        let read = plan::read(FileId::default(), text.as_bytes(), &Sources::default()).unwrap();
        let database = read.module.get("aws_db_instance.a").unwrap();
        assert_eq!(database.get("storage_encrypted").and_then(Node::as_bool), Some(true));
        database.get("kms_key_id").and_then(Node::as_str).map(str::to_owned)
    };
    let encrypted = json!({"constant_value": true});
    assert_eq!(written(json!({"storage_encrypted": encrypted})), None);
    let with_key = json!({"storage_encrypted": encrypted, "kms_key_id": {"constant_value": key}});
    assert_eq!(written(with_key).as_deref(), Some(key));
}

#[test]
fn a_reference_that_only_a_local_names_is_never_taken_for_none() {
    let desk = Desk::new();
    let block = json!({"block_public_acls": true, "block_public_policy": true, "ignore_public_acls": true,
                       "restrict_public_buckets": true});
    let configuration = |reference: &str| {
        json!([
            {"address": "aws_s3_bucket.a", "mode": "managed", "type": "aws_s3_bucket", "name": "a",
             "provider_config_key": "aws", "expressions": {"bucket": {"constant_value": "a"}}},
            {"address": "aws_s3_bucket_public_access_block.a", "mode": "managed",
             "type": "aws_s3_bucket_public_access_block", "name": "a", "provider_config_key": "aws",
             "expressions": {"bucket": {"references": [reference]},
                "block_public_acls": {"constant_value": true}, "block_public_policy": {"constant_value": true},
                "ignore_public_acls": {"constant_value": true}, "restrict_public_buckets": {"constant_value": true}}}
        ])
    };
    let resources = [
        ("aws_s3_bucket.a", json!({"bucket": "a"}), json!({"id": true, "arn": true})),
        ("aws_s3_bucket_public_access_block.a", block, json!({"bucket": true, "id": true})),
    ];
    let of_bucket = |reference: &str| {
        desk.put("plan.json", planned(&resources, &configuration(reference)));
        let found = verdicts(&all(&desk), "NXF-LOG-007");
        found.into_iter().find(|verdict| verdict.ends_with(" aws_s3_bucket.a")).unwrap()
    };
    assert_eq!(of_bucket("aws_s3_bucket.a.id"), "pass aws_s3_bucket.a");
    assert_eq!(of_bucket("local.bucket"), "unproven aws_s3_bucket.a");
}

#[test]
fn what_is_no_plan_is_refused_with_a_way_out() {
    let desk = Desk::new();
    desk.put("cut.json", &fixture()[..30_000]);
    desk.put(
        "state.json",
        r#"{"format_version":"1.0","terraform_version":"1.11.4","values":{"root_module":{}}}"#,
    );
    desk.put("new.json", r#"{"format_version":"2.0","terraform_version":"3.0.0","resource_changes":[]}"#);
    desk.put(
        "odd.json",
        r#"{"format_version":"1.2","terraform_version":"1.11.4","resource_changes":[
  1,{"address":2}]}"#,
    );
    desk.put(
        "odd-module.json",
        "{\"format_version\":\"1.2\",\"terraform_version\":\"1.11.4\",\"resource_changes\":[],\n\"configuration\":\n\
         {\"root_module\":{\"module_calls\":{\"net\":{\"module\":{\"resources\":7}}}}}}",
    );
    desk.put("tfplan.bin", b"PK\x03\x04\x14\x00\x08\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x06\x00\x00\x00tfplan");
    let ran = desk.run("lint cut.json state.json new.json odd.json odd-module.json tfplan.bin");
    assert_eq!(ran.code, ExitCode::Unusable);
    insta::assert_snapshot!("no_plans", ran.shown());
}

#[test]
fn a_plan_that_terraform_could_not_finish_is_never_clean() {
    let desk = Desk::new();
    let empty = json!({"format_version": "1.2", "terraform_version": "1.11.4", "resource_changes": []});
    desk.put("plan.json", empty.to_string());
    assert_eq!(desk.run("lint plan.json").code, ExitCode::Clean);
    let mut errored = empty;
    errored["errored"] = json!(true);
    desk.put("plan.json", errored.to_string());
    let ran = desk.run("lint plan.json");
    assert_eq!(ran.code, ExitCode::Unusable);
    assert!(ran.err.contains("met an error while it planned"), "{}", ran.err);
}

#[test]
fn a_plan_is_found_like_any_other_file_and_judged_by_itself() {
    let desk = Desk::new();
    desk.put("plans/plan.json", fixture());
    desk.put("package.json", r#"{"name": "not-a-plan", "planned_values": 1}"#);
    let ran = desk.run("lint . --format json");
    let report: Json = serde_json::from_str(&ran.out).unwrap();
    let paths: Vec<&str> =
        report["inputs"].as_array().unwrap().iter().map(|input| input["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["plans/plan.json"]);
}

mod reading {
    use super::{FileId, Sources, plan};
    use proptest::prelude::*;

    /// Every shape a value can have in the place of any other.
    fn odd() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            "[ -~é]{0,12}".prop_map(Into::into),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                prop::collection::btree_map("[a-z_]{1,9}", inner, 0..4)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    /// Puts a value in the place of the `at`-th one below another.
    fn replace(json: &mut serde_json::Value, at: &mut usize, with: &serde_json::Value) {
        if *at == 0 {
            json.clone_from(with);
        }
        *at = at.wrapping_sub(1);
        match json {
            serde_json::Value::Array(items) => items.iter_mut().for_each(|item| replace(item, at, with)),
            serde_json::Value::Object(map) => map.values_mut().for_each(|item| replace(item, at, with)),
            _ => {}
        }
    }

    proptest! {
        #[test]
        fn no_plan_makes_reading_panic(at in 0_usize..2500, with in odd(), cut in prop::option::of(0_usize..60_000)) {
            let mut plan = super::parsed();
            replace(&mut plan, &mut at.clone(), &with);
            let mut text = plan.to_string().into_bytes();
            if let Some(cut) = cut {
                text.truncate(cut);
            }
            let _ = plan::read(FileId::default(), text.as_slice(), &Sources::default());
        }
    }
}
