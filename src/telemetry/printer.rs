//! The thread that writes: nobody who logs or shows progress ever waits for a terminal, a pipe or a disk.
//!
//! Fed by [`super::layer`] and by the display of `wait`; closed by the command at its end.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// The lines that may wait before those that may be dropped are dropped.
pub const MOST_LINES_WAITING: usize = 1_000;

/// The lines that may wait at all: a reader that stands still for weeks must not take all memory.
pub const MOST_EVENTS_WAITING: usize = 20_000;

/// How long to leave alone a stream that is full and does not block.
const PAUSE_OF_A_FULL_STREAM: Duration = Duration::from_millis(10);

/// What lines are written to.
pub trait Screen: Send {
    /// Writes a line; its end is not part of it.
    ///
    /// # Errors
    /// Where it cannot be written. [`ErrorKind::BrokenPipe`] means that nobody will ever read again.
    fn line(&mut self, line: &str) -> io::Result<()>;

    /// Shows these lines below all others, in place of those shown before.
    ///
    /// # Errors
    /// As [`Screen::line`].
    fn frame(&mut self, lines: &[String]) -> io::Result<()>;
}

/// A stream that takes lines, one after the other; it has no place for a frame.
#[derive(Debug)]
pub struct PlainScreen<W>(pub W);

impl<W: Write + Send> Screen for PlainScreen<W> {
    fn line(&mut self, line: &str) -> io::Result<()> {
        write_whole(&mut self.0, format!("{line}\n").as_bytes())
    }

    fn frame(&mut self, _: &[String]) -> io::Result<()> {
        Ok(())
    }
}

/// Writes all of it, also to a stream that somebody else set to non-blocking: a terminal is shared.
pub(crate) fn write_whole(out: &mut impl Write, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match out.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(PAUSE_OF_A_FULL_STREAM),
            Err(error) => return Err(error),
        }
    }
    out.flush()
}

/// Whether a line may be dropped when too many wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Only when [`MOST_EVENTS_WAITING`] lines wait.
    Always,
    /// When [`MOST_LINES_WAITING`] lines wait.
    WhereThereIsRoom,
}

/// What [`Printer::close`] achieved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flushed {
    /// Everything is written, or nobody reads any more.
    Everything,
    /// Time was up.
    Not {
        /// Lines that still wait.
        waiting: usize,
    },
}

/// How far lines had come when [`Printer::mark`] was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    taken: u64,
    lost: u64,
}

/// What became of the lines before a [`Mark`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// They are written.
    All,
    /// They still wait.
    NotYet,
    /// Some could not be written, or nobody reads any more.
    NotAll,
}

/// The near end of the thread that writes. A clone is the same printer.
#[derive(Clone)]
pub struct Printer(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    lines: VecDeque<String>,
    frame: Option<Vec<String>>,
    /// Lines that were not written and not yet told about.
    dropped: u64,
    /// Lines that were ever taken, those that are done with, and those of them that were lost.
    taken: u64,
    done: u64,
    lost: u64,
    /// Lines that were ever not written, told about or not.
    ever_dropped: u64,
    writing: Writing,
    closed: Closed,
}

#[derive(Default, PartialEq, Eq)]
enum Writing {
    #[default]
    Nothing,
    Something,
    /// The far end is gone: nothing will ever be written again.
    Over,
}

#[derive(Default, PartialEq, Eq)]
enum Closed {
    #[default]
    No,
    Yes,
}

enum Work {
    Line(String),
    Frame(Vec<String>),
    Dropped(u64),
    End,
}

