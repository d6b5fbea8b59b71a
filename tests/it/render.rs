//! What rendering promises: the same bytes, every value in its place, helpful words where a template is at fault.

use std::process::Command;

use nexafi_gen::blueprint::Platform;
use nexafi_gen::render::{FileSet, Overrides, render};
use nexafi_gen::source::{Node, SourceFile, Sources, yaml};
use proptest::prelude::*;

use crate::blueprint::load_text;

const MINIMAL: &str = "apiVersion: nexafi-gen/v1\nname: p\nowner: {team: t, email: t@t.example}\n\
    regions: {primary: {aws: us-east-1, vpc: {cidr: 10.0.0.0/16}}}\n";

/// A platform whose service `s` has one free text: an environment variable.
fn platform(text: &str) -> Platform {
    let quoted = serde_json::to_string(text).unwrap();
    let (sources, loaded) =
        load_text(&format!("{MINIMAL}services: {{s: {{image: {{repository: r}}, env: {{X: {quoted}}}}}}}\n"));
    loaded.platform.unwrap_or_else(|| panic!("{}", crate::blueprint::lines(&sources, &load_text(text).1)))
}

fn render_with(platform: &Platform, templates: &[(&str, &str)]) -> Result<FileSet, String> {
    let mut overrides = Overrides::new();
    let mut list = String::from("[");
    for (name, text) in templates {
        let path = name.trim_end_matches(".j2");
        list.push_str(&format!("{{template: {name}, path: {path}}}, "));
        overrides.insert((*name).to_owned(), (*text).to_owned());
    }
    list.push(']');
    overrides.insert("files.yaml".to_owned(), list);
    render(platform, "p.yaml", &overrides).map_err(|error| error.to_string())
}

fn rendered(platform: &Platform, name: &str, template: &str) -> String {
    let mut files = render_with(platform, &[(name, template)]).unwrap();
    String::from_utf8(files.pop_first().unwrap().1).unwrap()
}

fn read_yaml(text: &str) -> Node {
    let mut sources = Sources::default();
    let id = sources.add(SourceFile::new("a.yaml", text.to_owned()));
    let read = yaml::read(id, sources.get(id).unwrap());
    assert!(read.findings.is_empty(), "{text}: {:?}", read.findings);
    read.documents.into_iter().next().unwrap()
}

/// Every blueprint of the repository, by name, with what it renders to.
pub(crate) fn every_blueprint() -> Vec<(String, FileSet)> {
    let mut rendered = Vec::new();
    for entry in walkdir::WalkDir::new("blueprints").sort_by_file_name().into_iter().filter_map(Result::ok) {
        if entry.path().extension().is_some_and(|extension| extension == "yaml") {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            let platform = load_text(&text).1.platform.unwrap();
            let files = render(&platform, &entry.file_name().to_string_lossy(), &Overrides::new()).unwrap();
            rendered.push((platform.blueprint.name.to_string(), files));
        }
    }
    rendered
}

