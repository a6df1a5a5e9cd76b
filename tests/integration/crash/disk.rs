//! A disk that loses its power: what was synced is there afterwards; of the rest anything may be, sector by sector.

use std::collections::BTreeMap;

use super::chance::Chance;
use super::trace::Done;

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// The files of one directory.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk {
    files: Vec<File>,
    /// The names as a program sees them, and as they are on the disk.
    names: BTreeMap<String, usize>,
    synced_names: BTreeMap<String, usize>,
    /// What happened to names since the directory was synced.
    renamed: Vec<Name>,
}

#[derive(Clone, Debug, Default)]
struct File {
    synced: Vec<u8>,
    since: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    Wrote { at: usize, bytes: Vec<u8> },
    Resized(usize),
}

#[derive(Clone, Debug)]
enum Name {
    Added(String, usize),
    Removed(String),
}

/// What is left of what was not synced.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Rest {
    Nothing,
    Everything,
    /// Any sectors of any files, and the first few changes of names, as a journal keeps them.
    Anything,
}

/// What a directory holds.
pub(super) type Image = BTreeMap<String, Vec<u8>>;

impl Disk {
    pub(super) fn perform(&mut self, done: &Done) {
        match done {
            Done::Created(name) => {
                if !self.names.contains_key(name) {
                    self.files.push(File::default());
                    self.names.insert(name.clone(), self.files.len() - 1);
                    self.renamed.push(Name::Added(name.clone(), self.files.len() - 1));
                }
            }
            Done::Wrote { name, at, bytes } => {
                self.file(name).since.push(Change::Wrote { at: *at, bytes: bytes.clone() });
            }
            Done::Resized { name, size } => self.file(name).since.push(Change::Resized(*size)),
            Done::Synced(name) => {
                let file = self.file(name);
                for change in std::mem::take(&mut file.since) {
                    change.apply(&mut file.synced);
                }
            }
            Done::SyncedDirectory => {
                self.synced_names.clone_from(&self.names);
                self.renamed.clear();
            }
            Done::Removed(name) => {
                self.names.remove(name);
                self.renamed.push(Name::Removed(name.clone()));
            }
            Done::Told(_) => {}
        }
    }

    #[track_caller]
    fn file(&mut self, name: &str) -> &mut File {
        &mut self.files[self.names[name]]
    }

    /// What is there when the power is back.
    pub(super) fn after_a_power_cut(&self, rest: Rest, chance: &mut Chance) -> Image {
        let renamed = match rest {
            Rest::Nothing => 0,
            Rest::Everything => self.renamed.len(),
            Rest::Anything => chance.within(0..self.renamed.len() as u64 + 1) as usize,
        };
        let mut names = self.synced_names.clone();
        for change in &self.renamed[..renamed] {
            match change {
                Name::Added(name, file) => drop(names.insert(name.clone(), *file)),
                Name::Removed(name) => drop(names.remove(name)),
            }
        }
        let content = |file: usize, chance: &mut Chance| self.files[file].after_a_power_cut(rest, chance);
        names.into_iter().map(|(name, file)| (name, content(file, chance))).collect()
    }
}

impl File {
    fn after_a_power_cut(&self, rest: Rest, chance: &mut Chance) -> Vec<u8> {
        let mut content = self.synced.clone();
        match rest {
            Rest::Nothing => {}
            Rest::Everything => self.since.iter().for_each(|change| change.apply(&mut content)),
            Rest::Anything => {
                // The size is that after some of the changes, and each sector as any of them left it.
                let share = [0, 10, 50, 90, 100][chance.within(0..5) as usize];
                let sized = chance.within(0..self.since.len() as u64 + 1) as usize;
                let mut size = content.len();
                for (place, change) in self.since.iter().enumerate() {
                    if place < sized {
                        size = change.size_after(size);
                    }
                    change.apply_some_sectors(&mut content, |chance| chance.percent(share), chance);
                }
                content.resize(size, 0);
            }
        }
        content
    }
}

impl Change {
    fn size_after(&self, size: usize) -> usize {
        match self {
            Self::Wrote { at, bytes } => size.max(at + bytes.len()),
            Self::Resized(size) => *size,
        }
    }

    fn apply(&self, content: &mut Vec<u8>) {
        content.resize(self.size_after(content.len()), 0);
        if let Self::Wrote { at, bytes } = self {
            content[*at..at + bytes.len()].copy_from_slice(bytes);
        }
    }

    fn apply_some_sectors(&self, content: &mut Vec<u8>, some: impl Fn(&mut Chance) -> bool, chance: &mut Chance) {
        let Self::Wrote { at, bytes } = self else { return };
        if content.len() < at + bytes.len() {
            content.resize(at + bytes.len(), 0);
        }
        let mut done = 0;
        while done < bytes.len() {
            let begin = at + done;
            let end = (begin / SECTOR + 1) * SECTOR;
            let length = (end - begin).min(bytes.len() - done);
            if some(chance) {
                content[begin..begin + length].copy_from_slice(&bytes[done..done + length]);
            }
            done += length;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrote(at: usize, bytes: &[u8]) -> Done {
        Done::Wrote { name: "f".into(), at, bytes: bytes.to_vec() }
    }

    #[test]
    fn only_what_was_synced_under_a_name_that_was_synced_survives_for_sure() {
        let mut chance = Chance::of_seed(1);
        let mut disk = Disk::default();
        for done in [Done::Created("f".into()), wrote(0, b"ab"), Done::Synced("f".into())] {
            disk.perform(&done);
        }
        assert!(disk.after_a_power_cut(Rest::Nothing, &mut chance).is_empty(), "the name is not synced");
        disk.perform(&Done::SyncedDirectory);
        disk.perform(&wrote(1, &[7; 1_024]));
        assert_eq!(disk.after_a_power_cut(Rest::Nothing, &mut chance)["f"], b"ab");
        assert_eq!(disk.after_a_power_cut(Rest::Everything, &mut chance)["f"].len(), 1_025);
        // Each sector is there or not.
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..200 {
            let content = disk.after_a_power_cut(Rest::Anything, &mut chance)["f"].clone();
            if content.len() == 1_025 {
                assert_eq!(content[0], b'a');
                assert!([&[0_u8, 7][..], &[b'b', 7]].iter().all(|of| of.contains(&content[511]) || content[511] == 0));
                seen.insert((content[511], content[512], content[1_024]));
            }
        }
        assert_eq!(seen.len(), 8, "{seen:?}");
        disk.perform(&Done::Removed("f".into()));
        assert!(disk.after_a_power_cut(Rest::Everything, &mut chance).is_empty());
        assert_eq!(disk.after_a_power_cut(Rest::Nothing, &mut chance)["f"], b"ab", "the removal is not synced");
    }
}
