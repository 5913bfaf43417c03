//! `user_instances`: the WhatsApp numbers of accounts. Every query is bound to the account.

use sqlx::FromRow;

use super::{Conn, Result, on};
use crate::domain::clock::Moment;
use crate::domain::ids::{AccountId, InstanceId};

/// A row of `user_instances`; the key is sealed.
#[derive(Debug, Clone, FromRow)]
#[expect(missing_docs, reason = "the columns are told in the schema")]
pub struct InstanceRow {
    pub id: InstanceId,
    pub user_id: AccountId,
    pub name: String,
    pub api_url: String,
    pub instance_name: String,
    pub api_key: String,
    pub api_key_hint: String,
    pub is_active: bool,
    pub connection: String,
    pub checked_at: Option<Moment>,
    pub number: Option<String>,
    pub profile_name: Option<String>,
    pub server_version: Option<String>,
    pub last_sent_at: Option<Moment>,
    pub version: i64,
}

/// What a new instance is made of.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns are told in the schema")]
pub struct NewInstance {
    pub name: String,
    pub api_url: String,
    pub instance_name: String,
    pub api_key: String,
    pub api_key_hint: String,
}

/// What a test found out about an instance.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns are told in the schema")]
pub struct Health {
    pub connection: &'static str,
    pub number: Option<String>,
    pub profile_name: Option<String>,
    pub server_version: Option<String>,
}

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, user_id, name, api_url, instance_name, api_key, api_key_hint, is_active, connection, \
             checked_at, number, profile_name, server_version, last_sent_at, version FROM user_instances ",
            $rest
        )
    };
}

impl Conn {
    /// The instances of an account, the active one first, then by label.
    pub async fn list_instances(&mut self, owner: AccountId) -> Result<Vec<InstanceRow>> {
        Ok(on!(self, c => sqlx::query_as(columns!("WHERE user_id = $1 ORDER BY is_active DESC, name, id"))
            .bind(owner).fetch_all(c).await)?)
    }

    /// One instance of an account.
    pub async fn find_instance(&mut self, owner: AccountId, id: InstanceId) -> Result<Option<InstanceRow>> {
        Ok(on!(self, c => sqlx::query_as(columns!("WHERE user_id = $1 AND id = $2"))
            .bind(owner).bind(id).fetch_optional(c).await)?)
    }

    /// The active instance of an account.
    pub async fn find_active_instance(&mut self, owner: AccountId) -> Result<Option<InstanceRow>> {
        Ok(on!(self, c => sqlx::query_as(columns!("WHERE user_id = $1 AND is_active"))
            .bind(owner).fetch_optional(c).await)?)
    }

    /// The instance of an account that has this server and name.
    pub async fn find_instance_by_name(
        &mut self,
        owner: AccountId,
        url: &str,
        name: &str,
    ) -> Result<Option<InstanceRow>> {
        Ok(on!(self, c => sqlx::query_as(columns!("WHERE user_id = $1 AND api_url = $2 AND instance_name = $3"))
            .bind(owner).bind(url).bind(name).fetch_optional(c).await)?)
    }

    /// How many instances an account has.
    pub async fn count_instances(&mut self, owner: AccountId) -> Result<i64> {
        Ok(on!(self, c => sqlx::query_scalar("SELECT COUNT(*) FROM user_instances WHERE user_id = $1")
            .bind(owner).fetch_one(c).await)?)
    }

    /// Adds an instance.
    pub async fn add_instance(&mut self, owner: AccountId, new: &NewInstance, now: Moment) -> Result<InstanceId> {
        Ok(on!(self, c => sqlx::query_scalar(
            "INSERT INTO user_instances (user_id, name, api_url, instance_name, api_key, api_key_hint, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $7) RETURNING id")
            .bind(owner).bind(&new.name).bind(&new.api_url).bind(&new.instance_name).bind(&new.api_key)
            .bind(&new.api_key_hint).bind(now).fetch_one(c).await)?)
    }

    /// Replaces what was typed of an instance. `false` when it is gone.
    pub async fn update_instance(
        &mut self,
        owner: AccountId,
        id: InstanceId,
        new: &NewInstance,
        now: Moment,
    ) -> Result<bool> {
        let done = on!(self, c => sqlx::query(
            "UPDATE user_instances SET name = $3, api_url = $4, instance_name = $5, api_key = $6, api_key_hint = $7,
             version = version + 1, updated_at = $8 WHERE user_id = $1 AND id = $2")
            .bind(owner).bind(id).bind(&new.name).bind(&new.api_url).bind(&new.instance_name).bind(&new.api_key)
            .bind(&new.api_key_hint).bind(now).execute(c).await.map(|r| r.rows_affected()))?;
        Ok(done == 1)
    }

    /// Makes one instance the active one and every other inactive. `false` when it is not the account's.
    pub async fn activate_instance(&mut self, owner: AccountId, id: InstanceId, now: Moment) -> Result<bool> {
        on!(self, c => sqlx::query(
            "UPDATE user_instances SET is_active = FALSE, updated_at = $3 WHERE user_id = $1 AND is_active AND id <> $2")
            .bind(owner).bind(id).bind(now).execute(c).await.map(|_| ()))?;
        let done = on!(self, c => sqlx::query(
            "UPDATE user_instances SET is_active = TRUE, updated_at = $3 WHERE user_id = $1 AND id = $2")
            .bind(owner).bind(id).bind(now).execute(c).await.map(|r| r.rows_affected()))?;
        Ok(done == 1)
    }

    /// Notes what a test found out.
    pub async fn set_instance_health(
        &mut self,
        owner: AccountId,
        id: InstanceId,
        health: &Health,
        now: Moment,
    ) -> Result<()> {
        on!(self, c => sqlx::query(
            "UPDATE user_instances SET connection = $3, number = COALESCE($4, number), profile_name = COALESCE($5, profile_name),
             server_version = COALESCE($6, server_version), checked_at = $7 WHERE user_id = $1 AND id = $2")
            .bind(owner).bind(id).bind(health.connection).bind(&health.number).bind(&health.profile_name)
            .bind(&health.server_version).bind(now).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Deletes an instance; its messages keep standing without it, and what it was called is kept for them.
    pub async fn delete_instance(&mut self, owner: AccountId, id: InstanceId, now: Moment) -> Result<bool> {
        on!(self, c => sqlx::query(
            "INSERT INTO former_instances (instance_id, user_id, name, deleted_at)
             SELECT id, user_id, name, CAST($3 AS BIGINT) FROM user_instances WHERE user_id = $1 AND id = $2")
            .bind(owner).bind(id).bind(now).execute(c).await.map(|_| ()))?;
        let done = on!(self, c => sqlx::query("DELETE FROM user_instances WHERE user_id = $1 AND id = $2")
            .bind(owner).bind(id).execute(c).await.map(|r| r.rows_affected()))?;
        Ok(done == 1)
    }
}
