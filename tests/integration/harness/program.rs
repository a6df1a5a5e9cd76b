//! The built binary as a child with nothing of our environment; what it writes is read as it comes.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead as _, BufReader, PipeReader, Read};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// Only a hang takes so long.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// A command line that is about to be run.
pub(crate) struct Program(Command);

impl Program {
    /// The binary in `directory`, which is its home too, with arguments and no AWS setting but one: that there is no
    /// instance metadata to look for.
    pub(crate) fn new<A: AsRef<OsStr>>(directory: &Path, arguments: impl IntoIterator<Item = A>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cognito-import-watch"));
        command.args(arguments).current_dir(directory).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", directory);
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(command)
    }

    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.0.arg(argument);
        self
    }

    pub(crate) fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.0.args(arguments);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    pub(crate) fn without_env(mut self, name: &str) -> Self {
        self.0.env_remove(name);
        self
    }

    /// Lets no file of it grow beyond so many bytes, a multiple of 512: to it the disk is full. [`Running::unlimited`]
    /// ends that.
    pub(crate) fn with_files_up_to(self, bytes: u64) -> Self {
        self.after(&format!("trap '' XFSZ; ulimit -S -f {}", bytes / 512))
    }

    /// Lets it open so many files, its streams among them.
    pub(crate) fn with_descriptors(self, most: usize) -> Self {
        self.after(&format!("ulimit -n {most}"))
    }

    /// Hands it a socket as systemd does.
    pub(crate) fn with_socket(self, socket: OwnedFd) -> Self {
        let mut program = self.after("LISTEN_PID=$$ LISTEN_FDS=1; export LISTEN_PID LISTEN_FDS; exec 3<&0 </dev/null");
        program.0.stdin(socket);
        program
    }

    /// Has a shell do something before.
    fn after(self, words: &str) -> Self {
        self.under("/bin/sh", ["-c", &format!("{words}; exec \"$0\" \"$@\"")])
    }

    /// Has another program start it, whose arguments end with its command line.
    pub(crate) fn under<A: AsRef<OsStr>>(self, program: &str, arguments: impl IntoIterator<Item = A>) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).arg(self.0.get_program()).args(self.0.get_args());
        command.env_clear().envs(self.0.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(directory) = self.0.get_current_dir() {
            command.current_dir(directory);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(command)
    }

    /// Writes its result to a disk that is full.
    pub(crate) fn onto_a_full_disk(mut self) -> Self {
        self.0.stdout(File::options().write(true).open("/dev/full").unwrap());
        self
    }

    /// Writes its result to a pipe that nobody reads until somebody does.
    pub(crate) fn into_a_pipe(mut self) -> (Self, PipeReader) {
        let (reader, writer) = std::io::pipe().unwrap();
        self.0.stdout(writer);
        (self, reader)
    }

    /// Writes its result to a pipe that nobody reads any more.
    pub(crate) fn into_a_closed_pipe(mut self) -> Self {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        self.0.stdout(writer);
        self
    }

    pub(crate) fn start(mut self) -> Running {
        let mut child = self.0.spawn().expect("the binary starts");
        let pid = child.id();
        let (out, err) = (Stream::read(child.stdout.take()), Stream::read(child.stderr.take()));
        // The command holds our ends of the pipes; the child alone is to have them.
        drop(self);
        Running { pid, out, err, status: reap(child), ended: None }
    }

    /// Runs it to its end.
    pub(crate) fn end(self) -> Ended {
        self.start().end()
    }
}

fn reap(mut child: Child) -> Receiver<ExitStatus> {
    let (send, receive) = channel();
    // Where nobody waits any more the test has failed already.
    thread::spawn(move || send.send(child.wait().unwrap()).ok());
    receive
}

/// A child that runs. It is killed when it is dropped before its end.
pub(crate) struct Running {
    pid: u32,
    out: Stream,
    err: Stream,
    status: Receiver<ExitStatus>,
    ended: Option<ExitStatus>,
}

impl Running {
    /// Waits for a line on stdout.
    #[track_caller]
    pub(crate) fn line(&self, wanted: impl Fn(&str) -> bool) -> String {
        self.out.line(&wanted, DEADLINE).unwrap_or_else(|| panic!("no such line\n{}", self.so_far()))
    }

    /// Whether there is such a line on stdout, by then.
    pub(crate) fn says_within(&self, wanted: impl Fn(&str) -> bool, patience: Duration) -> bool {
        self.out.line(&wanted, patience).is_some()
    }

    /// Waits for an event in the JSON log on stdout.
    #[track_caller]
    pub(crate) fn event(&self, name: &str) -> Value {
        let mark = format!("\"event\":\"{name}\"");
        serde_json::from_str(&self.line(|line| line.contains(&mark))).unwrap()
    }

    /// Waits for an event, or for its end; whether the event came.
    #[track_caller]
    pub(crate) fn tells(&self, name: &str) -> bool {
        let mark = format!("\"event\":\"{name}\"");
        let told = self.says_within(|line| line.contains(&mark), DEADLINE);
        assert!(told || self.out.is_closed(), "no {name}\n{}", self.so_far());
        told
    }

