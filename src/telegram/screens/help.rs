//! Help: what one can do, and what the step is about that one stands at.

use crate::domain::language::Language;
use crate::locale::t;
use crate::telegram::screen::{Html, Screen};
use crate::telegram::state::{State, Step};

/// What one can do, and how to say it.
pub fn general(linked: bool, language: Language) -> Screen {
    let screen = Screen::new(if linked { t!(language, "help-text") } else { t!(language, "help-stranger") });
    super::with_home(screen, language)
}

/// What a step is about, with one right example, and how to leave it. It has the keys of the step's own question; a
/// question without keys cannot be left.
pub fn step(step: Step, question: Screen, language: Language) -> Screen {
    let mut html = match step {
        Step::Username => t!(language, "help-username"),
        Step::NewPassword => t!(language, "help-new-password"),
        Step::LoginName => t!(language, "help-login-name"),
        Step::LoginPassword => t!(language, "help-login-password"),
        Step::Label => t!(language, "help-label"),
        Step::Url => t!(language, "help-url"),
        Step::Key => t!(language, "help-key"),
        Step::Name => t!(language, "help-name"),
        Step::NewName => t!(language, "help-new-name"),
        Step::Summary => t!(language, "help-summary"),
        Step::To => t!(language, "help-to"),
        Step::Body => t!(language, "help-body"),
        Step::More => t!(language, "help-more"),
        Step::When => t!(language, "help-when"),
        Step::Hour => t!(language, "help-hour"),
        Step::Every => t!(language, "help-every"),
        Step::EveryHour => t!(language, "help-every-hour"),
        Step::Confirm => t!(language, "help-confirm"),
        Step::Zone => t!(language, "help-zone"),
        Step::Region => t!(language, "help-region"),
        Step::OldPassword => t!(language, "help-old-password"),
    };
    if !question.rows.is_empty() {
        html.line(&Html::default());
        html.line(&t!(language, "help-leave"));
    }
    Screen { html, ..question }
}

/// What leaving comes to, in words.
pub fn left(state: &State, language: Language) -> Html {
    match state {
        State::Idle => t!(language, "nothing-to-cancel"),
        State::SignUp { .. } if state.step().is_none() => t!(language, "nothing-to-cancel"),
        State::SignUp { .. } => t!(language, "cancelled-sign-up"),
        State::LogIn { .. } => t!(language, "cancelled-log-in"),
        State::Instance(draft) if draft.id.is_some() => t!(language, "cancelled-change"),
        State::Instance(draft) if draft.own_key => {
            t!(language, "cancelled-created", name = draft.name.clone().unwrap_or_default())
        }
        State::Instance(_) => t!(language, "cancelled-instance"),
        State::Message(draft) if draft.id.is_some() || draft.series.is_some() => t!(language, "cancelled-change"),
        State::Message(_) => t!(language, "cancelled-message"),
        State::Settings(_) => t!(language, "cancelled-change"),
        State::Left { draft } => left(draft, language),
    }
}
