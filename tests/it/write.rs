//! What writing a render to disk, and comparing it with the disk, promise.

use camino::{Utf8Path, Utf8PathBuf};
use nexafi_gen::render::FileSet;
use nexafi_gen::render::drift::{State, compare, diff};
use nexafi_gen::render::lock::{FILE_NAME, Lock, LockError, text_hash};
use nexafi_gen::render::write::{Conflict, ConflictReason, WriteError, Written, write};

/// A directory of its own for each test, and a render into its `out`.
struct Place {
    _home: tempfile::TempDir,
    home: Utf8PathBuf,
    out: Utf8PathBuf,
}

impl Place {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(home.path().canonicalize().unwrap()).unwrap();
        Self { _home: home, out: path.join("out"), home: path }
    }

    fn write(&self, files: &[(&str, &str)]) -> Result<Written, WriteError> {
        self.write_with(files, false)
    }

    fn write_with(&self, files: &[(&str, &str)], force: bool) -> Result<Written, WriteError> {
        let files = set(files);
        write(&self.out, &self.home, &files, &lock(&files), force)
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.out.join(path)).unwrap()
    }

    /// Every file below the home directory, with what it holds.
    fn everything(&self) -> Vec<(String, Vec<u8>)> {
        walkdir::WalkDir::new(&self.home)
            .sort_by_file_name()
            .into_iter()
            .map(|entry| entry.unwrap().into_path())
            .map(|path| {
                let bytes = if path.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
                (path.to_string_lossy().into_owned(), bytes)
            })
            .collect()
    }
}

fn set(files: &[(&str, &str)]) -> FileSet {
    files.iter().map(|(path, text)| ((*path).into(), text.as_bytes().to_vec())).collect()
}

fn lock(files: &FileSet) -> Lock {
    Lock::new(files, Utf8Path::new("../blueprint.yaml"), "name: test\n")
}

fn paths(names: &[&str]) -> Vec<Utf8PathBuf> {
    names.iter().map(Utf8PathBuf::from).collect()
}

fn modified(path: &Utf8Path) -> std::time::SystemTime {
    std::fs::metadata(path).unwrap().modified().unwrap()
}

#[test]
fn a_second_render_of_the_same_touches_nothing() {
    let place = Place::new();
    let files = [("README.md", "read me\n"), ("terraform/vpc.tf", "# vpc\n")];
    let first = place.write(&files).unwrap();
    assert_eq!(first.written, paths(&["README.md", FILE_NAME, "terraform/vpc.tf"]));
    let before = modified(&place.out.join("terraform/vpc.tf"));
    let second = place.write(&files).unwrap();
    assert_eq!(second.unchanged, first.written);
    assert_eq!((second.written, second.removed), (vec![], vec![]));
    assert_eq!(modified(&place.out.join("terraform/vpc.tf")), before);
}

#[test]
fn the_lock_is_sorted_and_names_everything() {
    let files = set(&[("b.tf", "b"), ("a/z.yaml", "z")]);
    insta::assert_snapshot!(String::from_utf8(lock(&files).to_bytes()).unwrap());
}

#[test]
fn a_checkout_with_crlf_has_the_same_blueprint_hash() {
    assert_eq!(text_hash("name: a\r\nowner: b\r\n"), text_hash("name: a\nowner: b\n"));
}

#[test]
fn files_no_longer_generated_go_and_so_do_directories_they_leave_empty() {
    let place = Place::new();
    place.write(&[("keep.tf", "1"), ("old/deep/gone.yaml", "2"), ("shared/gone.yaml", "3")]).unwrap();
    std::fs::write(place.out.join("shared/notes.txt"), "mine").unwrap();
    let written = place.write(&[("keep.tf", "1")]).unwrap();
    assert_eq!(written.removed, paths(&["old/deep/gone.yaml", "shared/gone.yaml"]));
    assert!(!place.out.join("old").exists());
    assert_eq!(place.read("shared/notes.txt"), "mine");
}

#[test]
fn a_file_changed_by_hand_is_never_overwritten_or_removed_silently() {
    let place = Place::new();
    place.write(&[("a.tf", "one"), ("b.tf", "one"), ("c.tf", "one")]).unwrap();
    std::fs::write(place.out.join("a.tf"), "by hand").unwrap();
    std::fs::write(place.out.join("c.tf"), "by hand").unwrap();
    std::fs::write(place.out.join("d.tf"), "my own").unwrap();
    let before = place.everything();

    let next = [("a.tf", "two"), ("b.tf", "two"), ("d.tf", "two")];
    let Err(WriteError::Changed(conflicts)) = place.write(&next) else { panic!("has to be refused") };
    let conflict = |path: &str, reason| Conflict { path: path.into(), reason };
    assert_eq!(
        conflicts,
        [
            conflict("a.tf", ConflictReason::ChangedByHand),
            conflict("d.tf", ConflictReason::NotGenerated),
            conflict("c.tf", ConflictReason::ChangedAndNoLongerGenerated),
        ]
    );
    assert_eq!(place.everything(), before, "b.tf could have been written, and was not: all or nothing");

    let written = place.write_with(&next, true).unwrap();
    assert_eq!(written.written, paths(&["a.tf", "b.tf", "d.tf", FILE_NAME]));
    assert_eq!(written.removed, paths(&["c.tf"]));
    assert_eq!(place.read("a.tf"), "two");
}

