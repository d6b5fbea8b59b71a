//! The parts of Terraform's addresses: `module.net["a"].aws_subnet.private["b"]`.

/// Where the module's path ends: the rest is the address inside the module.
fn split(address: &str) -> usize {
    let mut at = 0;
    while let Some(call) = address.get(at..).and_then(call) {
        at += call.length;
    }
    at
}

/// A call of a module at the start of a path: `net` and `["a"]` of `module.net["a"].`.
struct Call<'a> {
    name: &'a str,
    key: &'a str,
    /// With the dot behind it.
    length: usize,
}

fn call(path: &str) -> Option<Call<'_>> {
    let rest = path.strip_prefix("module.")?;
    let (name, behind) = rest.split_at_checked(rest.find(['.', '[']).unwrap_or(rest.len()))?;
    let (key, behind) = behind.split_at_checked(behind.len() - after_key(behind).len())?;
    let behind = behind.strip_prefix('.')?;
    Some(Call { name, key, length: path.len() - behind.len() })
}

/// The path of the module that a resource belongs to, `module.net["a"].`; nothing for the root.
pub(super) fn module(address: &str) -> &str {
    address.get(..split(address)).unwrap_or("")
}

/// The key of an instance, `["a"]`; nothing if it is the only one.
pub(super) fn instance(address: &str) -> &str {
    address.get(block(address).len()..).unwrap_or("")
}

/// The path above a module's, and the name and the key of the call: of `module.a.module.b["x"].` that is `module.a.`, `b`, `["x"]`.
pub(super) fn above(module: &str) -> (&str, &str, &str) {
    let mut start = 0;
    // Keys may hold any letter, so that the last call is found from the front only.
    let mut last = ("", "", "");
    while let Some(call) = module.get(start..).and_then(call) {
        last = (module.get(..start).unwrap_or(""), call.name, call.key);
        start += call.length;
    }
    last
}

/// The length of `["a"]` or `[0]` at the start of a text; a key may hold any letter.
fn key_length(text: &str) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b']' if !quoted => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// What stands behind a key at the start of a text; the text itself if there is none.
pub(super) fn after_key(text: &str) -> &str {
    if !text.starts_with('[') {
        return text;
    }
    key_length(text).and_then(|length| text.get(length..)).unwrap_or(text)
}

/// The address inside its module: `aws_subnet.private["b"]`. Of a whole module, or of what is no address, the text itself.
pub fn local(address: &str) -> &str {
    address.get(split(address)..).unwrap_or(address)
}

/// The address of the block that an instance comes from: `module.net["a"].aws_subnet.private`.
pub fn block(address: &str) -> &str {
    let at = split(address);
    let length = address.get(at..).and_then(|rest| rest.find('['));
    length.and_then(|length| address.get(..at + length)).unwrap_or(address)
}

/// The address without any key, neither of modules nor of the resource.
pub fn without_keys(address: &str) -> String {
    let mut text = String::with_capacity(address.len());
    let mut rest = address;
    while let Some(at) = rest.find('[') {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        let after = after_key(from);
        if after.len() == from.len() {
            rest = from;
            break;
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

/// `["a"]`, as Terraform writes the key of an instance.
pub(super) fn key(text: &str) -> String {
    let mut key = String::with_capacity(text.len() + 4);
    key.push_str("[\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => key.extend(['\\', letter]),
            '\n' => key.push_str("\\n"),
            '\r' => key.push_str("\\r"),
            '\t' => key.push_str("\\t"),
            _ => key.push(letter),
        }
    }
    key.push_str("\"]");
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_module_a_block_and_a_key() {
        for (address, inside, of) in [
            ("aws_vpc.a", "aws_vpc.a", "aws_vpc.a"),
            ("aws_vpc.a[\"x.y[0]\"]", "aws_vpc.a[\"x.y[0]\"]", "aws_vpc.a"),
            ("module.n.data.aws_region.r", "data.aws_region.r", "module.n.data.aws_region.r"),
            (
                "module.n[\"a.\\\"]b\"].module.m[0].aws_vpc.a[1]",
                "aws_vpc.a[1]",
                "module.n[\"a.\\\"]b\"].module.m[0].aws_vpc.a",
            ),
            ("module.n", "module.n", "module.n"),
            ("module.n[\"a", "module.n[\"a", "module.n"),
        ] {
            assert_eq!((local(address), block(address)), (inside, of), "{address}");
            let plain = without_keys(address);
            assert_eq!(without_keys(&plain), plain);
        }
        assert_eq!(key("a\"b\\c"), "[\"a\\\"b\\\\c\"]");
    }
}
