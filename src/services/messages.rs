//! Scheduled messages: create, change, cancel, send now, list.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::refusal::Refusal;
use crate::domain::account::Account;
use crate::domain::clock::{Clock, Moment};
use crate::domain::ids::{AccountId, ChatId, InstanceId, MessageId, TelegramMessageId};
use crate::domain::message::{Body, ScheduledMessage, Status};
use crate::domain::recipient::Recipient;
use crate::domain::wall::Due;
pub use crate::storage::live::Digest;
pub use crate::storage::messages::Attempt;
use crate::storage::messages::NewMessage;
use crate::storage::wake::Wake;
use crate::storage::{Conn, Database, StorageError};

/// The messages of all accounts.
#[derive(Debug, Clone)]
pub struct Messages {
    /// The store.
    pub db: Database,
    /// The time.
    pub clock: Clock,
    /// Told when the next due moment may have changed.
    pub wake: Wake,
    /// How many waiting messages an account may have; 0: any number.
    pub quota: u64,
    /// Told when a report was written.
    pub reported: Arc<Notify>,
}

/// How many messages a page of a list shows.
pub const PAGE: i64 = 6;

/// How many attempts the history of a message shows.
const ATTEMPTS: i64 = 20;

/// How far ahead a message may be scheduled (SECURITY.md T22).
pub const HORIZON: Duration = Duration::from_secs(5 * 366 * 24 * 3600);

/// To whom, with a name from a contact card where there is one.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Addressee {
    /// Where it goes.
    pub recipient: Recipient,
    /// How the user calls it; may be empty.
    pub name: String,
}

/// Where a message was said.
#[derive(Debug, Clone, Copy)]
pub struct Said {
    /// In which chat; reports go there.
    pub chat: ChatId,
    /// In which message of that chat, where its edit is to change what waits.
    pub message: Option<TelegramMessageId>,
    /// Whether that one was the whole request in one line.
    pub line: bool,
}

impl From<ChatId> for Said {
    fn from(chat: ChatId) -> Self {
        Self { chat, message: None, line: false }
    }
}

impl Messages {
    /// Schedules one message for each addressee. `origin` makes it idempotent: the same origin again
    /// returns the messages made the first time. `said` is where it was said.
    pub async fn schedule(
        &self,
        account: &Account,
        said: impl Into<Said>,
        to: &[Addressee],
        body: &Body,
        due: impl Into<Due>,
        origin: &str,
    ) -> Result<Vec<MessageId>, Refusal> {
        let (owner, now, quota) = (account.id, self.clock.now(), self.quota);
        let (said, due) = (said.into(), due.into());
        if due.at > now.plus(HORIZON) {
            return Err(Refusal::TooFar);
        }
        let new: Vec<NewMessage> = to
            .iter()
            .enumerate()
            .map(|(n, to)| NewMessage {
                instance: None,
                recipient: to.recipient.clone(),
                recipient_name: to.name.clone(),
                body: body.as_str().to_owned(),
                at: due.at,
                wall: due.wall(),
                time_zone: due.by.unwrap_or(account.zone).name().to_owned(),
                chat: said.chat,
                said_in: said.message.map(|message| message.0),
                said_line: said.line,
                origin: format!("{origin}:{n}"),
            })
            .collect();
        let ids = self
            .db
            .write(move |conn| {
                Box::pin(async move {
                    if quota > 0 && conn.count_waiting(owner).await?.unsigned_abs() + new.len() as u64 > quota {
                        return Err(Refusal::TooMany { limit: quota });
                    }
                    let active = conn.find_active_instance(owner).await?.map(|row| row.id);
                    let mut ids = Vec::with_capacity(new.len());
                    for mut message in new {
                        message.instance = active;
                        ids.push(conn.add_message(owner, &message, now).await?);
                    }
                    Ok(ids)
                })
            })
            .await?;
        self.wake.notify_one();
        Ok(ids)
    }

