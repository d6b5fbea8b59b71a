//! Kustomizations among the inputs: which of them are judged, and what they may read.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use crate::kubernetes::kustomize::{self, Build, Files, Place};
use crate::source::{FileId, SourceFile, Sources};

use super::Surroundings;
use super::inputs::Inputs;
use super::origin::Origins;
use super::paths::normalise;
use super::reading::{LARGEST_FILE, bounded};

/// The kustomizations of a run, built.
#[derive(Debug, Default)]
pub(super) struct Kustomized {
    /// Those that no other one is made of.
    pub(super) builds: Vec<Build>,
    /// Every file that one of them is made of, for the list of inputs.
    pub(super) files: BTreeSet<FileId>,
}

/// Builds every kustomization among the inputs that no other one is made of, and takes the files of these out of the
/// manifests that are judged as they lie there. `named` are files that were named one by one: the kustomization they
/// belong to is read with them. What a render wrote stays as it is: it is judged beside its lock.
pub(super) fn build(
    inputs: &mut Inputs,
    paths: &[Utf8PathBuf],
    named: &[FileId],
    surroundings: &Surroundings,
) {
    let mut origins = Origins::default();
    let mut directories: Vec<Utf8PathBuf> = inputs.kustomizations.clone();
    directories
        .retain(|directory| origins.directory(&directory.join("kustomization.yaml"), surroundings).is_none());
    if directories.is_empty() && named.is_empty() {
        return;
    }
    let names: Vec<Utf8PathBuf> =
        named.iter().filter_map(|id| inputs.sources.get(*id)).map(|file| file.path().to_owned()).collect();
    let ids =
        inputs.sources.iter().map(|(id, file)| (normalise(&surroundings.on_disk(file.path())), id)).collect();
    let mut disk = Disk { sources: &mut inputs.sources, surroundings, within: Utf8PathBuf::new(), ids };
    let mut built: BTreeMap<Utf8PathBuf, Build> = BTreeMap::new();
    for directory in &directories {
        let Some(real) = real(&surroundings.on_disk(directory)) else { continue };
        disk.within = working_tree(&real, paths, surroundings);
        built.entry(real).or_insert_with(|| kustomize::build(directory, &mut disk));
    }
    for path in names {
        if origins.directory(&path, surroundings).is_none() {
            around(&path, paths, &mut disk, &mut built);
        }
    }
    drop(disk);
    // Asking the disk where ten thousand files really are takes longer than judging them.
    if built.is_empty() {
        return;
    }
    let roots = roots(&built);
    // Files that only an unused component has are patches as often as objects: they are not judged without their base.
    let belong: BTreeSet<&Utf8PathBuf> = (built.iter())
        .filter(|(directory, build)| build.component || roots.contains(*directory))
        .flat_map(|(_, build)| &build.files)
        .collect();
    let sources = &inputs.sources;
    let mut belongs = |id: FileId| {
        let path = sources.get(id).map(SourceFile::path)?;
        let path = real(&surroundings.on_disk(path))?;
        (belong.contains(&path) && origins.directory(&path, surroundings).is_none()).then_some(())
    };
    let mut kustomized = Kustomized::default();
    inputs.manifests.retain(|id| belongs(*id).is_none());
    kustomized.files = sources.iter().map(|(id, _)| id).filter(|id| belongs(*id).is_some()).collect();
    for (directory, build) in built {
        if build.component && !roots.contains(&directory) {
            inputs
                .details
                .push(format!("passed over: {directory}: a component, judged where a kustomization uses it"));
        }
        if !roots.contains(&directory) {
            continue;
        }
        for warning in &build.warnings {
            if !inputs.warnings.contains(warning) {
                inputs.warnings.push(warning.clone());
            }
        }
        kustomized.builds.push(build);
    }
    inputs.kustomized = kustomized;
}

