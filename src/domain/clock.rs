//! Time, handed in: moments of one millisecond, and the clock that tells them.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// A moment: milliseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, sqlx::Type)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct Moment(pub i64);

/// A length of time in milliseconds, as it is stored.
pub fn millis(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}

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
        Self(self.0.saturating_add(millis(by)))
    }

    /// This much earlier.
    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(millis(by)))
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

/// A sign of life: when something last went well, by [`Clock::pause_now`]. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Pulse(Arc<AtomicI64>);

impl Pulse {
    /// It went well just now.
    pub fn beat(&self, now: Moment) {
        self.0.store(now.0.max(1), Ordering::Relaxed);
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

/// Where the hands of a manual clock stand.
#[derive(Debug, Clone, Copy)]
pub struct Hands {
    wall: Moment,
    steady: Duration,
    /// How often the wall clock was set back.
    set_back: u32,
}

/// Tells the time and waits for it. Tests move it by hand.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that stands still until it is moved.
    Manual(Arc<watch::Sender<Hands>>),
}

/// How long the machine's wall clock is waited for without a look at it: it may be set.
const CHUNK: Duration = Duration::from_secs(60);

impl Clock {
    /// A clock that stands at `start`.
    pub fn manual(start: Moment) -> Self {
        Self::Manual(Arc::new(watch::channel(Hands { wall: start, steady: Duration::ZERO, set_back: 0 }).0))
    }

    /// The moment it is.
    #[expect(clippy::disallowed_methods, reason = "the one place where the machine's clock is read")]
    pub fn now(&self) -> Moment {
        match self {
            Self::System => Utc::now().into(),
            Self::Manual(hands) => hands.borrow().wall,
        }
    }

    /// How long it has been going. Nobody can set this; a machine that sleeps does not count it.
    pub fn steady(&self) -> Duration {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        match self {
            Self::System => START.elapsed(),
            Self::Manual(hands) => hands.borrow().steady,
        }
    }

    /// The same as a moment, for what only has to wait: from no time that people know.
    pub fn pause_now(&self) -> Moment {
        Moment(0).plus(self.steady())
    }

    /// Returns at this moment of [`Self::pause_now`].
    #[expect(clippy::disallowed_methods, reason = "the one place that waits by the machine's clock")]
    pub async fn pause_until(&self, moment: Moment) {
        match self {
            Self::System => tokio::time::sleep(moment.since(self.pause_now())).await,
            Self::Manual(hands) => {
                let mut hands = hands.subscribe();
                // The sender lives in `self`, so the wait cannot fail.
                let _ = hands.wait_for(|now| Moment(0).plus(now.steady) >= moment).await;
            }
        }
    }

    /// Both at once: [`Self::now`] and [`Self::steady`].
    pub fn both(&self) -> (Moment, Duration) {
        match self {
            Self::System => (self.now(), self.steady()),
            Self::Manual(hands) => {
                let hands = hands.borrow();
                (hands.wall, hands.steady)
            }
        }
    }

    /// Moves a manual clock forward; the machine's clock stays what it is.
    pub fn advance(&self, by: Duration) {
        if let Self::Manual(hands) = self {
            hands.send_modify(|hands| {
                hands.wall = hands.wall.plus(by);
                hands.steady += by;
            });
        }
    }

    /// Sets a manual clock to another moment, as people and time servers set the machine's.
    pub fn set(&self, to: Moment) {
        if let Self::Manual(hands) = self {
            hands.send_modify(|hands| {
                hands.set_back += u32::from(to < hands.wall);
                hands.wall = to;
            });
        }
    }

    /// Returns at `moment` or after it; or sooner when the clock was set back meanwhile, since whoever waits then has
    /// to reckon anew.
    #[expect(clippy::disallowed_methods, reason = "the one place that waits by the machine's clock")]
    pub async fn sleep_until(&self, moment: Moment) {
        match self {
            Self::System => loop {
                let exact = Utc::now();
                let now = Moment::from(exact);
                if now >= moment {
                    return;
                }
                // A moment has no parts of a millisecond; the one that is going on is not waited for twice.
                let begun = Duration::from_nanos(u64::from(exact.timestamp_subsec_nanos() % 1_000_000));
                let wait = moment.since(now).saturating_sub(begun).min(CHUNK);
                tokio::time::sleep(wait).await;
                if self.now().plus(Duration::from_secs(1)) < now.plus(wait) {
                    return;
                }
            },
            Self::Manual(hands) => {
                let mut hands = hands.subscribe();
                let set_back = hands.borrow().set_back;
                // The sender lives in `self`, so the wait cannot fail.
                let _ = hands.wait_for(|now| now.wall >= moment || now.set_back != set_back).await;
            }
        }
    }

    /// Returns after `by`, whatever the clock is set to meanwhile.
    pub async fn sleep(&self, by: Duration) {
        self.pause_until(self.pause_now().plus(by)).await;
    }
}
