//! Outbound: what stands in the outbox leaves for Telegram, in order per chat, chats beside each other. The answer to a
//! tap waits for nothing that was to be said before it, since Telegram shows no message of it and a person waits; what is said
//! after it comes after it. Sending comes before marking: a
//! crash in between repeats one message and loses none.

use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Context;
use super::api::ApiError;
use super::lanes::{Lanes, Pace};
pub use super::screen::Outgoing;
use super::screen::Screen;
use crate::domain::clock::Moment;
use crate::domain::ids::{ChatId, MessageId, SeriesId, TelegramMessageId};
use crate::domain::report::Live;
use crate::services::secrets::Keyring;
use crate::storage::{Database, StorageError};

/// What seals the rows.
const SEAL: &str = "outbox";
/// How many chats are served at once.
const CHATS: usize = 64;
/// How many calls beyond those are for answers to taps.
const TAPS: usize = 16;
/// How many bodies are held in memory; later ones are read when their turn comes.
const HELD: usize = 1024;
/// New messages to one chat: so many at once, then one each second.
const BURST: u32 = 20;
/// How many cards of one scheduled message are drawn anew in a chat: few messages have more than two.
const CARDS: i64 = 4;
/// How long a tap can be answered.
const TAP_LIFE: Duration = Duration::from_mins(1);
/// How often the outbox is looked at without being woken.
const LOOK: Duration = Duration::from_secs(30);
/// How far back a look goes on PostgreSQL, where a smaller id may be committed later.
const LOOK_BACK: i64 = 256;
/// How long what was said is kept.
const KEPT: Duration = Duration::from_hours(1);
/// How long the ids of handled updates are kept.
const IDS_KEPT: Duration = Duration::from_hours(48);

/// Seals what is to be said, for [`crate::storage::Conn::insert_outgoing`].
pub fn seal(keyring: &Keyring, out: &Outgoing) -> Result<String, serde_json::Error> {
    Ok(keyring.seal(SEAL, &serde_json::to_vec(out)?))
}

fn open(keyring: &Keyring, sealed: &str) -> Option<Outgoing> {
    keyring.open(SEAL, sealed).ok().and_then(|plain| serde_json::from_slice(&plain).ok())
}

#[derive(Debug)]
struct Row {
    id: i64,
    created_at: Moment,
    /// Read when its turn comes, where it is not held.
    body: Option<Outgoing>,
    tries: u32,
}

/// Where a row waits for its turn.
#[derive(Debug, Clone, Copy)]
enum Queue {
    /// Behind all that is said in its chat.
    Chat,
    /// By itself: the answer to a tap.
    Tap,
}

/// What became of a row.
#[derive(Debug)]
enum Fate {
    /// Nothing more to do.
    Done,
    /// Not yet: the chat rests until then.
    Again(Moment),
    /// The chat is gone.
    Gone,
    /// The chat is another one now.
    Moved(ChatId),
}

type Paces = Arc<Mutex<Pace<ChatId>>>;

/// A row that was said, on its way to be marked so.
struct Mark {
    id: i64,
    chat: ChatId,
    said: Said,
    /// Told whether it is marked.
    told: oneshot::Sender<bool>,
}

struct Mouth {
    ctx: Arc<Context>,
    lanes: Lanes<ChatId, Row>,
    /// Answers to taps, each by itself; they come first.
    taps: Lanes<i64, (ChatId, Row)>,
    /// The answers that are not given yet, by chat.
    answering: HashMap<ChatId, BTreeSet<i64>>,
    /// What comes after such an answer, and is next in its chat.
    behind: HashMap<ChatId, Row>,
    known: HashSet<i64>,
    last: i64,
    /// When the outbox is looked at without being woken.
    look_at: Moment,
    paces: Paces,
    marks: mpsc::Sender<Mark>,
    sending: JoinSet<(Queue, ChatId, Row, Fate)>,
}

