//! What is due, in memory: one queue for each instance, served in turn. It is a hint and never the truth: a claim
//! looks at the row again, so what was changed or cancelled meanwhile is merely dropped.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use super::AHEAD;
use crate::domain::clock::Moment;
use crate::domain::ids::{AccountId, InstanceId, MessageId};
use crate::storage::queue::Waiting;

/// How many messages of an instance are kept; the rest is read when they run low.
const MOST: usize = 256;
/// When more are read.
const FEW: usize = 32;

/// A place in the order of due moments.
pub type Place = (Moment, MessageId);

#[derive(Debug)]
struct Lane {
    account: AccountId,
    /// By the time the user wanted, whatever was moved since.
    queue: BTreeMap<Place, Waiting>,
    open_at: Moment,
    /// What of it is claimed, as far as its outcome is not written.
    claims: Vec<MessageId>,
    server: Option<u64>,
    more: bool,
    /// Where it stands among those that wait.
    wakes_at: Option<Moment>,
}

impl Lane {
    /// When the next of it may be claimed, where none is: the instance is open, and the moment is near.
    fn next_at(&self) -> Option<Moment> {
        let (_, first) = self.queue.first_key_value().filter(|_| self.claims.is_empty())?;
        Some(self.open_at.max(first.due_at.minus(AHEAD)))
    }
}

/// A message that could be claimed.
#[derive(Debug, Clone, Copy)]
pub struct Candidate {
    /// What it goes through.
    pub through: InstanceId,
    /// The server of that, where it is known.
    pub server: Option<u64>,
    /// When it is due.
    pub due_at: Moment,
    /// Another message of the instance is claimed already.
    pub follows: bool,
}

/// Files anew when an instance is to be looked at.
fn refile(wakes: &mut BTreeSet<(Moment, InstanceId)>, id: InstanceId, lane: &mut Lane) {
    let next = lane.next_at();
    if next == lane.wakes_at {
        return;
    }
    if let Some(old) = std::mem::replace(&mut lane.wakes_at, next) {
        wakes.remove(&(old, id));
    }
    wakes.extend(next.map(|at| (at, id)));
}

/// The queues.
#[derive(Debug, Default)]
pub struct Agenda {
    lanes: HashMap<InstanceId, Lane>,
    ring: VecDeque<InstanceId>,
    known: HashMap<MessageId, (InstanceId, Place)>,
    /// Instances that have no claim, by when the next may be made for them.
    wakes: BTreeSet<(Moment, InstanceId)>,
    /// Up to where the table was read.
    pub low: Option<Place>,
}

impl Agenda {
    /// Files messages that were read; those without an instance are given back.
    pub fn file(&mut self, read: Vec<Waiting>) -> Vec<Waiting> {
        let mut homeless = Vec::new();
        for one in read {
            let Some(through) = one.through else {
                homeless.push(one);
                continue;
            };
            // What was read last holds: its moment, its text's order and its account's choice may have changed.
            if let Some((known, place)) = self.known.remove(&one.id) {
                self.change(known, |lane| lane.queue.remove(&place));
            }
            self.put(through, one);
        }
        homeless
    }

    fn put(&mut self, through: InstanceId, one: Waiting) {
        let ring = &mut self.ring;
        self.lanes.entry(through).or_insert_with(|| {
            ring.push_back(through);
            Lane {
                account: one.user_id,
                queue: BTreeMap::new(),
                open_at: one.next_send_at.unwrap_or_default(),
                claims: Vec::new(),
                server: None,
                more: false,
                wakes_at: None,
            }
        });
        let place = (one.scheduled_time, one.id);
        let is_filed = self.change(through, |lane| {
            if lane.queue.len() >= MOST {
                lane.more = true;
                return false;
            }
            lane.queue.insert(place, one);
            true
        });
        if is_filed == Some(true) {
            self.known.insert(place.1, (through, place));
        }
    }

    /// Changes what is known of an instance, and when it is to be looked at with it.
    fn change<T>(&mut self, through: InstanceId, how: impl FnOnce(&mut Lane) -> T) -> Option<T> {
        let lane = self.lanes.get_mut(&through)?;
        let done = how(lane);
        refile(&mut self.wakes, through, lane);
        Some(done)
    }

    /// An instance of an account for which more messages are to be read.
    pub fn runs_low(&self) -> Option<(AccountId, InstanceId)> {
        let low = self.lanes.iter().find(|(_, lane)| lane.more && lane.queue.len() < FEW);
        low.map(|(id, lane)| (lane.account, *id))
    }

    /// What an instance has due was read.
    pub fn was_read(&mut self, through: InstanceId) {
        if let Some(lane) = self.lanes.get_mut(&through) {
            lane.more = false;
        }
    }

