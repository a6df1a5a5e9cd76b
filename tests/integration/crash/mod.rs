//! Kills, failing commits and power cuts: nothing that was seen is lost, and nothing is told under a second id.
//!
//! Reading order: `chance` (the seed), `scene` (the jobs and what goes wrong), `lives` (processes that are killed),
//! `seen` (what each process was answered), `facts` (what was told, and its key), `oracle` (what must have been told);
//! then the tests: `kills`; over `strace`, `commits`; and `power` over `trace` (what was written), `disk` (what a power cut
//! leaves of it) and `recovered` (what must be left).

mod chance;
mod commits;
mod disk;
mod facts;
mod kills;
mod lives;
mod oracle;
mod power;
mod recovered;
mod scene;
mod seen;
mod strace;
mod trace;
