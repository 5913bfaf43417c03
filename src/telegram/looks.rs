//! Looks at instances whose cards are shown: one at a time for each person and instance, however often the card is
//! opened. What is found goes to the card that was opened last.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::ids::{InstanceId, Subject, TelegramMessageId};

/// Who looks at what.
type Key = (Subject, InstanceId);

/// A card that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Card {
    /// The turn that showed it.
    pub turn: i64,
    /// Where it stands.
    pub message: Option<TelegramMessageId>,
}

/// The looks under way, each with the card that was opened last.
#[derive(Debug, Default)]
pub(super) struct Looks(Mutex<HashMap<Key, Card>>);

impl Looks {
    fn all(&self) -> MutexGuard<'_, HashMap<Key, Card>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a look; nothing when one is under way, which then tells this card.
    pub(super) fn begin(&self, who: Subject, id: InstanceId, card: Card) -> Option<Look<'_>> {
        let key = (who, id);
        let is_new = self.all().insert(key, card).is_none();
        is_new.then(|| Look { looks: self, key, is_over: false })
    }
}

/// A look under way; it ends when it is dropped.
#[derive(Debug)]
pub(super) struct Look<'a> {
    looks: &'a Looks,
    key: Key,
    is_over: bool,
}

impl Look<'_> {
    /// Ends it; returns the card that was opened last.
    pub(super) fn end(mut self) -> Option<Card> {
        self.is_over = true;
        self.looks.all().remove(&self.key)
    }
}

impl Drop for Look<'_> {
    fn drop(&mut self) {
        // Another one may have begun since it ended.
        if !self.is_over {
            self.looks.all().remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{ChatId, TelegramUserId};

    #[test]
    fn one_look_at_a_time_tells_the_card_that_was_opened_last() {
        let looks = Looks::default();
        let who = Subject { chat: ChatId(1), user: TelegramUserId(1) };
        let card = |turn| Card { turn, message: None };
        let look = looks.begin(who, InstanceId(1), card(1)).unwrap();
        assert!(looks.begin(who, InstanceId(1), card(2)).is_none());
        assert!(looks.begin(who, InstanceId(2), card(3)).is_some(), "another instance is looked at beside it");
        assert_eq!(look.end(), Some(card(2)));
        drop(looks.begin(who, InstanceId(1), card(4)).unwrap());
        assert!(looks.begin(who, InstanceId(1), card(5)).is_some(), "one that was given up is over");
    }
}
