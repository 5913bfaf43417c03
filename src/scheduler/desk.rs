//! What the loop knows, and nobody else: all of it can be lost.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::agenda::{Agenda, Candidate, Place};
use super::ledger::Taken;
use super::round::Begun;
use super::{AHEAD, Ended, Finished, PATIENCE, SOON};
use crate::domain::clock::Moment;
use crate::domain::ids::{InstanceId, MessageId};
use crate::domain::message::Absence;
use crate::storage::ahead::{Ahead, Attempted};
use crate::storage::queue::{Due, Serving, Waiting};

/// A claim that waits for its moment, or for a place.
#[derive(Debug)]
pub(super) struct Claim {
    /// When it was made.
    pub begun: Moment,
    /// The same by the steady clock.
    pub steady: Duration,
    /// Since when it waits for a place, by the steady clock.
    pub ready: Duration,
    /// Which server it is for.
    pub server: u64,
    /// What.
    pub due: Due,
}

impl Claim {
    /// Which claim it is.
    pub fn attempted(&self) -> Attempted {
        (self.due.id, self.due.attempt + 1)
    }
}

/// How many claims may follow another.
const FOLLOWING: usize = 512;
/// How many claims may wait for their moment.
const PLANNED: usize = 2048;

/// What is under way at a server.
#[derive(Debug, Default)]
struct Server {
    /// Requests.
    started: usize,
    /// Claims that wait for a place, the oldest first.
    ready: VecDeque<Claim>,
    /// Whether its last answer came quickly.
    is_quick: bool,
}

/// All that is known from one round to the next.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each tells of another thing that happened")]
pub(super) struct Desk {
    pub agenda: Agenda,
    /// What is claimed, with its instance.
    pub in_flight: HashMap<MessageId, InstanceId>,
    servers: HashMap<u64, Server>,
    /// Claims that wait for their moment, in its order.
    planned: BTreeMap<Place, Claim>,
    /// What an instance hands over or is about to, one message at a time.
    carrying: HashMap<InstanceId, MessageId>,
    /// The claim that leaves through an instance when what it carries was taken.
    following: HashMap<InstanceId, Claim>,
    /// Claims that may be handed out, since what they followed was taken.
    pub released: Vec<Claim>,
    /// Instances whose message takes long: what followed it was given back, and nothing follows until it ends.
    hanging: HashSet<InstanceId>,
    /// Claims that need not be on the list of what can be taken back any more.
    over: Vec<Attempted>,
    /// What servers took since that was noted last.
    pub taken: Vec<Taken>,
    /// Claims that may leave when that is noted.
    pub to_note: Vec<Claim>,
    /// Instances whose last message was not taken, until that is written: what follows may not go.
    broken: HashMap<InstanceId, MessageId>,
    /// Requests at all servers.
    pub started: usize,
    /// Servers that have claims that wait, in turn.
    waiting: VecDeque<u64>,
    pub finished: Vec<Finished>,
    pub homeless: Vec<Waiting>,
    pub late: Vec<Waiting>,
    pub doubtful: Vec<(MessageId, Absence)>,
    pub doubted: HashSet<MessageId>,
    pub started_at: Moment,
    /// What came due by then may have been sent by a time that the store does not know of.
    pub doubt_before: Moment,
    /// On PostgreSQL: which server answered last.
    pub serving: Option<Serving>,
    pub next_due: Option<Moment>,
    /// What came due was read: when the next comes due is to be asked.
    pub ask_next: bool,
    pub next_expiry: Option<Moment>,
    pub expiry_at: Moment,
    pub net_at: Moment,
    pub beat_at: Moment,
    pub sweep_at: Moment,
    /// Nothing is claimed before, by the steady clock: what was claimed could not be noted down.
    pub rest_until: Option<Duration>,
    /// How far the clock was set back, as far as that was made good.
    pub set_back: Duration,
    pub read_more: bool,
    /// What is to be read begins earlier than where the last reading ended: something changed.
    pub was_rewound: bool,
    pub unsure: bool,
    /// Nothing is sent, since the clock may be ahead.
    pub on_hold: bool,
    /// The last round settled or claimed something, so that the next may find room.
    pub moved: bool,
}

impl Desk {
    /// Nothing is known, and this run began then.
    pub fn begun_at(now: Moment) -> Self {
        Self { started_at: now, ..Self::default() }
    }

