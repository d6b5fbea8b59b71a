//! Terraform's values on the wire: `MessagePack` where unknown is an extension, and JSON in states.

use std::collections::BTreeMap;

use rmpv::Value as Packed;

/// A value of any of Terraform's types; sets are lists, objects are maps.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// Nothing was said.
    #[default]
    Null,
    /// Known only after apply.
    Unknown,
    /// `true` or `false`.
    Bool(bool),
    /// A number; none of AWS's needs more than 53 bits.
    Number(f64),
    /// Text.
    String(String),
    /// A list, set or tuple.
    List(Vec<Value>),
    /// A map or object.
    Map(BTreeMap<String, Value>),
}

/// The value every absent member has.
static NULL: Value = Value::Null;

impl Value {
    /// Reads `MessagePack` as Terraform writes it.
    ///
    /// # Errors
    /// Bytes that are not `MessagePack`, or text that is not UTF-8.
    pub fn decode(mut bytes: &[u8]) -> Result<Self, String> {
        if bytes.is_empty() {
            return Ok(Self::Null);
        }
        let packed = rmpv::decode::read_value(&mut bytes).map_err(|error| error.to_string())?;
        Self::unpack(packed)
    }

    fn unpack(packed: Packed) -> Result<Self, String> {
        let text = |text: rmpv::Utf8String| text.into_str().ok_or_else(|| "text is not UTF-8".to_owned());
        Ok(match packed {
            Packed::Nil => Self::Null,
            Packed::Boolean(flag) => Self::Bool(flag),
            Packed::Integer(number) => Self::Number(number.as_f64().unwrap_or_default()),
            Packed::F32(number) => Self::Number(number.into()),
            Packed::F64(number) => Self::Number(number),
            Packed::String(string) => Self::String(text(string)?),
            Packed::Binary(bytes) => Self::String(String::from_utf8_lossy(&bytes).into_owned()),
            Packed::Array(items) => {
                Self::List(items.into_iter().map(Self::unpack).collect::<Result<_, _>>()?)
            }
            Packed::Map(entries) => Self::Map(
                entries
                    .into_iter()
                    .map(|(key, value)| match key {
                        Packed::String(key) => Ok((text(key)?, Self::unpack(value)?)),
                        other => Err(format!("a key is {other}")),
                    })
                    .collect::<Result<_, String>>()?,
            ),
            // Extension 0 is unknown, 12 unknown with refinements that nothing here needs.
            Packed::Ext(..) => Self::Unknown,
        })
    }

    /// Writes `MessagePack` as Terraform reads it.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // Writing to memory cannot fail.
        let _ = rmpv::encode::write_value(&mut bytes, &self.pack());
        bytes
    }

    fn pack(&self) -> Packed {
        match self {
            Self::Null => Packed::Nil,
            Self::Unknown => Packed::Ext(0, vec![0]),
            Self::Bool(flag) => Packed::Boolean(*flag),
            Self::Number(number) => match whole(*number) {
                Some(whole) => Packed::from(whole),
                None => Packed::F64(*number),
            },
            Self::String(text) => Packed::from(text.as_str()),
            Self::List(items) => Packed::Array(items.iter().map(Self::pack).collect()),
            Self::Map(members) => Packed::Map(
                members.iter().map(|(key, value)| (Packed::from(key.as_str()), value.pack())).collect(),
            ),
        }
    }

    /// The value of JSON in a state.
    pub fn from_json(json: serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(flag) => Self::Bool(flag),
            serde_json::Value::Number(number) => Self::Number(number.as_f64().unwrap_or_default()),
            serde_json::Value::String(text) => Self::String(text),
            serde_json::Value::Array(items) => Self::List(items.into_iter().map(Self::from_json).collect()),
            serde_json::Value::Object(members) => {
                Self::Map(members.into_iter().map(|(key, value)| (key, Self::from_json(value))).collect())
            }
        }
    }

    /// The value as JSON; unknown becomes null.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null | Self::Unknown => serde_json::Value::Null,
            Self::Bool(flag) => (*flag).into(),
            Self::Number(number) => whole(*number).map_or_else(|| (*number).into(), Into::into),
            Self::String(text) => text.as_str().into(),
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Map(members) => members
                .iter()
                .map(|(key, value)| (key.clone(), value.to_json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }

    /// A member of an object, the first element of a list, and so on: `vpc_config.subnet_ids`. Null if there is none.
    pub fn at(&self, path: &str) -> &Self {
        path.split('.').fold(self, |value, name| value.first().member(name))
    }

    fn member(&self, name: &str) -> &Self {
        match self {
            Self::Map(members) => members.get(name).unwrap_or(&NULL),
            _ => &NULL,
        }
    }

    /// The first element of a list, or the value itself if it is none.
    pub fn first(&self) -> &Self {
        match self {
            Self::List(items) => items.first().unwrap_or(&NULL),
            other => other,
        }
    }

    /// The text, if it is text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The elements, if it is a list or set.
    pub fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// The texts among the elements.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.items().iter().filter_map(Self::text)
    }

    /// The members, if it is an object or map.
    pub fn members(&self) -> impl Iterator<Item = (&str, &Self)> {
        let members = match self {
            Self::Map(members) => Some(members),
            _ => None,
        };
        members.into_iter().flatten().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether nothing was said.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether nothing in it is left open.
    pub fn is_known(&self) -> bool {
        match self {
            Self::Unknown => false,
            Self::List(items) => items.iter().all(Self::is_known),
            Self::Map(members) => members.values().all(Self::is_known),
            _ => true,
        }
    }

    /// Whether it is `true`.
    pub fn is_true(&self) -> bool {
        matches!(self, Self::Bool(true))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

/// The number as a whole one, if it is.
fn whole(number: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "the next line compares what came out")]
    let whole = number as i64;
    #[expect(
        clippy::cast_precision_loss,
        clippy::float_cmp,
        reason = "a loss makes the comparison false, as it should"
    )]
    let exact = whole as f64 == number;
    exact.then_some(whole)
}
