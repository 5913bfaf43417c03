//! Accounts: signing up, logging in, linked chats, settings, codes. Who may see what is decided by the
//! account that a service is given; here it is found out which account that is.

use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;
use tokio::sync::Notify;

use super::passwords::{Busy, Hasher, PasswordError, PasswordHash, Verdict};
use super::refusal::{Refusal, ServiceError};
use super::secrets::{Keyring, fingerprint, random_code};
use crate::domain::account::{Account, LatePolicy, Role, Username};
use crate::domain::clock::{Clock, Moment};
use crate::domain::ids::{AccountId, ChatId, Subject, TelegramUserId};
use crate::domain::language::Language;
use crate::domain::report::Report;
use crate::storage::accounts::{ChatUserRow, NewAccount};
use crate::storage::wake::Wake;
use crate::storage::{Conn, Database, StorageError};

/// Who may make an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum SignUp {
    /// Who was invited by an administrator.
    #[default]
    Invite,
    /// Anyone.
    Open,
    /// No one.
    Closed,
}

/// Whether and how a stranger may sign up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// As the first administrator.
    Claim,
    /// By an invite.
    Invite,
    /// As anyone may.
    Open,
    /// Not at all.
    Refused(ClosedReason),
}

/// Why a stranger may not sign up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClosedReason {
    /// No one may.
    Closed,
    /// It needs an invite.
    NeedsInvite,
    /// The code is unknown, used or expired.
    CodeInvalid,
}

/// Who talks to the bot.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The language they read.
    pub language: Language,
    /// Their account, when they are linked to one. It may be disabled.
    pub account: Option<Account>,
}

/// A chat user that is linked to an account.
#[derive(Debug, Clone)]
pub struct LinkedChat {
    /// Who.
    pub user: TelegramUserId,
    /// Their private chat.
    pub chat: ChatId,
    /// How they are called.
    pub name: String,
    /// Since when.
    pub linked_at: Option<Moment>,
    /// Whether they blocked the bot.
    pub blocked: bool,
}

/// What new accounts start with, and who may make one.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who may make an account.
    pub signup: SignUp,
    /// Language of people whose Telegram speaks one that we do not.
    pub language: Language,
    /// Zone of new accounts.
    pub zone: Tz,
    /// Region of new accounts.
    pub region: String,
    /// How many chats an account may have; 0: any number.
    pub quota_chats: u64,
    /// How late a message may still go by itself, where its account chose nothing.
    pub grace: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            signup: SignUp::Invite,
            language: Language::Portuguese,
            zone: Tz::America__Sao_Paulo,
            region: "BR".to_owned(),
            quota_chats: 50,
            grace: Duration::from_mins(30),
        }
    }
}

/// The accounts of the installation.
#[derive(Debug, Clone)]
pub struct Accounts {
    /// The store.
    pub db: Database,
    /// The time.
    pub clock: Clock,
    /// The keys of the installation.
    pub keyring: Arc<Keyring>,
    /// Hashes passwords.
    pub hasher: Hasher,
    /// What new accounts start with.
    pub settings: Settings,
    /// Told when a report was written.
    pub reported: Arc<Notify>,
    /// Told when what becomes of late messages is another.
    pub wake: Wake,
}

/// How long a code may be used.
const INVITE_LIFE: Duration = Duration::from_hours(7 * 24);
const CLAIM_LIFE: Duration = Duration::from_hours(366 * 24);

/// Tries of one account that are free, and how long wrong ones are remembered.
const FREE_TRIES: i64 = 5;
const ACCOUNT_WINDOW: Duration = Duration::from_hours(24);
const LONGEST_BLOCK: Duration = Duration::from_mins(15);
/// Tries of one Telegram user in an hour.
const USER_TRIES: i64 = 10;
const USER_WINDOW: Duration = Duration::from_hours(1);

/// What a code admits to: its kind in the store and its fingerprint.
fn read_code(payload: &str) -> Option<(&'static str, String)> {
    let (kind, code) = if let Some(code) = payload.strip_prefix("claim_") {
        ("claim", code)
    } else {
        ("invite", payload.strip_prefix("invite_")?)
    };
    let fine = payload.len() <= 64 && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    (fine && !code.is_empty()).then(|| (kind, fingerprint(code)))
}