    /// An attempt is over; its outcome waits to be written.
    pub fn ended(&mut self, one: Finished) {
        if let Some((at, is_quick)) = one.at {
            self.started = self.started.saturating_sub(1);
            if let Some(server) = self.servers.get_mut(&at) {
                server.started = server.started.saturating_sub(1);
                server.is_quick = is_quick;
                if server.started == 0 && server.ready.is_empty() && !is_quick {
                    self.servers.remove(&at);
                }
            }
        }
        let through = one.due.through;
        let carried = self.carrying.get(&through) == Some(&one.due.id);
        if carried {
            self.carrying.remove(&through);
            self.hanging.remove(&through);
        }
        let was_taken = matches!(one.ended, Ended::Answered(Ok(_)));
        if let Ended::Answered(Ok(sent)) = &one.ended {
            let due = &one.due;
            self.taken.push(Taken {
                id: due.id,
                created: due.created_at,
                attempt: one.attempt,
                remote: sent.remote_id.clone(),
            });
        }
        if carried && !was_taken {
            self.broken.insert(through, one.due.id);
        }
        self.finished.push(one);
        if carried && let Some(next) = self.following.remove(&through) {
            if was_taken {
                self.carrying.insert(through, next.due.id);
                self.released.push(next);
            } else {
                self.over.push(next.attempted());
                self.release(next);
            }
        }
    }

    /// What waits to be written. What was handed over makes way for the next of its instance; what failed may close it.
    pub fn take_finished(&mut self) -> Vec<Finished> {
        for one in self.finished.iter().filter(|one| matches!(one.ended, Ended::Answered(Ok(_)))) {
            if let Some(through) = self.in_flight.get(&one.due.id) {
                self.agenda.is_over(*through, one.due.id);
            }
        }
        std::mem::take(&mut self.finished)
    }

    pub fn finished_first(&mut self, one: Option<Finished>) {
        if let Some(one) = one {
            self.ended(one);
        }
    }

    /// Something changed: what came due a little while ago may be new.
    pub fn rewind(&mut self, now: Moment) {
        self.agenda.rewind(now.minus(Duration::from_secs(15)));
        self.next_due = Some(now);
        self.was_rewound = true;
    }

    /// Reads everything anew: what is known of the table may have holes.
    pub fn anew(&mut self, now: Moment) {
        self.agenda.rewind(Moment::default());
        self.next_due = Some(now);
        self.was_rewound = true;
    }

    /// The same, and which instances may send: their rows say.
    pub fn all_anew(&mut self, now: Moment) {
        self.agenda.open_all();
        self.anew(now);
    }

    /// Whether something cannot go, or may have gone, which is to be written down.
    pub fn sets_aside(&self) -> bool {
        !(self.homeless.is_empty() && self.late.is_empty() && self.doubtful.is_empty())
    }

    /// Whether the leases of what is claimed are to be extended.
    pub fn is_to_beat(&self, now: Moment) -> bool {
        self.beat_at <= now && !self.in_flight.is_empty()
    }

    /// When the loop must look again by itself while nothing may be sent.
    pub fn next_on_hold(&self) -> Option<Moment> {
        (!self.in_flight.is_empty()).then_some(self.beat_at)
    }

    /// When the loop must look again by itself.
    pub fn next_at(&self, (now, steady): (Moment, Duration), in_flight: usize) -> Option<Moment> {
        if self.read_more {
            return Some(now);
        }
        let due = self.next_due.map(|due| due.minus(AHEAD));
        let ready = self.agenda.next_at().filter(|at| *at <= now);
        let waiting = match ready {
            Some(_) if self.moved => Some(now),
            // It is ready, and waits for a place: an end of something makes one.
            Some(_) if self.in_flight.is_empty() && in_flight > 0 => Some(now.plus(Duration::from_millis(5))),
            _ => self.agenda.next_after(now),
        };
        let beat = (!self.in_flight.is_empty()).then_some(self.beat_at);
        let sweep = (!self.agenda.is_empty()).then_some(self.sweep_at);
        let expiry = self.next_expiry.filter(|_| self.in_flight.is_empty());
        [due, waiting, beat, sweep, expiry, self.patience_ends_at(now, steady)].into_iter().flatten().min()
    }

    /// When the first claim comes to its moment.
    pub fn planned_at(&self) -> Option<Moment> {
        self.planned.first_key_value().map(|(place, _)| place.0)
    }

    /// A claim waits for its moment.
    pub fn plan(&mut self, claim: Claim) {
        self.in_flight.insert(claim.due.id, claim.due.through);
        self.planned.insert((claim.due.due_at, claim.due.id), claim);
    }

    /// Claims whose moment has come and that were not taken back meanwhile: they may begin.
    pub fn come_due(&mut self, now: Moment, ahead: &Ahead) -> Vec<Claim> {
        let mut come = Vec::new();
        while let Some(first) = self.planned.first_entry().filter(|first| first.key().0 <= now) {
            let claim = first.remove();
            if ahead.take(claim.attempted()) {
                come.push(claim);
            } else {
                self.release(claim);
            }
        }
        come
    }

