//! As much of HTTP/1.1 as `kubectl` speaks on a loopback connection: requests with a length, answers whole or in chunks.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::Value;

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// `GET`, `PATCH`...
    pub(crate) method: String,
    /// The path's segments, decoded.
    pub(crate) path: Vec<String>,
    /// The query's parameters, decoded; of several with one name the last.
    pub(crate) query: BTreeMap<String, String>,
    /// Headers, names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// A query parameter; empty when it is not given.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }

    /// The path as it was asked for.
    pub(crate) fn path_text(&self) -> String {
        format!("/{}", self.path.join("/"))
    }
}

/// Reads the next request of a connection; `None` when the client is done.
pub(crate) fn read_request(connection: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if connection.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let (method, target) = (words.next().unwrap_or("").to_owned(), words.next().unwrap_or("").to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut header = String::new();
        connection.read_line(&mut header)?;
        match header.trim_end().split_once(':') {
            Some((name, value)) => headers.insert(name.to_ascii_lowercase(), value.trim().to_owned()),
            None => break,
        };
    }
    if headers.contains_key("transfer-encoding") {
        return Err(io::Error::other("a request of unknown length"));
    }
    let length = headers.get("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    connection.read_exact(&mut body)?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let path = path.split('/').filter(|segment| !segment.is_empty()).map(decode).collect();
    let query = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect();
    Ok(Some(Request { method, path, query, headers, body }))
}

/// Percent-decoding, with `+` for a space.
fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits: Vec<u8> = rest.by_ref().take(2).collect();
                let digits = String::from_utf8_lossy(&digits).into_owned();
                bytes.push(u8::from_str_radix(&digits, 16).unwrap_or(b'?'));
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An answer that is there as a whole.
#[derive(Debug)]
pub(crate) struct Response {
    /// The HTTP status.
    pub(crate) code: u16,
    /// The body's type.
    pub(crate) content_type: &'static str,
    /// The body.
    pub(crate) body: Vec<u8>,
    /// What the API warns of.
    pub(crate) warnings: Vec<String>,
}

impl Response {
    /// A JSON document.
    pub(crate) fn json(code: u16, body: &Value) -> Self {
        Self {
            code,
            content_type: "application/json",
            body: body.to_string().into_bytes(),
            warnings: Vec::new(),
        }
    }

    /// A line of text.
    pub(crate) fn text(body: &str) -> Self {
        Self { code: 200, content_type: "text/plain", body: body.as_bytes().to_vec(), warnings: Vec::new() }
    }

    /// An `OpenAPI` v2 document that describes nothing, in the only encoding `kubectl` takes it. It asks for it when
    /// v3 does not know a kind, and then goes on to say that there is no such kind.
    pub(crate) fn empty_openapi_v2() -> Self {
        Self {
            code: 200,
            content_type: "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
            body: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Sends it.
    pub(crate) fn send(&self, connection: &mut TcpStream) -> io::Result<()> {
        let mut head = format!(
            "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n",
            self.code,
            if self.code < 400 { "OK" } else { "Refused" },
            self.content_type,
            self.body.len()
        );
        for warning in &self.warnings {
            let escaped = warning.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', " ");
            head.push_str(&format!("Warning: 299 - \"{escaped}\"\r\n"));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&self.body);
        connection.write_all(&bytes)?;
        connection.flush()
    }
}

/// An answer that goes on: one JSON document after the other.
#[derive(Debug)]
pub(crate) struct Stream<'a>(&'a mut TcpStream);

impl<'a> Stream<'a> {
    /// Sends the head.
    pub(crate) fn open(connection: &'a mut TcpStream) -> io::Result<Self> {
        connection.write_all(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
        )?;
        connection.flush()?;
        Ok(Self(connection))
    }

    /// Sends a document.
    pub(crate) fn send(&mut self, document: &Value) -> io::Result<()> {
        let line = format!("{document}\n");
        self.0.write_all(format!("{:x}\r\n{line}\r\n", line.len()).as_bytes())?;
        self.0.flush()
    }

    /// Sends the end.
    pub(crate) fn close(self) -> io::Result<()> {
        self.0.write_all(b"0\r\n\r\n")?;
        self.0.flush()
    }
}
