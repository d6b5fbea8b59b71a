//! Each step of a `lint` by itself, on the corpora of `measure.py`: `cargo bench`, or `cargo bench -- judge` for some of
//! them. What a run takes from its start to its end `measure.py` says.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a benchmark says what is wrong by failing, and its attribute writes functions without documentation"
)]

use std::collections::BTreeMap;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use nexafi_gen::kubernetes::{self, Object};
use nexafi_gen::policy::{self, Catalogue, Shelf, World};
use nexafi_gen::source::{FileId, SourceFile, Sources, yaml};
use nexafi_gen::terraform::{self, Module, Tree};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const VARIABLES: &str = include_str!("corpus/variables.tf.in");
/// Ten resources.
const BLOCKS: &str = include_str!("corpus/blocks.tf.in");
const MANIFEST: &str = include_str!("corpus/manifest.yaml.in");
/// Namespaces of the manifests.
const SPACES: usize = 50;

fn main() {
    divan::main();
}

/// A module of so many resources, in one file.
fn module_text(resources: usize) -> String {
    let pieces = (0..resources / 10).map(|at| BLOCKS.replace("@N@", &at.to_string()));
    std::iter::once(VARIABLES.to_owned()).chain(pieces).collect()
}

fn manifest_text(at: usize) -> String {
    MANIFEST.replace("@N@", &at.to_string()).replace("@S@", &(at % SPACES).to_string())
}

fn module_sources(resources: usize) -> (Sources, FileId) {
    let mut sources = Sources::default();
    let id = sources.add(SourceFile::new("main.tf", module_text(resources)));
    (sources, id)
}

fn manifest_sources(count: usize) -> Sources {
    let mut sources = Sources::default();
    for at in 0..count {
        sources.add(SourceFile::new(format!("app-{at}.yaml"), manifest_text(at)));
    }
    sources
}

fn read_manifests(sources: &Sources) -> Vec<Object> {
    sources.iter().flat_map(|(id, file)| kubernetes::read(id, file).0).collect()
}

fn size(sources: &Sources) -> BytesCount {
    BytesCount::new(sources.iter().map(|(_, file)| file.text().len()).sum::<usize>())
}

/// The policies that concern an input, read and their expressions compiled, as a run has them once it is warm.
fn warm(world: &World<'_>) -> Shelf {
    let shelf = Shelf::default();
    policy::evaluate(&shelf.concerning(world), world);
    shelf
}

#[divan::bench(args = [50, 500, 5000])]
fn parse_a_module(bencher: Bencher, resources: usize) {
    let (sources, id) = module_sources(resources);
    bencher.counter(size(&sources)).bench_local(|| terraform::parse(&sources, &[id]));
}

#[divan::bench(args = [50, 500, 5000])]
fn evaluate_a_module(bencher: Bencher, resources: usize) {
    let (sources, id) = module_sources(resources);
    let tree = Tree::alone(terraform::parse(&sources, &[id]));
    let given = BTreeMap::new();
    bencher.counter(ItemsCount::new(resources)).bench_local(|| terraform::evaluate(&sources, &tree, &given));
}

#[divan::bench(args = [50, 500, 5000])]
fn check_a_module_against_the_schema(bencher: Bencher, resources: usize) {
    let (sources, id) = module_sources(resources);
    let (module, _) = terraform::read(&sources, &[id]);
    bencher.counter(ItemsCount::new(resources)).bench_local(|| terraform::schema::check(&module));
}

#[divan::bench(args = [50, 500, 5000])]
fn judge_a_module(bencher: Bencher, resources: usize) {
    let (sources, id) = module_sources(resources);
    let (module, _): (Module, _) = terraform::read(&sources, &[id]);
    let world = World { module: Some(&module), count_passes: true, ..World::new(&sources) };
    let shelf = warm(&world);
    let policies = shelf.concerning(&world);
    bencher.counter(ItemsCount::new(resources)).bench_local(|| policy::evaluate(&policies, &world));
}

#[divan::bench(args = [100, 1000, 10_000])]
fn read_manifests_as_yaml(bencher: Bencher, count: usize) {
    let sources = manifest_sources(count);
    bencher
        .counter(size(&sources))
        .bench_local(|| sources.iter().map(|(id, file)| yaml::read(id, file).documents.len()).sum::<usize>());
}

#[divan::bench(args = [100, 1000, 10_000])]
fn check_manifests_against_the_schema(bencher: Bencher, count: usize) {
    let sources = manifest_sources(count);
    let objects = read_manifests(&sources);
    bencher.counter(ItemsCount::new(count)).bench_local(|| {
        objects.iter().map(|object| kubernetes::schema::check(object, "1.34").len()).sum::<usize>()
    });
}

#[divan::bench(args = [100, 1000, 10_000])]
fn judge_manifests(bencher: Bencher, count: usize) {
    let sources = manifest_sources(count);
    let objects = read_manifests(&sources);
    let world = World { objects: &objects, count_passes: true, ..World::new(&sources) };
    let shelf = warm(&world);
    let policies = shelf.concerning(&world);
    bencher.counter(ItemsCount::new(count)).bench_local(|| policy::evaluate(&policies, &world));
}

#[divan::bench]
fn read_the_whole_catalogue(bencher: Bencher) {
    bencher.bench_local(Catalogue::judging);
}

#[divan::bench(args = [50])]
fn read_the_policies_of_a_module(bencher: Bencher, resources: usize) {
    let (sources, id) = module_sources(resources);
    let (module, _) = terraform::read(&sources, &[id]);
    let world = World { module: Some(&module), ..World::new(&sources) };
    bencher.bench_local(|| Shelf::default().concerning(&world).len());
}
