//! The built binary against the simulator, over loopback HTTP: one file for each promise of the product. One binary, for
//! the AWS SDK takes long to link.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail by panicking")]

mod harness;

mod accounts;
mod ceilings;
mod config;
mod crash;
mod demo;
mod disturbances;
mod events;
mod exit_codes;
mod faults;
mod house;
mod http;
mod ledger;
mod lists;
mod metrics;
mod notify;
mod pages;
mod pipelines;
mod pipes;
mod planning;
mod pools;
mod readme;
mod reload;
mod reports;
mod requests;
mod results;
mod secrets;
mod signals;
mod simulate;
