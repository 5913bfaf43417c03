//! Wall times: what the clocks of a zone show, whatever moment that comes to be by the rules of the day.

use chrono::{NaiveDateTime, Timelike as _};
use chrono_tz::Tz;

use super::clock::Moment;

/// A wall time of a zone, to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WallTime {
    /// What the clocks show.
    pub local: NaiveDateTime,
    /// Where.
    pub zone: Tz,
}

impl WallTime {
    /// How it is written down.
    const FORM: &str = "%Y-%m-%dT%H:%M:%S";

    /// What the clocks of a zone show at a moment.
    pub fn at(moment: Moment, zone: Tz) -> Self {
        let local = moment.in_zone(zone).naive_local();
        Self { local: local.with_nanosecond(0).unwrap_or(local), zone }
    }

    /// As it is written down, without its zone.
    pub fn written(&self) -> String {
        self.local.format(Self::FORM).to_string()
    }

    /// What was written down. `None` when it is no such text, or no zone.
    pub fn read(local: &str, zone: &str) -> Option<Self> {
        Some(Self { local: NaiveDateTime::parse_from_str(local, Self::FORM).ok()?, zone: zone.parse().ok()? })
    }
}

/// When a message is to go, as it was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The moment.
    pub at: Moment,
    /// The zone whose clocks said it. Nothing for a length from now: that is a moment, whatever clocks come to show.
    pub by: Option<Tz>,
}

impl Due {
    /// Said by the clocks of a zone.
    pub fn by_clocks(at: Moment, zone: Tz) -> Self {
        Self { at, by: Some(zone) }
    }

    /// The wall time that was said.
    pub fn wall(&self) -> Option<WallTime> {
        self.by.map(|zone| WallTime::at(self.at, zone))
    }
}

impl From<Moment> for Due {
    fn from(at: Moment) -> Self {
        Self { at, by: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wall_time_comes_back_as_it_was_written() {
        let zone = Tz::America__New_York;
        let due = Due::by_clocks(Moment(1_805_029_200_123), zone);
        let written = due.wall().map(|wall| wall.written());
        assert_eq!(written.as_deref(), Some("2027-03-14T09:00:00"));
        assert_eq!(WallTime::read("2027-03-14T09:00:00", "America/New_York"), due.wall());
        assert_eq!(WallTime::read("2027-03-14T09:00:00", "Atlantis"), None);
        assert_eq!(Due::from(Moment(7)).wall(), None);
    }
}