    /// Takes messages that may go by `until`, one of each instance that is not closed at `now`. `may_follow`: of those too
    /// that have one claim already. `has_room` tells whether there is room for one more.
    pub fn pick(
        &mut self,
        (now, until): (Moment, Moment),
        may_follow: bool,
        mut has_room: impl FnMut(&Candidate) -> bool,
    ) -> Vec<Waiting> {
        let (mut picked, mut served) = (Vec::new(), Vec::new());
        // Where many instances wait for their pace, to look at each whenever anything happens would take all the time.
        if !may_follow && self.next_at().is_none_or(|at| at > now) {
            return picked;
        }
        for _ in 0..self.ring.len() {
            let Some(id) = self.ring.pop_front() else { break };
            let Some(lane) = self.lanes.get_mut(&id) else { continue };
            if lane.queue.is_empty() && lane.claims.is_empty() && !lane.more {
                self.lanes.remove(&id);
                continue;
            }
            let ready = lane.claims.len() < 1 + usize::from(may_follow) && lane.open_at <= now;
            let next = lane.queue.first_entry().filter(|next| ready && next.get().due_at <= until);
            if let Some(next) = next
                && has_room(&Candidate {
                    through: id,
                    server: lane.server,
                    due_at: next.get().due_at,
                    follows: !lane.claims.is_empty(),
                })
            {
                let one = next.remove();
                lane.claims.push(one.id);
                refile(&mut self.wakes, id, lane);
                self.known.remove(&one.id);
                picked.push(one);
                served.push(id);
            } else {
                self.ring.push_back(id);
            }
        }
        // Those for which there was no room come first the next time.
        self.ring.extend(served);
        picked
    }

    /// A picked message was not claimed, or its attempt is over: its instance may send the next.
    pub fn is_over(&mut self, through: InstanceId, id: MessageId) {
        self.change(through, |lane| lane.claims.retain(|claim| *claim != id));
    }

    /// An instance carries a message.
    pub fn carries(&mut self, through: InstanceId, id: MessageId) {
        self.change(through, |lane| {
            if !lane.claims.contains(&id) {
                lane.claims.push(id);
            }
        });
    }

    /// An instance may not send before this moment.
    pub fn close(&mut self, through: InstanceId, until: Moment) {
        self.change(through, |lane| lane.open_at = lane.open_at.max(until));
    }

    /// An instance may send again at once.
    pub fn open(&mut self, through: InstanceId) {
        self.change(through, |lane| lane.open_at = Moment::default());
    }

    /// Every instance may send again at once, unless its row says otherwise.
    pub fn open_all(&mut self) {
        for (id, lane) in &mut self.lanes {
            lane.open_at = Moment::default();
            refile(&mut self.wakes, *id, lane);
        }
    }

    /// Which server an instance is on.
    pub fn note_server(&mut self, through: InstanceId, server: u64) {
        if let Some(lane) = self.lanes.get_mut(&through) {
            lane.server = Some(server);
        }
    }

    /// Takes out all messages for which `gone` says so.
    pub fn take_out(&mut self, mut gone: impl FnMut(&Waiting) -> bool) -> Vec<Waiting> {
        let mut out = Vec::new();
        for (id, lane) in &mut self.lanes {
            let places: Vec<Place> = lane.queue.iter().filter(|(_, one)| gone(one)).map(|(place, _)| *place).collect();
            out.extend(places.iter().filter_map(|place| lane.queue.remove(place)));
            refile(&mut self.wakes, *id, lane);
        }
        for one in &out {
            self.known.remove(&one.id);
        }
        out
    }

    /// When something may be claimed for an instance that waits: when it is open, and as much before its moment as claims are
    /// made ahead.
    pub fn next_at(&self) -> Option<Moment> {
        self.wakes.first().map(|wake| wake.0)
    }

    /// The same, as far as it lies after `now`: what may be claimed already may wait for a place.
    pub fn next_after(&self, now: Moment) -> Option<Moment> {
        self.wakes.range((now.plus(Duration::from_millis(1)), InstanceId(i64::MIN))..).next().map(|wake| wake.0)
    }

    /// When what comes next through an instance is due, if it is to go before what is at this place.
    pub fn comes_before(&self, through: InstanceId, place: Place) -> Option<Moment> {
        let (first, one) = self.lanes.get(&through)?.queue.first_key_value()?;
        (*first < place).then_some(one.due_at)
    }

    /// Starts reading anew: what changed hands or was missed is found. What is known stays.
    pub fn rewind(&mut self, to: Moment) {
        self.low = self.low.map(|low| low.min((to, MessageId(0))));
    }

    /// Up to when the table was read.
    pub fn read_to(&self) -> Moment {
        self.low.map_or(Moment(i64::MIN), |low| low.0)
    }

