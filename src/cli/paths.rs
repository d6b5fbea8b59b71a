//! Paths as people type them, and how one lies relative to another.

use camino::{Utf8Path, Utf8PathBuf};

pub(super) use crate::source::{normalise, relative};

/// A path as the user would type it: relative to the working directory if it lies below, absolute otherwise.
pub(super) fn as_typed(path: &Utf8Path, working_directory: &Utf8Path) -> Utf8PathBuf {
    let path = normalise(path);
    path.strip_prefix(working_directory).map(Utf8Path::to_owned).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_climb_as_far_as_needed() {
        let cases = [
            ("/home/a/blueprints/b.yaml", "/home/a/generated/b", "../../blueprints/b.yaml"),
            ("/home/a/b.yaml", "/home/a", "b.yaml"),
            ("/home/a/./x/../b.yaml", "/home/a/out", "../b.yaml"),
            ("/b.yaml", "/out", "../b.yaml"),
        ];
        for (path, directory, expected) in cases {
            assert_eq!(relative(path.into(), directory.into()), expected, "{path} from {directory}");
        }
    }

    #[test]
    fn normalising_never_climbs_above_the_root() {
        for (path, expected) in
            [("/../a", "/a"), ("a/../../b", "../b"), ("./a/./b", "a/b"), ("../../a", "../../a")]
        {
            assert_eq!(normalise(path.into()), expected);
        }
    }
}
