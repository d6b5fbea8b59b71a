//! Failures in the middle of a write, which only a rename that fails on command can show.

use super::*;

fn snapshot(directory: &Utf8Path) -> FileSet {
    walkdir::WalkDir::new(directory)
        .into_iter()
        .map(|entry| Utf8PathBuf::from_path_buf(entry.unwrap().into_path()).unwrap())
        .map(|path| {
            let bytes = if path.is_dir() { b"(directory)".to_vec() } else { std::fs::read(&path).unwrap() };
            (path, bytes)
        })
        .collect()
}

fn files(entries: &[(&str, &str)]) -> FileSet {
    entries.iter().map(|(path, text)| ((*path).into(), text.as_bytes().to_vec())).collect()
}

#[test]
fn a_failure_at_any_rename_leaves_everything_as_it_was() {
    let before = files(&[("README.md", "one"), ("terraform/vpc.tf", "one"), ("old/gone.tf", "one")]);
    let after = files(&[("README.md", "two"), ("terraform/vpc.tf", "two"), ("new/deep/there.yaml", "two")]);
    let mut failures = 0;
    for failing in 0.. {
        let home = tempfile::tempdir().unwrap();
        let home = Utf8Path::from_path(home.path()).unwrap();
        let out = home.join("out");
        write(&out, home, &before, &Lock::new(&before, "b.yaml".into(), "before"), false).unwrap();
        let expected = snapshot(home);
        let mut calls = 0;
        let result = write_with(
            &out,
            home,
            &after,
            &Lock::new(&after, "b.yaml".into(), "after"),
            false,
            &mut |from, to| {
                calls += 1;
                if calls == failing + 1 {
                    return Err(io::Error::other("injected"));
                }
                std::fs::rename(from, to)
            },
        );
        if result.is_ok() {
            assert!(!out.join("old").exists(), "the emptied directory goes too");
            break;
        }
        failures += 1;
        assert_eq!(snapshot(home), expected, "after a failure at rename {failing}");
    }
    // Two replaced files and the lock: away and in; one removed; one new.
    assert_eq!(failures, 8);
}

#[test]
fn a_failed_first_render_leaves_no_directory_behind() {
    let home = tempfile::tempdir().unwrap();
    let home = Utf8Path::from_path(home.path()).unwrap();
    let set = files(&[("a/b/c.tf", "text")]);
    let lock = Lock::new(&set, "b.yaml".into(), "");
    let failed = write_with(&home.join("x/out"), home, &set, &lock, false, &mut |_, _| {
        Err(io::Error::other("injected"))
    });
    assert!(matches!(failed, Err(WriteError::Disk { .. })), "{failed:?}");
    assert_eq!(snapshot(home).len(), 1, "only the home directory itself");
}

#[test]
fn when_even_putting_back_fails_the_old_files_are_kept_and_named() {
    let home = tempfile::tempdir().unwrap();
    let home = Utf8Path::from_path(home.path()).unwrap();
    let (before, after) = (files(&[("a.tf", "one")]), files(&[("a.tf", "two")]));
    write(home, home, &before, &Lock::new(&before, "b.yaml".into(), ""), false).unwrap();
    let mut calls = 0;
    let lock = Lock::new(&after, "b.yaml".into(), "");
    let failed = write_with(home, home, &after, &lock, false, &mut |from, to| {
        calls += 1;
        if calls > 1 { Err(io::Error::other("injected")) } else { std::fs::rename(from, to) }
    });
    let Err(WriteError::Stuck { kept, .. }) = failed else { unreachable!("{failed:?}") };
    assert_eq!(snapshot(&kept).get(&kept.join("old-0")).map(Vec::as_slice), Some(&b"one"[..]));
}
