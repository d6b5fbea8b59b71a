//! The provider's schema as Terraform asks for it.

use nexafi_gen::terraform::schema::{Block, Kind, Nesting, Schema, Type, aws};

use crate::messages::{
    self, ProviderSchema, SchemaAttribute, SchemaBlock, SchemaNestedBlock, ServerCapabilities,
};

/// The whole schema: every type the real provider has, so that Terraform itself judges every file of its users.
pub fn whole() -> ProviderSchema {
    let Some(schema) = aws() else { return ProviderSchema::default() };
    let of = |kind| {
        schema
            .types(kind)
            .filter_map(|name| Some((name.to_owned(), message(&*schema.get(kind, name)?))))
            .collect::<std::collections::BTreeMap<_, _>>()
    };
    ProviderSchema {
        provider: provider_block(schema).map(|block| message(&block)),
        resource_schemas: of(Kind::Resource),
        data_source_schemas: of(Kind::Data),
        diagnostics: Vec::new(),
        server_capabilities: Some(ServerCapabilities { get_provider_schema_optional: true }),
    }
}

fn provider_block(schema: &Schema) -> Option<std::sync::Arc<Block>> {
    let name = schema.types(Kind::Provider).next()?;
    schema.get(Kind::Provider, name)
}

fn message(block: &Block) -> messages::Schema {
    messages::Schema { version: 0, block: Some(content(block)) }
}

fn content(block: &Block) -> SchemaBlock {
    SchemaBlock {
        attributes: block
            .attributes
            .iter()
            .map(|(name, attribute)| SchemaAttribute {
                name: name.clone(),
                r#type: json(&attribute.type_).to_string().into_bytes(),
                required: attribute.required,
                optional: attribute.optional,
                computed: attribute.computed,
            })
            .collect(),
        block_types: block
            .blocks
            .iter()
            .map(|(name, nested)| SchemaNestedBlock {
                type_name: name.clone(),
                block: Some(content(&nested.block)),
                nesting: match nested.nesting {
                    Nesting::Single => 1,
                    Nesting::List => 2,
                    Nesting::Set => 3,
                    Nesting::Map => 4,
                },
                min_items: i64::try_from(nested.min).unwrap_or_default(),
                max_items: i64::try_from(nested.max).unwrap_or_default(),
            })
            .collect(),
    }
}

fn json(type_: &Type) -> serde_json::Value {
    use serde_json::json;
    match type_ {
        Type::String => "string".into(),
        Type::Number => "number".into(),
        Type::Bool => "bool".into(),
        Type::Dynamic => "dynamic".into(),
        Type::List(of) => json!(["list", self::json(of)]),
        Type::Set(of) => json!(["set", self::json(of)]),
        Type::Map(of) => json!(["map", self::json(of)]),
        Type::Object(members) => {
            let members: serde_json::Map<_, _> =
                members.iter().map(|(name, of)| (name.clone(), self::json(of))).collect();
            json!(["object", members])
        }
    }
}
