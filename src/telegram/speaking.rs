//! Which chats are being spoken to. What is shown there is not written down yet: a person who answers a card at once
//! would find that we do not know it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::domain::ids::ChatId;

/// The chats, and how much is being said in each.
#[derive(Debug, Default)]
pub struct Speaking {
    chats: Mutex<HashMap<ChatId, usize>>,
    ended: Notify,
}

/// Something is being said for as long as this lives.
#[derive(Debug)]
pub struct Word {
    speaking: Arc<Speaking>,
    chat: ChatId,
}

impl Speaking {
    /// Something is being said in a chat.
    pub fn begin(self: &Arc<Self>, chat: ChatId) -> Word {
        *self.chats.lock().unwrap_or_else(PoisonError::into_inner).entry(chat).or_default() += 1;
        Word { speaking: Arc::clone(self), chat }
    }

    /// Waits until nothing is being said in a chat, at most so long.
    pub async fn quiet(&self, chat: ChatId, most: Duration) {
        let quiet = async {
            loop {
                let ended = self.ended.notified();
                tokio::pin!(ended);
                // From here on no end is missed.
                ended.as_mut().enable();
                if !self.chats.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&chat) {
                    return;
                }
                ended.await;
            }
        };
        // A call that hangs holds nobody up: then it is looked up as it is.
        let _ = tokio::time::timeout(most, quiet).await;
    }
}

impl Drop for Word {
    fn drop(&mut self) {
        let mut chats = self.speaking.chats.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = chats.get_mut(&self.chat) {
            *count -= 1;
            if *count == 0 {
                chats.remove(&self.chat);
            }
        }
        drop(chats);
        self.speaking.ended.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_chat_is_quiet_when_the_last_word_is_said() {
        let speaking = Arc::new(Speaking::default());
        let (one, two) = (speaking.begin(ChatId(1)), speaking.begin(ChatId(1)));
        speaking.quiet(ChatId(2), Duration::from_secs(60)).await;
        let waits = tokio::spawn({
            let speaking = Arc::clone(&speaking);
            async move { speaking.quiet(ChatId(1), Duration::from_secs(60)).await }
        });
        drop(one);
        tokio::task::yield_now().await;
        assert!(!waits.is_finished());
        drop(two);
        waits.await.unwrap();
    }
}
