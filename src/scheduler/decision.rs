//! What becomes of a message after an attempt: a pure decision.

use crate::domain::clock::Moment;
use crate::domain::instance::Connection;
use crate::domain::message::{Absence, Reason};
use crate::domain::retry::RetryPolicy;
use crate::evolution::Sent;
use crate::evolution::error::{FailReason, HoldReason, SendError, Verdict};

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Handed over.
    Sent,
    /// Nothing left: once more at this moment.
    Again {
        /// When.
        at: Moment,
        /// Why not now.
        reason: Reason,
    },
    /// A person can mend it.
    Held {
        /// What.
        reason: Reason,
        /// What it tells of the instance.
        connection: Connection,
    },
    /// Refused for good.
    Failed {
        /// Why.
        reason: Reason,
    },
    /// It may have left: the instance's history is searched.
    Unknown {
        /// What its absence there will mean.
        if_absent: Absence,
    },
}

/// Decides by the outcome alone; `jitter` in 0..1.
pub fn decide(outcome: &Result<Sent, SendError>, tries: u32, retry: RetryPolicy, jitter: f64, now: Moment) -> Decision {
    let Err(error) = outcome else { return Decision::Sent };
    match error.verdict() {
        Verdict::Retry => {
            // A server that asks for patience is there.
            let reason = if *error == SendError::TooMany { Reason::Busy } else { Reason::Unreachable };
            Decision::Again { at: now.plus(retry.wait(tries, jitter)), reason }
        }
        Verdict::Hold(why) => {
            let (reason, connection) = match why {
                HoldReason::Disconnected => (Reason::Disconnected, Connection::Close),
                HoldReason::KeyRefused => (Reason::KeyRefused, Connection::Refused),
                HoldReason::Missing => (Reason::InstanceMissing, Connection::Missing),
                HoldReason::Licence => (Reason::Licence, Connection::Unknown),
                HoldReason::Policy => (Reason::Unusable, Connection::Unknown),
            };
            Decision::Held { reason, connection }
        }
        Verdict::GiveUp(why) => Decision::Failed {
            reason: match why {
                FailReason::NotOnWhatsApp => Reason::NotOnWhatsApp,
                FailReason::GroupUnknown => Reason::GroupUnknown,
                FailReason::Invalid => Reason::Invalid,
                FailReason::Channel => Reason::ChannelRefused,
            },
        },
        Verdict::Unknown { searchable } => {
            Decision::Unknown { if_absent: if searchable { Absence::Resend } else { Absence::Ask } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolution::error::CallError;

    #[test]
    fn only_what_cannot_have_left_is_tried_again() {
        let decide = |error| decide(&Err(error), 1, RetryPolicy::default(), 0.0, Moment(0));
        for error in [CallError::Dns, CallError::Connect, CallError::Tls] {
            let again = Decision::Again { at: Moment(5000), reason: Reason::Unreachable };
            assert_eq!(decide(SendError::Call(error)), again);
        }
        assert_eq!(decide(SendError::TooMany), Decision::Again { at: Moment(5000), reason: Reason::Busy });
        assert_eq!(decide(SendError::Call(CallError::AnswerLost)), Decision::Unknown { if_absent: Absence::Ask });
        assert_eq!(decide(SendError::Unclear(500)), Decision::Unknown { if_absent: Absence::Resend });
        assert!(matches!(decide(SendError::NotConnected), Decision::Held { reason: Reason::Disconnected, .. }));
        assert_eq!(decide(SendError::NotOnWhatsApp), Decision::Failed { reason: Reason::NotOnWhatsApp });
    }
}