/// Sends until `stop`; then what can leave at once still leaves.
pub(super) async fn run(ctx: Arc<Context>, stop: CancellationToken) -> anyhow::Result<()> {
    let (marks, queue) = mpsc::channel(2 * CHATS);
    let mut marker = tokio::spawn(mark_in_groups(Arc::clone(&ctx), queue));
    let mut mouth = Mouth {
        ctx: Arc::clone(&ctx),
        lanes: Lanes::default(),
        taps: Lanes::default(),
        answering: HashMap::new(),
        behind: HashMap::new(),
        known: HashSet::new(),
        last: 0,
        look_at: ctx.clock.pause_now().plus(LOOK),
        paces: Arc::new(Mutex::new(Pace::new(Duration::from_secs(1), BURST))),
        marks,
        sending: JoinSet::new(),
    };
    mouth.look(0).await;
    loop {
        mouth.start();
        let rests = [mouth.lanes.wakes_at(), mouth.taps.wakes_at()];
        let wakes_at = rests.into_iter().flatten().fold(mouth.look_at, Moment::min);
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(done) = mouth.sending.join_next(), if !mouth.sending.is_empty() => mouth.settle(done?).await,
            ended = &mut marker => anyhow::bail!("nothing is marked any more: {ended:?}"),
            () = ctx.outbox_wake.notified() => mouth.look(mouth.newest()).await,
            () = ctx.clock.pause_until(wakes_at) => {
                if ctx.clock.pause_now() >= mouth.look_at {
                    mouth.purge().await;
                    mouth.look(if mouth.is_idle() { 0 } else { mouth.newest() }).await;
                }
            }
        }
    }
    // With the lease lost, another process speaks now.
    if ctx.shutdown.is_cancelled() {
        mouth.look(mouth.newest()).await;
        let flush = async {
            loop {
                mouth.start();
                match mouth.sending.join_next().await {
                    Some(done) => mouth.settle(done?).await,
                    None => return anyhow::Ok(()),
                }
            }
        };
        if let Ok(flushed) = tokio::time::timeout(Duration::from_secs(3), flush).await {
            flushed?;
        }
    }
    // A call in flight is awaited, since stopping it would repeat it.
    let drain = async { while mouth.sending.join_next().await.is_some() {} };
    if tokio::time::timeout(Duration::from_secs(15), drain).await.is_err() {
        tracing::warn!("some messages were still on their way");
    }
    Ok(())
}

impl Mouth {
    fn newest(&self) -> i64 {
        match self.ctx.db {
            Database::Sqlite { .. } => self.last,
            Database::Postgres { .. } => (self.last - LOOK_BACK).max(0),
        }
    }

    fn is_idle(&self) -> bool {
        self.lanes.is_empty() && self.answering.is_empty()
    }

    /// Takes what is new behind `after`. Trouble of the store must not break off what is on its way.
    async fn look(&mut self, after: i64) {
        let wait = match self.load(after).await {
            Ok(()) => LOOK,
            Err(error) => {
                tracing::warn!(error = %error, "the outbox cannot be looked at");
                Duration::from_secs(1)
            }
        };
        self.look_at = self.ctx.clock.pause_now().plus(wait);
    }

    async fn load(&mut self, mut after: i64) -> Result<(), StorageError> {
        loop {
            let page = self.ctx.db.read().await?.list_outgoing(after, 500).await?;
            let Some(end) = page.last() else { return Ok(()) };
            after = end.id;
            self.last = self.last.max(after);
            let short = page.len() < 500;
            for row in page {
                if self.known.insert(row.id) {
                    let body = open(&self.ctx.keyring, &row.body);
                    let is_answer = matches!(body, Some(Outgoing::Answer { .. }));
                    let mut job = Row { id: row.id, created_at: row.created_at, body, tries: 0 };
                    if is_answer {
                        self.answering.entry(row.chat_id).or_default().insert(row.id);
                        self.taps.push(row.id, (row.chat_id, job));
                    } else {
                        job.body = job.body.filter(|_| self.lanes.len() < HELD);
                        self.lanes.push(row.chat_id, job);
                    }
                }
            }
            if short {
                return Ok(());
            }
        }
    }

    async fn purge(&self) {
        let now = self.ctx.clock.now();
        let purged: Result<(), StorageError> = self
            .ctx
            .db
            .write(move |conn| {
                Box::pin(async move {
                    conn.purge_outbox(now.minus(KEPT)).await?;
                    conn.purge_inbox(now.minus(IDS_KEPT)).await?;
                    Ok(())
                })
            })
            .await;
        if let Err(error) = purged {
            tracing::warn!(error = %error, "old rows cannot be deleted");
        }
    }

    fn start(&mut self) {
        let now = self.ctx.clock.pause_now();
        while self.sending.len() < CHATS + TAPS {
            let Some((_, (chat, row))) = self.taps.next(now) else { break };
            self.send(Queue::Tap, chat, row);
        }
        while self.sending.len() < CHATS {
            let Some((chat, row)) = self.lanes.next(now) else { break };
            if self.answering.get(&chat).and_then(BTreeSet::first).is_some_and(|answer| *answer < row.id) {
                // Its lane stands still until then.
                self.behind.insert(chat, row);
                continue;
            }
            self.send(Queue::Chat, chat, row);
        }
    }

