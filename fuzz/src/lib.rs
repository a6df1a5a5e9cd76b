//! What each fuzz target does with its bytes, and what must hold whatever they are.
//!
//! The binaries in `fuzz_targets/` hand over libFuzzer's bytes, one target each; the test below replays the committed
//! seeds. A check that fails panics, which is how libFuzzer and the test are told.

pub mod answer;
pub mod config;
pub mod ledger_file;
pub mod ledger_row;
pub mod printable;
pub mod service_text;
pub mod simulator;
pub mod track;
pub mod words;

/// What a target does with its bytes.
pub type Target = fn(&[u8]);

/// Every target by its name, which is that of its binary and of its directory of seeds.
pub const TARGETS: [(&str, Target); 9] = [
    ("answer", answer::fuzz),
    ("config", config::fuzz),
    ("ledger_file", ledger_file::fuzz),
    ("ledger_row", ledger_row::fuzz),
    ("service_text", service_text::fuzz),
    ("simulator_files", simulator::files),
    ("simulator_request", simulator::request),
    ("track", track::fuzz),
    ("words", words::fuzz),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::TARGETS;

    fn names_in(directory: &str) -> BTreeSet<String> {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
        let paths = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        paths.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn every_target_has_a_binary_and_seeds_of_its_name() {
        let names: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(names_in("fuzz_targets"), names);
        assert_eq!(names_in("seeds"), names);
    }

    #[test]
    fn every_seed_keeps_every_promise() {
        for (name, target) in TARGETS {
            let seeds = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(name)).unwrap();
            let mut count = 0;
            for seed in seeds {
                let path = seed.unwrap().path();
                eprintln!("{}", path.display());
                target(&std::fs::read(path).unwrap());
                count += 1;
            }
            assert!(count > 0, "{name} has no seed");
        }
    }
}
