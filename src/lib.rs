//! Watches Amazon Cognito user import jobs until they complete: a daemon, a sidecar, a one-shot wait.
//!
//! # The flow
//!
//! ```text
//!  config file ──resolve──▶ Plan ──▶ Scheduler ◀───────────── signal
//!    TOML      all problems at once     │   ▲
//!                           Action::Send│   │Input::{Wake, Job, Pool, Replace, Answered, Stop}
//!                                       ▼   │
//!                                     driver ──▶ JobSource ──▶ Cognito: Describe, List
//!                                       │
//!                   Action::Observed (events, state) ──▶ Observer ──▶ progress · result
//!                                                           │
//!                                                           ▼
//!                              ledger (state and events in one transaction) ──▶ outbox ──▶ sinks: log
//! ```
//!
//! Decisions are made in the member `core` (crate `cognito_import_watch_core`), which has no input or output:
//! [`domain`] says what one more answer about a job means, [`schedule`] when to ask what. This crate performs.
//! The member `simulator` (crate `cognito_import_simulator`) is a local Cognito; it knows nothing of the daemon, and the
//! daemon talks to it over HTTP as to AWS.
//!
//! `run`, `wait`, `status` and `demo` differ only in the plan they build, in when the scheduler ends
//! ([`Ending`]), and in the [`driver::Observer`] and the [`ledger::Ledger`] they give it: one code path. The loop never
//! waits for a disk: the ledger has threads of its own, and a poll waits until the last answer about its job is kept.
//! Whoever calls over HTTP is served on the same thread: what is known of the jobs is asked of the loop ([`ask`]), a page
//! between two turns, and events are read on from the state file when the ledger says that there is more.
//! On SIGHUP the loop hands itself back, the new plan replaces what the scheduler watches, and the loop is run on.
//! The same happens when two accounts of the config turn out to be one AWS account: they share a lane from then on, and
//! each still asks with credentials of its own ([`source::Routes`]).
//!
//! # The rooms, and what they may not name
//!
//! | room | duty | must not name |
//! | --- | --- | --- |
//! | `core`: [`domain`] | nouns and the job's state machine, `JobTrack::step` | everything else: tokio, tracing, aws, clocks, files |
//! | `core`: [`schedule`] | backoff (the one file naming the `backoff` crate), lanes, `Scheduler::handle`, no await | the same |
//! | [`config`] | what was written, what will run, every problem with its place | tokio, aws, source, sink |
//! | [`source`] | the remote side: a narrow trait and its Cognito adapter, the only place naming `aws_*`; errors classified once | schedule, config, sink |
//! | [`sink`] | events leave: their words, their JSON line, and the only place where levels are chosen | schedule, source, config |
//! | [`ledger`] | durable memory: jobs' last known state and the events on their way out, one transaction for both; a twin that keeps nothing | schedule, source, config |
//! | [`telemetry`] | the log as lines, and the thread that writes them | schedule, source, config |
//! | [`systemd`] | what the service manager is told, and when | schedule, source, config |
//! | [`output`] | results and the live display | schedule, source, config |
//! | [`http`] | probes, the jobs as they stand, their events and metrics, over HTTP; the only place naming `hyper` | schedule, source, config |
//! | [`ask`] | questions to the loop about the jobs, and its answers as plain rows | schedule, source, config |
//! | [`driver`] | the loop: due, answer or signal, `Scheduler::handle`, do the actions | config, aws, cli |
//! | [`run`] | the commands, where the rooms are put together | |
//! | [`cli`], [`exit`], [`signal`], [`clock`], [`pulse`] | edges | |
//!
//! A test reads the sources and fails on an arrow that this table forbids.
//!
//! [`domain`]: cognito_import_watch_core::domain
//! [`schedule`]: cognito_import_watch_core::schedule
//! [`Ending`]: cognito_import_watch_core::schedule::Ending

pub mod ask;
pub mod cli;
pub mod clock;
pub mod config;
pub mod driver;
pub mod exit;
pub mod http;
mod json;
pub mod ledger;
pub mod output;
pub mod pulse;
pub mod run;
pub mod signal;
pub mod sink;
pub mod source;
pub mod systemd;
pub mod telemetry;
pub mod text;
