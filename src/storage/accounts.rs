//! `users`, `chat_users`, `invites` and `throttles`: accounts, the chats that are linked to them, codes, and
//! counted tries.

use std::num::TryFromIntError;
use std::time::Duration;

use chrono_tz::Tz;
use sqlx::FromRow;

use super::{Conn, Result, StorageError, on};
use crate::domain::account::{Account, LatePolicy, Role};
use crate::domain::clock::{Moment, millis};
use crate::domain::ids::{AccountId, ChatId, TelegramUserId};
use crate::domain::language::Language;

/// A row of `users`.
#[derive(Debug, Clone, FromRow)]
#[expect(missing_docs, reason = "the columns are told in the schema")]
pub struct AccountRow {
    pub id: AccountId,
    pub username: String,
    pub password_hash: String,
    pub role: Role,
    pub locale: String,
    pub time_zone: String,
    pub region: String,
    pub force_password_change: bool,
    pub session_epoch: i64,
    pub late_policy: LatePolicy,
    pub late_grace: Option<i64>,
    pub disabled_at: Option<Moment>,
}

impl TryFrom<AccountRow> for Account {
    type Error = StorageError;

    fn try_from(row: AccountRow) -> Result<Self> {
        let corrupt = |column| StorageError::Corrupt { table: "users", column, row: row.id.0 };
        Ok(Self {
            language: Language::from_tag(&row.locale).ok_or_else(|| corrupt("locale"))?,
            zone: row.time_zone.parse::<Tz>().map_err(|_| corrupt("time_zone"))?,
            id: row.id,
            username: row.username,
            role: row.role,
            region: row.region,
            late_policy: row.late_policy,
            late_grace: row.late_grace.map(length).transpose().map_err(|_| corrupt("late_grace"))?,
            force_password_change: row.force_password_change,
            disabled_at: row.disabled_at,
        })
    }
}

/// A length of time in milliseconds, as it is stored.
fn length(millis: i64) -> std::result::Result<Duration, TryFromIntError> {
    millis.try_into().map(Duration::from_millis)
}

/// What a new account is made of.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns are told in the schema")]
pub struct NewAccount {
    pub username: String,
    pub password_hash: String,
    pub role: Role,
    pub language: Language,
    pub zone: Tz,
    pub region: String,
}

/// A row of `chat_users`.
#[derive(Debug, Clone, FromRow)]
#[expect(missing_docs, reason = "the columns are told in the schema")]
pub struct ChatUserRow {
    pub telegram_user_id: TelegramUserId,
    pub chat_id: ChatId,
    pub account_id: Option<AccountId>,
    pub locale: String,
    pub name: String,
    pub blocked_at: Option<Moment>,
    pub linked_at: Option<Moment>,
}

/// A chat user with their account, when they are linked to one.
#[derive(Debug, Clone, FromRow)]
struct VisitorRow {
    #[sqlx(flatten)]
    user: ChatUserRow,
    username: Option<String>,
    password_hash: Option<String>,
    role: Option<Role>,
    account_locale: Option<String>,
    time_zone: Option<String>,
    region: Option<String>,
    force_password_change: Option<bool>,
    session_epoch: Option<i64>,
    late_policy: Option<LatePolicy>,
    late_grace: Option<i64>,
    disabled_at: Option<Moment>,
}

impl VisitorRow {
    fn account(&self) -> Option<AccountRow> {
        Some(AccountRow {
            id: self.user.account_id?,
            username: self.username.clone()?,
            password_hash: self.password_hash.clone()?,
            role: self.role?,
            locale: self.account_locale.clone()?,
            time_zone: self.time_zone.clone()?,
            region: self.region.clone()?,
            force_password_change: self.force_password_change?,
            session_epoch: self.session_epoch?,
            late_policy: self.late_policy?,
            late_grace: self.late_grace,
            disabled_at: self.disabled_at,
        })
    }
}

macro_rules! account {
    ($rest:literal) => {
        concat!(
            "SELECT id, username, password_hash, role, locale, time_zone, region, force_password_change, \
             session_epoch, late_policy, late_grace, disabled_at FROM users ",
            $rest
        )
    };
}

macro_rules! chat_user {
    ($rest:literal) => {
        concat!(
            "SELECT telegram_user_id, chat_id, account_id, locale, name, blocked_at, linked_at FROM chat_users ",
            $rest
        )
    };
}

/// Where an administrator is told things.
#[derive(Debug, Clone, FromRow)]
#[expect(missing_docs, reason = "the columns are told in the schema")]
pub struct AdminChat {
    pub account: AccountId,
    pub chat_id: ChatId,
    pub locale: String,
}

