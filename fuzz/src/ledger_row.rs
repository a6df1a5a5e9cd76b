//! Any text as the state of a job in the state file.

use cognito_import_watch::ledger::row;
use cognito_import_watch_core::domain::{JobTrack, Tick, Timestamp};

/// 2026-11-22T17:03:22.123Z.
const NOW: Timestamp = Timestamp::from_millis(1_795_367_002_123);

/// What can be read is written as the same state, and a process that begins with it and ends at once keeps it; what
/// cannot is refused in words.
pub fn fuzz(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match row::read(text) {
        Ok(track) => {
            let written = row::write(&track);
            assert_eq!(row::read(&written).as_ref(), Ok(&track), "{written}");
            // Times to come count as now, and a streak beyond two as two: once that is done nothing changes any more.
            let kept = JobTrack::restored(track, Tick::ZERO, NOW).stored(Tick::ZERO, NOW);
            let again = JobTrack::restored(kept.clone(), Tick::ZERO, NOW);
            assert_eq!(again.stored(Tick::ZERO, NOW), kept);
            assert_eq!(row::read(&row::write(&kept)), Ok(kept));
        }
        Err(words) => assert!(!words.is_empty()),
    }
}
