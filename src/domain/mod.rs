//! The ground: the words of the product as types. No I/O, no SQL text, no clock reads.

pub mod account;
pub mod clock;
pub mod guard;
pub mod ids;
pub mod instance;
pub mod language;
pub mod message;
pub mod places;
pub mod recipient;
pub mod report;
pub mod retry;
pub mod series;
pub mod wall;
pub mod well;
