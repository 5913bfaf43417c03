//! Whether what happens can be written down.

use std::sync::Arc;

use tokio::sync::watch;

/// Who writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The scheduler: claims and outcomes.
    Scheduler,
    /// What people say.
    Inbox,
}

/// How the last tries ended; nothing before the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tries {
    scheduler: Option<bool>,
    inbox: Option<bool>,
}

impl Tries {
    /// Whether something could not be written down at the last try.
    pub fn fail(self) -> bool {
        [self.scheduler, self.inbox].contains(&Some(false))
    }
}

/// Knows whether each part could write at its last try. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Well(Arc<watch::Sender<Tries>>);

impl Well {
    /// A part could write, or not. Returns whether that is new.
    pub fn note(&self, part: Part, well: bool) -> bool {
        self.0.send_if_modified(|tries| {
            let place = match part {
                Part::Scheduler => &mut tries.scheduler,
                Part::Inbox => &mut tries.inbox,
            };
            place.replace(well) != Some(well)
        })
    }

    /// Whether a part could write at its last try.
    pub fn is_well(&self, part: Part) -> Option<bool> {
        let tries = *self.0.borrow();
        match part {
            Part::Scheduler => tries.scheduler,
            Part::Inbox => tries.inbox,
        }
    }

    /// Tells when it changes.
    pub fn changes(&self) -> watch::Receiver<Tries> {
        self.0.subscribe()
    }
}