impl Printer {
    /// Starts the thread. `notice` words how many lines were dropped.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub fn start(screen: impl Screen + 'static, notice: impl Fn(u64) -> String + Send + 'static) -> io::Result<Self> {
        let printer = Self(Arc::default());
        let shared = Arc::clone(&printer.0);
        thread::Builder::new().name("printer".to_owned()).spawn(move || shared.write_all(screen, &notice))?;
        Ok(printer)
    }

    /// Has a line written; its end is not part of it. Never waits. Nothing is written after [`Printer::close`].
    pub fn print(&self, line: String, keep: Keep) {
        let mut state = self.0.lock();
        if state.closed == Closed::Yes || state.writing == Writing::Over {
            state.ever_dropped = state.ever_dropped.saturating_add(1);
            return;
        }
        let most = match keep {
            Keep::WhereThereIsRoom => MOST_LINES_WAITING,
            Keep::Always => MOST_EVENTS_WAITING,
        };
        if state.lines.len() < most {
            state.taken += 1;
            state.lines.push_back(line);
        } else {
            state.dropped = state.dropped.saturating_add(1);
            state.ever_dropped = state.ever_dropped.saturating_add(1);
            if keep == Keep::Always {
                state.lost += 1;
            }
        }
        self.0.changed.notify_all();
    }

    /// Lines that were not written since the start: nobody took them in time, or they could not be.
    #[must_use]
    pub fn ever_dropped(&self) -> u64 {
        self.0.lock().ever_dropped
    }

    /// The lines taken so far.
    #[must_use]
    pub fn mark(&self) -> Mark {
        let state = self.0.lock();
        Mark { taken: state.taken, lost: state.lost }
    }

    /// Waits until the lines taken since `from` and before `to` are done with, but no longer than `patience`.
    pub fn wait_for(&self, from: Mark, to: Mark, patience: Duration) -> Written {
        let pending = |state: &mut State| state.done < to.taken && state.writing != Writing::Over;
        let state = self.0.lock();
        let (state, _) =
            self.0.changed.wait_timeout_while(state, patience, pending).unwrap_or_else(PoisonError::into_inner);
        match state.writing {
            Writing::Over => Written::NotAll,
            Writing::Nothing | Writing::Something if state.done < to.taken => Written::NotYet,
            Writing::Nothing | Writing::Something if state.lost > from.lost => Written::NotAll,
            Writing::Nothing | Writing::Something => Written::All,
        }
    }

    /// Has these lines shown below all others, in place of those shown before; only the newest frame is drawn.
    /// Never waits.
    pub fn show(&self, frame: Vec<String>) {
        let mut state = self.0.lock();
        if state.closed == Closed::Yes || state.writing == Writing::Over {
            return;
        }
        state.frame = Some(frame);
        self.0.changed.notify_all();
    }

    /// Takes no more, and waits until all is written, but no longer than `patience`.
    pub fn close(&self, patience: Duration) -> Flushed {
        let mut state = self.0.lock();
        state.closed = Closed::Yes;
        self.0.changed.notify_all();
        let (state, _) = self
            .0
            .changed
            .wait_timeout_while(state, patience, |state| state.writing != Writing::Over)
            .unwrap_or_else(PoisonError::into_inner);
        match state.writing {
            Writing::Over => Flushed::Everything,
            Writing::Nothing => Flushed::Not { waiting: state.lines.len() },
            Writing::Something => Flushed::Not { waiting: state.lines.len() + 1 },
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread: one piece of work after the other, never holding the lock while it writes.
    fn write_all(&self, mut screen: impl Screen, notice: &dyn Fn(u64) -> String) {
        // Lines that could not be written, to a full disk, say. They are told about after the next that can.
        let mut lost: u64 = 0;
        loop {
            let work = self.next();
            let ours = matches!(work, Work::Line(_));
            let (written, lines) = match work {
                Work::Line(line) => (screen.line(&line), 1),
                Work::Frame(lines) => (screen.frame(&lines), 0),
                Work::Dropped(count) => (screen.line(&notice(count)), count),
                Work::End => break,
            };
            let failed = written.is_err();
            match written {
                Ok(()) if lines > 0 => {
                    let mut state = self.lock();
                    state.dropped = state.dropped.saturating_add(std::mem::take(&mut lost));
                }
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::BrokenPipe => break,
                Err(_) => lost = lost.saturating_add(lines),
            }
            if ours {
                let mut state = self.lock();
                state.done += 1;
                state.lost += u64::from(failed);
                state.ever_dropped += u64::from(failed);
                self.changed.notify_all();
            }
        }
        let mut state = self.lock();
        *state = State { writing: Writing::Over, ever_dropped: state.ever_dropped, ..State::default() };
        self.changed.notify_all();
    }

    /// Waits for work: lines in their order, then what is to be told about them, then the frame.
    fn next(&self) -> Work {
        let mut state = self.lock();
        loop {
            state.writing = Writing::Something;
            if let Some(line) = state.lines.pop_front() {
                return Work::Line(line);
            }
            if state.dropped > 0 {
                return Work::Dropped(std::mem::take(&mut state.dropped));
            }
            if let Some(frame) = state.frame.take() {
                return Work::Frame(frame);
            }
            if state.closed == Closed::Yes {
                return Work::End;
            }
            state.writing = Writing::Nothing;
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests;