#[test]
fn a_change_by_hand_that_says_the_same_as_the_render_is_no_conflict() {
    let place = Place::new();
    place.write(&[("a.tf", "one")]).unwrap();
    std::fs::write(place.out.join("a.tf"), "two").unwrap();
    let written = place.write(&[("a.tf", "two")]).unwrap();
    assert_eq!(written.unchanged, paths(&["a.tf"]));
}

#[test]
fn what_stands_in_the_way_is_named_and_nothing_is_written() {
    let place = Place::new();
    std::fs::create_dir_all(place.out.join("b.tf")).unwrap();
    std::fs::write(place.out.join("terraform"), "a file").unwrap();
    let before = place.everything();
    for files in [[("a.tf", "1"), ("terraform/vpc.tf", "2")], [("a.tf", "1"), ("b.tf", "2")]] {
        for force in [false, true] {
            let failed = place.write_with(&files, force);
            assert!(matches!(failed, Err(WriteError::InTheWay { .. })), "{failed:?}");
            assert_eq!(place.everything(), before);
        }
    }
    let files = set(&[("a.tf", "1")]);
    let below_a_file = place.out.join("terraform/deeper");
    let failed = write(&below_a_file, &place.home, &files, &lock(&files), false);
    assert!(matches!(failed, Err(WriteError::InTheWay { .. })), "{failed:?}");
}

#[test]
fn paths_that_leave_the_directory_are_refused() {
    let place = Place::new();
    for path in ["../out.tf", "/etc/out.tf", "a/../../b.tf", ""] {
        let failed = place.write_with(&[(path, "1")], true);
        assert!(matches!(failed, Err(WriteError::BadPath(_))), "{path}: {failed:?}");
    }
    assert!(!place.out.exists());
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn scripts_are_executable_and_stay_so() {
        let place = Place::new();
        let files = [("scripts/deploy.sh", "#!/bin/sh\n"), ("a.tf", "1")];
        let mode = |path: &str| std::fs::metadata(place.out.join(path)).unwrap().permissions().mode() & 0o777;
        place.write(&files).unwrap();
        assert_eq!(mode("scripts/deploy.sh"), 0o755);
        assert_eq!(mode("a.tf") & 0o111, 0);
        let script = place.out.join("scripts/deploy.sh");
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o600)).unwrap();
        place.write(&files).unwrap();
        assert_eq!(mode("scripts/deploy.sh"), 0o755);
    }

    #[test]
    fn a_link_that_leaves_the_directory_is_refused_even_with_force() {
        let place = Place::new();
        let elsewhere = place.home.join("elsewhere");
        std::fs::create_dir_all(&elsewhere).unwrap();
        std::fs::write(elsewhere.join("precious.tf"), "precious").unwrap();
        std::fs::create_dir_all(&place.out).unwrap();
        symlink(&elsewhere, place.out.join("terraform")).unwrap();
        symlink(elsewhere.join("precious.tf"), place.out.join("file.tf")).unwrap();
        symlink("nowhere", place.out.join("dangling.tf")).unwrap();
        let before = place.everything();
        for path in ["terraform/vpc.tf", "terraform/precious.tf", "file.tf", "dangling.tf"] {
            for force in [false, true] {
                let failed = place.write_with(&[("a.tf", "1"), (path, "2")], force);
                assert!(matches!(failed, Err(WriteError::LeavesDirectory { .. })), "{path}: {failed:?}");
                assert_eq!(place.everything(), before);
            }
        }
    }

    #[test]
    fn the_output_directory_itself_may_not_lead_out_of_its_boundary() {
        let place = Place::new();
        let project = place.home.join("project");
        std::fs::create_dir_all(&project).unwrap();
        std::fs::create_dir_all(place.home.join("elsewhere")).unwrap();
        symlink("../elsewhere", project.join("generated")).unwrap();
        let files = set(&[("a.tf", "1")]);
        let failed = write(&project.join("generated/nexafi"), &project, &files, &lock(&files), true);
        assert!(matches!(failed, Err(WriteError::LeavesDirectory { .. })), "{failed:?}");
        assert!(!place.home.join("elsewhere/nexafi").exists());
    }

    #[test]
    fn a_link_inside_the_directory_takes_force_and_is_replaced_not_followed() {
        let place = Place::new();
        place.write(&[("real.tf", "real")]).unwrap();
        symlink("real.tf", place.out.join("link.tf")).unwrap();
        let next = [("real.tf", "real"), ("link.tf", "new")];
        assert!(matches!(place.write(&next), Err(WriteError::Changed(_))));
        place.write_with(&next, true).unwrap();
        assert_eq!((place.read("real.tf").as_str(), place.read("link.tf").as_str()), ("real", "new"));
        assert!(!place.out.join("link.tf").is_symlink());
    }
}

