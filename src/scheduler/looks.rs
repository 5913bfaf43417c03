//! "Was it sent?": looks for messages that may have left in the history of their instance, some time after the
//! answer was lost (RELIABILITY.md section 2, EVOLUTION_API.md section 8), and asks a person only when that cannot tell.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;

use super::Scheduler;
use super::histories::Histories;
use crate::domain::clock::{Moment, millis};
use crate::domain::guard::Standing;
use crate::domain::message::Absence;
use crate::domain::report::Report;
use crate::evolution::Found;
use crate::evolution::error::CallError;
use crate::storage::StorageError;
use crate::storage::looks::{Looked, Lookup};

/// Between two looks.
const AGAIN: Duration = Duration::from_secs(30);
/// How long a server that is away is waited for before a person is asked.
const AWAY: Duration = Duration::from_secs(15 * 60);
/// How soon the clock is looked at again while it is not to be trusted.
const UNTRUSTED: Duration = Duration::from_secs(5);
/// How often a message is sent again at most.
const ROUNDS: i64 = 3;
/// How old what is known to have gone may be, to try a history by.
const WITNESS: Duration = Duration::from_secs(30 * 24 * 3600);
/// Stands where looks are counted when a history could not be searched once; the next time a person is asked.
const MUTE: i64 = -1;
/// How soon is looked again when an equal text is on its way.
const EQUAL: Duration = Duration::from_secs(5);
/// The net below the wake-ups.
const NET: Duration = Duration::from_secs(60);
/// How soon after trouble of the store the next look is.
const TROUBLE: Duration = Duration::from_secs(2);
/// Looks at once.
const AT_ONCE: usize = 8;
/// Looks of one pass, which read each history once.
const MOST: i64 = 500;

/// What the history said.
#[derive(Debug)]
enum History {
    Has {
        remote: String,
        at: Moment,
    },
    /// `proof`: it would have it.
    HasNot {
        proof: bool,
    },
    /// The server does not answer; it may later. `unreached`: it may have been away.
    Away {
        unreached: bool,
    },
    /// It cannot be searched.
    Mute,
}

/// Other messages of ours with the same text.
#[derive(Debug)]
struct Others {
    /// Their ids in the history.
    known: Vec<String>,
    /// How many may be there, to the same recipient, under an id that nobody knows.
    unknown: usize,
}

/// Runs until the program is to stop.
pub(super) async fn run(scheduler: Arc<Scheduler>) {
    while !scheduler.shutdown.is_cancelled() {
        let next = match scheduler.look_once().await {
            Ok(next) => next,
            Err(error) => {
                tracing::warn!(error = %error, "messages could not be looked for");
                Some(scheduler.clock.now().plus(TROUBLE))
            }
        };
        let now = scheduler.clock.now();
        let next = next.map_or(now.plus(NET), |at| at.max(now.plus(Duration::from_millis(50))).min(now.plus(NET)));
        tokio::select! {
            () = scheduler.lookups.notified() => {}
            () = scheduler.clock.sleep_until(next) => {}
            () = scheduler.shutdown.cancelled() => return,
        }
    }
}

impl Scheduler {
    /// Looks for what is to be looked for now. Returns when the next look is due.
    pub async fn look_once(&self) -> Result<Option<Moment>, StorageError> {
        // By a clock that is wrong one would look at the wrong hours, and find nothing.
        if self.guard.standing() != Standing::Trusted {
            return Ok(Some(self.clock.now().plus(UNTRUSTED)));
        }
        let lookups = self.db.read().await?.list_lookups(self.clock.now(), MOST).await?;
        let histories = &Histories::of(&lookups);
        let looks =
            futures::stream::iter(lookups).map(|lookup| self.look_for(lookup, histories)).buffer_unordered(AT_ONCE);
        let outcomes: Vec<Result<(), StorageError>> = looks.collect().await;
        outcomes.into_iter().collect::<Result<(), _>>()?;
        self.db.read().await?.next_lookup().await
    }

