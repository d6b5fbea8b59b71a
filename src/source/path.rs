//! Paths by their letters.

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

/// The path without `.`, and with every `..` taken back where there is something to take back. By the letters only:
/// nothing is looked up on disk.
pub fn normalise(path: &Utf8Path) -> Utf8PathBuf {
    let mut normal = Utf8PathBuf::new();
    for part in path.components() {
        match part {
            Utf8Component::CurDir => {}
            Utf8Component::ParentDir => match normal.components().next_back() {
                Some(Utf8Component::Normal(_)) => {
                    normal.pop();
                }
                Some(Utf8Component::RootDir | Utf8Component::Prefix(_)) => {}
                _ => normal.push(".."),
            },
            _ => normal.push(part),
        }
    }
    normal
}

/// `path` as seen from `directory`; both absolute.
pub fn relative(path: &Utf8Path, directory: &Utf8Path) -> Utf8PathBuf {
    let (path, directory) = (normalise(path), normalise(directory));
    let shared =
        path.components().zip(directory.components()).take_while(|(left, right)| left == right).count();
    let up = directory.components().skip(shared).map(|_| Utf8Component::ParentDir);
    up.chain(path.components().skip(shared)).collect()
}
