//! The nouns of user import and the state machine of one job.
//!
//! Reading order: [`target`] (which job), [`status`] and [`snapshot`] (what an answer showed), [`policy`]
//! (what counts as good), [`pattern`] (which jobs of a pool), [`watched`] (a job and its terms), [`track`] (what one more observation means), [`event`] (what is told).

pub mod error;
pub mod event;
pub mod pattern;
pub mod policy;
pub mod region;
pub mod snapshot;
pub mod status;
pub mod target;
pub mod time;
pub mod track;
pub mod watched;

pub use error::{ErrorKind, PollError};
pub use event::{JobEvent, JobFact, JobIdentity, WarningKind};
pub use pattern::{InvalidPattern, NamePattern};
pub use policy::{JobPolicy, Limit, Verdict};
pub use snapshot::{Counts, JobSnapshot};
pub use status::{JobStatus, Phase};
pub use target::{AccountId, JobId, Target, TargetError, UserPoolId};
pub use time::{Tick, Timestamp};
pub use track::{AskedBy, JobTrack, Memory, Observation, Outcome, Pace, Step, StoredTrack};
pub use watched::{Terms, WatchedJob};