    async fn look_for(&self, lookup: Lookup, histories: &Histories) -> Result<(), StorageError> {
        if self.shutdown.is_cancelled() {
            return Ok(());
        }
        let Some(mut taken) = self.take_lookup(&lookup, lookup.look_at).await? else { return Ok(()) };
        let others = {
            let mut conn = self.db.read().await?;
            let recipients = conn.list_of_unknown_id(&lookup).await?;
            let unknown = recipients.iter().filter(|to| number(to) == number(&lookup.recipient)).count();
            Others { known: conn.list_remote_ids(&lookup).await?, unknown }
        };
        let mut search = Box::pin(self.search(&lookup, &others, histories));
        let history = loop {
            tokio::select! {
                history = &mut search => break history,
                // Should this process die, another looks soon.
                () = self.clock.sleep(self.settings.lease / 3) => {
                    let Some(longer) = self.take_lookup(&lookup, taken).await? else { return Ok(()) };
                    taken = longer;
                }
            }
        };
        drop(search);
        let now = self.clock.now();
        let away = match &history {
            History::Away { unreached } => Some(*unreached),
            _ => None,
        };
        let looked = decide(&lookup, history, self.settings.settle, now);
        tracing::info!(message.id = %lookup.id, looked = looked.word(), "looked for a message");
        let wake = matches!(looked, Looked::Send { .. });
        let written: Result<(), StorageError> = self
            .db
            .write(move |conn| {
                Box::pin(async move {
                    if let (Some(unreached), Some(through)) = (away, lookup.through) {
                        conn.note_suspect(through, unreached, now).await?;
                    }
                    // Another message of the same text may have taken what was found, a moment ago or at this very one.
                    conn.lock_account(lookup.user_id).await?;
                    if let Looked::Found { remote, .. } = &looked {
                        let again = if conn.list_remote_ids(&lookup).await?.contains(remote) {
                            Some(now)
                        } else {
                            // What was found may be that one's.
                            conn.is_equal_sent_now(&lookup).await?.then(|| now.plus(EQUAL))
                        };
                        if let Some(at) = again {
                            let again = Looked::Again { at, looks: lookup.looks };
                            conn.settle_lookup(&lookup, taken, &again, now).await?;
                            return Ok(());
                        }
                    }
                    if !conn.settle_lookup(&lookup, taken, &looked, now).await? {
                        return Ok(());
                    }
                    let message = lookup.id;
                    let report = match looked {
                        Looked::Found { at, .. } => {
                            let late_ms = millis(at.since(lookup.scheduled_time));
                            Report::Sent { message, late_ms }
                        }
                        Looked::Ask => Report::Unknown { message },
                        Looked::Late | Looked::Send { .. } | Looked::Dropped { .. } => Report::Changed { message },
                        Looked::Again { .. } => return Ok(()),
                    };
                    conn.add_report(lookup.user_id, lookup.chat_id, &report, now).await?;
                    // One card for all that a store of doubtful age takes for overdue: with the last of them.
                    if matches!(lookup.if_absent, Absence::Late | Absence::Drop)
                        && conn.count_doubted(lookup.user_id).await? == 0
                        && conn.has_late_since(lookup.user_id, now.minus(NET * 60)).await?
                    {
                        conn.add_report(lookup.user_id, lookup.chat_id, &Report::Late, now).await?;
                    }
                    Ok(())
                })
            })
            .await;
        written?;
        if wake {
            self.wake.notify_one();
        }
        self.reported.notify_one();
        Ok(())
    }

    /// Takes a message that is to be looked for at `look_at` for the length of a lease, so that no other process looks as well.
    /// Returns until when; nothing when it is another's or settled.
    async fn take_lookup(&self, lookup: &Lookup, look_at: Moment) -> Result<Option<Moment>, StorageError> {
        let until = self.clock.now().plus(self.settings.lease);
        let one = Lookup { look_at, ..lookup.clone() };
        let ours: Result<bool, StorageError> =
            self.db.write(move |conn| Box::pin(async move { conn.take_lookup(&one, until).await })).await;
        Ok(ours?.then_some(until))
    }