    fn send(&mut self, queue: Queue, chat: ChatId, row: Row) {
        let (ctx, paces, marks) = (Arc::clone(&self.ctx), Arc::clone(&self.paces), self.marks.clone());
        self.sending.spawn(async move {
            let fate = deliver(&ctx, &paces, &marks, chat, &row).await;
            (queue, chat, row, fate)
        });
    }

    async fn settle(&mut self, (queue, chat, row, fate): (Queue, ChatId, Row, Fate)) {
        match queue {
            Queue::Chat => self.settle_said(chat, row, fate).await,
            Queue::Tap => self.settle_answer(chat, row, &fate),
        }
    }

    /// An answer to a tap concerns nothing but itself and what comes after it.
    fn settle_answer(&mut self, chat: ChatId, mut row: Row, fate: &Fate) {
        let id = row.id;
        if let Fate::Again(at) = *fate {
            row.tries += 1;
            self.taps.again(&id, (chat, row), at);
            return;
        }
        self.known.remove(&id);
        self.taps.finished(&id);
        if let Entry::Occupied(mut answers) = self.answering.entry(chat) {
            answers.get_mut().remove(&id);
            if answers.get().is_empty() {
                answers.remove();
            }
        }
        if let Some(next) = self.behind.remove(&chat) {
            self.lanes.again(&chat, next, Moment::default());
        }
    }

    async fn settle_said(&mut self, chat: ChatId, mut row: Row, fate: Fate) {
        match fate {
            Fate::Done => {
                self.known.remove(&row.id);
                self.lanes.finished(&chat);
            }
            Fate::Again(at) => {
                row.tries += 1;
                self.lanes.again(&chat, row, at);
            }
            Fate::Moved(to) => {
                if let Err(error) = self.ctx.services.accounts.move_chat(chat, to).await {
                    tracing::warn!(chat.id = chat.0, error = %error, "a chat that moved cannot be followed yet");
                    let at = self.ctx.clock.pause_now().plus(backoff(row.tries));
                    row.tries += 1;
                    return self.lanes.again(&chat, row, at);
                }
                tracing::info!(chat.id = chat.0, to = to.0, "the chat is another one now");
                let rest = self.lanes.clear(&chat);
                self.lanes.finished(&chat);
                for row in std::iter::once(row).chain(rest) {
                    self.lanes.push(to, row);
                }
            }
            Fate::Gone => {
                if let Err(error) = self.forsake(chat).await {
                    tracing::warn!(chat.id = chat.0, error = format!("{error:#}"), "a gone chat cannot be marked yet");
                    let at = self.ctx.clock.pause_now().plus(backoff(row.tries));
                    row.tries += 1;
                    return self.lanes.again(&chat, row, at);
                }
                self.known.remove(&row.id);
                for row in self.lanes.clear(&chat) {
                    self.known.remove(&row.id);
                }
                self.lanes.finished(&chat);
            }
        }
    }

    /// Drops what waits for a chat that is gone; what is said there later is tried anew.
    async fn forsake(&self, chat: ChatId) -> anyhow::Result<()> {
        tracing::info!(chat.id = chat.0, "the chat is gone; what waited for it is dropped");
        self.ctx.services.accounts.mark_blocked(chat).await?;
        let last = self.last;
        let dropped: Result<u64, StorageError> =
            self.ctx.db.write(move |conn| Box::pin(async move { conn.drop_outgoing(chat, last).await })).await;
        dropped?;
        Ok(())
    }
}

/// Marks what was said: all that has gathered in one statement.
async fn mark_in_groups(ctx: Arc<Context>, mut queue: mpsc::Receiver<Mark>) {
    let mut marks = Vec::with_capacity(CHATS);
    while queue.recv_many(&mut marks, CHATS).await > 0 {
        let ended: Vec<_> = marks.iter().map(|mark| (mark.id, mark.said.dead)).collect();
        let cards: Vec<_> = marks.iter().filter_map(|mark| Some((mark.chat, mark.said.card?))).collect();
        let series: Vec<_> = marks.iter().filter_map(|mark| Some((mark.chat, mark.said.series?))).collect();
        let live: Vec<_> = marks.iter().filter_map(|mark| Some((mark.chat, mark.said.live?))).collect();
        let marked: Result<(), StorageError> = ctx
            .db
            .write(move |conn| {
                Box::pin(async move {
                    for (chat, (shown, message)) in cards {
                        conn.insert_card(chat, shown, message).await?;
                    }
                    for (chat, (shown, series)) in series {
                        conn.insert_series_card(chat, shown, series).await?;
                    }
                    for (chat, (shown, kind)) in live {
                        conn.set_live_card(chat, kind, shown).await?;
                    }
                    conn.finish_outgoing(&ended).await
                })
            })
            .await;
        if let Err(error) = &marked {
            tracing::warn!(error = %error, "what was said cannot be marked yet");
        }
        for mark in marks.drain(..) {
            // Whoever waited may have been stopped.
            let _ = mark.told.send(marked.is_ok());
        }
    }
}

