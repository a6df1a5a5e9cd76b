//! Several accounts in one config, each with its own credentials; and the ways to reach them.

mod hosts;
mod quota;
mod roles;
mod trust;
mod way;