    async fn search(&self, lookup: &Lookup, others: &Others, histories: &Histories) -> History {
        let (Some(through), Some(url), Some(name), Some(key)) =
            (lookup.through, &lookup.api_url, &lookup.instance_name, &lookup.api_key)
        else {
            return History::Mute;
        };
        let Some(at) = self.open(lookup.user_id, url, name, key) else {
            return History::Mute;
        };
        let mut proves = true;
        // The address as the server stores it; a group's is its own.
        let jid = if lookup.recipient.contains('@') {
            Some(lookup.recipient.clone())
        } else {
            match histories.address(&self.evolution, &at, (through, &lookup.recipient)).await {
                Ok(jid) => jid,
                Err(error) if error.is_away() => return of_error(&error),
                Err(error) => {
                    // What Meta took may not be stored: there absence proves nothing.
                    proves &= !error.is_business();
                    None
                }
            }
        };
        let (mut ours, mut anyones) = (Vec::new(), false);
        let places = if jid.is_some() { vec![jid.as_deref(), None] } else { vec![None] };
        for place in places {
            let rows = match histories.find(&self.evolution, &at, (lookup, through), place, self.clock.now()).await {
                Ok(rows) => rows,
                Err(error) => return of_error(&error),
            };
            for row in rows.into_iter().filter(|row| !others.known.contains(&row.remote_id)) {
                match whose(&row, &lookup.recipient, jid.as_deref()) {
                    Whose::Theirs => ours.push(row),
                    Whose::Anyones => anyones = true,
                    Whose::Others => {}
                }
            }
            if !ours.is_empty() {
                break;
            }
        }
        // The oldest that no other message of ours has; all but the newest may be of those whose ids nobody knows.
        let is_ours = ours.len() > others.unknown;
        let one = ours.iter().min_by_key(|one| one.at).filter(|_| others.unknown == 0);
        match one.or(ours.iter().max_by_key(|one| one.at)) {
            Some(one) if is_ours => History::Has { remote: one.remote_id.clone(), at: one.at.into() },
            Some(_) => History::HasNot { proof: false },
            None if anyones || !proves => History::HasNot { proof: false },
            None => {
                let since = self.clock.now().minus(WITNESS);
                let read = async { self.db.read().await?.find_witness(lookup.user_id, through, since).await };
                let Ok(witness): Result<_, StorageError> = read.await else {
                    return History::Away { unreached: false };
                };
                match histories.is_kept(&self.evolution, &at, through, witness).await {
                    Ok(proof) => History::HasNot { proof },
                    Err(error) => of_error(&error),
                }
            }
        }
    }
}

fn of_error(error: &CallError) -> History {
    // A server that is only slow was there all the time.
    let unreached = *error != CallError::TimedOut;
    if error.is_away() { History::Away { unreached } } else { History::Mute }
}

/// To whom something in the history went, as seen from a recipient of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Theirs,
    Others,
    /// To one of WhatsApp's private addresses, which tell nobody's number.
    Anyones,
}

/// To whom a row of the history went: to the recipient where the address is the same, or one that the server may have made
/// of it (national digits that come and go).
fn whose(row: &Found, recipient: &str, jid: Option<&str>) -> Whose {
    let (wanted, by_jid) = (number(recipient), jid.map(number));
    let is_theirs = |address: &str| {
        let found = number(address);
        jid == Some(address) || (!address.ends_with("@lid") && (found == wanted || by_jid.as_deref() == Some(&found)))
    };
    let is_private = |address: &str| address.ends_with("@lid");
    if is_theirs(&row.remote_jid) || row.other_jid.as_deref().is_some_and(is_theirs) {
        Whose::Theirs
    } else if is_private(&row.remote_jid) && row.other_jid.as_deref().is_none_or(is_private) {
        Whose::Anyones
    } else {
        Whose::Others
    }
}

/// The number of an address, or of a recipient of ours, as it can be compared.
fn number(text: &str) -> String {
    plain(text.split(['@', ':']).next().unwrap_or_default())
}