#[test]
fn every_blueprint_renders_twice_to_the_same_bytes() {
    let first = every_blueprint();
    assert!(first.len() >= 2 && first.iter().all(|(_, files)| !files.is_empty()));
    assert_eq!(first, every_blueprint());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_text_breaks_out_of_a_terraform_literal(text in r#"([ -~\n\té\u{2028}]|\$\{|%\{|\}\}|\$\$|"|\\){0,30}"#) {
        let out = rendered(&platform(&text), "a.tf.j2", "a = {{ services.s.env.X }}\nb = \"<{{ services.s.env.X|part }}>\"\n");
        let body: hcl::Body = hcl::parse(&out).unwrap();
        let attributes: Vec<_> = body.attributes().collect();
        prop_assert_eq!(attributes.len(), 2, "{}", out);
        for (attribute, wanted) in attributes.iter().zip([text.clone(), format!("<{text}>")]) {
            let value = match &attribute.expr {
                hcl::Expression::String(value) => value.clone(),
                hcl::Expression::TemplateExpr(template) => {
                    let parsed = hcl::Template::from_expr(template).unwrap();
                    let mut whole = String::new();
                    for element in parsed.elements() {
                        match element {
                            hcl::template::Element::Literal(literal) => whole.push_str(literal),
                            other => panic!("{other:?} was interpolated in {out}"),
                        }
                    }
                    whole
                }
                other => panic!("{other:?} from {out}"),
            };
            prop_assert_eq!(value, wanted);
        }
    }

    #[test]
    fn no_text_breaks_out_of_a_yaml_scalar(text in r#"([ -~\n\té\u{85}\u{2028}\u{feff}]|\{\{|: |- |#|"|'|\\|true|0x1f|1e3|null|~){0,12}"#) {
        let template = "a: {{ services.s.env.X }}\nb: \"<{{ services.s.env.X|part }}>\"\nc: {{ services.s.env|block(2) }}\nd: [{{ services.s.env.X }}]\n";
        let tree = read_yaml(&rendered(&platform(&text), "a.yaml.j2", template));
        prop_assert_eq!(tree.get("a").and_then(Node::as_str), Some(text.as_str()));
        let inside = format!("<{text}>");
        prop_assert_eq!(tree.get("b").and_then(Node::as_str), Some(inside.as_str()));
        prop_assert_eq!(tree.at(&["c", "X"]).and_then(Node::as_str), Some(text.as_str()));
        prop_assert_eq!(tree.at(&["d", "0"]).and_then(Node::as_str), Some(text.as_str()));
    }
}

#[test]
fn no_text_breaks_out_of_a_shell_word() {
    let template = "printf '%s\\0' {{ services.s.env.X }} \"<{{ services.s.env.X|part }}>\"\n";
    for text in [
        "",
        "plain",
        "two words",
        "it's",
        "\"q\"",
        "$(id)",
        "`id`",
        "${HOME}",
        "a\nb",
        "\\",
        "*",
        "~",
        "-n",
        "!x",
        "é",
    ] {
        let script = rendered(&platform(text), "a.sh.j2", template);
        let output = Command::new("bash").arg("-c").arg(&script).output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert_eq!(printed, format!("{text}\0<{text}>\0"), "{script}");
    }
}

#[test]
fn a_comment_stays_on_its_line() {
    let out = rendered(&platform("one\ntwo\r\u{2028}three"), "a.tf.j2", "# {{ services.s.env.X|comment }}\n");
    assert_eq!(out.lines().count(), 1, "{out}");
}

#[test]
fn block_yaml_keeps_lists_and_mappings_whole() {
    let template = "a:\n  b:{{ [{\"x\": [1, {\"y\": \"z\"}], \"e\": {}}, [], \"s\"]|block(4) }}\n";
    let out = rendered(&platform("x"), "a.yaml.j2", template);
    insta::assert_snapshot!(out);
    assert_eq!(
        read_yaml(&out).to_json(),
        serde_json::json!({"a": {"b": [{"x": [1, {"y": "z"}], "e": {}}, [], "s"]}})
    );
}

#[test]
fn a_fault_of_a_template_names_it_and_its_line() {
    let platform = platform("a b");
    let cases = [
        ("a.tf.j2", "x = 1\ny = {{ nothing }}\n"),
        ("b.tf.j2", "x = {{ services.s.env.X|id }}\n"),
        ("c.yaml.j2", "x: 1\n{% if %}\n"),
        ("d.yaml.j2", "x: {{ services.s.env.X|safe }}\n"),
        ("e.sh.j2", "{{ services.s.env.X|name }}\n"),
        ("f.sh.j2", "{{ services }}\n"),
    ];
    let messages: Vec<String> =
        cases.iter().map(|case| render_with(&platform, &[*case]).expect_err("must not render")).collect();
    insta::assert_snapshot!(messages.join("\n"));
}
