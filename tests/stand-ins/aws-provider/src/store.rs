//! What stands for the cloud: the objects that were created, by region and type.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use crate::value::Value;

/// Objects by region, type and id. With a directory, they outlive the process, and the processes of several provider
/// aliases see each other's; each object is a file of its own, so that they need no lock.
#[derive(Debug)]
pub struct Store {
    directory: Option<PathBuf>,
    /// Objects of this process when there is no directory.
    memory: Mutex<BTreeMap<PathBuf, Value>>,
}

impl Store {
    /// A store in a directory, or in memory.
    pub fn new(directory: Option<PathBuf>) -> Self {
        Self { directory, memory: Mutex::default() }
    }

    /// Whether objects outlive the process.
    pub fn lasts(&self) -> bool {
        self.directory.is_some()
    }

    fn place(region: &str, type_: &str, id: &str) -> PathBuf {
        [region, type_, &digits(id)[..24]].iter().collect()
    }

    /// An object.
    pub fn get(&self, region: &str, type_: &str, id: &str) -> Option<Value> {
        let place = Self::place(region, type_, id);
        match &self.directory {
            Some(directory) => object(&fs::read(directory.join(place)).ok()?),
            None => self.memory.lock().unwrap_or_else(PoisonError::into_inner).get(&place).cloned(),
        }
    }

    /// Keeps an object.
    ///
    /// # Errors
    /// The disk's.
    pub fn put(&self, region: &str, type_: &str, id: &str, object: &Value) -> std::io::Result<()> {
        let place = Self::place(region, type_, id);
        let Some(directory) = &self.directory else {
            self.memory.lock().unwrap_or_else(PoisonError::into_inner).insert(place, object.clone());
            return Ok(());
        };
        let path = directory.join(place);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        // Renamed into place: another alias's process never reads half an object.
        let fresh = path.with_extension("new");
        fs::write(&fresh, object.to_json().to_string())?;
        fs::rename(fresh, path)
    }

    /// Forgets an object.
    pub fn remove(&self, region: &str, type_: &str, id: &str) {
        let place = Self::place(region, type_, id);
        match &self.directory {
            // Gone already is as good.
            Some(directory) => drop(fs::remove_file(directory.join(place))),
            None => drop(self.memory.lock().unwrap_or_else(PoisonError::into_inner).remove(&place)),
        }
    }

    /// All objects of a type in a region, in a stable order.
    pub fn all(&self, region: &str, type_: &str) -> Vec<Value> {
        let Some(directory) = &self.directory else {
            let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
            let parent = PathBuf::from(region).join(type_);
            return memory
                .iter()
                .filter(|(place, _)| place.starts_with(&parent))
                .map(|(_, value)| value.clone())
                .collect();
        };
        #[expect(clippy::disallowed_methods, reason = "sorted right here")]
        let Ok(entries) = fs::read_dir(directory.join(region).join(type_)) else { return Vec::new() };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_none());
        paths.sort();
        paths.iter().filter_map(|path| object(&fs::read(path).ok()?)).collect()
    }
}

/// 64 digits that a text always gets, and no other.
pub fn digits(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"))
}

fn object(bytes: &[u8]) -> Option<Value> {
    serde_json::from_slice(bytes).ok().map(Value::from_json)
}