    /// A claim whose moment has come takes its turn at its instance: it is returned when that is now.
    pub fn take_turn(&mut self, claim: Claim, ahead: &Ahead) -> Option<Claim> {
        let (through, id) = (claim.due.through, claim.due.id);
        self.in_flight.insert(id, through);
        if self.broken.contains_key(&through) || self.following.contains_key(&through) {
            self.release(claim);
            return None;
        }
        match self.carrying.entry(through) {
            Entry::Vacant(free) => {
                free.insert(id);
                Some(claim)
            }
            Entry::Occupied(_) => {
                ahead.add(claim.attempted(), claim.due.user_id);
                self.following.insert(through, claim);
                None
            }
        }
    }

    /// Claims that may be handed out, since what they followed was taken.
    pub fn take_released(&mut self, ahead: &Ahead) -> Vec<Claim> {
        for claim in self.over.drain(..) {
            ahead.take(claim);
        }
        let (go, back): (Vec<Claim>, Vec<Claim>) =
            std::mem::take(&mut self.released).into_iter().partition(|claim| ahead.take(claim.attempted()));
        for claim in back {
            self.release(claim);
        }
        go
    }

    /// Claims that were taken back, and those before which another message is to go, are given back.
    pub fn give_way(&mut self, ahead: &Ahead, now: Moment) {
        let Self { planned, agenda, .. } = self;
        let over: Vec<Place> = planned
            .iter()
            .filter(|(_, claim)| {
                let place = (claim.due.scheduled_time, claim.due.id);
                let is_late = |due| due < claim.due.due_at && due <= now.plus(SOON);
                // The clock may have been set back.
                let is_far = claim.due.due_at > now.plus(AHEAD * 2);
                is_far
                    || !ahead.holds(claim.attempted())
                    || agenda.comes_before(claim.due.through, place).is_some_and(is_late)
            })
            .map(|(place, _)| *place)
            .collect();
        let mut back: Vec<Claim> = over.iter().filter_map(|place| self.planned.remove(place)).collect();
        back.extend(self.following.extract_if(|_, claim| !ahead.holds(claim.attempted())).map(|(_, claim)| claim));
        for claim in back {
            ahead.take(claim.attempted());
            self.release(claim);
        }
    }

    /// The attempt's outcome is written: its instance is free.
    pub fn settled(&mut self, id: MessageId) {
        if let Some(through) = self.in_flight.remove(&id) {
            self.agenda.is_over(through, id);
            if self.broken.get(&through) == Some(&id) {
                self.broken.remove(&through);
            }
        }
    }

    /// A claim waits for a place.
    pub fn make_ready(&mut self, claim: Claim) {
        self.in_flight.insert(claim.due.id, claim.due.through);
        let server = self.servers.entry(claim.server).or_default();
        if server.ready.is_empty() {
            self.waiting.push_back(claim.server);
        }
        server.ready.push_back(claim);
    }

    /// A claim is given back: nothing was begun.
    pub fn release(&mut self, claim: Claim) {
        self.in_flight.insert(claim.due.id, claim.due.through);
        let attempt = claim.due.attempt + 1;
        self.ended(Finished { due: claim.due, attempt, begun: claim.begun, ended: Ended::Released, at: None });
    }

    /// The next claim that finds a place; `places` is how many there are. A server may have no more requests on their
    /// way than there are places left, so that one that hangs leaves room.
    pub fn next_ready(&mut self, places: usize) -> Option<Claim> {
        for _ in 0..self.waiting.len() {
            let at = self.waiting.pop_front()?;
            let Some(server) = self.servers.get_mut(&at) else { continue };
            if server.started >= places.saturating_sub(self.started) {
                self.waiting.push_back(at);
                continue;
            }
            let claim = server.ready.pop_front();
            if !server.ready.is_empty() {
                self.waiting.push_back(at);
            }
            if claim.is_some() {
                server.started += 1;
                self.started += 1;
                return claim;
            }
        }
        None
    }

    /// Claims that waited too long for a place are given back, and no more are made ahead for their server.
    pub fn give_up(&mut self, steady: Duration, ahead: &Ahead) {
        let is_over = |claim: &Claim| steady.saturating_sub(claim.ready) >= PATIENCE;
        let mut over: Vec<Claim> =
            self.following.extract_if(|_, claim| is_over(claim)).map(|(_, claim)| claim).collect();
        for claim in &over {
            ahead.take(claim.attempted());
            self.hanging.insert(claim.due.through);
        }
        for at in &self.waiting {
            let Some(server) = self.servers.get_mut(at) else { continue };
            while server.ready.front().is_some_and(is_over) {
                server.is_quick = false;
                over.extend(server.ready.pop_front());
            }
        }
        if over.is_empty() {
            return;
        }
        let servers = &self.servers;
        self.waiting.retain(|at| servers.get(at).is_some_and(|server| !server.ready.is_empty()));
        for claim in over {
            self.release(claim);
        }
    }

