//! Refusals, as the API answers them: a `Status` object.

use serde_json::{Value, json};

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The HTTP status.
    pub(crate) code: u16,
    /// The machine's word for it, such as `NotFound`.
    pub(crate) reason: &'static str,
    /// The person's sentence.
    pub(crate) message: String,
}

/// What a request gives.
pub(crate) type Outcome<T> = Result<T, Refusal>;

impl Refusal {
    /// The request cannot be read, or has fields that do not exist.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self { code: 400, reason: "BadRequest", message: message.into() }
    }

    /// Something is not there.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self { code: 404, reason: "NotFound", message: message.into() }
    }

    /// Something is there already.
    pub(crate) fn already_exists(message: impl Into<String>) -> Self {
        Self { code: 409, reason: "AlreadyExists", message: message.into() }
    }

    /// Somebody else changed or owns it.
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self { code: 409, reason: "Conflict", message: message.into() }
    }

    /// Admission says no.
    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self { code: 403, reason: "Forbidden", message: message.into() }
    }

    /// The object says something that cannot be.
    pub(crate) fn invalid(kind: &str, name: &str, faults: &[String]) -> Self {
        let message = match faults {
            [one] => format!("{kind} \"{name}\" is invalid: {one}"),
            many => format!("{kind} \"{name}\" is invalid: [{}]", many.join(", ")),
        };
        Self { code: 422, reason: "Invalid", message }
    }

    /// The content type of a patch is none of those there are.
    pub(crate) fn unsupported(message: impl Into<String>) -> Self {
        Self { code: 415, reason: "UnsupportedMediaType", message: message.into() }
    }

    /// The `Status` object.
    pub(crate) fn status(&self) -> Value {
        json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason, "details": {}, "code": self.code,
        })
    }
}
