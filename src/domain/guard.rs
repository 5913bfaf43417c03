//! Whether the wall clock can be believed (RELIABILITY.md P18). It is compared with the machine's steady clock, which
//! nobody can set, and with what Telegram says the time is. Nothing is sent by a clock that may be ahead; one that is
//! behind delays and sends nothing early, so it holds nobody up.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::clock::{Clock, Moment, millis};

/// Up to this, a difference is nothing: time servers correct by less, and answers take a while.
const TOLERANCE: Duration = Duration::from_secs(60);

/// What is known of the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Standing {
    /// Nothing speaks against it.
    #[default]
    Trusted,
    /// It jumped, and Telegram was not asked yet: it was set, or the machine slept.
    Doubtful {
        /// It may be ahead.
        ahead: bool,
    },
    /// Telegram says otherwise.
    Wrong {
        /// How far ahead it is, in milliseconds; behind when negative.
        by_ms: i64,
    },
}

/// Watches over the wall clock. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Guard(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    standing: watch::Sender<Standing>,
    heard: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct State {
    /// Both clocks at the last look.
    last: Option<(Moment, Duration)>,
    /// How far ahead Telegram found the wall clock to be.
    found_ms: i64,
    /// How far it has jumped since then.
    jumped_ms: i64,
    jumped: bool,
    /// How far it was set back in all.
    set_back_ms: i64,
}

/// When something was asked, by both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Asked(Moment, Duration);

impl Guard {
    /// Looks at both clocks; says whether messages may be sent by the wall clock.
    pub fn may_send(&self, clock: &Clock) -> bool {
        self.look(clock);
        match self.standing() {
            Standing::Trusted => true,
            Standing::Doubtful { ahead } => !ahead,
            Standing::Wrong { by_ms } => by_ms < 0,
        }
    }

    /// What is known.
    pub fn standing(&self) -> Standing {
        *self.0.standing.borrow()
    }

    /// Tells when that changes.
    pub fn changes(&self) -> watch::Receiver<Standing> {
        self.0.standing.subscribe()
    }

    /// Telegram answered, and did not say what time it is: there is nothing to wait for.
    pub fn heard_nothing(&self) {
        self.0.heard.send_replace(true);
    }

    /// Returns when Telegram has answered, and said what time it is where it says that.
    pub async fn heard(&self) {
        // The sender lives in `self`.
        let _ = self.0.heard.subscribe().wait_for(|heard| *heard).await;
    }

    /// How far the wall clock was set back since the start, in all.
    pub fn set_back(&self) -> Duration {
        Duration::from_millis(self.with(|state| state.set_back_ms.unsigned_abs()))
    }

    /// Looks at both clocks: the difference between them changes only when the wall clock is set or the machine slept.
    pub fn look(&self, clock: &Clock) {
        let (wall, steady) = clock.both();
        self.with(|state| {
            let before = state.last.replace((wall, steady));
            let Some((wall_before, steady_before)) = before else { return };
            let passed = millis(steady.saturating_sub(steady_before));
            let jump = wall.0.saturating_sub(wall_before.0).saturating_sub(passed);
            if jump.unsigned_abs() <= millis(TOLERANCE).unsigned_abs() {
                return;
            }
            tracing::warn!(seconds = jump / 1000, "the clock jumped; what Telegram says is awaited");
            state.jumped = true;
            state.jumped_ms = state.jumped_ms.saturating_add(jump);
            state.set_back_ms = state.set_back_ms.saturating_add((-jump).max(0));
            self.settle(state);
        });
    }

    /// To be called before Telegram is asked for anything.
    pub fn ask(&self, clock: &Clock) -> Asked {
        self.look(clock);
        let (wall, steady) = clock.both();
        Asked(wall, steady)
    }

    /// Telegram answered, and said what time it is.
    pub fn witness(&self, clock: &Clock, asked: Asked, said: Moment) {
        self.look(clock);
        let (now, steady) = clock.both();
        let took = millis(steady.saturating_sub(asked.1));
        let tolerance = millis(TOLERANCE);
        // A clock that jumped in between makes the answer worthless.
        if took > tolerance || (now.0 - asked.0.0 - took).abs() > tolerance {
            return;
        }
        let found = if said.0 + tolerance < asked.0.0 {
            asked.0.0 - said.0
        } else if said.0 > now.0 + tolerance {
            now.0 - said.0
        } else {
            0
        };
        self.with(|state| {
            (state.found_ms, state.jumped_ms, state.jumped) = (found, 0, false);
            self.settle(state);
        });
        self.0.heard.send_replace(true);
    }

    fn settle(&self, state: &State) {
        let standing = if state.jumped {
            Standing::Doubtful { ahead: state.found_ms.saturating_add(state.jumped_ms) > millis(TOLERANCE) }
        } else if state.found_ms == 0 {
            Standing::Trusted
        } else {
            Standing::Wrong { by_ms: state.found_ms }
        };
        self.0.standing.send_if_modified(|old| std::mem::replace(old, standing) != standing);
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Moment = Moment(1_800_000_000_000);
    const HOURS: Duration = Duration::from_secs(7200);

    fn says(guard: &Guard, clock: &Clock, said: Moment) -> Standing {
        let asked = guard.ask(clock);
        clock.advance(Duration::from_millis(80));
        guard.witness(clock, asked, said);
        guard.standing()
    }

    #[test]
    fn time_that_passes_is_no_jump() {
        let (guard, clock) = (Guard::default(), Clock::manual(START));
        for _ in 0..10 {
            assert!(guard.may_send(&clock));
            clock.advance(HOURS);
        }
        assert_eq!(says(&guard, &clock, clock.now()), Standing::Trusted);
    }

    #[test]
    fn a_jump_ahead_holds_until_telegram_agrees_and_longer_when_it_does_not() {
        let (guard, clock) = (Guard::default(), Clock::manual(START));
        assert!(guard.may_send(&clock));
        clock.set(START.plus(HOURS));
        assert!(!guard.may_send(&clock));
        // The machine slept: it is later, and Telegram knows.
        assert_eq!(says(&guard, &clock, START.plus(HOURS)), Standing::Trusted);
        let right = clock.now();
        clock.set(right.plus(HOURS));
        assert!(matches!(says(&guard, &clock, right), Standing::Wrong { by_ms: 7_200_000 }));
        assert!(!guard.may_send(&clock));
        // Put right again: in doubt, but no longer ahead.
        clock.set(right);
        assert!(guard.may_send(&clock));
        assert_eq!(guard.standing(), Standing::Doubtful { ahead: false });
        assert_eq!(says(&guard, &clock, right), Standing::Trusted);
    }

    #[test]
    fn a_clock_that_is_behind_holds_nobody_up_and_is_told_of() {
        let (guard, clock) = (Guard::default(), Clock::manual(START));
        guard.look(&clock);
        clock.set(START.minus(HOURS));
        assert!(guard.may_send(&clock));
        assert_eq!(guard.set_back(), HOURS);
        assert!(matches!(says(&guard, &clock, START), Standing::Wrong { by_ms: -7_200_000..=-7_199_000 }));
        assert!(guard.may_send(&clock));
    }

    #[test]
    fn an_answer_across_a_jump_says_nothing() {
        let (guard, clock) = (Guard::default(), Clock::manual(START));
        let asked = guard.ask(&clock);
        clock.set(START.plus(HOURS));
        guard.witness(&clock, asked, START);
        assert_eq!(guard.standing(), Standing::Doubtful { ahead: true });
    }
}
