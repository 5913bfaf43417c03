//! The integration tests: stories told through the whole bot, and the rules that hold the house together.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod harness;
mod rules;
mod stories;
#[path = "../when/mod.rs"]
mod when;
