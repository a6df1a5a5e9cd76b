//! The daemon against a model: scheduler, ledger and sinks under random answers, crashes, reloads and faults.
//!
//! Reading order: [`operations`] (what may happen), [`service`] (the truth and its answers), [`story`] (what has to be
//! told of one job), [`memory`] (what has to survive), [`recorder`] (the sinks), [`process`] (one life of the daemon),
//! [`world`] (all of it together), [`lives`], [`lists`] and [`quiet`] (its parts), [`checks`] (what must hold), [`properties`] (the
//! tests); [`patience`] is a test of its own.

mod checks;
mod lists;
mod lives;
mod memory;
mod operations;
mod patience;
mod process;
mod properties;
mod quiet;
mod recorder;
mod service;
mod story;
mod world;
