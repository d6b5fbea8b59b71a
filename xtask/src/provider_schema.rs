//! Imports the output of `terraform providers schema -json` into the compressed file that `nexafi-gen` embeds.
//!
//! The layout is described in `src/terraform/schema/store.rs` of the package, which reads it.

use std::error::Error;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use serde_json::{Map, Value, json};

/// Types in one deflate stream: more make the file smaller and each lookup slower.
const GROUP: usize = 4;

/// Imports `input`; writes to `output`, or to where the package embeds it from.
pub(crate) fn run(input: &Path, output: Option<&Path>, root: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let packed = encode(&parse(&std::fs::read(input)?)?)?;
    let output = output.map_or_else(|| root.join("schemas/aws-provider.bin"), Path::to_path_buf);
    std::fs::write(&output, packed)?;
    Ok(output)
}

/// Reads the JSON, plain or gzipped.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, String> {
    let mut text = Vec::new();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        flate2::read::GzDecoder::new(bytes).read_to_end(&mut text).map_err(|error| error.to_string())?;
    } else {
        text.extend_from_slice(bytes);
    }
    serde_json::from_slice(&text).map_err(|error| error.to_string())
}

/// Encodes the schema of the one provider whose address ends in `/aws`.
pub(crate) fn encode(schemas: &Value) -> Result<Vec<u8>, String> {
    let providers =
        schemas.get("provider_schemas").and_then(Value::as_object).ok_or("no provider_schemas")?;
    let (address, provider) = providers
        .iter()
        .find(|(address, _)| address.ends_with("/aws"))
        .ok_or("no schema of a provider .../aws")?;
    let mut types: Vec<(String, Value)> = Vec::new();
    if let Some(own) = provider.get("provider") {
        types.push(("p:aws".to_owned(), block(own.get("block").unwrap_or(&Value::Null))?));
    }
    for (key, prefix) in [("resource_schemas", "r:"), ("data_source_schemas", "d:")] {
        let mut names: Vec<_> = provider.get(key).and_then(Value::as_object).into_iter().flatten().collect();
        names.sort_by(|left, right| left.0.cmp(right.0));
        for (name, schema) in names {
            let content = schema.get("block").unwrap_or(&Value::Null);
            types.push((
                format!("{prefix}{name}"),
                block(content).map_err(|error| format!("{name}: {error}"))?,
            ));
        }
    }
    let mut groups = Vec::new();
    let mut lengths = Vec::new();
    for group in types.chunks(GROUP) {
        let text = Value::Array(group.iter().map(|(_, block)| block.clone()).collect()).to_string();
        let packed = deflate(text.as_bytes())?;
        lengths.push(packed.len());
        groups.extend(packed);
    }
    let index = json!({
        "provider": address,
        // Terraform's own output does not say the version; the file name of the plugin does.
        "version": schemas.get("x_provider_version").and_then(Value::as_str).unwrap_or(""),
        "group": GROUP,
        "lengths": lengths,
        "types": types.iter().map(|(name, _)| name).collect::<Vec<_>>(),
    });
    let index = deflate(index.to_string().as_bytes())?;
    let mut file = u32::try_from(index.len()).map_err(|error| error.to_string())?.to_le_bytes().to_vec();
    file.extend(index);
    file.extend(groups);
    Ok(file)
}

fn deflate(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).map_err(|error| error.to_string())
}

fn block(block: &Value) -> Result<Value, String> {
    let mut encoded = Map::new();
    let attributes = attributes(block.get("attributes"))?;
    if !attributes.is_empty() {
        encoded.insert("a".to_owned(), Value::Object(attributes));
    }
    let mut blocks = Map::new();
    for (name, nested) in block.get("block_types").and_then(Value::as_object).into_iter().flatten() {
        let mode = match nested.get("nesting_mode").and_then(Value::as_str) {
            Some("single" | "group") => "s",
            Some("list") => "l",
            Some("set") => "t",
            Some("map") => "m",
            other => return Err(format!("{name}: nesting mode {other:?}")),
        };
        let number = |key: &str| nested.get(key).and_then(Value::as_u64).unwrap_or(0);
        let mut content = self::block(nested.get("block").unwrap_or(&Value::Null))?;
        // Not Terraform's: a schema that was read from generated bindings marks what those leave out.
        if nested.get("x_truncated").is_some()
            && let Some(content) = content.as_object_mut()
        {
            content.insert("u".to_owned(), Value::Bool(true));
        }
        blocks.insert(name.clone(), json!([mode, number("min_items"), number("max_items"), content]));
    }
    if !blocks.is_empty() {
        encoded.insert("b".to_owned(), Value::Object(blocks));
    }
    Ok(Value::Object(encoded))
}

