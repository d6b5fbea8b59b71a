//! The command line of `nexafi-gen`.

fn main() {}