/// A number without the digits that WhatsApp's numbers have and others have not, or the other way round: the ninth of
/// Brazil's mobiles, the 1 of Mexico's, the 9 of Argentina's.
fn plain(number: &str) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let without =
        |at: usize| digits.get(..at).unwrap_or_default().to_owned() + digits.get(at + 1..).unwrap_or_default();
    match digits.as_bytes() {
        [b'5', b'5', _, _, b'9', ..] if digits.len() == 13 => without(4),
        [b'5', b'2', b'1', ..] if digits.len() == 13 => without(2),
        [b'5', b'4', b'9', ..] if digits.len() == 13 => without(2),
        _ => digits,
    }
}

/// What becomes of a message by what its history said: a pure decision.
fn decide(lookup: &Lookup, history: History, settle: Duration, now: Moment) -> Looked {
    let again = now.plus(AGAIN.min(settle.max(Duration::from_millis(200))));
    let age = now.since(lookup.started_at);
    // A server that was away since may have been started anew, and have lost what it had not stored.
    let is_sure = lookup.unreached_at.is_none_or(|at| at < lookup.started_at);
    match (history, lookup.if_absent) {
        (History::Has { remote, at }, _) => Looked::Found { remote, at },
        (History::HasNot { proof: true }, Absence::Resend | Absence::Drop) if is_sure && lookup.looks <= 0 => {
            Looked::Again { at: again, looks: 1 }
        }
        (History::HasNot { proof: true }, Absence::Resend) if is_sure && lookup.resends < ROUNDS => {
            Looked::Send { counted: true }
        }
        (History::HasNot { .. } | History::Mute, Absence::Send) => Looked::Send { counted: false },
        // It will be retried as any message to a server that is away.
        (History::Away { .. }, Absence::Send) => Looked::Send { counted: false },
        (History::Away { .. }, Absence::Resend | Absence::Ask | Absence::Drop) if age < AWAY + settle => {
            Looked::Again { at: again, looks: lookup.looks }
        }
        (History::Mute, Absence::Resend | Absence::Ask | Absence::Drop) if lookup.looks == 0 => {
            Looked::Again { at: again, looks: MUTE }
        }
        (_, Absence::Late) => Looked::Late,
        (History::HasNot { proof: true }, Absence::Drop) if is_sure => Looked::Dropped { sure: true },
        (_, Absence::Drop) => Looked::Dropped { sure: false },
        (_, Absence::Resend | Absence::Ask) => Looked::Ask,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{AccountId, ChatId, MessageId};

    const NOW: Moment = Moment(1_800_000_000_000);
    const SETTLE: Duration = Duration::from_secs(120);

    fn lookup(if_absent: Absence) -> Lookup {
        let started_at = NOW.minus(SETTLE);
        Lookup {
            id: MessageId(1),
            user_id: AccountId(1),
            chat_id: ChatId(1),
            recipient: "5511988887777".to_owned(),
            message: "x".to_owned(),
            scheduled_time: started_at,
            started_at,
            attempt: 1,
            look_at: NOW,
            looks: 0,
            resends: 0,
            if_absent,
            through: None,
            unreached_at: None,
            api_url: None,
            instance_name: None,
            api_key: None,
        }
    }

    const AWAY_NOW: History = History::Away { unreached: true };

    fn absent(lookup: &Lookup) -> Looked {
        decide(lookup, History::HasNot { proof: true }, SETTLE, NOW)
    }

    #[test]
    fn what_is_twice_absent_is_sent_again_three_times_and_then_asked_about() {
        let mut one = lookup(Absence::Resend);
        for round in 0..3 {
            one.resends = round;
            one.looks = 0;
            assert_eq!(absent(&one), Looked::Again { at: NOW.plus(AGAIN), looks: 1 });
            one.looks = 1;
            assert_eq!(absent(&one), Looked::Send { counted: true });
        }
        one.resends = 3;
        assert_eq!(absent(&one), Looked::Ask);
    }

    #[test]
    fn absence_is_no_proof_where_the_server_was_away_since_or_keeps_nothing_or_lost_the_answer() {
        let mut one = lookup(Absence::Resend);
        assert_eq!(decide(&one, History::HasNot { proof: false }, SETTLE, NOW), Looked::Ask);
        one.unreached_at = Some(one.started_at.plus(Duration::from_secs(1)));
        assert_eq!(absent(&one), Looked::Ask);
        one.unreached_at = Some(one.started_at.minus(Duration::from_secs(1)));
        assert!(matches!(absent(&one), Looked::Again { .. }));
        assert_eq!(decide(&one, History::Mute, SETTLE, NOW), Looked::Again { at: NOW.plus(AGAIN), looks: MUTE });
        one.looks = MUTE;
        assert_eq!(decide(&one, History::Mute, SETTLE, NOW), Looked::Ask);
        one.looks = 0;
        assert_eq!(absent(&lookup(Absence::Ask)), Looked::Ask);
        assert_eq!(absent(&lookup(Absence::Late)), Looked::Late);
    }

    #[test]
    fn a_row_of_the_history_is_the_recipients_by_its_whole_number_and_never_by_a_private_address() {
        let row = |jid: &str, other: Option<&str>| Found {
            remote_id: "R".to_owned(),
            remote_jid: jid.to_owned(),
            other_jid: other.map(str::to_owned),
            text: "x".to_owned(),
            at: NOW.utc(),
        };
        let of = |jid: &str, other| whose(&row(jid, other), "5511988887777", None);
        assert_eq!(of("5511988887777@s.whatsapp.net", None), Whose::Theirs);
        assert_eq!(of("5511988887777:12@s.whatsapp.net", None), Whose::Theirs);
        assert_eq!(of("551188887777@s.whatsapp.net", None), Whose::Theirs, "without the ninth digit");
        assert_eq!(of("5521988887777@s.whatsapp.net", None), Whose::Others, "another town");
        assert_eq!(of("551198888777@s.whatsapp.net", None), Whose::Others);
        assert_eq!(of("123@lid", None), Whose::Anyones);
        assert_eq!(of("123@lid", Some("5511988887777@s.whatsapp.net")), Whose::Theirs);
        assert_eq!(of("123@lid", Some("5521988887777@s.whatsapp.net")), Whose::Others);
        assert_eq!(of("5511988887777@lid", None), Whose::Anyones, "its digits are no number");
        let moved = whose(&row("123@lid", None), "5511988887777", Some("123@lid"));
        assert_eq!(moved, Whose::Theirs, "the server sends there");
        let group = "120363000000000001@g.us";
        assert_eq!(whose(&row(group, None), group, Some(group)), Whose::Theirs);
        assert_eq!(plain("5215512345678"), "525512345678");
        assert_eq!(plain("5491112345678"), "541112345678");
        assert_eq!(plain("351912345678"), "351912345678");
    }

    #[test]
    fn what_is_there_was_sent_whatever_else_is_known() {
        for if_absent in [Absence::Resend, Absence::Ask, Absence::Late, Absence::Send] {
            let has = History::Has { remote: "R".to_owned(), at: NOW };
            assert_eq!(decide(&lookup(if_absent), has, SETTLE, NOW), Looked::Found { remote: "R".to_owned(), at: NOW });
        }
    }

    #[test]
    fn what_was_cancelled_meanwhile_does_not_go_and_says_whether_it_may_have_left() {
        let mut one = lookup(Absence::Drop);
        assert_eq!(absent(&one), Looked::Again { at: NOW.plus(AGAIN), looks: 1 });
        one.looks = 1;
        assert_eq!(absent(&one), Looked::Dropped { sure: true });
        one.unreached_at = Some(one.started_at.plus(Duration::from_secs(1)));
        assert_eq!(absent(&one), Looked::Dropped { sure: false });
        assert_eq!(decide(&one, History::HasNot { proof: false }, SETTLE, NOW), Looked::Dropped { sure: false });
        one.looks = MUTE;
        assert_eq!(decide(&one, History::Mute, SETTLE, NOW), Looked::Dropped { sure: false });
    }

    #[test]
    fn a_server_that_is_away_is_waited_for_and_then_the_chat_is_asked() {
        let mut one = lookup(Absence::Resend);
        assert!(matches!(decide(&one, AWAY_NOW, SETTLE, NOW), Looked::Again { looks: 0, .. }));
        one.started_at = NOW.minus(AWAY + SETTLE);
        assert_eq!(decide(&one, AWAY_NOW, SETTLE, NOW), Looked::Ask);
    }
}
