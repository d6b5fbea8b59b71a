//! Modules that call modules, and blocks that stand for several instances, as Terraform understands them.

use nexafi_gen::cli::ExitCode;
use nexafi_gen::source::{SourceFile, Sources};
use nexafi_gen::terraform::{self, Tree};

use crate::cli::{Desk, Ran};

const BUCKET: &str = "variable \"name\" {}\nvariable \"logs\" { default = null }\nresource \"aws_s3_bucket\" \"this\" {\n  bucket = var.name\n}\noutput \"id\" { value = aws_s3_bucket.this.id }\n";

/// Verdicts of one policy, `verdict address`.
fn verdicts(ran: &Ran, policy: &str) -> Vec<String> {
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let rows = report["results"].as_array().unwrap().iter().filter(|row| row["policy"] == policy);
    let mut found: Vec<String> = rows
        .map(|row| {
            let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
            format!("{} {}", text(&row["verdict"]), text(&row["subject"]["address"]))
        })
        .collect();
    found.sort();
    // A policy may have several rules for one subject.
    found.dedup();
    found
}

fn lint(desk: &Desk, arguments: &str) -> Ran {
    desk.run(&format!("lint {arguments} --all --format json"))
}

#[test]
fn the_corpus_of_modules_as_people_see_it() {
    let desk = Desk::new();
    for entry in walkdir::WalkDir::new("tests/fixtures/modules") {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let below = entry.path().strip_prefix("tests/fixtures").unwrap().to_str().unwrap().to_owned();
            desk.put(&below, std::fs::read(entry.path()).unwrap());
        }
    }
    insta::assert_snapshot!(desk.run("lint modules --format concise").shown());
}

#[test]
fn a_called_module_is_judged_where_it_is_called_and_not_once_more_alone() {
    let desk = Desk::new();
    desk.put("modules/bucket/main.tf", BUCKET);
    desk.put(
        "main.tf",
        "module \"bucket\" {\n  for_each = toset([\"a\", \"b\"])\n  source = \"./modules/bucket\"\n  name = each.key\n}\nmodule \"one\" {\n  source = \"./modules/bucket\"\n  name = \"one\"\n}\n",
    );
    let all = verdicts(&lint(&desk, "."), "NXF-LOG-007");
    assert_eq!(
        all,
        [
            "fail module.bucket[\"a\"].aws_s3_bucket.this",
            "fail module.bucket[\"b\"].aws_s3_bucket.this",
            "fail module.one.aws_s3_bucket.this"
        ]
    );
    // A hook that names the root reads what it calls; one that names the module judges it as it stands.
    assert_eq!(verdicts(&lint(&desk, "main.tf"), "NXF-LOG-007"), all);
    assert_eq!(verdicts(&lint(&desk, "modules/bucket/main.tf"), "NXF-LOG-007"), ["fail aws_s3_bucket.this"]);
}

#[test]
fn what_protects_a_bucket_may_stand_in_another_module() {
    let desk = Desk::new();
    desk.put("modules/bucket/main.tf", BUCKET);
    desk.put(
        "modules/guard/main.tf",
        "variable \"bucket\" {}\nresource \"aws_s3_bucket_public_access_block\" \"this\" {\n  bucket = var.bucket\n  block_public_acls = true\n  block_public_policy = true\n  ignore_public_acls = true\n  restrict_public_buckets = true\n}\n",
    );
    desk.put(
        "main.tf",
        "locals { names = toset([\"a\", \"b\"]) }\nmodule \"bucket\" {\n  for_each = local.names\n  source = \"./modules/bucket\"\n  name = each.key\n}\nmodule \"guard\" {\n  source = \"./modules/guard\"\n  bucket = module.bucket[\"a\"].id\n}\n",
    );
    let found = verdicts(&lint(&desk, "."), "NXF-LOG-007");
    // The public access block is a subject too.
    assert_eq!(
        found,
        [
            "fail module.bucket[\"b\"].aws_s3_bucket.this",
            "pass module.bucket[\"a\"].aws_s3_bucket.this",
            "pass module.guard.aws_s3_bucket_public_access_block.this"
        ]
    );
}

#[test]
fn a_module_that_is_not_on_disk_is_named_once_and_what_hangs_on_it_is_unproven() {
    let desk = Desk::new();
    desk.put(
        "main.tf",
        "module \"vpc\" {\n  source  = \"terraform-aws-modules/vpc/aws\"\n  version = \"6.0.0\"\n}\nresource \"aws_subnet\" \"s\" {\n  vpc_id = module.vpc.vpc_id\n  cidr_block = \"10.0.0.0/24\"\n  map_public_ip_on_launch = module.vpc.public\n}\n",
    );
    let ran = lint(&desk, ".");
    let warning = "warning: main.tf:1: module vpc (terraform-aws-modules/vpc/aws) is not on disk; `terraform init` downloads it; what depends on it is unproven\n";
    assert_eq!(ran.err.matches(warning).count(), 1, "{}", ran.err);
    assert_eq!(verdicts(&ran, "NXF-NET-010"), ["unproven aws_subnet.s"]);

    // Once it is downloaded, it is read from where the list says.
    desk.put(
        ".terraform/modules/modules.json",
        r#"{"Modules":[{"Key":"","Source":"","Dir":"."},{"Key":"vpc","Source":"registry.terraform.io/terraform-aws-modules/vpc/aws","Version":"6.0.0","Dir":".terraform/modules/vpc"}]}"#,
    );
    desk.put(
        ".terraform/modules/vpc/main.tf",
        "output \"vpc_id\" { value = \"vpc-1\" }\noutput \"public\" { value = false }\n",
    );
    let ran = lint(&desk, ".");
    assert_eq!(ran.err, "");
    assert_eq!(verdicts(&ran, "NXF-NET-010"), ["pass aws_subnet.s"]);
}