    /// Sends it a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.pid.to_string()]).status().unwrap();
        assert!(sent.success(), "cannot send {name}");
    }

    /// Lets its files grow again.
    pub(crate) fn unlimited(&self) {
        self.limit("--fsize=unlimited:");
    }

    /// Lets it open so many files from now on, its streams among them. What is open stays open.
    pub(crate) fn descriptors(&self, most: usize) {
        self.limit(&format!("--nofile={most}:"));
    }

    fn limit(&self, limit: &str) {
        let done = Command::new("prlimit").args(["--pid", &self.pid.to_string(), limit]).status().unwrap();
        assert!(done.success(), "cannot set {limit}");
    }

    /// The processor time that it took so far, in hundredths of a second.
    pub(crate) fn cpu(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid)).unwrap();
        // Behind the name, which may hold anything: the fields from the third on.
        let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Kills it, so that it can do nothing more; gives what it had written.
    pub(crate) fn kill(self) -> String {
        self.signal("KILL");
        let Ok(_) = self.status.recv_timeout(DEADLINE) else { panic!("it is not dead\n{}", self.so_far()) };
        self.out.whole()
    }

    /// Sends it a signal, unless it has ended by itself.
    pub(crate) fn signal_if_it_lives(&self, name: &str) {
        let kill = ["-c", "kill -\"$0\" \"$1\" 2>/dev/null", name, &self.pid.to_string()];
        // Where it has ended there is nobody to send it to.
        drop(Command::new("/bin/sh").args(kill).status());
    }

    /// Waits for its end for no longer than `patience`, and kills it then.
    #[track_caller]
    pub(crate) fn end_or_kill(mut self, patience: Duration) -> Ended {
        if let Ok(status) = self.status.recv_timeout(patience) {
            return self.ended_with(status);
        }
        self.signal_if_it_lives("KILL");
        self.end()
    }

    /// Reads one more line on stdout and no other: a reader that has gone.
    #[track_caller]
    pub(crate) fn stop_reading(&self) {
        assert!(self.out.abandon(), "it says nothing more\n{}", self.so_far());
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn end(mut self) -> Ended {
        let Ok(status) = self.status.recv_timeout(DEADLINE) else { panic!("it does not end\n{}", self.so_far()) };
        self.ended_with(status)
    }

    #[track_caller]
    fn ended_with(&mut self, status: ExitStatus) -> Ended {
        self.ended = Some(status);
        let ended = Ended { status, stdout: self.out.whole(), stderr: self.err.whole() };
        assert!(!ended.stderr.contains("panicked"), "{ended}");
        ended
    }

    fn so_far(&self) -> String {
        format!("stdout:\n{}\nstderr:\n{}", self.out.now(), self.err.now())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.ended.is_none() && self.status.try_recv().is_err() {
            // Where it has ended by itself in this moment there is nothing to kill.
            drop(Command::new("kill").args(["-KILL", &self.pid.to_string()]).stderr(Stdio::null()).status());
        }
    }
}

/// A child that has ended.
pub(crate) struct Ended {
    status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// The exit code; a death by signal is not one.
    #[track_caller]
    pub(crate) fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| panic!("killed by signal {:?}\n{self}", self.status.signal()))
    }

    /// Checks the exit code.
    #[track_caller]
    pub(crate) fn with_code(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "{self}");
        self
    }

    /// Whether it ended by itself and all was well.
    pub(crate) fn is_success(&self) -> bool {
        self.status.success()
    }

    /// Whether it was killed.
    pub(crate) fn was_killed(&self) -> bool {
        self.status.signal().is_some()
    }

    /// The one line of JSON on stdout.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.stdout.matches('\n').count(), 1, "one line\n{self}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{self}"))
    }

    /// Everything it wrote.
    pub(crate) fn output(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\nstdout:\n{}\nstderr:\n{}", self.status, self.stdout, self.stderr)
    }
}

/// What comes through one pipe, kept whole.
#[derive(Clone, Default)]
struct Stream(Arc<(Mutex<Text>, Condvar)>);

#[derive(Default)]
struct Text {
    lines: Vec<String>,
    closed: bool,
    abandoned: bool,
}

impl Stream {
    /// Reads on a thread; without a pipe there is nothing to read.
    fn read(pipe: Option<impl Read + Send + 'static>) -> Self {
        let stream = Self::default();
        let writer = stream.clone();
        thread::spawn(move || {
            let mut pipe = pipe.map(BufReader::new);
            let mut bytes = Vec::new();
            while let Some(reader) = &mut pipe {
                bytes.clear();
                let read = reader.read_until(b'\n', &mut bytes).unwrap_or(0);
                let mut text = writer.0.0.lock().unwrap();
                if read == 0 || text.abandoned {
                    break;
                }
                text.lines.push(String::from_utf8_lossy(&bytes).into_owned());
                writer.0.1.notify_all();
            }
            drop(pipe);
            writer.0.0.lock().unwrap().closed = true;
            writer.0.1.notify_all();
        });
        stream
    }

    fn line(&self, wanted: &dyn Fn(&str) -> bool, patience: Duration) -> Option<String> {
        let (text, changed) = &*self.0;
        let find = |text: &Text| text.lines.iter().find(|line| wanted(line.trim_end_matches('\n'))).cloned();
        let (text, _) = changed
            .wait_timeout_while(text.lock().unwrap(), patience, |text| find(text).is_none() && !text.closed)
            .unwrap();
        find(&text)
    }

    fn whole(&self) -> String {
        let (text, changed) = &*self.0;
        let (text, _) = changed.wait_timeout_while(text.lock().unwrap(), DEADLINE, |text| !text.closed).unwrap();
        text.lines.concat()
    }

    fn is_closed(&self) -> bool {
        self.0.0.lock().unwrap().closed
    }

    fn now(&self) -> String {
        self.0.0.lock().unwrap().lines.concat()
    }

    /// Has the pipe closed at the next line; whether it was.
    fn abandon(&self) -> bool {
        let (text, changed) = &*self.0;
        let mut text = text.lock().unwrap();
        text.abandoned = true;
        changed.wait_timeout_while(text, DEADLINE, |text| !text.closed).unwrap().0.closed
    }
}
