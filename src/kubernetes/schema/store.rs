//! The embedded definitions: which chunk, which line, unpacked when first asked for.

use std::io::Read;
use std::ops::Range;
use std::sync::OnceLock;

static DATA: &[u8] = include_bytes!("../../../schemas/kubernetes.bin");

/// The embedded definitions.
pub(super) struct Store {
    /// Versions, oldest first.
    pub(super) versions: Vec<String>,
    chunks: Vec<Chunk>,
}

/// A kind that an API version serves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Served {
    pub(super) api_version: &'static str,
    pub(super) kind: &'static str,
    pub(super) mask: u32,
    pub(super) definition: &'static str,
}

/// One field of a definition.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) required: bool,
    /// The type, as the module's documentation writes it.
    pub(super) type_: &'static str,
}

/// What a definition is.
#[derive(Debug)]
pub(super) enum Definition {
    Fields(Vec<Field>),
    /// Another name for a type.
    Alias(&'static str),
}

struct Chunk {
    name: &'static str,
    bytes: Range<usize>,
    text: OnceLock<String>,
    lines: OnceLock<Vec<Range<usize>>>,
}

impl Chunk {
    fn text(&self) -> &str {
        self.text.get_or_init(|| {
            let mut text = String::new();
            let packed = DATA.get(self.bytes.clone()).unwrap_or_default();
            // The data is part of the binary; a test reads every chunk, so that a damaged one never ships.
            match flate2::read::DeflateDecoder::new(packed).read_to_string(&mut text) {
                Ok(_) => text,
                Err(_) => String::new(),
            }
        })
    }

    fn lines(&self) -> impl Iterator<Item = &str> {
        self.line_ranges().iter().map(|range| self.text().get(range.clone()).unwrap_or(""))
    }

    fn line_ranges(&self) -> &[Range<usize>] {
        self.lines.get_or_init(|| {
            let mut start = 0;
            self.text()
                .split_inclusive('\n')
                .map(|line| {
                    let range = start..start + line.trim_end_matches('\n').len();
                    start += line.len();
                    range
                })
                .collect()
        })
    }
}

/// The store, its index read once.
pub(super) fn store() -> &'static Store {
    static STORE: OnceLock<Store> = OnceLock::new();
    STORE.get_or_init(|| {
        let end = DATA.windows(2).position(|pair| pair == b"\n\n").unwrap_or(0);
        let header = DATA.get(..end).and_then(|head| std::str::from_utf8(head).ok()).unwrap_or("");
        let mut versions = Vec::new();
        let mut chunks = Vec::new();
        let mut at = end + 2;
        for line in header.lines() {
            let mut words = line.split(' ');
            match words.next() {
                Some("versions") => versions = words.map(str::to_owned).collect(),
                Some("chunk") => {
                    let name = words.next().unwrap_or("");
                    let length = words.next().and_then(|number| number.parse().ok()).unwrap_or(0);
                    chunks.push(Chunk {
                        name,
                        bytes: at..at + length,
                        text: OnceLock::new(),
                        lines: OnceLock::new(),
                    });
                    at += length;
                }
                _ => {}
            }
        }
        Store { versions, chunks }
    })
}

/// Major and minor number of `1.34`, `v1.34.2`.
pub(super) fn number(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.trim_start_matches('v').split('.');
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next().unwrap_or("0").parse().ok()?;
    Some((major, minor))
}

impl Store {
    /// The version whose definitions are used for a version: the newest that is not newer, or else the oldest
    /// there is; for a text that is no version the newest.
    pub(super) fn nearest(&self, version: &str) -> usize {
        let last = self.versions.len().saturating_sub(1);
        let Some(wanted) = number(version) else { return last };
        self.versions
            .iter()
            .rposition(|known| number(known).is_some_and(|known| known <= wanted))
            .unwrap_or_default()
    }

    /// The mask bit of a version.
    pub(super) fn bit(&self, version: &str) -> u32 {
        1 << self.nearest(version)
    }

    fn chunk(&self, name: &str) -> Option<&Chunk> {
        self.chunks.iter().find(|chunk| chunk.name == name)
    }

    /// Every kind of Kubernetes' own.
    pub(super) fn kinds(&'static self) -> impl Iterator<Item = Served> {
        self.chunk("kinds").into_iter().flat_map(Chunk::lines).filter_map(|line| {
            let mut words = line.split(' ');
            Some(Served {
                api_version: words.next()?,
                kind: words.next()?,
                mask: words.next()?.parse().ok()?,
                definition: words.next()?,
            })
        })
    }

    /// A definition by its full name.
    pub(super) fn definition(&'static self, name: &str, bit: u32) -> Option<Definition> {
        let (chunk, short) = name.rsplit_once('.')?;
        let chunk = self.chunk(chunk)?;
        let text = chunk.text();
        let lines = chunk.line_ranges();
        let name_of =
            |range: &Range<usize>| text.get(range.clone()).unwrap_or("").split(' ').next().unwrap_or("");
        let first = lines.partition_point(|range| name_of(range) < short);
        lines.get(first..)?.iter().take_while(|range| name_of(range) == short).find_map(|range| {
            let mut words = text.get(range.clone())?.split(' ').skip(1);
            let mask: u32 = words.next()?.parse().ok()?;
            (mask & bit != 0).then(|| read_definition(words))
        })
    }
}

fn read_definition(words: impl Iterator<Item = &'static str>) -> Definition {
    let mut fields = Vec::new();
    for word in words {
        match word.split_once(':') {
            Some((name, type_)) => {
                let required = type_.starts_with('!');
                fields.push(Field { name, required, type_: type_.trim_start_matches('!') });
            }
            None => return Definition::Alias(word),
        }
    }
    Definition::Fields(fields)
}