impl Accounts {
    /// Notes who came, and says who they are. Writes nothing when nothing changed.
    pub async fn visit(
        &self,
        subject: &Subject,
        name: &str,
        language_code: Option<&str>,
    ) -> Result<Visitor, ServiceError> {
        let (user, private) = (subject.user, subject.chat.0 == subject.user.0);
        // A private chat has its user's id, so the chat is known even when they speak in a group first.
        let chat = ChatId(user.0);
        let name: String = name.chars().filter(|c| *c != '\0').take(128).collect();
        let (known, account) = self.db.read().await?.find_visitor(user).await?.unzip();
        let account = account.flatten().map(Account::try_from).transpose()?;
        let stored = known.as_ref().and_then(|row| Language::from_tag(&row.locale));
        let said = || language_code.and_then(Language::from_tag).unwrap_or(self.settings.language);
        let language = account.as_ref().map(|account| account.language).or(stored).unwrap_or_else(said);
        let fresh =
            known.is_some_and(|row| row.name == name && row.chat_id == chat && !(private && row.blocked_at.is_some()));
        if !fresh {
            let now = self.clock.now();
            self.write(move |conn| {
                Box::pin(async move { Ok(conn.upsert_chat_user(user, chat, language, &name, private, now).await?) })
            })
            .await?;
        }
        Ok(Visitor { language, account })
    }