#[test]
fn a_lock_that_names_files_elsewhere_removes_nothing() {
    let place = Place::new();
    place.write(&[("a.tf", "1")]).unwrap();
    let precious = place.home.join("precious.txt");
    std::fs::write(&precious, "1").unwrap();
    let text = place.read(FILE_NAME).replace("\"a.tf\"", "\"../precious.txt\"");
    std::fs::write(place.out.join(FILE_NAME), text).unwrap();
    let failed = place.write(&[("b.tf", "1")]);
    assert!(matches!(failed, Err(WriteError::Lock(LockError::Damaged { .. }))), "{failed:?}");
    place.write_with(&[("b.tf", "1")], true).unwrap();
    assert!(precious.exists());
}

#[test]
fn a_damaged_lock_is_named_and_gives_way_only_to_force() {
    let place = Place::new();
    place.write(&[("a.tf", "1")]).unwrap();
    for text in ["", "{", "[]", "{\"schema\": \"nexafi-gen/lock/v2\"}", "\u{feff}not json"] {
        std::fs::write(place.out.join(FILE_NAME), text).unwrap();
        let failed = place.write(&[("a.tf", "1")]);
        assert!(matches!(failed, Err(WriteError::Lock(LockError::Damaged { .. }))), "{text}: {failed:?}");
    }
    place.write_with(&[("a.tf", "1")], true).unwrap();
    assert!(Lock::read(&place.out).unwrap().is_some());
}

#[test]
fn drift_names_drifted_missing_and_orphaned_files_and_leaves_foreign_ones_alone() {
    let place = Place::new();
    let old = [("drifted.tf", "1\n2\n3\n"), ("missing.tf", "1"), ("orphan.tf", "1"), ("same.tf", "1")];
    place.write(&old).unwrap();
    std::fs::write(place.out.join("drifted.tf"), "1\n2\nthree\n").unwrap();
    std::fs::remove_file(place.out.join("missing.tf")).unwrap();
    std::fs::write(place.out.join("foreign.txt"), "mine").unwrap();
    std::fs::create_dir_all(place.out.join("terraform/.terraform")).unwrap();
    std::fs::write(place.out.join("terraform/.terraform/plugin"), "bin").unwrap();
    let before = place.everything();

    let mut new = set(&[("drifted.tf", "1\n2\n3\n"), ("missing.tf", "1"), ("same.tf", "1")]);
    new.insert(FILE_NAME.into(), Lock::read(&place.out).unwrap().unwrap().to_bytes());
    let found = compare(&place.out, &new).unwrap();
    let words: Vec<String> = found
        .drift
        .iter()
        .map(|drift| match &drift.state {
            State::Drifted { line, .. } => format!("{} drifted in line {line}", drift.path),
            State::Missing => format!("{} missing", drift.path),
            State::Orphaned => format!("{} orphaned", drift.path),
        })
        .collect();
    assert_eq!(words, ["drifted.tf drifted in line 3", "missing.tf missing", "orphan.tf orphaned"]);
    assert_eq!(found.foreign, paths(&["foreign.txt"]));
    assert_eq!(place.everything(), before, "comparing writes nothing");
}

#[test]
fn nothing_on_disk_is_everything_missing() {
    let place = Place::new();
    let found = compare(&place.out, &set(&[("a.tf", "1"), ("b/c.tf", "2")])).unwrap();
    assert!(found.drift.iter().all(|drift| drift.state == State::Missing));
    assert_eq!(found.drift.len(), 2);
}

#[test]
fn every_change_of_one_byte_is_found_in_its_line() {
    let place = Place::new();
    let text = "first\nsecond\n\nlast";
    place.write(&[("a.tf", text)]).unwrap();
    let mut files = set(&[("a.tf", text)]);
    files.insert(FILE_NAME.into(), lock(&set(&[("a.tf", text)])).to_bytes());
    assert_eq!(compare(&place.out, &files).unwrap().drift, []);
    for at in 0..text.len() {
        let mut bytes = text.as_bytes().to_vec();
        bytes[at] ^= 0x80;
        std::fs::write(place.out.join("a.tf"), &bytes).unwrap();
        let found = compare(&place.out, &files).unwrap();
        let line = 1 + text[..at].matches('\n').count();
        assert_eq!(found.drift.len(), 1);
        assert_eq!(found.drift[0].state, State::Drifted { line, disk: bytes });
    }
}

#[test]
fn a_diff_goes_from_the_disk_to_the_render() {
    let text = diff(Utf8Path::new("out/a.tf"), b"same\nby hand\n", b"same\nrendered\n").unwrap();
    assert_eq!(
        text,
        "--- out/a.tf (on disk)\n+++ out/a.tf (rendered)\n@@ -1,2 +1,2 @@\n same\n-by hand\n+rendered\n"
    );
    assert_eq!(diff(Utf8Path::new("a"), &[0xff], b"x"), None);
}
