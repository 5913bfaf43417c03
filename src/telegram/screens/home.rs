//! The door and home.

use crate::domain::account::Account;
use crate::domain::language::Language;
use crate::locale::{plain, t};
use crate::services::accounts::Admission;
use crate::services::instances::Instance;
use crate::telegram::screen::{Html, Screen};
use crate::telegram::tap::Tap;

use super::instances::dot;

/// What a stranger sees first.
pub fn welcome(admission: &Admission, language: Language) -> Screen {
    let mut screen = Screen::new(t!(language, "welcome"));
    match admission {
        Admission::Claim => screen = screen.line(&t!(language, "welcome-claim")),
        Admission::Invite => screen = screen.line(&t!(language, "welcome-invited")),
        Admission::Open => {}
        Admission::Refused(_) => screen = screen.line(&t!(language, "welcome-invite-only")),
    }
    screen = screen
        .key(format!("✨ {}", plain!(language, "create-account")), &Tap::CreateAccount)
        .key(format!("🔑 {}", plain!(language, "have-account")), &Tap::HaveAccount);
    for (n, other) in Language::ALL.into_iter().filter(|l| *l != language).enumerate() {
        let tap = Tap::Language(other);
        screen = if n == 0 { screen.key(other.name(), &tap) } else { screen.beside(other.name(), &tap) };
    }
    screen
}

/// Home of someone with an account.
pub fn home(account: &Account, active: Option<&Instance>, waiting: i64, draft: bool, language: Language) -> Screen {
    let mut html = t!(language, "home-title", name = account.username);
    html.line(&Html::default());
    match active {
        Some(instance) => {
            html.line(&t!(language, "home-active", dot = dot(instance.connection), name = instance.label.as_str()));
        }
        None => {
            html.line(&t!(language, "home-no-active"));
        }
    }
    html.line(&Html::trusted(plain!(language, "home-waiting", count = waiting)));
    let mut screen = Screen::new(html);
    if draft {
        screen = screen.key(format!("▶️ {}", plain!(language, "resume")), &Tap::Resume);
    }
    screen
        .key(format!("📝 {}", plain!(language, "schedule-message")), &Tap::NewMessage)
        .key(format!("📨 {}", plain!(language, "messages")), &Tap::Messages(false, 0))
        .beside(format!("📱 {}", plain!(language, "instances")), &Tap::Instances(0))
        .key(format!("👤 {}", plain!(language, "account")), &Tap::Account)
        .beside(format!("❓ {}", plain!(language, "help")), &Tap::Help)
}

/// A server's door that a person must not see through: something went wrong inside.
pub fn apology(language: Language) -> Screen {
    super::with_home(Screen::new(t!(language, "apology")), language)
}

/// Nothing can be written down; what people say waits at Telegram.
pub fn store_fails(language: Language) -> Screen {
    Screen::new(t!(language, "store-fails"))
}

/// What happens can be written down again.
pub fn store_works(language: Language) -> Screen {
    Screen::new(t!(language, "store-works"))
}