    /// One message of an account.
    pub async fn find(&self, owner: AccountId, id: MessageId) -> Result<ScheduledMessage, Refusal> {
        let found = self.db.read().await?.find_message(owner, id).await?.ok_or(Refusal::NotFound)?;
        Ok(found.at(self.clock.now()))
    }

    /// The messages that were said in one message of a chat, and whether that was the whole request.
    pub async fn said_in(
        &self,
        owner: AccountId,
        chat: ChatId,
        message: TelegramMessageId,
    ) -> Result<Vec<(ScheduledMessage, bool)>, Refusal> {
        let mut conn = self.db.read().await?;
        let mut found = Vec::new();
        for (id, line) in conn.list_said_in(owner, chat, message.0).await? {
            found.extend(conn.find_message(owner, id).await?.map(|message| (message.at(self.clock.now()), line)));
        }
        Ok(found)
    }

    /// A page of the waiting (soonest first) or past (newest first) messages, with the counts of both.
    pub async fn page(
        &self,
        owner: AccountId,
        past: bool,
        page: i64,
    ) -> Result<(Vec<ScheduledMessage>, i64, i64), Refusal> {
        let mut conn = self.db.read().await?;
        let (waiting, gone) = conn.count_messages(owner).await?;
        let offset = page.clamp(0, 100_000) * PAGE;
        let rows = if past {
            conn.list_past(owner, offset, PAGE).await?
        } else {
            conn.list_waiting(owner, offset, PAGE).await?
        };
        let now = self.clock.now();
        Ok((rows.into_iter().map(|message| message.at(now)).collect(), waiting, gone))
    }

    /// The scheduled message whose card a Telegram message is; it says nothing about whose it is.
    pub async fn of_card(&self, chat: ChatId, shown: TelegramMessageId) -> Result<Option<MessageId>, Refusal> {
        Ok(self.db.read().await?.find_card_message(chat, shown).await?)
    }

    /// The newest attempts of a message, the newest first, and how many came before them.
    pub async fn attempts(&self, owner: AccountId, id: MessageId) -> Result<(Vec<Attempt>, i64), Refusal> {
        let now = self.clock.now();
        let mut conn = self.db.read().await?;
        let mut attempts = conn.list_attempts(owner, id, ATTEMPTS).await?;
        let earlier = match attempts.last() {
            Some(oldest) => conn.count_attempts_before(owner, id, oldest.attempt).await?,
            None => 0,
        };
        attempts.retain(|attempt| attempt.finished_at.is_some() || attempt.started_at <= now);
        Ok((attempts, earlier))
    }

    /// Recent recipients.
    pub async fn recent(&self, owner: AccountId) -> Result<Vec<Addressee>, Refusal> {
        let rows = self.db.read().await?.list_recent_recipients(owner, 4).await?;
        Ok(rows
            .into_iter()
            .filter_map(|(to, name)| Some(Addressee { recipient: Recipient::try_from(to).ok()?, name }))
            .collect())
    }

