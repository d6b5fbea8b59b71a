//! What of Terraform's own is a block and what is an argument: JSON writes both as a property.
//!
//! From <https://developer.hashicorp.com/terraform/language/syntax/json> and the pages of the single blocks. What is the
//! provider's, its schema says.

/// A body, as far as Terraform itself knows it.
#[derive(Debug)]
pub(super) struct Form {
    /// Nested blocks: the type, the number of labels, and their own form.
    pub(super) blocks: &'static [(&'static str, usize, &'static Form)],
    /// Arguments that take references, types and keywords: a string holds one as it would stand in the native syntax.
    pub(super) written: &'static [&'static str],
    /// Arguments that are read before anything is evaluated, so that a string is no template.
    pub(super) literal: Literal,
}

/// In which arguments a string means what it says.
#[derive(Debug)]
pub(super) enum Literal {
    Some(&'static [&'static str]),
    All,
}

impl Form {
    pub(super) fn block(&self, name: &str) -> Option<(usize, &'static Form)> {
        self.blocks.iter().find(|(own, ..)| *own == name).map(|(_, labels, form)| (*labels, *form))
    }

    pub(super) fn is_literal(&self, name: &str) -> bool {
        match self.literal {
            Literal::Some(names) => names.contains(&name),
            Literal::All => true,
        }
    }
}

const NONE: Literal = Literal::Some(&[]);

/// The top of a file.
pub(super) static FILE: Form = Form {
    blocks: &[
        ("resource", 2, &RESOURCE),
        ("data", 2, &RESOURCE),
        ("ephemeral", 2, &RESOURCE),
        ("variable", 1, &VARIABLE),
        ("output", 1, &OUTPUT),
        ("locals", 0, &PLAIN),
        ("module", 1, &MODULE),
        ("provider", 1, &PROVIDER),
        ("terraform", 0, &TERRAFORM),
        ("moved", 0, &MOVED),
        ("import", 0, &IMPORT),
        ("removed", 0, &REMOVED),
        ("check", 1, &CHECK),
    ],
    written: &[],
    literal: NONE,
};

/// A file of values for variables.
pub(super) static VALUES: Form = Form { blocks: &[], written: &[], literal: Literal::All };

static PLAIN: Form = Form { blocks: &[], written: &[], literal: NONE };

static RESOURCE: Form = Form {
    blocks: &[
        ("lifecycle", 0, &LIFECYCLE),
        ("connection", 0, &PLAIN),
        ("provisioner", 1, &PROVISIONER),
        ("dynamic", 1, &DYNAMIC),
    ],
    written: &["depends_on", "provider"],
    literal: NONE,
};

/// A nested block of a resource, a provider or a module.
pub(super) static NESTED: Form = Form { blocks: &[("dynamic", 1, &DYNAMIC)], written: &[], literal: NONE };

pub(super) static DYNAMIC: Form =
    Form { blocks: &[("content", 0, &NESTED)], written: &["iterator"], literal: NONE };

static LIFECYCLE: Form = Form {
    blocks: &[("precondition", 0, &PLAIN), ("postcondition", 0, &PLAIN)],
    written: &["ignore_changes", "replace_triggered_by"],
    literal: NONE,
};

static PROVISIONER: Form =
    Form { blocks: &[("connection", 0, &PLAIN)], written: &["when", "on_failure"], literal: NONE };

static VARIABLE: Form = Form {
    blocks: &[("validation", 0, &PLAIN)],
    written: &["type"],
    literal: Literal::Some(&["default", "description"]),
};

static OUTPUT: Form = Form {
    blocks: &[("precondition", 0, &PLAIN)],
    written: &["depends_on"],
    literal: Literal::Some(&["description"]),
};

static MODULE: Form = Form {
    blocks: &[],
    written: &["depends_on", "providers"],
    literal: Literal::Some(&["source", "version"]),
};

static PROVIDER: Form =
    Form { blocks: &[("dynamic", 1, &DYNAMIC)], written: &[], literal: Literal::Some(&["alias", "version"]) };

static TERRAFORM: Form = Form {
    blocks: &[
        ("required_providers", 0, &REQUIRED_PROVIDERS),
        ("backend", 1, &VALUES),
        ("cloud", 0, &CLOUD),
        ("provider_meta", 1, &PLAIN),
    ],
    written: &["experiments", "language"],
    literal: Literal::Some(&["required_version"]),
};

pub(super) static REQUIRED_PROVIDERS: Form = Form { blocks: &[], written: &[], literal: Literal::All };

static CLOUD: Form = Form { blocks: &[("workspaces", 0, &VALUES)], written: &[], literal: Literal::All };

static MOVED: Form = Form { blocks: &[], written: &["from", "to"], literal: NONE };

static IMPORT: Form = Form { blocks: &[], written: &["to", "provider"], literal: NONE };

static REMOVED: Form = Form {
    blocks: &[("lifecycle", 0, &PLAIN), ("connection", 0, &PLAIN), ("provisioner", 1, &PROVISIONER)],
    written: &["from"],
    literal: NONE,
};

static CHECK: Form =
    Form { blocks: &[("data", 2, &RESOURCE), ("assert", 0, &PLAIN)], written: &[], literal: NONE };
