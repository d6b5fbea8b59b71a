//! `cargo xtask import-kubernetes-schema DIRECTORY`: the Kubernetes definitions into `schemas/kubernetes.bin`.
//!
//! The directory is an unpacked wheel of the Python package `kubernetes-validate`, which carries the definitions
//! of each minor version (`kubernetes_validate/kubernetes-json-schema/v1.34.0-local/_definitions.json`).
//! The format written is documented in `nexafi_gen::kubernetes::schema`.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use flate2::{Compression, write::DeflateEncoder};
use serde_json::Value;

/// What Amazon EKS supports, and what comes next.
const VERSIONS: [&str; 6] = ["1.32", "1.33", "1.34", "1.35", "1.36", "1.37"];

/// Chunk name to lines: (name, rest of the line) to the mask of versions.
type Chunks = BTreeMap<String, BTreeMap<(String, String), u32>>;

/// Reads the definitions of every version and writes `schemas/kubernetes.bin` under `root`.
pub(crate) fn run(directory: &Path, root: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let mut chunks = Chunks::new();
    for (at, version) in VERSIONS.iter().enumerate() {
        let file = directory
            .join("kubernetes_validate/kubernetes-json-schema")
            .join(format!("v{version}.0-local/_definitions.json"));
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let document: Value = serde_json::from_str(&text)?;
        let definitions = document.get("$defs").and_then(Value::as_object).ok_or("no `$defs` in the file")?;
        for (name, definition) in definitions {
            add(&mut chunks, name, definition, 1 << at)?;
        }
    }
    let target = root.join("schemas/kubernetes.bin");
    fs::write(&target, pack(&chunks)?)?;
    Ok(target)
}

fn add(chunks: &mut Chunks, name: &str, definition: &Value, bit: u32) -> Result<(), Box<dyn Error>> {
    let (group, short) = name.rsplit_once('.').ok_or_else(|| format!("{name} has no group"))?;
    let kinds = definition.get("x-kubernetes-group-version-kind").and_then(Value::as_array);
    // `DeleteOptions` and `WatchEvent` belong to every group and are no objects.
    if let Some([kind]) = kinds.map(Vec::as_slice) {
        let word = |key: &str| kind.get(key).and_then(Value::as_str).unwrap_or_default();
        let api_version = match word("group") {
            "" => word("version").to_owned(),
            group => format!("{group}/{}", word("version")),
        };
        // Lists are taken apart before they are checked.
        if !short.ends_with("List") {
            let key = (format!("{api_version} {}", word("kind")), name.to_owned());
            *chunks.entry("kinds".to_owned()).or_default().entry(key).or_default() |= bit;
        }
    }
    let line = (short.to_owned(), body(definition)?);
    *chunks.entry(group.to_owned()).or_default().entry(line).or_default() |= bit;
    Ok(())
}

/// The fields of a definition, or the one type it stands for.
fn body(definition: &Value) -> Result<String, Box<dyn Error>> {
    let Some(properties) = definition.get("properties").and_then(Value::as_object) else {
        return type_of(definition);
    };
    let required: Vec<&str> = definition
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let fields: BTreeMap<&String, &Value> = properties.iter().collect();
    let words = fields
        .into_iter()
        .map(|(name, schema)| {
            let mark = if required.contains(&name.as_str()) { "!" } else { "" };
            Ok(format!("{name}:{mark}{}", type_of(schema)?))
        })
        .collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    Ok(words.join(" "))
}

fn type_of(schema: &Value) -> Result<String, Box<dyn Error>> {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let name = reference.strip_prefix("#/$defs/").ok_or("a reference to elsewhere")?;
        return Ok(match name.rsplit('.').next().unwrap_or(name) {
            "Quantity" => "q".to_owned(),
            "IntOrString" => "p".to_owned(),
            "Time" | "MicroTime" => "t".to_owned(),
            "RawExtension" | "FieldsV1" => "o".to_owned(),
            _ => format!("@{name}"),
        });
    }
    if schema.get("oneOf").is_some() {
        return Ok("p".to_owned());
    }
    let type_ = match schema.get("type") {
        Some(Value::String(name)) => name.as_str(),
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).find(|name| *name != "null").unwrap_or_default()
        }
        _ => return Ok("*".to_owned()),
    };
    let format = schema.get("format").and_then(Value::as_str);
    Ok(match (type_, format) {
        ("string", Some("byte")) => "y".to_owned(),
        ("string", Some("date-time")) => "t".to_owned(),
        ("string", _) => "s".to_owned(),
        ("integer", Some("int32")) => "j".to_owned(),
        ("integer", _) => "i".to_owned(),
        ("number", _) => "n".to_owned(),
        ("boolean", _) => "b".to_owned(),
        ("array", _) => format!("[{}", type_of(schema.get("items").unwrap_or(&Value::Null))?),
        ("object", _) => match schema.get("additionalProperties") {
            Some(values @ Value::Object(_)) => format!("{{{}", type_of(values)?),
            _ => "o".to_owned(),
        },
        (other, _) => return Err(format!("a type this importer does not know: {other}").into()),
    })
}

fn pack(chunks: &Chunks) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut header = format!("nexafi-gen kubernetes schema 1\nversions {}\n", VERSIONS.join(" "));
    let mut bytes = Vec::new();
    for (name, lines) in chunks {
        let mut text = String::new();
        for ((name, body), mask) in lines {
            let line = format!("{name} {mask} {body}");
            text.push_str(line.trim_end());
            text.push('\n');
        }
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        io::Write::write_all(&mut encoder, text.as_bytes())?;
        let packed = encoder.finish()?;
        writeln!(header, "chunk {name} {}", packed.len())?;
        bytes.extend(packed);
    }
    header.push('\n');
    Ok([header.into_bytes(), bytes].concat())
}
