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
    if block.unknown {
        return statement();
    }
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

/// The inside of a rule of a web ACL, as far as the platforms need it: statements hold statements, and the exported schema
/// ends where they begin (<https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/wafv2_web_acl>).
fn statement() -> SchemaBlock {
    let attribute = |name: &str, type_: &str, required: bool| SchemaAttribute {
        name: name.to_owned(),
        r#type: serde_json::json!(type_).to_string().into_bytes(),
        required,
        optional: !required,
        computed: false,
    };
    let nested = |name: &str,
                  max_items: i64,
                  attributes: Vec<SchemaAttribute>,
                  block_types: Vec<SchemaNestedBlock>| {
        let block = Some(SchemaBlock { attributes, block_types });
        SchemaNestedBlock { type_name: name.to_owned(), block, nesting: 2, min_items: 0, max_items }
    };
    let actions = ["allow", "block", "captcha", "challenge", "count"];
    let action = nested(
        "action_to_use",
        1,
        Vec::new(),
        actions.map(|name| nested(name, 1, Vec::new(), Vec::new())).into(),
    );
    let overrides =
        nested("rule_action_override", 100, vec![attribute("name", "string", true)], vec![action]);
    let managed = vec![
        attribute("name", "string", true),
        attribute("vendor_name", "string", true),
        attribute("version", "string", false),
    ];
    let rate = vec![
        attribute("aggregate_key_type", "string", false),
        attribute("evaluation_window_sec", "number", false),
        attribute("limit", "number", true),
    ];
    SchemaBlock {
        attributes: Vec::new(),
        block_types: vec![
            nested("managed_rule_group_statement", 1, managed, vec![overrides]),
            nested("rate_based_statement", 1, rate, Vec::new()),
        ],
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
