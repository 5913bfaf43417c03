//! Screens: what the chat shows, as functions of data and language. No I/O, no state.

pub mod account;
pub mod diagnosis;
pub mod help;
pub mod home;
pub mod instances;
pub mod messages;
pub mod refusal;
pub mod series;

use super::screen::Screen;
use super::tap::Tap;
use crate::domain::language::Language;
use crate::locale::plain;

/// A question of a dialogue: its text, and a key that leaves it.
pub fn with_cancel(screen: Screen, language: Language) -> Screen {
    screen.key(format!("✖️ {}", plain!(language, "cancel")), &Tap::Cancel)
}

/// A key that leads home.
pub fn with_home(screen: Screen, language: Language) -> Screen {
    screen.key(format!("🏠 {}", plain!(language, "home")), &Tap::Home)
}
