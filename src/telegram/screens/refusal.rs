//! Why a wish cannot be met, in words that a person can act on.

use crate::domain::account::UsernameError;
use crate::domain::clock::Moment;
use crate::domain::instance::{ApiKeyError, InstanceNameError, LabelError, ServerUrlError};
use crate::domain::language::Language;
use crate::domain::message::BodyError;
use crate::domain::recipient::RecipientError;
use crate::locale::{format, plain, t};
use crate::services::Refusal;
use crate::services::passwords::PasswordError;
use crate::telegram::screen::Html;

/// A refusal of a service.
pub fn refusal(refusal: &Refusal, now: Moment, language: Language) -> Html {
    match refusal {
        Refusal::UsernameTaken => t!(language, "refusal-username-taken"),
        Refusal::WrongPassword => t!(language, "refusal-wrong-password"),
        Refusal::Throttled { until } => {
            t!(language, "refusal-throttled", span = format::span(until.since(now), language))
        }
        Refusal::Busy => t!(language, "refusal-busy"),
        Refusal::CodeInvalid => t!(language, "refusal-code-invalid"),
        Refusal::SignupClosed => t!(language, "refusal-signup-closed"),
        Refusal::SignupNeedsInvite => t!(language, "refusal-needs-invite"),
        Refusal::Password(error) => password(*error, language),
        Refusal::Disabled => t!(language, "refusal-disabled"),
        Refusal::TooManyChats => t!(language, "refusal-too-many-chats"),
        Refusal::AlreadyExists { name } => t!(language, "refusal-already-exists", name = name),
        Refusal::TooMany { limit } => t!(language, "refusal-too-many", limit = limit),
        Refusal::Changed => t!(language, "refusal-changed"),
        Refusal::BeingSent => t!(language, "refusal-being-sent"),
        Refusal::AlreadySent => t!(language, "refusal-already-sent"),
        Refusal::NotAllowed => t!(language, "url-not-allowed"),
        Refusal::TooFar => t!(language, "when-too-far"),
        Refusal::NotFound | Refusal::NotAdmin => t!(language, "refusal-not-found"),
        Refusal::Storage(_) => t!(language, "apology"),
    }
}

/// A password that cannot be taken.
pub fn password(error: PasswordError, language: Language) -> Html {
    match error {
        PasswordError::TooShort => t!(language, "password-too-short"),
        PasswordError::TooLong => t!(language, "password-too-long"),
        PasswordError::Weak => t!(language, "password-weak"),
        PasswordError::Blank => t!(language, "password-blank"),
        PasswordError::SameAsName => t!(language, "password-same"),
        PasswordError::Unchanged => t!(language, "password-unchanged"),
    }
}

/// A username that cannot be taken.
pub fn username(error: UsernameError, language: Language) -> Html {
    match error {
        UsernameError::Length => t!(language, "username-length"),
        UsernameError::Characters => t!(language, "username-characters"),
    }
}

/// An address that cannot be taken.
pub fn url(error: &ServerUrlError, language: Language) -> Html {
    match error {
        ServerUrlError::MissingScheme { .. } => t!(language, "url-missing-scheme"),
        ServerUrlError::Scheme => t!(language, "url-scheme"),
        ServerUrlError::Credentials => t!(language, "url-credentials"),
        ServerUrlError::QueryOrFragment => t!(language, "url-query"),
        ServerUrlError::Port => t!(language, "url-port"),
        ServerUrlError::NotAUrl | ServerUrlError::NoHost | ServerUrlError::TooLong => t!(language, "url-not-a-url"),
    }
}

/// A key that cannot be taken.
pub fn key(_: &ApiKeyError, language: Language) -> Html {
    t!(language, "key-invalid")
}

/// An instance name that cannot be taken.
pub fn name(_: &InstanceNameError, language: Language) -> Html {
    t!(language, "name-invalid")
}

/// A label that cannot be taken.
pub fn label(_: &LabelError, language: Language) -> Html {
    t!(language, "label-invalid")
}

/// A text that cannot be sent.
pub fn body(error: BodyError, language: Language) -> Html {
    match error {
        BodyError::Empty => t!(language, "text-empty"),
        BodyError::TooLong(length) => t!(language, "text-too-long", length = length),
    }
}

/// A recipient that cannot be read.
pub fn recipient(said: &str, error: &RecipientError, language: Language) -> Html {
    let said = super::messages::preview(said, 60);
    match error {
        RecipientError::NotANumber => t!(language, "to-not-a-number", said = said),
        RecipientError::Length(digits) => t!(language, "to-length", said = said, digits = digits),
        RecipientError::Address => t!(language, "to-address", said = said),
    }
}

/// Why an entry of a list of several lines cannot be read.
pub fn in_line(line: usize, why: &Html, language: Language) -> Html {
    Html::trusted(plain!(language, "to-in-line", line = line, why = why.to_string()))
}

/// A short text for a toast.
pub fn toast(why: &Refusal, language: Language) -> String {
    match why {
        Refusal::Changed => plain!(language, "toast-changed"),
        Refusal::BeingSent => plain!(language, "toast-being-sent"),
        Refusal::AlreadySent => plain!(language, "toast-already-sent"),
        _ => plain!(language, "toast-expired"),
    }
}
