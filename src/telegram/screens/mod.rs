//! Screens: what the chat shows, as functions of data and language. No I/O, no state.

pub mod account;
pub mod diagnosis;
pub mod help;
pub mod home;
pub mod instances;
pub mod messages;
pub mod refusal;
pub mod series;

use super::screen::{KeyAction, Screen};
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

/// A key that goes on with the draft that was left, unless there is one.
pub fn with_resume(screen: Screen, language: Language) -> Screen {
    let tap = KeyAction::Tap(Tap::Resume.encode());
    if screen.rows.iter().flatten().any(|key| key.does == tap) {
        return screen;
    }
    screen.key(format!("▶️ {}", plain!(language, "resume")), &Tap::Resume)
}