fn attributes(attributes: Option<&Value>) -> Result<Map<String, Value>, String> {
    let mut encoded = Map::new();
    for (name, attribute) in attributes.and_then(Value::as_object).into_iter().flatten() {
        let flag = |key: &str| u8::from(attribute.get(key).and_then(Value::as_bool).unwrap_or(false));
        let bits = flag("required") | flag("optional") << 1 | flag("computed") << 2;
        let type_ = match (attribute.get("type"), attribute.get("nested_type")) {
            (Some(type_), _) => self::type_(type_)?,
            (None, Some(nested)) => nested_type(nested)?,
            (None, None) => return Err(format!("{name}: no type")),
        };
        encoded.insert(name.clone(), json!([bits, type_]));
    }
    Ok(encoded)
}

/// Nested attributes of protocol 6 as the object type they are.
fn nested_type(nested: &Value) -> Result<Value, String> {
    let members: Map<String, Value> = attributes(nested.get("attributes"))?
        .into_iter()
        .map(|(name, attribute)| (name, attribute.get(1).cloned().unwrap_or_default()))
        .collect();
    Ok(match nested.get("nesting_mode").and_then(Value::as_str) {
        Some("list") => json!(["l", members]),
        Some("set") => json!(["t", members]),
        Some("map") => json!(["m", members]),
        _ => Value::Object(members),
    })
}

fn type_(written: &Value) -> Result<Value, String> {
    match written {
        Value::String(word) => match word.as_str() {
            "string" => Ok(json!("s")),
            "number" => Ok(json!("n")),
            "bool" => Ok(json!("b")),
            "dynamic" => Ok(json!("d")),
            other => Err(format!("type {other}")),
        },
        Value::Array(parts) => match (parts.first().and_then(Value::as_str), parts.get(1)) {
            (Some("list"), Some(of)) => Ok(json!(["l", type_(of)?])),
            (Some("set"), Some(of)) => Ok(json!(["t", type_(of)?])),
            (Some("map"), Some(of)) => Ok(json!(["m", type_(of)?])),
            (Some("object"), Some(Value::Object(members))) => members
                .iter()
                .map(|(name, member)| Ok((name.clone(), type_(member)?)))
                .collect::<Result<Map<_, _>, String>>()
                .map(Value::Object),
            (Some("tuple"), _) => Ok(json!("d")),
            other => Err(format!("type {other:?}")),
        },
        other => Err(format!("type {other}")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]
mod tests {
    use nexafi_gen::terraform::schema::{Kind, Nesting, Schema, Type};
    use serde_json::json;

    #[test]
    fn what_terraform_prints_is_what_the_package_reads() {
        let printed = json!({
            "format_version": "1.0",
            "provider_schemas": {"registry.terraform.io/hashicorp/aws": {
                "provider": {"version": 0, "block": {"attributes": {"region": {"type": "string", "optional": true}}}},
                "resource_schemas": {"aws_thing": {"version": 1, "block": {
                    "attributes": {
                        "arn": {"type": "string", "description": "x", "description_kind": "plain", "computed": true},
                        "ports": {"type": ["set", "number"], "required": true, "sensitive": true},
                        "options": {"nested_type": {"nesting_mode": "list", "attributes": {
                            "on": {"type": "bool", "optional": true}}}, "optional": true}
                    },
                    "block_types": {"timeouts": {"nesting_mode": "single", "block": {}},
                        "rule": {"nesting_mode": "set", "min_items": 1, "max_items": 5, "block": {}}}
                }}},
                "data_source_schemas": {},
                "ephemeral_resource_schemas": {}
            }}
        });
        let packed = super::encode(&super::parse(printed.to_string().as_bytes()).unwrap()).unwrap();
        let schema = Schema::from_bytes(packed.leak()).unwrap();
        let thing = schema.get(Kind::Resource, "aws_thing").unwrap();
        assert!(thing.attributes["arn"].computed_only());
        assert!(thing.attributes["ports"].required);
        assert_eq!(thing.attributes["ports"].type_, Type::Set(Box::new(Type::Number)));
        let members = [("on".to_owned(), Type::Bool)].into();
        assert_eq!(thing.attributes["options"].type_, Type::List(Box::new(Type::Object(members))));
        assert_eq!(thing.blocks["timeouts"].nesting, Nesting::Single);
        assert_eq!((thing.blocks["rule"].min, thing.blocks["rule"].max), (1, 5));
        assert!(schema.get(Kind::Provider, "aws").unwrap().has("region"));
        assert!(schema.get(Kind::Data, "aws_thing").is_none());
    }
}
