//! Time, handed in: moments of one millisecond, and the clock that tells them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// A moment: milliseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, sqlx::Type)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct Moment(pub i64);

impl Moment {
    /// As a date and time of UTC. What lies outside chrono's range (262,000 years) is its nearest end.
    pub fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or(if self.0 < 0 {
            DateTime::<Utc>::MIN_UTC
        } else {
            DateTime::<Utc>::MAX_UTC
        })
    }

    /// As its wall time in a zone.
    pub fn in_zone(self, zone: Tz) -> DateTime<Tz> {
        zone.from_utc_datetime(&self.utc().naive_utc())
    }

    /// This much later.
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    /// This much earlier.
    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; nothing when it is not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl<Z: TimeZone> From<DateTime<Z>> for Moment {
    fn from(at: DateTime<Z>) -> Self {
        Self(at.timestamp_millis())
    }
}

/// A sign of life: when something last went well. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Pulse(Arc<AtomicI64>);

impl Pulse {
    /// It went well just now.
    pub fn beat(&self, now: Moment) {
        self.0.store(now.0, Ordering::Relaxed);
    }

    /// It went wrong.
    pub fn stop(&self) {
        self.0.store(i64::MIN, Ordering::Relaxed);
    }

    /// Whether it went well last, and no longer than `within` ago.
    pub fn is_alive(&self, now: Moment, within: Duration) -> bool {
        let last = self.0.load(Ordering::Relaxed);
        last > 0 && now.since(Moment(last)) <= within
    }
}

/// Tells the time and waits for it. Tests move it by hand.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that stands still until it is moved.
    Manual(Arc<watch::Sender<Moment>>),
}

impl Clock {
    /// A clock that stands at `start`.
    pub fn manual(start: Moment) -> Self {
        Self::Manual(Arc::new(watch::channel(start).0))
    }

    /// The moment it is.
    #[expect(clippy::disallowed_methods, reason = "the one place where the machine's clock is read")]
    pub fn now(&self) -> Moment {
        match self {
            Self::System => Utc::now().into(),
            Self::Manual(at) => *at.borrow(),
        }
    }

    /// Moves a manual clock forward; the machine's clock stays what it is.
    pub fn advance(&self, by: Duration) {
        if let Self::Manual(at) = self {
            at.send_modify(|now| *now = now.plus(by));
        }
    }

    /// Returns at `moment` or after it. The machine's clock is looked at again at least each
    /// minute of a long wait, since it may be set.
    #[expect(clippy::disallowed_methods, reason = "the one place that waits by the machine's clock")]
    pub async fn sleep_until(&self, moment: Moment) {
        match self {
            Self::System => loop {
                let now = self.now();
                if now >= moment {
                    return;
                }
                tokio::time::sleep(moment.since(now).min(Duration::from_secs(60))).await;
            },
            Self::Manual(at) => {
                let mut at = at.subscribe();
                // The sender lives in `self`, so the wait cannot fail.
                let _ = at.wait_for(|now| *now >= moment).await;
            }
        }
    }

    /// Returns after `by` of this clock.
    pub async fn sleep(&self, by: Duration) {
        self.sleep_until(self.now().plus(by)).await;
    }
}
