//! Custom resources against their definitions.

use nexafi_gen::kubernetes;
use nexafi_gen::kubernetes::schema::Custom;
use nexafi_gen::source::{SourceFile, Sources};

use crate::cli::Desk;
use crate::kubernetes::told;

fn checked(text: &str) -> String {
    let mut sources = Sources::default();
    let mut custom = Custom::default();
    for path in ["database.yaml", "queues.example.com/queue_v1beta1.json", "topic-example.com-v1.json"] {
        let text = std::fs::read_to_string(format!("tests/fixtures/crds/{path}")).unwrap();
        let id = sources.add(SourceFile::new(path, text));
        let (count, findings) = custom.add(id, sources.get(id).unwrap());
        assert_eq!((count, findings.len()), (1, 0), "{path}");
    }
    let id = sources.add(SourceFile::new("a.yaml", text.to_owned()));
    let file = sources.get(id).unwrap();
    let (objects, findings) = kubernetes::read(id, file);
    assert!(findings.is_empty());
    let mut shown = String::new();
    for finding in objects.iter().flat_map(|object| custom.check(object, "1.34")) {
        assert!(!finding.help.is_empty() && finding.subject.is_some());
        shown.push_str(&told(file, &finding));
    }
    shown
}

#[test]
fn a_good_custom_resource_has_no_finding() {
    let text = "apiVersion: example.com/v1\nkind: Database\nmetadata: {name: a, namespace: core, labels: {a: b}}\nspec:\n  engine: postgres\n  \
                version: \"16\"\n  replicas: 3\n  port: http\n  storage: {size: 10Gi, ratio: 0.5}\n  labels: {x: z}\n  \
                users: [{name: a, admin: true}, {name: b}]\n  backup: {s3: {bucket: b}}\n  extra: {anything: [1]}\n\
                ---\napiVersion: queues.example.com/v1beta1\nkind: Queue\nmetadata: {name: a}\nspec: {size: 1, name: null}\n\
                ---\napiVersion: example.com/v1\nkind: Topic\nmetadata: {name: a}\nspec: {partitions: 1}\n\
                ---\napiVersion: example.com/v1\nkind: Unknown\nmetadata: {name: a}\nspec: {x: 1}\n\
                ---\napiVersion: example.com/v2\nkind: Database\nmetadata: {name: a}\nspec: {x: 1}\n";
    assert_eq!(checked(text), "");
}

#[test]
fn a_wrong_custom_resource_shows_each_fault_at_its_place() {
    let text = "apiVersion: example.com/v1\nkind: Database\nmetadata: {name: a, label: {a: b}}\nspec:\n  engine: postgress\n  \
                version: sixteen\n  replicas: 9\n  prot: 1\n  port: true\n  storage: {ratio: 1, size: x}\n  labels: {x: 1}\n  \
                users: [{admin: \"yes\"}, b]\n  backup: {s3: {}, gcs: {}}\n\
                ---\napiVersion: example.com/v1\nkind: Database\nmetadata: {name: b}\nspec:\n  engine: mysql\n  backup: {}\n  storage: []\n  replicas: \"3\"\n\
                ---\napiVersion: example.com/v1\nkind: Database\nmetadata: {name: c}\n\
                ---\napiVersion: queues.example.com/v1beta1\nkind: Queue\nmetadata: {name: a}\nspec: {size: big, colour: red}\nstatus: {}\n\
                ---\napiVersion: example.com/v1\nkind: Topic\nmetadata: {name: a}\nspec: {partition: 1}\n";
    insta::assert_snapshot!(checked(text));
}

#[test]
fn the_schemas_of_a_directory_check_what_is_linted() {
    let desk = Desk::new();
    desk.put("crds/database.yaml", std::fs::read("tests/fixtures/crds/database.yaml").unwrap());
    desk.put("app.yaml", "apiVersion: example.com/v1\nkind: Database\nmetadata: {name: a, namespace: core}\nspec: {engine: mysql, storge: {}}\n");
    let ran = desk.run("lint app.yaml --crd-schema crds --format concise");
    assert_eq!(ran.out.matches("NXF-CFG-030").count(), 2, "{}", ran.out);
    assert!(
        ran.out.contains("did you mean `storage`?") || ran.out.contains("`storge` is no field"),
        "{}",
        ran.out
    );
    assert_eq!(desk.run("lint app.yaml --format concise").out.matches("NXF-CFG-030").count(), 0);
    desk.put("empty/readme.yaml", "a: b\n");
    for (arguments, words) in [
        ("lint app.yaml --crd-schema nowhere", "it is not a directory of schemas"),
        ("lint app.yaml --crd-schema empty", "it holds no schema of a custom resource"),
    ] {
        let ran = desk.run(arguments);
        assert_eq!(u8::from(ran.code), 2);
        assert!(ran.err.contains(words), "{}", ran.err);
    }
}