    /// Changes a message; where a version is given, only as it was seen then (SECURITY.md T2).
    async fn change<F>(
        &self,
        owner: AccountId,
        id: MessageId,
        seen: Option<i64>,
        work: F,
    ) -> Result<ScheduledMessage, Refusal>
    where
        F: for<'c> FnOnce(&'c mut Conn, Moment) -> futures::future::BoxFuture<'c, Result<bool, StorageError>>
            + Send
            + 'static,
    {
        let (now, ahead) = (self.clock.now(), self.wake.ahead.clone());
        let message = self
            .db
            .write(move |conn| {
                Box::pin(async move {
                    conn.recall(&ahead, owner, now).await?;
                    if let Some(version) = seen
                        && !conn.hold_message(owner, id, version).await?
                    {
                        return Err(Refusal::Changed);
                    }
                    let changed = work(conn, now).await?;
                    let message = conn.find_message(owner, id).await?.ok_or(Refusal::NotFound)?;
                    match (changed, message.status) {
                        (true, _) => Ok(message),
                        (false, Status::Sending) => Err(Refusal::BeingSent),
                        (false, Status::Sent) => Err(Refusal::AlreadySent),
                        (false, _) => Err(Refusal::Changed),
                    }
                })
            })
            .await?;
        self.wake.notify_one();
        Ok(message)
    }

    /// Cancels a message that has not left.
    pub async fn cancel(&self, owner: AccountId, id: MessageId) -> Result<ScheduledMessage, Refusal> {
        self.cancel_as_seen(owner, id, None).await
    }

    /// Cancels a message that has not left and, where a version is given, is as it was seen then.
    pub async fn cancel_as_seen(
        &self,
        owner: AccountId,
        id: MessageId,
        seen: Option<i64>,
    ) -> Result<ScheduledMessage, Refusal> {
        self.change(owner, id, seen, move |conn, now| {
            Box::pin(async move { conn.cancel_message(owner, id, now).await })
        })
        .await
    }

    /// Gives a message another time.
    pub async fn reschedule(
        &self,
        account: &Account,
        id: MessageId,
        due: impl Into<Due>,
    ) -> Result<ScheduledMessage, Refusal> {
        self.reschedule_as_seen(account, id, due.into(), None).await
    }

    async fn reschedule_as_seen(
        &self,
        account: &Account,
        id: MessageId,
        due: Due,
        seen: Option<i64>,
    ) -> Result<ScheduledMessage, Refusal> {
        if due.at > self.clock.now().plus(HORIZON) {
            return Err(Refusal::TooFar);
        }
        let (owner, zone) = (account.id, due.by.unwrap_or(account.zone).name());
        self.change(owner, id, seen, move |conn, now| {
            Box::pin(async move { conn.reschedule_message(owner, id, due, zone, now).await })
        })
        .await
    }

    /// Sends a message at once.
    pub async fn send_now(&self, account: &Account, id: MessageId) -> Result<ScheduledMessage, Refusal> {
        self.send_as_seen(account, id, None).await
    }

    /// Sends a message at once that, where a version is given, is as it was seen then.
    pub async fn send_as_seen(
        &self,
        account: &Account,
        id: MessageId,
        seen: Option<i64>,
    ) -> Result<ScheduledMessage, Refusal> {
        self.reschedule_as_seen(account, id, self.clock.now().into(), seen).await
    }

    /// Gives a message another text or recipient.
    pub async fn rewrite(
        &self,
        owner: AccountId,
        id: MessageId,
        to: Addressee,
        body: Body,
    ) -> Result<ScheduledMessage, Refusal> {
        self.change(owner, id, None, move |conn, now| {
            Box::pin(async move { conn.rewrite_message(owner, id, &to.recipient, &to.name, body.as_str(), now).await })
        })
        .await
    }

    /// Whether a message may have a card in a chat.
    pub async fn may_have_card(&self, chat: ChatId, id: MessageId) -> Result<bool, Refusal> {
        Ok(self.db.read().await?.may_have_card(chat, id).await?)
    }

    /// Pins a message to an instance, or unpins it; where a version is given, as it was seen then.
    pub async fn pin_as_seen(
        &self,
        owner: AccountId,
        id: MessageId,
        to: Option<InstanceId>,
        seen: Option<i64>,
    ) -> Result<ScheduledMessage, Refusal> {
        if let Some(instance) = to
            && self.db.read().await?.find_instance(owner, instance).await?.is_none()
        {
            return Err(Refusal::NotFound);
        }
        self.change(owner, id, seen, move |conn, now| {
            Box::pin(async move { conn.pin_message(owner, id, to, now).await })
        })
        .await
    }

    /// The user says that an unknown message arrived; where a version is given, as it was seen then.
    pub async fn arrived_as_seen(
        &self,
        owner: AccountId,
        id: MessageId,
        seen: Option<i64>,
    ) -> Result<ScheduledMessage, Refusal> {
        self.change(owner, id, seen, move |conn, now| Box::pin(async move { conn.mark_arrived(owner, id, now).await }))
            .await
    }
}
