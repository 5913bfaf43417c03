//! The integration tests: stories told through the whole bot, and the rules that hold the house together.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod ahead;
mod browser;
mod clocks;
mod cluster;
mod commands;
mod drafts;
#[path = "../evolution/mod.rs"]
mod evolution;
mod floods;
mod gallery;
mod harness;
mod instances;
mod kills;
mod machine;
mod newcomers;
mod outages;
mod promises;
mod real;
mod repeats;
mod replicas;
mod rules;
mod steps;
mod stories;
mod updates;
#[path = "../when/mod.rs"]
mod when;
mod zones;
