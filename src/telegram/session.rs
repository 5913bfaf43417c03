//! A session: one turn of one person's conversation, from what is stored to one transaction that stores it anew.

use std::sync::Arc;

use super::effects::Effect;
use super::event::{Event, Input, Who};
use super::lanes::Pending;
use super::outbound;
use super::screen::{Outgoing, Screen};
use super::state::State;
use super::{Arrival, Context, dialogues};
use crate::domain::account::Account;
use crate::domain::ids::{ChatId, Subject, UpdateId};
use crate::domain::language::Language;
use crate::domain::report::Live;
use crate::storage::StorageError;

/// How often a turn is taken again when another came first.
const RACES: u32 = 5;

/// A person, where they stand, and what the turn may know of them.
#[derive(Debug, Clone)]
pub struct Session {
    /// Who and where.
    pub subject: Subject,
    /// How they are called.
    pub who: Who,
    /// Where they stand in the dialogue.
    pub state: State,
    /// Counts their turns; 0 when they never spoke.
    pub version: i64,
    /// What they read.
    pub language: Language,
    /// Their account.
    pub account: Option<Account>,
    /// Whether they are linked to an account.
    pub linked: bool,
    /// The update in hand.
    pub update: UpdateId,
    /// Our `@username`, without the `@`, for links.
    pub bot_username: String,
    /// Said in a group while their private chat awaits a password or a key.
    pub awaits_secret: bool,
}

/// What a turn comes to.
#[derive(Debug)]
pub struct Turn {
    /// Where the person stands now.
    pub next: State,
    /// What the chat shows, in order.
    pub show: Vec<Outgoing>,
    /// What is to be found out apart.
    pub effect: Option<Effect>,
}

impl Turn {
    /// Goes on to `next` and shows this.
    pub fn new(next: State, show: Vec<Outgoing>) -> Self {
        Self { next, show, effect: None }
    }

    /// Goes on to `next` with a new message.
    pub fn say(next: State, screen: Screen) -> Self {
        Self::new(next, vec![Outgoing::Send(screen)])
    }

    /// Stays where the person stands, with a new message.
    pub fn stay(session: &Session, screen: Screen) -> Self {
        Self::say(session.state.clone(), screen)
    }

    /// Stays and shows nothing.
    pub fn quiet(session: &Session) -> Self {
        Self::new(session.state.clone(), Vec::new())
    }

    /// Shows something more.
    #[must_use]
    pub fn and(mut self, more: Outgoing) -> Self {
        self.show.push(more);
        self
    }

    /// Says something in passing with the answer to the tap.
    #[must_use]
    pub fn toast(mut self, said: &str) -> Self {
        for shown in &mut self.show {
            if let Outgoing::Answer { toast, .. } = shown {
                *toast = Some(said.to_owned());
            }
        }
        self
    }

    /// Lets something be found out; the finding comes back as `Input::Found`.
    #[must_use]
    pub fn effect(mut self, effect: Effect) -> Self {
        self.effect = Some(effect);
        self
    }
}

/// How a close went.
enum Closed {
    Done,
    /// The update had been handled already.
    Before,
    /// Another turn of the same person came first.
    Raced,
}

impl Session {
    /// Reads where a person stands.
    pub async fn open(ctx: &Context, event: &Event) -> anyhow::Result<Self> {
        let (state, version) = stored(ctx, event.subject).await?;
        let visitor = ctx
            .services
            .accounts
            .visit(&event.subject, &event.who.first_name, event.who.language_code.as_deref())
            .await?;
        Ok(Self {
            subject: event.subject,
            who: event.who.clone(),
            state,
            version,
            language: visitor.language,
            linked: visitor.account.is_some(),
            account: visitor.account,
            update: event.update,
            bot_username: ctx.me().username.clone(),
            awaits_secret: !event.private && awaits_secret(ctx, event.subject).await?,
        })
    }

