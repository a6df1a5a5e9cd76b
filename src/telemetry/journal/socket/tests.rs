use std::io::{IoSliceMut, Read as _, Seek as _, SeekFrom};

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use uuid::Uuid;

use super::*;
use crate::sink::LogSink;
use crate::sink::samples::{NOW, job_events};
use crate::telemetry::{LogFormat, LogSettings, Written, start};

struct Listener {
    directory: tempfile::TempDir,
    socket: UnixDatagram,
}

impl Listener {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = Self::bind(&directory.path().join("socket"));
        Self { directory, socket }
    }

    fn bind(path: &Path) -> UnixDatagram {
        let socket = UnixDatagram::bind(path).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        socket
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("socket")
    }

    /// The next entry; whether it came as a file.
    fn next(&self) -> (String, bool) {
        let mut bytes = vec![0; 1 << 20];
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let length = recvmsg(&self.socket, &mut [IoSliceMut::new(&mut bytes)], &mut control, RecvFlags::empty());
        bytes.truncate(length.unwrap().bytes);
        let files = control.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut files) => files.next(),
            _ => None,
        });
        let Some(file) = files else { return (String::from_utf8(bytes).unwrap(), false) };
        assert_eq!(bytes, b"");
        let mut file = std::fs::File::from(file);
        let mut text = String::new();
        file.seek(SeekFrom::Start(0)).unwrap();
        file.read_to_string(&mut text).unwrap();
        (text, true)
    }
}

#[test]
fn an_entry_is_a_datagram_or_a_sealed_file_where_it_is_too_large() {
    let listener = Listener::new();
    let mut journal = Journal::open(&listener.path()).unwrap();
    for (length, is_file) in [(10, false), (10_000_000, true)] {
        let words = "x".repeat(length);
        journal.line(&format!("{{\"MESSAGE\":\"{words}\",\"PRIORITY\":\"6\"}}")).unwrap();
        let (text, came_as_file) = listener.next();
        assert_eq!(came_as_file, is_file);
        assert!(text == format!("MESSAGE={words}\nPRIORITY=6\n"), "{} bytes", text.len());
    }
}

#[test]
fn a_journal_that_comes_back_gets_what_waited() {
    let listener = Listener::new();
    let mut journal = Journal::open(&listener.path()).unwrap();
    let Listener { directory, socket } = listener;
    drop(socket);
    let path = directory.path().join("socket");
    let writer = thread::spawn(move || journal.line("{\"MESSAGE\":\"a\"}").map(|()| journal));
    std::fs::remove_file(&path).unwrap();
    let listener = Listener { socket: Listener::bind(&path), directory };
    assert_eq!(listener.next().0, "MESSAGE=a\n");
    let mut journal = writer.join().unwrap().unwrap();
    // One that stays away is waited for once.
    std::fs::remove_file(&path).unwrap();
    for _ in 0..1_000 {
        assert!(is_gone(&journal.line("{\"MESSAGE\":\"b\"}").unwrap_err()));
    }
    let listener = Listener { socket: Listener::bind(&path), directory: listener.directory };
    journal.line("{\"MESSAGE\":\"c\"}").unwrap();
    assert_eq!(listener.next().0, "MESSAGE=c\n");
}

#[test]
fn an_event_counts_as_told_when_the_journal_has_taken_it() {
    let listener = Listener::new();
    let settings = LogSettings { level: tracing::level_filters::LevelFilter::INFO, format: LogFormat::Journal };
    let journal = Journal::open(&listener.path()).unwrap();
    let (subscriber, printer) = start(settings, std::sync::Arc::new(|| NOW), journal).unwrap();
    let tell = |patience| {
        let from = printer.mark();
        LogSink::new(Uuid::nil()).job(&job_events("a").remove(0));
        printer.wait_for(from, printer.mark(), patience)
    };
    tracing::subscriber::with_default(subscriber, || {
        assert_eq!(tell(Duration::from_secs(60)), Written::All);
        assert!(listener.next().0.contains("EVENT=job.first_seen\n"));
        std::fs::remove_file(listener.path()).unwrap();
        assert_eq!(tell(Duration::from_secs(60)), Written::NotAll);
        let listener = Listener { socket: Listener::bind(&listener.path()), directory: listener.directory };
        assert_eq!(tell(Duration::from_secs(60)), Written::All);
        assert!(listener.next().0.contains("EVENT=job.first_seen\n"));
    });
}

#[test]
fn only_the_stream_that_the_journal_made_is_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let file = std::fs::File::create(directory.path().join("out")).unwrap();
    let metadata = file.metadata().unwrap();
    let own = format!("{}:{}", metadata.dev(), metadata.ino());
    assert!(is_journal(&file, Some(&own)));
    assert!(!is_journal(&file, Some(&format!("{}:{}", metadata.dev(), metadata.ino() + 1))));
    assert!(!is_journal(&file, Some("")) && !is_journal(&file, None));
}