#[test]
fn what_a_call_gets_wrong_is_found_where_it_stands() {
    let desk = Desk::new();
    desk.put("modules/bucket/main.tf", BUCKET);
    desk.put(
        "main.tf",
        "module \"bucket\" {\n  source = \"./modules/bucket\"\n  nmae = \"a\"\n}\nmodule \"here\" {\n  source = \"./.\"\n}\nmodule \"nowhere\" {\n  source = \"./modules/buckets\"\n}\nmodule \"odd\" {\n  source = var.source\n}\nvariable \"source\" {}\noutput \"id\" { value = module.bucket.ident }\n",
    );
    insta::assert_snapshot!(desk.run("lint . --select NXF-DR-009").shown());
}

#[test]
fn modules_that_call_each_other_in_a_circle_end() {
    let desk = Desk::new();
    desk.put("a/main.tf", "module \"b\" { source = \"../b\" }\nresource \"aws_s3_bucket\" \"a\" {}\n");
    desk.put("b/main.tf", "module \"a\" { source = \"../a\" }\nresource \"aws_s3_bucket\" \"b\" {}\n");
    let ran = lint(&desk, ".");
    assert_eq!(
        verdicts(&ran, "NXF-DR-009"),
        [
            "fail aws_s3_bucket.a",
            "fail module.b.aws_s3_bucket.b",
            "pass aws_s3_bucket.a",
            "pass module.b.aws_s3_bucket.b"
        ]
    );
    assert!(ran.err.contains("calls itself in a circle"), "{}", ran.err);
}

#[test]
fn variables_get_what_terraform_would_give_them() {
    let desk = Desk::new();
    desk.put(
        "main.tf",
        "variable \"public\" { type = bool }\nvariable \"zones\" {\n  type = list(string)\n  default = []\n}\nresource \"aws_subnet\" \"s\" {\n  count = length(var.zones)\n  vpc_id = \"vpc-1\"\n  cidr_block = \"10.0.${count.index}.0/24\"\n  map_public_ip_on_launch = var.public\n}\n",
    );
    let of = |arguments: &str| verdicts(&lint(&desk, arguments), "NXF-NET-010");
    assert_eq!(of("."), [""; 0]);
    desk.put("b.auto.tfvars", "public = true\n");
    desk.put("a.auto.tfvars.json", "{\"public\": \"false\", \"zones\": [\"a\"]}\n");
    desk.put("terraform.tfvars", "zones = [\"a\", \"b\", \"c\"]\n");
    assert_eq!(of("."), ["fail aws_subnet.s[0]"]);
    desk.put("more.tfvars", "public = false\n");
    assert_eq!(of(". --var-file more.tfvars"), ["pass aws_subnet.s[0]"]);
    assert_eq!(of(". --var-file more.tfvars --var public=true"), ["fail aws_subnet.s[0]"]);
    assert_eq!(of(". --var zones=[\"x\",\"y\"]"), ["fail aws_subnet.s[0]", "fail aws_subnet.s[1]"]);

    let ran = desk.run("lint . --var publik=true");
    assert_eq!(ran.code, ExitCode::Unusable);
    assert!(ran.err.contains("no module that is judged declares"), "{}", ran.err);
    let ran = desk.run("lint . --var public");
    assert_eq!(ran.code, ExitCode::Unusable);
    let ran = desk.run("lint . --var-file nowhere.tfvars");
    assert_eq!(ran.code, ExitCode::Unusable);
    desk.put("broken.tfvars", "public = \n");
    let ran = desk.run("lint . --var-file broken.tfvars --format concise");
    assert!(ran.out.contains("broken.tfvars:1:"), "{ran:?}");
}

#[test]
fn a_waiver_at_a_block_covers_each_of_its_instances_and_no_other_block() {
    let desk = Desk::new();
    let waived = "# nexafi-gen:waive NXF-LOG-007 owner=jane ticket=RISK-1 expires=2027-01-31 reason=\"Until it moves.\"\nresource \"aws_s3_bucket\" \"this\" {\n  count = 2\n  bucket = \"b${count.index}\"\n}\n";
    desk.put("modules/bucket/main.tf", waived);
    desk.put(
        "main.tf",
        "module \"bucket\" { source = \"./modules/bucket\" }\nresource \"aws_s3_bucket\" \"this\" {}\n",
    );
    assert_eq!(
        verdicts(&lint(&desk, "."), "NXF-LOG-007"),
        [
            "fail aws_s3_bucket.this",
            "waived module.bucket.aws_s3_bucket.this[0]",
            "waived module.bucket.aws_s3_bucket.this[1]"
        ]
    );
}

