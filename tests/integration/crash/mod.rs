//! Kills, failing commits and power cuts: nothing that was seen is lost, and nothing is told under a second id.
//!
//! Reading order: `chance` (the seed), `scene` (the jobs and what goes wrong), `lives` (processes that are killed),
//! `seen` (what each process was answered), `facts` (what was told, and its key), `oracle` (what must have been told);
//! then the test: `kills`.

mod chance;
mod facts;
mod kills;
mod lives;
mod oracle;
mod scene;
mod seen;
