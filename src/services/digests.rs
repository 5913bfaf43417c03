//! Many outcomes at once: when they are told as one digest, and what it tells.

use std::time::Duration;

use super::messages::{Digest, Messages};
use super::refusal::Refusal;
use crate::domain::clock::Moment;
use crate::domain::ids::{AccountId, ChatId};
use crate::domain::message::ScheduledMessage;
use crate::domain::report::Live;

/// How many outcomes at once make a digest.
const MANY: usize = 4;

/// How long a live card goes on after its last change.
pub fn life(kind: Live) -> Duration {
    match kind {
        Live::Late => Duration::from_secs(3600),
        Live::Digest | Live::Work => Duration::from_secs(60),
    }
}

/// What goes on around a message that was sent.
#[derive(Debug, Clone, Copy, Default)]
struct Around {
    /// How many were sent together with it, itself too.
    sent: usize,
    /// How many are due in its chat and wait for their turn.
    due: usize,
    /// When its chat's digest last changed.
    digest_changed: Option<Moment>,
}

impl Around {
    /// Whether the message is one of many: of a batch, of a digest that goes on, or with many more to come.
    fn is_crowded(self, now: Moment) -> bool {
        self.sent + self.due >= MANY || self.digest_changed.is_some_and(|at| goes_on(Live::Digest, at, now))
    }
}

fn goes_on(kind: Live, changed: Moment, now: Moment) -> bool {
    changed > now.minus(life(kind))
}

impl Messages {
    /// Whether a message that was sent, `sent` of them together, is told as one of many. It was asked for in `asked`
    /// and is told in `chat`.
    pub async fn is_one_of_many(
        &self,
        owner: AccountId,
        asked: ChatId,
        chat: ChatId,
        sent: usize,
    ) -> Result<bool, Refusal> {
        let now = self.clock.now();
        let mut around = Around { sent, ..Around::default() };
        if around.is_crowded(now) {
            return Ok(true);
        }
        let mut conn = self.db.read().await?;
        around.digest_changed = conn.find_live_card(chat, Live::Digest).await?.map(|card| card.updated_at);
        let most = i64::try_from(MANY).unwrap_or(i64::MAX);
        around.due = usize::try_from(conn.count_due_now(owner, asked, now, most).await?).unwrap_or(0);
        Ok(around.is_crowded(now))
    }

    /// What became of the messages that were asked for in `asked`, since the digest of `chat` began: now at `since`,
    /// where none goes on. With the newest of those that were sent.
    pub async fn digest(
        &self,
        owner: AccountId,
        asked: ChatId,
        chat: ChatId,
        since: Moment,
    ) -> Result<(Digest, Vec<ScheduledMessage>), Refusal> {
        let now = self.clock.now();
        let mut conn = self.db.read().await?;
        let card = conn.find_live_card(chat, Live::Digest).await?;
        let since =
            card.filter(|card| goes_on(Live::Digest, card.updated_at, now)).map_or(since, |card| card.since.min(since));
        let digest = conn.digest(owner, asked, since, now).await?;
        let mut newest = Vec::with_capacity(digest.newest.len());
        for id in &digest.newest {
            newest.extend(conn.find_message(owner, *id).await?);
        }
        Ok((digest, newest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment(1_000_000);

    #[test]
    fn four_at_once_are_many_whether_they_were_sent_or_are_due() {
        for (sent, due, crowded) in
            [(1, 0, false), (3, 0, false), (4, 0, true), (1, 2, false), (1, 3, true), (3, 1, true)]
        {
            assert_eq!(Around { sent, due, digest_changed: None }.is_crowded(NOW), crowded, "{sent} sent, {due} due");
        }
    }

    #[test]
    fn one_alone_joins_a_digest_that_goes_on() {
        for (ago, crowded) in [(0, true), (59, true), (60, false), (3600, false)] {
            let digest_changed = Some(NOW.minus(Duration::from_secs(ago)));
            assert_eq!(Around { sent: 1, due: 0, digest_changed }.is_crowded(NOW), crowded, "{ago} s ago");
        }
    }
}