    /// Stores what the turn came to: state, inbox row, outbox rows and effect in one transaction.
    async fn close(self, ctx: &Context, turn: Turn, event: &Event) -> anyhow::Result<Closed> {
        let now = ctx.clock.now();
        let (subject, update, version) = (self.subject, event.update, self.version);
        let state = ctx.keyring.seal(&place(subject), &serde_json::to_vec(&turn.next)?);
        let mut show = Vec::with_capacity(turn.show.len() + 1);
        if let Some(query) = &event.query
            && !turn.show.iter().any(|out| matches!(out, Outgoing::Answer { .. }))
        {
            let answer = Outgoing::Answer { query: query.clone(), toast: None, alert: false };
            show.push(outbound::seal(&ctx.keyring, &answer)?);
        }
        for out in &turn.show {
            show.push(outbound::seal(&ctx.keyring, out)?);
        }
        let begins = turn.show.iter().any(|out| matches!(out, Outgoing::Begin(_)));
        let effect = match turn.effect {
            None => None,
            Some(effect) => Some(self.pend(ctx, effect, event)?),
        };
        let lane = format!("{}:{}", subject.chat, subject.user);
        let stored = effect.clone();
        let closed: Result<Closed, StorageError> = ctx
            .db
            .write(move |conn| {
                Box::pin(async move {
                    if !conn.finish_update(update, false).await? {
                        return Ok(Closed::Before);
                    }
                    if !conn.save_conversation(subject, &state, version, now).await? {
                        // Undoes the mark on the inbox row.
                        return Err(StorageError::Conflict);
                    }
                    if begins {
                        // Nothing goes on any more: the finding finds the message that begins now.
                        conn.touch_live_card(subject.chat, Live::Work, now, now, now).await?;
                    }
                    for sealed in &show {
                        conn.insert_outgoing(subject.chat, sealed, now).await?;
                    }
                    if let Some((id, sealed)) = &stored {
                        conn.insert_update(*id, &lane, sealed, now).await?;
                    }
                    Ok(Closed::Done)
                })
            })
            .await;
        match closed {
            Ok(Closed::Done) => {}
            Ok(closed) => return Ok(closed),
            Err(StorageError::Conflict) => return Ok(Closed::Raced),
            Err(error) => return Err(error.into()),
        }
        ctx.wake_outbox();
        if let Some((id, sealed)) = effect {
            let lane = format!("{}:{}", subject.chat, subject.user);
            ctx.arrive(Arrival { id, lane, body: Some(sealed), again: false });
        }
        Ok(Closed::Done)
    }

    /// Seals an effect for the inbox, under a fresh negative id.
    fn pend(&self, ctx: &Context, effect: Effect, event: &Event) -> anyhow::Result<(UpdateId, String)> {
        let id = UpdateId(-1 - (rand::random::<i64>() & (i64::MAX >> 1)));
        let ours = event.query.is_some() || matches!(event.input, Input::Found(_));
        let pending = Pending {
            effect,
            subject: self.subject,
            private: event.private,
            message: event.message.filter(|_| ours),
            account: self.account.as_ref().map(|account| account.id),
            first_name: self.who.first_name.clone(),
            username: self.who.username.clone(),
            language_code: self.who.language_code.clone(),
        };
        let sealed = ctx.keyring.seal(&format!("inbox/{id}"), &serde_json::to_vec(&pending)?);
        Ok((id, sealed))
    }
}

/// Where a person stands, and how many turns they took.
async fn stored(ctx: &Context, subject: Subject) -> anyhow::Result<(State, i64)> {
    let Some(row) = ctx.db.read().await?.find_conversation(subject).await? else { return Ok((State::default(), 0)) };
    let plain = ctx.keyring.open(&place(subject), &row.state).ok();
    let state = plain.and_then(|plain| serde_json::from_slice(&plain).ok()).unwrap_or_default();
    Ok((state, row.version))
}

/// Whether the private chat of someone in a group awaits a password or a key.
async fn awaits_secret(ctx: &Context, subject: Subject) -> anyhow::Result<bool> {
    let private = Subject { chat: ChatId(subject.user.0), user: subject.user };
    Ok(stored(ctx, private).await?.0.awaits_secret())
}

fn place(subject: Subject) -> String {
    format!("conversations/{}/{}", subject.chat, subject.user)
}

/// Takes one turn, and again when another of the same person came first.
pub(super) async fn handle(ctx: &Arc<Context>, event: &Event) -> anyhow::Result<()> {
    if let (Some(trap), Input::Text { plain, .. }) = (ctx.trap.get(), &event.input) {
        assert!(plain != trap, "a test wants it so");
    }
    if matches!(event.input, Input::Overheard) && !awaits_secret(ctx, event.subject).await? {
        // People talk with each other: neither they nor what they say is noted.
        let id = event.update;
        let done: Result<bool, StorageError> =
            ctx.db.write(move |conn| Box::pin(async move { conn.finish_update(id, false).await })).await;
        done?;
        return Ok(());
    }
    for _ in 0..RACES {
        let session = Session::open(ctx, event).await?;
        let turn = dialogues::turn(&ctx.services, &session, event).await?;
        match session.close(ctx, turn, event).await? {
            Closed::Done | Closed::Before => return Ok(()),
            Closed::Raced => {}
        }
    }
    anyhow::bail!("the conversation changed {RACES} times under one turn")
}
