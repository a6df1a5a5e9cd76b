//! Reads what strace wrote down: what was done to the files of one directory, and what was written to stdout, in order.

use std::collections::HashMap;
use std::path::Path;

/// Something that was done.
#[derive(Clone, Debug)]
pub(super) enum Done {
    /// A name was opened to be made where there was none.
    Created(String),
    /// Bytes were handed over to a file.
    Wrote {
        name: String,
        at: usize,
        bytes: Vec<u8>,
    },
    Resized {
        name: String,
        size: usize,
    },
    /// What was handed over before is on the disk now.
    Synced(String),
    /// The names of the directory are.
    SyncedDirectory,
    Removed(String),
    /// Bytes were handed over to whoever reads the log.
    Told(Vec<u8>),
}

/// Files that no power cut can harm: SQLite makes the shared memory anew, and a lock is no content.
const WITHOUT_CONTENT: [&str; 2] = ["-shm", ".lock"];

/// Everything that one process did in `directory`.
pub(super) fn read(trace: &Path, directory: &Path) -> Vec<Done> {
    let text = std::fs::read_to_string(trace).unwrap();
    let directory = directory.canonicalize().unwrap();
    let reader = Reader { directory: directory.to_str().unwrap().to_owned() };
    let mut begun: HashMap<&str, (String, usize)> = HashMap::new();
    let mut done: Vec<Option<Done>> = Vec::new();
    for line in text.lines() {
        let (thread, call) = line.split_once(' ').unwrap();
        let call = call.trim_start();
        if let Some(head) = call.strip_suffix(" <unfinished ...>") {
            // Bytes may be on their way from here on; all else has happened when it has ended.
            begun.insert(thread, (head.to_owned(), done.len()));
            done.push(None);
        } else if let Some(tail) = call.strip_prefix("<... ") {
            let (head, place) = begun.remove(thread).expect("what ends has begun");
            let tail = tail.split_once(" resumed>").unwrap().1;
            match reader.done(&format!("{head}{tail}")) {
                Some(early @ (Done::Wrote { .. } | Done::Told(_) | Done::Resized { .. })) => done[place] = Some(early),
                late => done.push(late),
            }
        } else {
            done.push(reader.done(call));
        }
    }
    // A process that was killed had bytes on their way: whether they are written is not known, so they may be.
    for (head, place) in begun.into_values() {
        if head.starts_with("pwrite64(") || head.starts_with("write(") {
            done[place] = reader.done(&format!("{head}) = {}", usize::MAX));
        }
    }
    done.into_iter().flatten().collect()
}

struct Reader {
    directory: String,
}

impl Reader {
    /// One call that has ended: `pwrite64(7<path>, "bytes", 4, 0) = 4`. What failed was not done.
    fn done(&self, call: &str) -> Option<Done> {
        // A process was killed at its beginning: the call was not done, and its number may be no number.
        if call.trim_end().ends_with("<detached ...>") {
            return None;
        }
        let parts = call.split_once('(').and_then(|(name, rest)| Some((name, rest.rsplit_once(" = ")?)));
        let (name, (arguments, result)) = parts.unwrap_or_else(|| panic!("no call: {call}"));
        if result.starts_with('-') || result.starts_with('?') {
            return None;
        }
        let arguments: Vec<&str> =
            arguments.trim_end().strip_suffix(')').expect("the end of a call").split(", ").collect();
        if name == "write" && arguments[0].starts_with("1<") {
            return Some(Done::Told(bytes(arguments[1])));
        }
        let of = |argument: &str| -> Option<String> {
            let path = String::from_utf8(bytes(argument)).unwrap();
            let inside = path.strip_prefix(&self.directory)?;
            let inside = inside.strip_prefix('/').unwrap_or(inside);
            let content = !WITHOUT_CONTENT.iter().any(|suffix| inside.ends_with(suffix));
            // A file that was removed has no name to come back under.
            (content && !inside.ends_with(" (deleted)")).then(|| inside.to_owned())
        };
        let number = |argument: &str| argument.parse::<usize>().unwrap();
        match name {
            "openat" | "open" | "creat" => {
                let path = of(&result[result.find('<')?..])?;
                let flags = arguments.iter().find(|argument| argument.contains("O_")).copied().unwrap_or_default();
                assert!(!flags.contains("O_TRUNC"), "the model has no such opening: {call}");
                (flags.contains("O_CREAT") && !path.is_empty()).then_some(Done::Created(path))
            }
            "pwrite64" => {
                let bytes = bytes(arguments[1]);
                Some(Done::Wrote { name: of(arguments[0])?, at: number(arguments[3]), bytes })
            }
            "ftruncate" => Some(Done::Resized { name: of(arguments[0])?, size: number(arguments[1]) }),
            "fsync" | "fdatasync" => {
                let path = of(arguments[0])?;
                Some(if path.is_empty() { Done::SyncedDirectory } else { Done::Synced(path) })
            }
            "unlink" => Some(Done::Removed(of(arguments[0])?)),
            _ => {
                let ours = arguments.iter().any(|argument| argument.contains('\\') && of(argument).is_some());
                assert!(!ours, "the model has no such call: {call}");
                None
            }
        }
    }
}

/// The bytes of `"\x61\x62"` or of `7<\x61\x62>`.
fn bytes(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).expect("a hexadecimal digit") as u8;
    let quoted = text.trim_start_matches(|first: char| first != '\\');
    quoted.as_bytes().chunks_exact(4).map(|byte| digit(byte[2]) << 4 | digit(byte[3])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reader_of_traces_keeps_the_order_and_passes_over_other_files() {
        let directory = tempfile::tempdir().unwrap();
        let hex = |text: &str| text.bytes().map(|byte| format!("\\x{byte:02x}")).collect::<String>();
        let path = |name: &str| hex(&format!("{}{name}", directory.path().canonicalize().unwrap().display()));
        let (db, shm, dir) = (path("/state.db"), path("/state.db-shm"), path(""));
        let lines = [
            format!("7 openat(AT_FDCWD<{dir}>, \"{db}\", O_RDWR|O_CREAT|O_CLOEXEC, 0600) = 5<{db}>"),
            format!("8 fsync(5<{db}> <unfinished ...>"),
            format!("7 pwrite64(5<{db}>, \"{}\", 2, 512 <unfinished ...>", hex("ab")),
            format!("9 pwrite64(6<{shm}>, \"{}\", 2, 0) = 2", hex("cd")),
            "8 <... fsync resumed>)                   = 0".to_owned(),
            "7 <... pwrite64 resumed>) = 2".to_owned(),
            format!("7 fsync(9<{dir}>) = 0"),
            format!("7 fdatasync(5<{db}>) = -1 EIO (Input/output error) (INJECTED)"),
            format!("9 write(1<pipe:[1]>, \"{}\", 3) = 3", hex("hi\n")),
        ];
        let trace = directory.path().join("trace");
        std::fs::write(&trace, lines.join("\n")).unwrap();
        let done: Vec<String> = read(&trace, directory.path()).iter().map(|done| format!("{done:?}")).collect();
        let expected = [
            "Created(\"state.db\")",
            "Wrote { name: \"state.db\", at: 512, bytes: [97, 98] }",
            "Synced(\"state.db\")",
            "SyncedDirectory",
            "Told([104, 105, 10])",
        ];
        assert_eq!(done, expected);
    }
}
