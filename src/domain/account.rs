//! A person: name, language, zone, and how their late messages are treated.

use std::time::Duration;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::clock::Moment;
use super::ids::AccountId;
use super::language::Language;

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum Role {
    /// Runs the server: invites, users, statistics.
    Admin,
    /// Runs their own instances and messages.
    User,
}

/// What becomes of messages that could not go within the grace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum LatePolicy {
    /// One card asks.
    Ask,
    /// They are sent (up to 24 h late).
    Always,
    /// They are dropped.
    Never,
}

/// What is more late than this never goes by itself, whatever an account chose.
pub const TOO_LATE: Duration = Duration::from_hours(24);

/// How late a message may still go by itself, as an account may choose it.
pub const GRACES: [Duration; 4] =
    [Duration::from_mins(5), Duration::from_mins(30), Duration::from_hours(2), Duration::from_hours(12)];

/// How late a message of an account may still go by itself: what it chose, or what the program is set to.
pub fn grace(chosen: Option<Duration>, otherwise: Duration) -> Duration {
    chosen.unwrap_or(otherwise).min(TOO_LATE)
}

/// A login name: `[a-z0-9_.-]{3,32}`, lower-cased.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Username(String);

/// Why a text is not a username.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UsernameError {
    /// Shorter than 3 or longer than 32 characters.
    #[error("3 to 32 characters")]
    Length,
    /// Holds something other than `a-z0-9_.-`.
    #[error("only a-z, 0-9, _ . -")]
    Characters,
}

impl Username {
    /// Reads a username: blanks around it and a leading `@` are dropped, letters lower-cased.
    pub fn parse(text: &str) -> Result<Self, UsernameError> {
        let name = text.trim().trim_start_matches('@').to_ascii_lowercase();
        if !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.-".contains(&b)) {
            return Err(UsernameError::Characters);
        }
        if !(3..=32).contains(&name.len()) {
            return Err(UsernameError::Length);
        }
        Ok(Self(name))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An account as the rest of the program sees it. The password hash stays in the store.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its row.
    pub id: AccountId,
    /// Login name.
    pub username: String,
    /// What it may do.
    pub role: Role,
    /// Language of all it reads.
    pub language: Language,
    /// Zone its times are said in.
    pub zone: Tz,
    /// ISO 3166 region in which its national phone numbers are read.
    pub region: String,
    /// What becomes of late messages.
    pub late_policy: LatePolicy,
    /// How late a message may still go by itself, where the account chose that.
    pub late_grace: Option<Duration>,
    /// Must set a new password before anything else.
    pub force_password_change: bool,
    /// Set when an administrator suspended it.
    pub disabled_at: Option<Moment>,
}

impl Account {
    /// Whether it may see administration.
    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin
    }
}
