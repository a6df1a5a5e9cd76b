//! The house rules that a compiler does not check.

mod manifests;
mod paths;
mod rooms;

use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
