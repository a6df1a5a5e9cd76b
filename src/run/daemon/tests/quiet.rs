//! The disk, and waiting for the ledger's threads: between two operations they have done all that they can do.
//!
//! Called by [`World::perform`]. Nothing sleeps: whatever is waited for is sure to come.

use cognito_import_watch_core::domain::StoredTrack;

use super::operations::{Disk, Mood, POOLS};
use super::recorder::{Early, PATIENCE, Recorder};
use super::world::World;
use crate::ledger::testing::{allow, hold, numbered, refuse};
use crate::ledger::{Notice, Reader};

impl World {
    pub(super) fn set_disk(&mut self, disk: Disk) {
        if !self.keeps_a_file() || disk == self.disk {
            return;
        }
        let file = self.file();
        match self.disk {
            Disk::Good => {}
            Disk::Refuses => {
                allow(&file);
                self.wait_until_written();
            }
            Disk::Still => drop(self.still.take()),
        }
        self.disk = Disk::Good;
        self.tellable.clone_from(&self.last_line);
        self.quiet();
        match disk {
            Disk::Good => {}
            Disk::Refuses => {
                self.sinks.iter().for_each(|sink| sink.set_early(Early::May));
                refuse(&file);
            }
            Disk::Still => self.still = Some(hold(&file)),
        }
        self.disk = disk;
    }

    /// Waits until the file holds the newest state, which was recorded while the disk refused.
    fn wait_until_written(&mut self) {
        let file = self.file();
        if let Some((target, newest)) = self.newest_state.as_ref().filter(|_| self.memory.is_behind()) {
            let is_written = || {
                let jobs = Reader::open(&file).and_then(|reader| reader.jobs()).unwrap();
                // The time of the last good poll may be newer.
                let same =
                    |track: &StoredTrack| StoredTrack { last_good: newest.last_good, ..track.clone() } == *newest;
                jobs.iter().any(|job| job.target == *target && same(&job.track))
            };
            let end = tokio::time::Instant::now() + PATIENCE;
            while !is_written() {
                assert!(tokio::time::Instant::now() < end, "what was missed is never written");
                std::thread::yield_now();
            }
        }
        // Where it was a cursor alone that could not be written, that too is over first.
        self.read_notices();
        while self.unwritable {
            let notice =
                self.process().notices.recv_timeout(PATIENCE).expect("nobody says that the disk is good again");
            self.notice(&notice);
        }
        self.calm_since = self.alarms;
        self.sinks.iter().for_each(|sink| sink.set_early(Early::MustNot));
    }

    /// Removes the file under the daemon, and waits until another one is begun.
    pub(super) fn remove(&mut self) {
        if !self.keeps_a_file() {
            return;
        }
        self.set_disk(Disk::Good);
        self.sinks.iter().for_each(|sink| sink.set_early(Early::May));
        // With all that belongs to it, at one blow: a thread may be about to write.
        let file = self.file();
        let directory = file.parent().expect("it is in a directory");
        self.removed += 1;
        std::fs::rename(directory, self.home.path().join(format!("removed-{}", self.removed))).unwrap();
        self.make_room();
        // It is noticed at the next write, and this is one that changes nothing.
        let nobody = format!("{}/import-none", POOLS[0]).parse().unwrap();
        self.process().daemon.ledger.readmit(vec![nobody]);
        loop {
            let notice = self.process().notices.recv_timeout(PATIENCE).expect("nobody says that the file was gone");
            match notice {
                Notice::BegunAnew => break,
                Notice::Unwritable { .. } | Notice::Writable { .. } | Notice::Dropped { .. } => self.notice(&notice),
            }
        }
        self.calm_since = self.alarms;
        self.sinks.iter().for_each(|sink| sink.set_early(Early::MustNot));
        let history: Vec<String> = numbered(&file).into_iter().map(|(_, line)| line).collect();
        self.check_what_is_still_to_be_told(&history);
        let process = self.process.as_ref().expect("the daemon runs");
        let held = process.scheduler.views(process.at(self.now)).map(|view| view.watched.target.to_string()).collect();
        self.memory.begun_anew(history, &held);
    }

    /// Waits until the threads of the ledger have done what they can do by now.
    pub(super) fn quiet(&mut self) {
        if self.process.is_none() {
            return;
        }
        if !self.keeps_a_file() {
            self.memory.kept();
            self.memory.lost();
        } else if let Some(ticket) = self.newest.filter(|_| self.disk == Disk::Good) {
            let settled = self.process().daemon.ledger.settled(ticket);
            let waited = self.runtime.block_on(async { tokio::time::timeout(PATIENCE, settled).await });
            waited.expect("a record is never settled");
            self.memory.kept();
        }
        self.wait_for_the_alarm();
        self.read_notices();
        // What was written may be dropped for what is not written yet.
        let may_be_dropped = self.disk == Disk::Still && self.beginning.has_small_outbox();
        if self.keeps_a_file()
            && !may_be_dropped
            && let Some(line) = &self.tellable
        {
            // A small outbox gives up what a sink that lagged behind was not told yet, and that may be this.
            let is_told = |sink: &&Recorder| {
                sink.mood() == Mood::Takes && (sink.keeps_up() || !self.beginning.has_small_outbox())
            };
            self.sinks.iter().filter(is_told).for_each(|sink| sink.wait_for(line));
        }
        self.read_notices();
        self.check_sinks(self.alarms > self.calm_since);
        let held: Vec<u64> = self.process().flights.keys().copied().collect();
        for id in held {
            self.release(id);
        }
    }

    /// While the disk refuses what was recorded, the ledger says so.
    fn wait_for_the_alarm(&mut self) {
        self.read_notices();
        while self.disk == Disk::Refuses && self.memory.is_behind() && !self.unwritable {
            let notice = self.process().notices.recv_timeout(PATIENCE).expect("nobody says that the disk refuses");
            self.notice(&notice);
        }
    }

    fn read_notices(&mut self) {
        while let Ok(notice) = self.process().notices.try_recv() {
            self.notice(&notice);
        }
    }

    pub(super) fn notice(&mut self, notice: &Notice) {
        match notice {
            Notice::Unwritable { .. } => (self.unwritable, self.alarms) = (true, self.alarms + 1),
            Notice::Writable { missing } => {
                assert_eq!(*missing, 0, "the history lacks events");
                self.unwritable = false;
            }
            Notice::BegunAnew => panic!("the file was there all the time"),
            Notice::Dropped { sink, count } => *self.dropped.entry(*sink).or_default() += count,
        }
    }

    /// Whether a record is kept or told before long.
    pub(super) fn will_settle(&self) -> bool {
        match self.disk {
            Disk::Good => true,
            Disk::Refuses => self.sinks.iter().all(|sink| sink.mood() == Mood::Takes),
            Disk::Still => false,
        }
    }
}