    /// Whether the table is to be read from its start.
    pub fn is_rewound(&self) -> bool {
        self.low.is_none_or(|low| low.0 <= Moment::default())
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::LatePolicy;
    use crate::domain::ids::ChatId;

    fn waiting(id: i64, through: i64) -> Waiting {
        Waiting {
            id: MessageId(id),
            user_id: AccountId(through),
            chat_id: ChatId(1),
            pinned: false,
            scheduled_time: Moment(id),
            due_at: Moment(5),
            created_at: Moment(0),
            attempt: 0,
            late_policy: LatePolicy::Ask,
            late_grace: None,
            through: Some(InstanceId(through)),
            next_send_at: None,
        }
    }

    fn ids(picked: &[Waiting]) -> Vec<i64> {
        picked.iter().map(|one| one.id.0).collect()
    }

    #[test]
    fn instances_take_turns_and_send_one_after_the_other_in_order() {
        let mut agenda = Agenda::default();
        assert!(agenda.file(vec![waiting(2, 1), waiting(1, 1), waiting(3, 1), waiting(9, 2)]).is_empty());
        let pick = |agenda: &mut Agenda, at: i64| ids(&agenda.pick((Moment(at), Moment(at)), false, |_| true));
        assert_eq!(pick(&mut agenda, 10), [1, 9]);
        assert_eq!(pick(&mut agenda, 10), [0_i64; 0], "both are busy");
        assert_eq!(agenda.next_at(), None);
        agenda.is_over(InstanceId(1), MessageId(1));
        assert_eq!(pick(&mut agenda, 10), [2]);
        agenda.close(InstanceId(1), Moment(20));
        agenda.is_over(InstanceId(1), MessageId(2));
        assert_eq!(pick(&mut agenda, 10), [0_i64; 0]);
        assert_eq!(agenda.next_at(), Some(Moment(20)));
        assert_eq!(pick(&mut agenda, 20), [3]);
        assert_eq!(agenda.next_at(), None);
    }

    #[test]
    fn an_instance_is_looked_at_when_it_opens_or_its_first_message_comes_near() {
        let mut agenda = Agenda::default();
        let at = |id, due| Waiting { due_at: Moment(due), ..waiting(id, 1) };
        agenda.file(vec![at(1, 9_000), at(2, 8_000)]);
        assert_eq!(agenda.next_at(), Some(Moment(9_000).minus(AHEAD)), "the first by the user's time");
        agenda.take_out(|one| one.id == MessageId(1));
        assert_eq!(agenda.next_at(), Some(Moment(8_000).minus(AHEAD)));
        agenda.close(InstanceId(1), Moment(50_000));
        assert_eq!(agenda.next_at(), Some(Moment(50_000)));
        agenda.open_all();
        agenda.carries(InstanceId(1), MessageId(7));
        assert_eq!(agenda.next_at(), None, "it is busy");
        agenda.is_over(InstanceId(1), MessageId(7));
        assert_eq!(agenda.next_at(), Some(Moment(8_000).minus(AHEAD)));
        agenda.file(vec![Waiting { through: Some(InstanceId(2)), ..at(2, 8_000) }]);
        assert_eq!(agenda.wakes.len(), 1, "it went from one to the other");
    }

    #[test]
    fn a_long_queue_is_kept_short_and_read_again_when_it_runs_low() {
        let mut agenda = Agenda::default();
        agenda.file((1..=1000).map(|id| waiting(id, 1)).collect());
        assert_eq!(agenda.runs_low(), None);
        for _ in 0..=(MOST - FEW) {
            for one in agenda.pick((Moment(10), Moment(10)), false, |_| true) {
                agenda.is_over(InstanceId(1), one.id);
            }
        }
        // What waits for another number of the account is no concern of this one.
        agenda.file((2001..=2300).map(|id| Waiting { user_id: AccountId(1), ..waiting(id, 2) }).collect());
        agenda.was_read(InstanceId(2));
        assert_eq!(agenda.runs_low(), Some((AccountId(1), InstanceId(1))));
        agenda.was_read(InstanceId(1));
        assert_eq!(agenda.runs_low(), None);
    }

    #[test]
    fn those_for_which_there_was_no_room_come_first_the_next_time() {
        let mut agenda = Agenda::default();
        agenda.file(vec![waiting(1, 1), waiting(11, 1), waiting(2, 2), waiting(12, 2), waiting(3, 3)]);
        let at = (Moment(10), Moment(10));
        let mut left = 2;
        let room = |_: &Candidate| {
            left -= 1;
            left >= 0
        };
        assert_eq!(ids(&agenda.pick(at, false, room)), [1, 2]);
        agenda.is_over(InstanceId(1), MessageId(1));
        agenda.is_over(InstanceId(2), MessageId(2));
        assert_eq!(ids(&agenda.pick(at, false, |_| true)), [3, 11, 12]);
    }

    #[test]
    fn what_is_read_again_holds_and_is_not_filed_twice() {
        let mut agenda = Agenda::default();
        agenda.file(vec![waiting(1, 1)]);
        agenda.file(vec![Waiting { late_policy: LatePolicy::Always, ..waiting(1, 1) }]);
        agenda.file(vec![Waiting { scheduled_time: Moment(3), ..waiting(2, 1) }]);
        agenda.file(vec![Waiting { scheduled_time: Moment(0), ..waiting(2, 1) }]);
        assert_eq!(agenda.take_out(|one| one.late_policy == LatePolicy::Always).len(), 1);
        assert_eq!(agenda.take_out(|one| one.id == MessageId(2)).len(), 1);
        agenda.file(vec![waiting(1, 1)]);
        assert_eq!(agenda.pick((Moment(10), Moment(10)), false, |_| true).len(), 1);
        assert!(agenda.is_empty());
    }
}