    /// Every claim that has not begun is given back.
    pub fn release_all(&mut self, ahead: &Ahead) {
        self.waiting.clear();
        let mut all: Vec<Claim> = self.servers.values_mut().flat_map(|server| server.ready.drain(..)).collect();
        all.append(&mut self.to_note);
        let mut ahead_of: Vec<Claim> = std::mem::take(&mut self.planned).into_values().collect();
        ahead_of.extend(std::mem::take(&mut self.following).into_values());
        ahead_of.append(&mut self.released);
        all.extend(ahead_of.into_iter().inspect(|claim| _ = ahead.take(claim.attempted())));
        for claim in all {
            self.release(claim);
        }
    }

    /// When the first claim that waits for a place is given back.
    fn patience_ends_at(&self, now: Moment, steady: Duration) -> Option<Moment> {
        let fronts = self.waiting.iter().filter_map(|at| self.servers.get(at)?.ready.front());
        let ready = fronts.chain(self.following.values()).map(|claim| claim.ready).min()?;
        Some(now.plus(PATIENCE.saturating_sub(steady.saturating_sub(ready))))
    }

    /// How many more may be claimed for each server. `places`: how many requests there may be at once.
    pub fn room(&self, places: usize) -> Room<'_> {
        let ready = self.waiting.iter().filter_map(|at| self.servers.get(at)).map(|server| server.ready.len()).sum();
        Room {
            desk: self,
            places,
            all: self.started,
            ahead: ready,
            planned: self.planned.len(),
            following: self.following.len(),
            picked: HashMap::new(),
        }
    }

    /// A round that could not be written: what it was to write waits for the next.
    pub fn take_back(&mut self, begun: Begun, ahead: &Ahead) {
        let mut finished = Arc::unwrap_or_clone(begun.finished);
        finished.append(&mut self.finished);
        self.finished = finished;
        self.homeless.extend(begun.homeless);
        self.late.extend(begun.late);
        self.doubtful.extend(begun.doubtful);
        for one in begun.picked {
            ahead.forget(one.id);
            self.put_back(one);
        }
    }

    /// Files what was picked and not claimed.
    pub fn put_back(&mut self, one: Waiting) {
        if let Some(through) = one.through {
            self.agenda.is_over(through, one.id);
        }
        self.agenda.file(vec![one]);
    }
}

/// Tells while a round picks what there is room for.
pub(super) struct Room<'a> {
    desk: &'a Desk,
    places: usize,
    /// Requests on their way, and picked messages that will find a place at once.
    all: usize,
    /// Claims that wait for a place, and picked messages that will.
    ahead: usize,
    /// Claims that wait for their moment, and picked messages that will.
    planned: usize,
    /// Claims that follow another, and picked messages that will.
    following: usize,
    /// How many were picked for each server; for those whose server is not known, together.
    picked: HashMap<Option<u64>, usize>,
}

impl Room<'_> {
    /// Whether one more may be claimed; it is then counted.
    pub fn has(&mut self, one: &Candidate, now: Moment) -> bool {
        match (one.follows, one.due_at > now) {
            (true, _) => one.due_at <= now && self.follow(one),
            (false, true) => self.plan(),
            (false, false) => self.take(one.server),
        }
    }

    /// Whether one more may be claimed ahead of its moment, until which it takes no place.
    fn plan(&mut self) -> bool {
        let is_free = self.planned < PLANNED;
        self.planned += usize::from(is_free);
        is_free
    }

    /// Whether one more may be claimed that is to leave when what its instance carries was taken: so requests do not wait
    /// for the disk.
    fn follow(&mut self, one: &Candidate) -> bool {
        let desk = self.desk;
        let is_quick = one.server.and_then(|at| desk.servers.get(&at)).is_some_and(|server| server.is_quick);
        let is_free = is_quick
            && self.following < FOLLOWING
            && desk.carrying.contains_key(&one.through)
            && !desk.following.contains_key(&one.through)
            && !desk.hanging.contains(&one.through)
            && !desk.broken.contains_key(&one.through);
        self.following += usize::from(is_free);
        is_free
    }

    fn take(&mut self, at: Option<u64>) -> bool {
        let server = at.and_then(|at| self.desk.servers.get(&at));
        let (started, ready) = server.map_or((0, 0), |server| (server.started, server.ready.len()));
        let picked = self.picked.entry(at).or_default();
        let here = started + ready + *picked;
        if here < self.places.saturating_sub(self.all) {
            *picked += 1;
            self.all += 1;
            return true;
        }
        let is_ahead = server.is_some_and(|server| server.is_quick)
            && here < started + self.places / 2
            && self.ahead < self.places;
        if is_ahead {
            *picked += 1;
            self.ahead += 1;
        }
        is_ahead
    }
}