/// Messages of one code, in order.
fn said(ran: &Ran, code: &str) -> Vec<String> {
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let rows = report["results"].as_array().unwrap().iter().filter(|row| row["policy"] == code);
    let told = |row: &serde_json::Value| {
        format!("{}: {}", row["subject"]["address"].as_str().unwrap_or(""), row["message"].as_str().unwrap())
    };
    rows.map(told).collect()
}

#[test]
fn a_fault_of_a_block_is_said_once_however_many_instances_it_has() {
    let desk = Desk::new();
    desk.put(
        "modules/bucket/main.tf",
        "variable \"names\" { default = [\"x\"] }\nresource \"aws_s3_bucket\" \"this\" {\n  for_each = toset(var.names)\n  bucket = each.key\n  nonsense = 1\n}\n",
    );
    desk.put(
        "main.tf",
        "module \"a\" {\n  source = \"./modules/bucket\"\n  names = [\"p\", \"q\"]\n}\nmodule \"b\" {\n  for_each = toset([\"m\", \"n\"])\n  source = \"./modules/bucket\"\n}\nresource \"aws_vpc\" \"one\" {\n  cidr_block = \"10.0.0.0/16\"\n  nonsense = 1\n}\nresource \"aws_vpc\" \"some\" {\n  for_each = { a = true, b = \"yes\", c = \"no\" }\n  cidr_block = \"10.0.0.0/16\"\n  enable_dns_support = each.value\n}\nresource \"aws_eip\" \"ip\" {\n  count = 2\n  domain = aws_vpc.some[\"a\"].nothing\n}\n",
    );
    let ran = desk.run("lint . --format json");
    assert_eq!(
        said(&ran, "NXF-CFG-021"),
        [
            "aws_vpc.one: aws_vpc.one has no argument `nonsense`",
            "aws_vpc.some: `enable_dns_support` of aws_vpc.some wants true or false, not a string (2 instances)",
            "module.a.aws_s3_bucket.this: module.a.aws_s3_bucket.this has no argument `nonsense` (4 instances)",
        ]
    );
    assert_eq!(said(&ran, "NXF-CFG-022").len(), 1, "{}", ran.out);
    // What a policy says is said of each.
    assert_eq!(verdicts(&ran, "NXF-LOG-007").len(), 4, "{}", ran.out);
}

/// What is known of a module before it is judged, when there are too many modules to hold them all.
#[test]
fn an_outline_says_of_every_file_what_the_whole_says() {
    let odd = [
        "# a comment\nmodule \"a\" { source = \"./a\" }\n",
        "  /* indented */\n  module \"a\" {\n    source = \"./a\"\n  }\n  variable \"v\" { sensitive = true }",
        "variable \"v\" { type = list(string) } // the end\nvariable \"w\" {}\r\nmodule \"b\" {\r\n}\r\n",
        "locals {\n  module = 1\n  text = <<EOT\nmodule \"no\" {}\nvariable \"no\" {}\nEOT\n}\n",
        "\u{feff}module \"a\" { source = \"./a\" }\n",
        "resource \"aws_vpc\" \"v\" {\n  cidr_block = (\n}\nmodule \"behind_a_fault\" {}\n",
        "module \"broken\" { source = }\nmodule \"whole\" {}\nvariable \"v\" {",
    ];
    let mut files: Vec<(String, String)> =
        odd.iter().enumerate().map(|(at, text)| (format!("odd/{at}.tf"), (*text).to_owned())).collect();
    for entry in walkdir::WalkDir::new("tests/fixtures") {
        let entry = entry.unwrap();
        let name = entry.file_name().to_str().unwrap();
        if [".tf", ".tofu", ".tf.json"].iter().any(|ending| name.ends_with(ending))
            && let Ok(text) = std::fs::read_to_string(entry.path())
        {
            files.push((entry.path().to_str().unwrap().to_owned(), text));
        }
    }
    assert!(files.len() > 100, "{}", files.len());
    let (mut calls, mut variables) = (0, 0);
    for (path, text) in files {
        let mut sources = Sources::default();
        let id = sources.add(SourceFile::new(&path, text.clone()));
        let (outline, whole) = (terraform::outline(&sources, &[id]), terraform::parse(&sources, &[id]));
        assert_eq!(outline.calls(), whole.calls(), "{path}");
        calls += whole.calls().len();
        let (outline, whole) = (Tree::alone(outline), Tree::alone(whole));
        for name in text.split("variable \"").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert_eq!(outline.variable(name), whole.variable(name), "{path}: {name}");
            assert_eq!(outline.is_sensitive(name), whole.is_sensitive(name), "{path}: {name}");
            variables += usize::from(whole.variable(name).is_some());
        }
    }
    assert!(calls > 10 && variables > 50, "{calls} calls, {variables} variables");
}
