//! A series: a message that repeats by a rule (RFC 5545 RRULE) in wall time of a zone. Each occurrence is a
//! scheduled message of its own, made ahead of its moment.

use chrono::NaiveDateTime;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::clock::Moment;
use super::ids::{AccountId, ChatId, InstanceId, SeriesId};
use super::recipient::Recipient;

/// Where a series stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum SeriesStatus {
    /// Its occurrences are made.
    Active,
    /// Nothing is made until it is resumed.
    Paused,
    /// Stopped by its owner.
    Stopped,
}

impl SeriesStatus {
    /// Whether it may still be changed.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Active | Self::Paused)
    }
}

/// When a series happens: a rule, and the wall time of its first occurrence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rhythm {
    /// The rule, without `RRULE:`.
    pub rule: String,
    /// The first occurrence (`DTSTART`), in the zone's wall time.
    pub starts_at: NaiveDateTime,
}

impl Rhythm {
    /// Whether it keeps to what clocks show. Rules by hours or minutes count the time that passes.
    pub fn keeps_wall_time(&self) -> bool {
        !["FREQ=HOURLY", "FREQ=MINUTELY"].iter().any(|freq| self.rule.starts_with(freq))
    }
}

/// A series as its owner sees it.
#[derive(Debug, Clone)]
pub struct Series {
    /// Its row.
    pub id: SeriesId,
    /// Who owns it.
    pub account: AccountId,
    /// The instance it was created with, while that exists.
    pub instance: Option<InstanceId>,
    /// Goes through `instance` whatever is active.
    pub pinned: bool,
    /// To whom.
    pub recipient: Recipient,
    /// A name for the recipient; may be empty.
    pub recipient_name: String,
    /// What.
    pub body: String,
    /// When.
    pub rhythm: Rhythm,
    /// The zone that the wall times are of.
    pub zone: Tz,
    /// Where it stands.
    pub status: SeriesStatus,
    /// Up to where its occurrences are made.
    pub made_to: Moment,
    /// The next occurrence that is not made yet.
    pub next_at: Option<Moment>,
    /// Counts changes; buttons carry it.
    pub version: i64,
    /// The chat that asked for it.
    pub chat: ChatId,
}