/// The kustomization that a file belongs to: the nearest one around it that is made of it.
fn around(
    path: &Utf8Path,
    paths: &[Utf8PathBuf],
    disk: &mut Disk<'_>,
    built: &mut BTreeMap<Utf8PathBuf, Build>,
) {
    let surroundings = disk.surroundings;
    let Some(file) = real(&surroundings.on_disk(path)) else { return };
    for directory in path.ancestors().skip(1) {
        let directory = if directory == "" { Utf8Path::new(".") } else { directory };
        let Some(place) = real(&surroundings.on_disk(directory)) else { continue };
        disk.within = working_tree(&place, paths, surroundings);
        if kustomize::file_of(directory, disk).is_none() {
            continue;
        }
        let build = kustomize::build(directory, disk);
        if build.files.contains(&file) {
            built.entry(place).or_insert(build);
            return;
        }
    }
}

/// Those that no other one is made of. Of a circle the last one stays: it says that it is one.
fn roots(built: &BTreeMap<Utf8PathBuf, Build>) -> BTreeSet<Utf8PathBuf> {
    let mut roots: BTreeSet<Utf8PathBuf> =
        built.iter().filter(|(_, build)| !build.component).map(|(directory, _)| directory.clone()).collect();
    for directory in built.keys() {
        let used = roots
            .iter()
            .filter(|other| *other != directory)
            .any(|other| built.get(other).is_some_and(|build| build.directories.contains(directory)));
        if used {
            roots.remove(directory);
        }
    }
    roots
}

fn real(path: &Utf8Path) -> Option<Utf8PathBuf> {
    path.canonicalize_utf8().ok()
}

/// What a kustomization may read: the repository it lies in; without one the working directory, or what was named on the
/// command line.
fn working_tree(directory: &Utf8Path, paths: &[Utf8PathBuf], surroundings: &Surroundings) -> Utf8PathBuf {
    if let Some(repository) = directory.ancestors().find(|above| above.join(".git").exists()) {
        return repository.to_owned();
    }
    let here = real(&surroundings.directory).into_iter();
    let named = paths.iter().filter_map(|path| real(&surroundings.on_disk(path)));
    here.chain(named).find(|above| directory.starts_with(above)).unwrap_or_else(|| directory.to_owned())
}

/// The disk, as far as it is within reach.
struct Disk<'a> {
    sources: &'a mut Sources,
    surroundings: &'a Surroundings,
    /// Nothing outside of this directory is read.
    within: Utf8PathBuf,
    ids: BTreeMap<Utf8PathBuf, FileId>,
}

impl Files for Disk<'_> {
    fn place(&self, path: &Utf8Path) -> Place {
        let path = self.surroundings.on_disk(path);
        match path.canonicalize_utf8() {
            Ok(real) if !real.starts_with(&self.within) => Place::Outside,
            Ok(real) if real.is_dir() => Place::Directory(real),
            Ok(real) if real.is_file() => Place::File(real),
            Err(error)
                if error.kind() != std::io::ErrorKind::NotFound
                    && path.ancestors().any(Utf8Path::is_symlink) =>
            {
                Place::Loop
            }
            Ok(_) | Err(_) => Place::Missing,
        }
    }

    fn read(&mut self, path: &Utf8Path) -> Result<FileId, String> {
        let on_disk = normalise(&self.surroundings.on_disk(path));
        if let Some(id) = self.ids.get(&on_disk) {
            return Ok(*id);
        }
        let text = String::from_utf8(self.bytes(path)?).map_err(|_| "it is not UTF-8 text".to_owned())?;
        let id = self.sources.add(SourceFile::new(path, text));
        self.ids.insert(on_disk, id);
        Ok(id)
    }

    fn bytes(&mut self, path: &Utf8Path) -> Result<Vec<u8>, String> {
        let bytes = bounded(&self.surroundings.on_disk(path), 0).map_err(|error| error.to_string())?;
        bytes.ok_or_else(|| format!("it has more than {} MiB", LARGEST_FILE / 1024 / 1024))
    }

    fn file(&self, id: FileId) -> Option<&SourceFile> {
        self.sources.get(id)
    }
}
