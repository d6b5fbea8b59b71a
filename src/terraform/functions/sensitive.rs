//! Which results are sensitive, given which arguments are. As a rule a result is as soon as anything in an argument is;
//! functions that hand on elements hand on the elements' marks. `terraform_console::` holds this against Terraform.

use crate::source::{Node, Value};

/// What a call makes of the marks of its arguments.
pub(super) enum Marks {
    /// The result has this mark, whatever is in it.
    Result(bool),
    /// This mark, or that of the element it chose.
    Chosen(bool),
    /// The result is one of the arguments, and has its mark.
    Handed,
}

impl Marks {
    pub(super) fn of(name: &str, arguments: &[Node]) -> Self {
        let any = arguments.iter().any(|argument| argument.sensitive);
        match name {
            "sensitive" => Self::Result(true),
            "nonsensitive" | "issensitive" => Self::Result(false),
            "ephemeralasnull" => Self::Handed,
            "element" | "lookup" | "one" => Self::Chosen(any),
            "keys" | "length" | "merge" | "values" | "concat" | "reverse" | "slice" | "tolist" | "tomap"
            | "zipmap" | "setproduct" | "chunklist" => Self::Result(any),
            // The lists within are gone, and their marks with them.
            "flatten" => Self::Result(arguments.iter().any(list_within)),
            _ => Self::Result(arguments.iter().any(Node::holds_sensitive)),
        }
    }

    /// The mark of a result; `chosen` is that of the element that was chosen.
    pub(super) fn result(&self, node: &Node, chosen: bool) -> bool {
        match self {
            Self::Result(mark) => *mark,
            Self::Chosen(mark) => *mark || chosen,
            Self::Handed => node.sensitive,
        }
    }
}

fn list_within(node: &Node) -> bool {
    match &node.value {
        Value::List(items) => node.sensitive || items.iter().any(list_within),
        _ => false,
    }
}