/// What was reached with one row.
#[derive(Clone, Copy)]
struct Said {
    dead: bool,
    card: Option<(TelegramMessageId, MessageId)>,
    series: Option<(TelegramMessageId, SeriesId)>,
    live: Option<(TelegramMessageId, Live)>,
}

impl Said {
    const DONE: Self = Self { dead: false, card: None, series: None, live: None };
    const DEAD: Self = Self { dead: true, card: None, series: None, live: None };

    fn shown(at: TelegramMessageId, screen: &Screen) -> Self {
        Self {
            dead: false,
            card: screen.about.map(|message| (at, message)),
            series: screen.series.map(|series| (at, series)),
            live: None,
        }
    }
}

/// Why a row was not said.
enum Hitch {
    Api(ApiError),
    Store(StorageError),
    /// The chat has had enough for now.
    Paced(Moment),
}

impl From<ApiError> for Hitch {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl From<StorageError> for Hitch {
    fn from(error: StorageError) -> Self {
        Self::Store(error)
    }
}

async fn deliver(ctx: &Arc<Context>, paces: &Paces, marks: &mpsc::Sender<Mark>, chat: ChatId, row: &Row) -> Fate {
    let _word = ctx.speaking.begin(chat);
    let said = match say(ctx, paces, chat, row).await {
        Ok(said) => said,
        Err(Hitch::Paced(at)) => return Fate::Again(at),
        Err(Hitch::Api(ApiError::ChatGone)) => return Fate::Gone,
        Err(Hitch::Api(ApiError::Moved(to))) => return Fate::Moved(to),
        Err(Hitch::Api(ApiError::RetryAfter(wait))) => {
            tracing::warn!(chat.id = chat.0, seconds = wait.as_secs(), "Telegram asks this chat to wait");
            return Fate::Again(ctx.clock.pause_now().plus(wait));
        }
        Err(Hitch::Api(
            error @ (ApiError::Network(_) | ApiError::Server(_) | ApiError::Unauthorized | ApiError::Conflict),
        )) => {
            if row.tries.is_power_of_two() || row.tries == 0 {
                tracing::warn!(chat.id = chat.0, tries = row.tries, error = %error, "not said yet");
            }
            return Fate::Again(ctx.clock.pause_now().plus(backoff(row.tries)));
        }
        Err(Hitch::Store(error)) => {
            tracing::warn!(chat.id = chat.0, error = %error, "the outbox cannot be read");
            return Fate::Again(ctx.clock.pause_now().plus(backoff(row.tries)));
        }
        Err(Hitch::Api(error)) => {
            tracing::error!(chat.id = chat.0, outbox.id = row.id, error = %error, "cannot be said");
            Said::DEAD
        }
    };
    // It was said: only the mark may be tried again.
    for tries in 0.. {
        let (told, marked) = oneshot::channel();
        let sent = marks.send(Mark { id: row.id, chat, said, told }).await;
        if sent.is_ok() && marked.await == Ok(true) {
            break;
        }
        ctx.clock.sleep(backoff(tries)).await;
    }
    Fate::Done
}

fn backoff(tries: u32) -> Duration {
    Duration::from_millis(500).saturating_mul(1 << tries.min(6)).min(Duration::from_secs(30))
}

async fn say(ctx: &Context, paces: &Paces, chat: ChatId, row: &Row) -> Result<Said, Hitch> {
    let out = match &row.body {
        Some(out) => Cow::Borrowed(out),
        None => match ctx.db.read().await?.find_outgoing(row.id).await? {
            Some(sealed) => match open(&ctx.keyring, &sealed) {
                Some(out) => Cow::Owned(out),
                None => {
                    tracing::error!(outbox.id = row.id, "a row of the outbox cannot be read");
                    return Ok(Said::DEAD);
                }
            },
            None => return Ok(Said::DONE),
        },
    };
    let age = ctx.clock.now().since(row.created_at);
    match out.as_ref() {
        Outgoing::Send(screen) => send(ctx, paces, chat, screen).await,
        Outgoing::Edit(at, screen) => {
            let stands = match edit(ctx, chat, *at, screen).await {
                Ok(()) => true,
                Err(ApiError::CannotChange) => false,
                Err(error) => return Err(error.into()),
            };
            redraw(ctx, chat, screen, Some(*at)).await?;
            if stands { Ok(Said::shown(*at, screen)) } else { send(ctx, paces, chat, screen).await }
        }
        Outgoing::Redraw(screen) => {
            redraw(ctx, chat, screen, None).await?;
            Ok(Said::DONE)
        }
        Outgoing::Begin(screen) => {
            let sent = send_at(ctx, paces, chat, screen).await?;
            Ok(Said { live: Some((sent, Live::Work)), ..Said::DONE })
        }
        Outgoing::Live(kind, screen) => {
            let card = ctx.db.read().await?.find_live_card(chat, *kind).await?;
            if let Some(at) = card.and_then(|card| card.telegram_id) {
                match edit(ctx, chat, at, screen).await {
                    Err(ApiError::CannotChange) => {}
                    edited => return edited.map(|()| Said::DONE).map_err(Hitch::from),
                }
            }
            let sent = send_at(ctx, paces, chat, screen).await?;
            Ok(Said { live: Some((sent, *kind)), ..Said::DONE })
        }
        Outgoing::Delete { message, otherwise } => match (ctx.api.delete(chat, *message).await, otherwise) {
            (Ok(()), _) | (Err(ApiError::CannotChange | ApiError::Refused(_)), None) => Ok(Said::DONE),
            (Err(ApiError::CannotChange | ApiError::Refused(_)), Some(screen)) => send(ctx, paces, chat, screen).await,
            (Err(error), _) => Err(error.into()),
        },
        Outgoing::Answer { .. } if age > TAP_LIFE => Ok(Said::DONE),
        Outgoing::Answer { query, toast, alert } => match ctx.api.answer(query, toast.as_deref(), *alert).await {
            Ok(()) | Err(ApiError::QueryTooOld | ApiError::ChatGone | ApiError::Moved(_)) => Ok(Said::DONE),
            Err(error) => Err(error.into()),
        },
        Outgoing::Typing if age > Duration::from_secs(5) => Ok(Said::DONE),
        Outgoing::Typing => match ctx.api.typing(chat).await {
            Err(error @ (ApiError::RetryAfter(_) | ApiError::ChatGone | ApiError::Moved(_))) => Err(error.into()),
            _ => Ok(Said::DONE),
        },
    }
}

/// Draws the cards of a scheduled message anew, other than `but`: none may go on asking what was answered by another.
async fn redraw(ctx: &Context, chat: ChatId, screen: &Screen, but: Option<TelegramMessageId>) -> Result<(), Hitch> {
    let Some(message) = screen.about else { return Ok(()) };
    let cards = ctx.db.read().await?.list_cards(chat, message, CARDS).await?;
    for at in cards.into_iter().filter(|at| Some(*at) != but) {
        match edit(ctx, chat, at, screen).await {
            Ok(()) | Err(ApiError::CannotChange) => {}
            // The others can be drawn all the same.
            Err(error @ (ApiError::Refused(_) | ApiError::Unparsable)) => {
                tracing::error!(chat.id = chat.0, error = %error, "a card cannot be drawn anew");
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

async fn send(ctx: &Context, paces: &Paces, chat: ChatId, screen: &Screen) -> Result<Said, Hitch> {
    Ok(Said::shown(send_at(ctx, paces, chat, screen).await?, screen))
}

/// Sends a message; returns which it became.
async fn send_at(ctx: &Context, paces: &Paces, chat: ChatId, screen: &Screen) -> Result<TelegramMessageId, Hitch> {
    paces.lock().unwrap_or_else(PoisonError::into_inner).take(chat, ctx.clock.pause_now()).map_err(Hitch::Paced)?;
    let sent = match ctx.api.send(chat, screen, false).await {
        Err(ApiError::Unparsable) => {
            tracing::error!(chat.id = chat.0, "Telegram could not parse our HTML; said without marks");
            ctx.api.send(chat, screen, true).await
        }
        sent => sent,
    };
    Ok(sent?)
}

async fn edit(ctx: &Context, chat: ChatId, at: TelegramMessageId, screen: &Screen) -> Result<(), ApiError> {
    let edited = match ctx.api.edit(chat, at, screen, false).await {
        Err(ApiError::Unparsable) => ctx.api.edit(chat, at, screen, true).await,
        edited => edited,
    };
    match edited {
        Err(ApiError::NotModified) => Ok(()),
        edited => edited,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_half_a_minute() {
        assert_eq!(backoff(0), Duration::from_millis(500));
        assert_eq!(backoff(3), Duration::from_secs(4));
        assert_eq!(backoff(100), Duration::from_secs(30));
    }
}