    async fn write<T, F>(&self, work: F) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Conn) -> futures::future::BoxFuture<'c, Result<T, Refusal>> + Send + 'static,
    {
        self.db.write(work).await
    }

    /// Whether a stranger may sign up with this code, or without one. The code is not used up.
    pub async fn admission(&self, code: Option<&str>) -> Result<Admission, Refusal> {
        if let Some((kind, hash)) = code.and_then(read_code) {
            let mut conn = self.db.read().await?;
            if conn.is_invite_open(&hash, kind, self.clock.now()).await? {
                match (kind, self.settings.signup) {
                    ("claim", _) if conn.count_admins().await? == 0 => return Ok(Admission::Claim),
                    ("invite", SignUp::Invite | SignUp::Open) => return Ok(Admission::Invite),
                    _ => {}
                }
            }
            if self.settings.signup == SignUp::Invite {
                return Ok(Admission::Refused(ClosedReason::CodeInvalid));
            }
        }
        Ok(match self.settings.signup {
            SignUp::Open => Admission::Open,
            SignUp::Invite => Admission::Refused(ClosedReason::NeedsInvite),
            SignUp::Closed => Admission::Refused(ClosedReason::Closed),
        })
    }

    /// Whether no account has this name.
    pub async fn username_free(&self, name: &Username) -> Result<bool, Refusal> {
        Ok(self.db.read().await?.find_account_by_name(name.as_str()).await?.is_none())
    }

    /// Hashes a new password that fulfils the rules.
    pub async fn hash_password(&self, name: &Username, password: &str) -> Result<PasswordHash, Refusal> {
        self.hasher.hash(name, password).await
    }

    /// Makes an account and links the chat user to it; the code is used up in the same transaction. The same
    /// call again returns the account made the first time.
    pub async fn create_account(
        &self,
        subject: &Subject,
        admission_code: Option<&str>,
        username: &Username,
        hash: &PasswordHash,
        language: Language,
    ) -> Result<Account, Refusal> {
        let (user, now) = (subject.user, self.clock.now());
        if let Some(account) = self.linked_account(user).await? {
            let same =
                self.db.read().await?.find_account(account.id).await?.is_some_and(|row| row.password_hash == hash.0);
            return if same { Ok(account) } else { Err(Refusal::Changed) };
        }
        let admission = self.admission(admission_code).await?;
        let kind = match admission {
            Admission::Claim => Some("claim"),
            Admission::Invite => Some("invite"),
            Admission::Open => None,
            Admission::Refused(ClosedReason::Closed) => return Err(Refusal::SignupClosed),
            Admission::Refused(ClosedReason::NeedsInvite) => return Err(Refusal::SignupNeedsInvite),
            Admission::Refused(ClosedReason::CodeInvalid) => return Err(Refusal::CodeInvalid),
        };
        let code = admission_code.and_then(read_code).map(|(_, hash)| hash).unwrap_or_default();
        let new = NewAccount {
            username: username.as_str().to_owned(),
            password_hash: hash.0.clone(),
            role: if admission == Admission::Claim { Role::Admin } else { Role::User },
            language,
            zone: self.settings.zone,
            region: self.settings.region.clone(),
        };
        let made = self
            .write(move |conn| {
                Box::pin(async move {
                    if kind == Some("claim") {
                        take_turn(conn, now).await?;
                        if conn.count_admins().await? > 0 {
                            return Err(Refusal::CodeInvalid);
                        }
                    }
                    if conn.find_account_by_name(&new.username).await?.is_some() {
                        return Err(Refusal::UsernameTaken);
                    }
                    let id = conn.add_account(&new, now).await?;
                    if let Some(kind) = kind
                        && !conn.use_invite(&code, kind, id, now).await?
                    {
                        return Err(Refusal::CodeInvalid);
                    }
                    if conn.find_chat_user(user).await?.is_none() {
                        conn.upsert_chat_user(user, ChatId(user.0), language, "", true, now).await?;
                    }
                    conn.link_chat_user(user, id, language, now).await?;
                    read_account(conn, id).await
                })
            })
            .await;
        match made {
            Err(Refusal::Storage(StorageError::Conflict)) => Err(Refusal::UsernameTaken),
            other => other,
        }
    }

    async fn linked_account(&self, user: TelegramUserId) -> Result<Option<Account>, Refusal> {
        let mut conn = self.db.read().await?;
        match conn.find_chat_user(user).await?.and_then(|row| row.account_id) {
            Some(id) => Ok(Some(read_account(&mut conn, id).await?)),
            None => Ok(None),
        }
    }

    /// Links a chat user to an existing account. An unknown user looks and takes the same as a wrong password.
    pub async fn log_in(&self, subject: &Subject, username: &str, password: &str) -> Result<Account, Refusal> {
        let (user, now) = (subject.user, self.clock.now());
        let typed = username.trim().trim_start_matches('@').to_lowercase();
        // The fingerprint, since people type their password where the name belongs.
        let tries = Tries {
            account: format!("account:{}", fingerprint(&typed)),
            user: Some(format!("telegram:{user}")),
            name: Some(typed),
        };
        tries.count(self, now).await?;
        let row = match Username::parse(username) {
            Ok(name) => self.db.read().await?.find_account_by_name(name.as_str()).await?,
            Err(_) => None,
        };
        let stored = row.as_ref().map(|row| PasswordHash(row.password_hash.clone()));
        let Ok(verdict) = self.hasher.verify(stored.as_ref(), password).await else {
            tries.take_back(self).await?;
            return Err(Refusal::Busy);
        };
        let (Some(row), Verdict::Right { rehashed }) = (row, verdict) else { return Err(Refusal::WrongPassword) };
        let quota = self.settings.quota_chats;
        self.write(move |conn| {
            Box::pin(async move {
                tries.forget(conn).await?;
                let current = conn.find_account(row.id).await?.ok_or(Refusal::WrongPassword)?;
                if current.password_hash != row.password_hash {
                    return Err(Refusal::WrongPassword);
                }
                if current.disabled_at.is_some() {
                    return Err(Refusal::Disabled);
                }
                let others = conn.count_other_chat_users(row.id, user).await?;
                if quota > 0 && others.unsigned_abs() >= quota {
                    return Err(Refusal::TooManyChats);
                }
                if let Some(new) = rehashed {
                    conn.replace_password_hash(row.id, &row.password_hash, &new.0, now).await?;
                }
                let account = Account::try_from(current)?;
                if conn.find_chat_user(user).await?.is_none() {
                    conn.upsert_chat_user(user, ChatId(user.0), account.language, "", true, now).await?;
                }
                conn.link_chat_user(user, row.id, account.language, now).await?;
                Ok(account)
            })
        })
        .await
    }

    /// Unlinks a chat user from an account.
    pub async fn unlink(&self, owner: AccountId, user: TelegramUserId) -> Result<(), Refusal> {
        let done =
            self.write(move |conn| Box::pin(async move { Ok(conn.unlink_chat_user(owner, user).await?) })).await?;
        if done { Ok(()) } else { Err(Refusal::NotFound) }
    }

    /// The chats linked to an account.
    pub async fn list_chats(&self, owner: AccountId) -> Result<Vec<LinkedChat>, Refusal> {
        let rows = self.db.read().await?.list_chat_users(owner).await?;
        Ok(rows.into_iter().map(LinkedChat::from).collect())
    }

    /// The chats of an account that can be written to.
    pub async fn chats_of(&self, owner: AccountId) -> Result<Vec<ChatId>, Refusal> {
        Ok(self.list_chats(owner).await?.into_iter().filter(|chat| !chat.blocked).map(|chat| chat.chat).collect())
    }

    /// An account by its id.
    pub async fn find_account(&self, id: AccountId) -> Result<Option<Account>, Refusal> {
        let row = self.db.read().await?.find_account(id).await?;
        Ok(row.map(Account::try_from).transpose()?)
    }

    /// Sets the language of a chat user and, where given, of their account.
    pub async fn set_language(
        &self,
        subject: &Subject,
        account: Option<AccountId>,
        language: Language,
    ) -> Result<(), Refusal> {
        let (user, now) = (subject.user, self.clock.now());
        self.write(move |conn| {
            Box::pin(async move {
                conn.set_chat_user_language(user, language).await?;
                if let Some(id) = account {
                    conn.set_account_language(id, language, now).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Sets the zone in which an account's times are said.
    pub async fn set_zone(&self, owner: AccountId, zone: Tz) -> Result<(), Refusal> {
        let now = self.clock.now();
        self.write(move |conn| Box::pin(async move { Ok(conn.set_account_zone(owner, zone, now).await?) })).await
    }

    /// Sets the region in which an account's national numbers are read.
    pub async fn set_region(&self, owner: AccountId, region: &'static str) -> Result<(), Refusal> {
        let now = self.clock.now();
        self.write(move |conn| Box::pin(async move { Ok(conn.set_account_region(owner, region, now).await?) })).await
    }

    /// Sets what becomes of an account's late messages.
    pub async fn set_late_policy(&self, owner: AccountId, policy: LatePolicy) -> Result<(), Refusal> {
        let now = self.clock.now();
        self.write(move |conn| Box::pin(async move { Ok(conn.set_account_late_policy(owner, policy, now).await?) }))
            .await?;
        self.wake.notify_anew();
        Ok(())
    }

    /// Sets how late a message of an account may still go by itself; none: as the program is set.
    pub async fn set_late_grace(&self, owner: AccountId, grace: Option<Duration>) -> Result<(), Refusal> {
        let now = self.clock.now();
        self.write(move |conn| Box::pin(async move { Ok(conn.set_account_late_grace(owner, grace, now).await?) }))
            .await?;
        self.wake.notify_anew();
        Ok(())
    }

    /// Changes the password from the chat of `user`; every other chat of the account is unlinked.
    pub async fn change_password(
        &self,
        owner: AccountId,
        user: TelegramUserId,
        current: &str,
        new: &str,
    ) -> Result<(), Refusal> {
        let now = self.clock.now();
        let row = self.db.read().await?.find_account(owner).await?.ok_or(Refusal::NotFound)?;
        let tries = Tries { account: format!("password:{owner}"), user: None, name: None };
        tries.count(self, now).await?;
        let old = PasswordHash(row.password_hash);
        match self.hasher.verify(Some(&old), current).await {
            Ok(Verdict::Right { .. }) => {}
            Ok(Verdict::Wrong) => return Err(Refusal::WrongPassword),
            Err(Busy) => {
                tries.take_back(self).await?;
                return Err(Refusal::Busy);
            }
        }
        tries.take_back(self).await?;
        if current == new {
            return Err(Refusal::Password(PasswordError::Unchanged));
        }
        let name = Username::parse(&row.username).map_err(|_| Refusal::NotFound)?;
        let hash = self.hasher.hash(&name, new).await?;
        self.write(move |conn| {
            Box::pin(async move {
                tries.forget(conn).await?;
                if !conn.set_password(owner, &old.0, &hash.0, now).await? {
                    return Err(Refusal::Changed);
                }
                conn.unlink_other_chat_users(owner, user).await?;
                Ok(())
            })
        })
        .await
    }

    /// Makes an invite and returns its start payload, `invite_…`: for one use within seven days.
    pub async fn make_invite(&self, account: &Account) -> Result<String, Refusal> {
        if !account.is_admin() {
            return Err(Refusal::NotAdmin);
        }
        let (code, by, now) = (random_code(32), account.id, self.clock.now());
        let hash = fingerprint(&code);
        self.write(move |conn| {
            Box::pin(async move { Ok(conn.add_invite(&hash, "invite", Some(by), now.plus(INVITE_LIFE), now).await?) })
        })
        .await?;
        Ok(format!("invite_{code}"))
    }

    /// Makes a fresh claim code while there is no administrator, and voids those before it; returns its start
    /// payload, `claim_…`.
    pub async fn claim_link_code(&self) -> Result<Option<String>, Refusal> {
        let (code, now) = (random_code(32), self.clock.now());
        let hash = fingerprint(&code);
        let made = self
            .write(move |conn| {
                Box::pin(async move {
                    take_turn(conn, now).await?;
                    if conn.count_admins().await? > 0 {
                        return Ok(false);
                    }
                    conn.void_invites("claim").await?;
                    conn.add_invite(&hash, "claim", None, now.plus(CLAIM_LIFE), now).await?;
                    Ok(true)
                })
            })
            .await?;
        Ok(made.then(|| format!("claim_{code}")))
    }

    /// Follows a group that has become another chat, with all that is kept for it.
    pub async fn move_chat(&self, from: ChatId, to: ChatId) -> Result<(), Refusal> {
        self.write(move |conn| Box::pin(async move { Ok(conn.move_chat(from, to).await?) })).await
    }

    /// Notes that a chat cannot be written to; it can again once its user speaks.
    pub async fn mark_blocked(&self, chat: ChatId) -> Result<(), Refusal> {
        let now = self.clock.now();
        self.write(move |conn| Box::pin(async move { Ok(conn.mark_chat_blocked(chat, now).await?) })).await
    }
}

impl From<ChatUserRow> for LinkedChat {
    fn from(row: ChatUserRow) -> Self {
        Self {
            user: row.telegram_user_id,
            chat: row.chat_id,
            name: row.name,
            linked_at: row.linked_at,
            blocked: row.blocked_at.is_some(),
        }
    }
}

async fn read_account(conn: &mut Conn, id: AccountId) -> Result<Account, Refusal> {
    let row = conn.find_account(id).await?.ok_or(Refusal::NotFound)?;
    Ok(Account::try_from(row)?)
}

/// Lets claims wait for each other: the row stays locked until the transaction ends.
async fn take_turn(conn: &mut Conn, now: Moment) -> Result<(), StorageError> {
    conn.set_meta("claim_turn", &now.0.to_string()).await
}

/// Counted tries at a password: of an account, and of the Telegram user who tries. They are counted before
/// the password is looked at, so that many at once gain nothing.
#[derive(Debug, Clone)]
struct Tries {
    account: String,
    user: Option<String>,
    /// The name that was typed; its owner is told when guessing is stopped.
    name: Option<String>,
}

impl Tries {
    async fn count(&self, accounts: &Accounts, now: Moment) -> Result<(), Refusal> {
        let tries = self.clone();
        let blocked = accounts.write(move |conn| Box::pin(async move { Ok(tries.count_in(conn, now).await?) })).await?;
        // There may be a report; that it came to nothing costs nothing.
        accounts.reported.notify_one();
        blocked.map_or(Ok(()), |until| Err(Refusal::Throttled { until }))
    }

    /// Counts a try, or says until when none is looked at.
    async fn count_in(&self, conn: &mut Conn, now: Moment) -> Result<Option<Moment>, StorageError> {
        conn.forget_tries_before(now.minus(2 * ACCOUNT_WINDOW)).await?;
        for subject in self.user.iter().chain([&self.account]) {
            if let Some(until) = conn.find_block(subject).await?.filter(|until| *until > now) {
                return Ok(Some(until));
            }
        }
        if let Some(user) = &self.user
            && conn.count_try(user, USER_WINDOW, now).await? >= USER_TRIES
        {
            conn.block_tries(user, now.plus(USER_WINDOW)).await?;
        }
        let tries = conn.count_try(&self.account, ACCOUNT_WINDOW, now).await?;
        if tries >= FREE_TRIES {
            let doublings = u32::try_from(tries - FREE_TRIES + 1).unwrap_or(u32::MAX).min(20);
            let block = Duration::from_secs(1 << doublings).min(LONGEST_BLOCK);
            conn.block_tries(&self.account, now.plus(block)).await?;
            // Once when tries begin to be blocked, and once when they are blocked for as long as can be.
            let is_longest = |doublings: u32| Duration::from_secs(1 << doublings) >= LONGEST_BLOCK;
            if (tries == FREE_TRIES || (is_longest(doublings) && !is_longest(doublings - 1)))
                && let Some(name) = &self.name
                && let Some(row) = conn.find_account_by_name(name).await?
            {
                conn.add_report(row.id, ChatId(0), &Report::Guessing { tries }, now).await?;
            }
        }
        Ok(None)
    }

    async fn take_back(&self, accounts: &Accounts) -> Result<(), Refusal> {
        let tries = self.clone();
        accounts
            .write(move |conn| {
                Box::pin(async move {
                    conn.take_try_back(&tries.account).await?;
                    if let Some(user) = &tries.user {
                        conn.take_try_back(user).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// After the right password: the account's tries are forgotten, the user's only by this one, since the owner of
    /// one account may be trying others.
    async fn forget(&self, conn: &mut Conn) -> Result<(), StorageError> {
        conn.forget_tries(&self.account).await?;
        if let Some(user) = &self.user {
            conn.take_try_back(user).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