impl Conn {
    /// An account by its id.
    pub async fn find_account(&mut self, id: AccountId) -> Result<Option<AccountRow>> {
        Ok(on!(self, c => sqlx::query_as(account!("WHERE id = $1")).bind(id).fetch_optional(c).await)?)
    }

    /// An account by its name.
    pub async fn find_account_by_name(&mut self, username: &str) -> Result<Option<AccountRow>> {
        Ok(on!(self, c => sqlx::query_as(account!("WHERE username = $1")).bind(username).fetch_optional(c).await)?)
    }

    /// The chats of the administrators.
    pub async fn list_admin_chats(&mut self) -> Result<Vec<AdminChat>> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT a.id AS account, c.chat_id, a.locale FROM users a JOIN chat_users c ON c.account_id = a.id
             WHERE a.role = 'admin' AND a.disabled_at IS NULL AND c.blocked_at IS NULL ORDER BY a.id, c.linked_at")
            .fetch_all(c).await)?)
    }

    /// How many administrators there are.
    pub async fn count_admins(&mut self) -> Result<i64> {
        Ok(on!(self, c => sqlx::query_scalar("SELECT COUNT(*) FROM users WHERE role = 'admin'").fetch_one(c).await)?)
    }

    /// Adds an account. A name that is taken is a [`StorageError::Conflict`].
    pub async fn add_account(&mut self, new: &NewAccount, now: Moment) -> Result<AccountId> {
        Ok(on!(self, c => sqlx::query_scalar(
            "INSERT INTO users (username, password_hash, role, locale, time_zone, region, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $7) RETURNING id")
            .bind(&new.username).bind(&new.password_hash).bind(new.role).bind(new.language.tag())
            .bind(new.zone.name()).bind(&new.region).bind(now).fetch_one(c).await)?)
    }

    /// Sets the language of an account.
    pub async fn set_account_language(&mut self, id: AccountId, language: Language, now: Moment) -> Result<()> {
        on!(self, c => sqlx::query("UPDATE users SET locale = $2, updated_at = $3 WHERE id = $1")
            .bind(id).bind(language.tag()).bind(now).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Sets the zone of an account.
    pub async fn set_account_zone(&mut self, id: AccountId, zone: Tz, now: Moment) -> Result<()> {
        on!(self, c => sqlx::query("UPDATE users SET time_zone = $2, updated_at = $3 WHERE id = $1")
            .bind(id).bind(zone.name()).bind(now).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Sets the region of an account.
    pub async fn set_account_region(&mut self, id: AccountId, region: &str, now: Moment) -> Result<()> {
        on!(self, c => sqlx::query("UPDATE users SET region = $2, updated_at = $3 WHERE id = $1")
            .bind(id).bind(region).bind(now).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Sets what becomes of an account's late messages.
    pub async fn set_account_late_policy(&mut self, id: AccountId, policy: LatePolicy, now: Moment) -> Result<()> {
        on!(self, c => sqlx::query("UPDATE users SET late_policy = $2, updated_at = $3 WHERE id = $1")
            .bind(id).bind(policy).bind(now).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Sets how late a message of an account may still go by itself; none: as the program is set.
    pub async fn set_account_late_grace(&mut self, id: AccountId, grace: Option<Duration>, now: Moment) -> Result<()> {
        let grace = grace.map(millis);
        on!(self, c => sqlx::query("UPDATE users SET late_grace = $2, updated_at = $3 WHERE id = $1")
            .bind(id).bind(grace).bind(now).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Replaces a password hash by a stronger one of the same password. `false` when the password changed meanwhile.
    pub async fn replace_password_hash(&mut self, id: AccountId, old: &str, new: &str, now: Moment) -> Result<bool> {
        let done = on!(self, c => sqlx::query(
            "UPDATE users SET password_hash = $3, updated_at = $4 WHERE id = $1 AND password_hash = $2")
            .bind(id).bind(old).bind(new).bind(now).execute(c).await.map(|r| r.rows_affected()))?;
        Ok(done == 1)
    }

    /// Sets a new password: older sessions end. `false` when the password changed meanwhile.
    pub async fn set_password(&mut self, id: AccountId, old: &str, new: &str, now: Moment) -> Result<bool> {
        let done = on!(self, c => sqlx::query(
            "UPDATE users SET password_hash = $3, session_epoch = session_epoch + 1, force_password_change = FALSE,
             updated_at = $4 WHERE id = $1 AND password_hash = $2")
            .bind(id).bind(old).bind(new).bind(now).execute(c).await.map(|r| r.rows_affected()))?;
        Ok(done == 1)
    }

    /// A chat user.
    pub async fn find_chat_user(&mut self, user: TelegramUserId) -> Result<Option<ChatUserRow>> {
        Ok(
            on!(self, c => sqlx::query_as(chat_user!("WHERE telegram_user_id = $1")).bind(user).fetch_optional(c).await)?,
        )
    }

    /// A chat user and their account, in one look: each update begins with it.
    pub async fn find_visitor(&mut self, user: TelegramUserId) -> Result<Option<(ChatUserRow, Option<AccountRow>)>> {
        let row: Option<VisitorRow> = on!(self, c => sqlx::query_as(
            "SELECT c.telegram_user_id, c.chat_id, c.account_id, c.locale, c.name, c.blocked_at, c.linked_at,
                    a.username, a.password_hash, a.role, a.locale AS account_locale, a.time_zone, a.region,
                    a.force_password_change, a.session_epoch, a.late_policy, a.late_grace, a.disabled_at
             FROM chat_users c LEFT JOIN users a ON a.id = c.account_id WHERE c.telegram_user_id = $1")
            .bind(user).fetch_optional(c).await)?;
        Ok(row.map(|row| {
            let account = row.account();
            (row.user, account)
        }))
    }

    /// The chat users of an account, the first linked first.
    pub async fn list_chat_users(&mut self, account: AccountId) -> Result<Vec<ChatUserRow>> {
        Ok(on!(self, c => sqlx::query_as(chat_user!("WHERE account_id = $1 ORDER BY linked_at, telegram_user_id"))
            .bind(account).fetch_all(c).await)?)
    }

    /// How many chat users an account has besides `user`.
    pub async fn count_other_chat_users(&mut self, account: AccountId, user: TelegramUserId) -> Result<i64> {
        Ok(on!(self, c => sqlx::query_scalar(
            "SELECT COUNT(*) FROM chat_users WHERE account_id = $1 AND telegram_user_id <> $2")
            .bind(account).bind(user).fetch_one(c).await)?)
    }

    /// Notes a chat user, or how they are called now; what was blocked is open again when `speaks`.
    pub async fn upsert_chat_user(
        &mut self,
        user: TelegramUserId,
        chat: ChatId,
        language: Language,
        name: &str,
        speaks: bool,
        now: Moment,
    ) -> Result<()> {
        on!(self, c => sqlx::query(
            "INSERT INTO chat_users (telegram_user_id, chat_id, locale, name, created_at) VALUES ($1, $2, $3, $4, $6)
             ON CONFLICT (telegram_user_id) DO UPDATE SET chat_id = excluded.chat_id, name = excluded.name,
             blocked_at = CASE WHEN $5 THEN NULL ELSE chat_users.blocked_at END")
            .bind(user).bind(chat).bind(language.tag()).bind(name).bind(speaks).bind(now).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Sets the language of a chat user.
    pub async fn set_chat_user_language(&mut self, user: TelegramUserId, language: Language) -> Result<()> {
        on!(self, c => sqlx::query("UPDATE chat_users SET locale = $2 WHERE telegram_user_id = $1")
            .bind(user).bind(language.tag()).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Links a chat user to an account. `false` when the chat user is unknown.
    pub async fn link_chat_user(
        &mut self,
        user: TelegramUserId,
        account: AccountId,
        language: Language,
        now: Moment,
    ) -> Result<bool> {
        let done = on!(self, c => sqlx::query(
            "UPDATE chat_users SET account_id = $2, locale = $3, linked_at = $4 WHERE telegram_user_id = $1")
            .bind(user).bind(account).bind(language.tag()).bind(now).execute(c).await.map(|r| r.rows_affected()))?;
        Ok(done == 1)
    }

    /// Unlinks a chat user of an account. `false` when it is not the account's.
    pub async fn unlink_chat_user(&mut self, account: AccountId, user: TelegramUserId) -> Result<bool> {
        let done = on!(self, c => sqlx::query(
            "UPDATE chat_users SET account_id = NULL, linked_at = NULL WHERE account_id = $1 AND telegram_user_id = $2")
            .bind(account).bind(user).execute(c).await.map(|r| r.rows_affected()))?;
        Ok(done == 1)
    }

    /// Unlinks every chat user of an account but one.
    pub async fn unlink_other_chat_users(&mut self, account: AccountId, keep: TelegramUserId) -> Result<u64> {
        Ok(on!(self, c => sqlx::query(
            "UPDATE chat_users SET account_id = NULL, linked_at = NULL WHERE account_id = $1 AND telegram_user_id <> $2")
            .bind(account).bind(keep).execute(c).await.map(|r| r.rows_affected()))?)
    }

    /// Notes that a chat cannot be written to.
    pub async fn mark_chat_blocked(&mut self, chat: ChatId, now: Moment) -> Result<()> {
        on!(self, c => sqlx::query("UPDATE chat_users SET blocked_at = $2 WHERE chat_id = $1 AND blocked_at IS NULL")
            .bind(chat).bind(now).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Adds a code by its fingerprint.
    pub async fn add_invite(
        &mut self,
        code_hash: &str,
        kind: &str,
        by: Option<AccountId>,
        expires: Moment,
        now: Moment,
    ) -> Result<()> {
        on!(self, c => sqlx::query(
            "INSERT INTO invites (code_hash, kind, created_by, expires_at, created_at) VALUES ($1, $2, $3, $4, $5)")
            .bind(code_hash).bind(kind).bind(by).bind(expires).bind(now).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Whether a code may still be used.
    pub async fn is_invite_open(&mut self, code_hash: &str, kind: &str, now: Moment) -> Result<bool> {
        let found: Option<i64> = on!(self, c => sqlx::query_scalar(
            "SELECT id FROM invites WHERE code_hash = $1 AND kind = $2 AND used_at IS NULL AND expires_at > $3")
            .bind(code_hash).bind(kind).bind(now).fetch_optional(c).await)?;
        Ok(found.is_some())
    }

    /// Uses a code up. `false` when it is unknown, used or expired.
    pub async fn use_invite(&mut self, code_hash: &str, kind: &str, by: AccountId, now: Moment) -> Result<bool> {
        let done = on!(self, c => sqlx::query(
            "UPDATE invites SET used_at = $4, used_by = $3
             WHERE code_hash = $1 AND kind = $2 AND used_at IS NULL AND expires_at > $4")
            .bind(code_hash).bind(kind).bind(by).bind(now).execute(c).await.map(|r| r.rows_affected()))?;
        Ok(done == 1)
    }

    /// Voids all open codes of a kind.
    pub async fn void_invites(&mut self, kind: &str) -> Result<()> {
        on!(self, c => sqlx::query("DELETE FROM invites WHERE kind = $1 AND used_at IS NULL")
            .bind(kind).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Counts a try in the window of `subject` and returns how many there are now, this one included.
    /// A window that started `window` ago or earlier starts anew.
    pub async fn count_try(&mut self, subject: &str, window: Duration, now: Moment) -> Result<i64> {
        Ok(on!(self, c => sqlx::query_scalar(
            "INSERT INTO throttles (subject, failures, window_start, blocked_until) VALUES ($1, 1, $2, 0)
             ON CONFLICT (subject) DO UPDATE SET
             failures = CASE WHEN throttles.window_start <= $3 THEN 1 ELSE throttles.failures + 1 END,
             window_start = CASE WHEN throttles.window_start <= $3 THEN $2 ELSE throttles.window_start END
             RETURNING failures")
            .bind(subject).bind(now).bind(now.minus(window)).fetch_one(c).await)?)
    }

    /// Until when tries of `subject` are not looked at.
    pub async fn find_block(&mut self, subject: &str) -> Result<Option<Moment>> {
        Ok(on!(self, c => sqlx::query_scalar("SELECT blocked_until FROM throttles WHERE subject = $1")
            .bind(subject).fetch_optional(c).await)?)
    }

    /// Lets no try of `subject` be looked at until a moment.
    pub async fn block_tries(&mut self, subject: &str, until: Moment) -> Result<()> {
        on!(self, c => sqlx::query("UPDATE throttles SET blocked_until = $2 WHERE subject = $1")
            .bind(subject).bind(until).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Takes one counted try of `subject` back, and the block that it caused.
    pub async fn take_try_back(&mut self, subject: &str) -> Result<()> {
        on!(self, c => sqlx::query(
            "UPDATE throttles SET failures = failures - 1, blocked_until = 0 WHERE subject = $1 AND failures > 0")
            .bind(subject).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Forgets the tries of `subject`.
    pub async fn forget_tries(&mut self, subject: &str) -> Result<()> {
        on!(self, c => sqlx::query("DELETE FROM throttles WHERE subject = $1").bind(subject).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Forgets tries whose window started before a moment.
    pub async fn forget_tries_before(&mut self, moment: Moment) -> Result<()> {
        on!(self, c => sqlx::query("DELETE FROM throttles WHERE window_start < $1 AND blocked_until < $1")
            .bind(moment).execute(c).await.map(|_| ()))?;
        Ok(())
    }
}
