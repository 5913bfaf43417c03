//! Instances: add, test, edit, activate, delete.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::on_server::Creating;
use super::refusal::Refusal;
use super::secrets::Keyring;
use crate::domain::clock::{Clock, Moment};
use crate::domain::ids::{AccountId, InstanceId};
use crate::domain::instance::{ApiKey, Connection, InstanceName, Label, ServerUrl};
use crate::domain::message::Status;
use crate::evolution::Evolution;
use crate::evolution::doctor::Diagnosis;
use crate::storage::instances::{Health, InstanceRow, NewInstance};
use crate::storage::wake::Wake;
use crate::storage::{Database, StorageError};

/// An instance as its owner sees it; the key is only a hint.
#[derive(Debug, Clone)]
pub struct Instance {
    /// Its row.
    pub id: InstanceId,
    /// What its owner calls it.
    pub label: Label,
    /// Where its server is.
    pub server: ServerUrl,
    /// Its name on the server.
    pub name: InstanceName,
    /// The key's last characters.
    pub key_hint: String,
    /// Whether messages go out through it.
    pub is_active: bool,
    /// Its state when last looked at.
    pub connection: Connection,
    /// When that was.
    pub checked_at: Option<Moment>,
    /// Its WhatsApp number, in digits.
    pub number: Option<String>,
    /// Its WhatsApp profile name.
    pub profile: Option<String>,
    /// Version of its server.
    pub server_version: Option<String>,
    /// When something last went out through it.
    pub last_sent_at: Option<Moment>,
}

/// What a person typed for an instance, parsed.
#[derive(Debug, Clone)]
pub struct Draft {
    /// What its owner calls it.
    pub label: Label,
    /// Where its server is.
    pub server: ServerUrl,
    /// Its key.
    pub key: ApiKey,
    /// Its name on the server.
    pub name: InstanceName,
}

/// What becomes of the messages that wait on an instance that is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pending {
    /// They go through the active instance.
    Move,
    /// They are cancelled.
    Cancel,
    /// They are held.
    Hold,
}

/// The instances of all accounts.
#[derive(Debug, Clone)]
pub struct Instances {
    /// The store.
    pub db: Database,
    /// The time.
    pub clock: Clock,
    /// Opens and seals keys.
    pub keyring: Arc<Keyring>,
    /// Talks to Evolution servers.
    pub evolution: Evolution,
    /// Told when messages may go that could not before.
    pub wake: Wake,
    /// How many instances an account may have; 0: any number.
    pub quota: u64,
    /// How late a message may still go by itself, where its account chose nothing.
    pub grace: Duration,
    /// What is being created on a server right now.
    pub creating: Creating,
    /// Told when a report was written.
    pub reported: Arc<Notify>,
}

/// Under what the key of an instance is sealed: it opens only in its own row.
pub fn key_context(owner: AccountId, url: &str, name: &str) -> String {
    format!("user_instances/{owner}/{url}/{name}/api_key")
}

impl Instances {
    /// All instances of an account, the active one first.
    pub async fn list(&self, owner: AccountId) -> Result<Vec<Instance>, Refusal> {
        let rows = self.db.read().await?.list_instances(owner).await?;
        Ok(rows.into_iter().filter_map(|row| show(row).ok()).collect())
    }

    /// One instance of an account.
    pub async fn find(&self, owner: AccountId, id: InstanceId) -> Result<Instance, Refusal> {
        let row = self.db.read().await?.find_instance(owner, id).await?.ok_or(Refusal::NotFound)?;
        Ok(show(row)?)
    }

    /// The active instance of an account.
    pub async fn active(&self, owner: AccountId) -> Result<Option<Instance>, Refusal> {
        let row = self.db.read().await?.find_active_instance(owner).await?;
        Ok(row.map(show).transpose()?)
    }

    /// How many messages wait on an instance.
    pub async fn waiting(&self, owner: AccountId, instance: &Instance) -> Result<i64, Refusal> {
        Ok(self.db.read().await?.count_waiting_on(owner, instance.id, instance.is_active).await?)
    }

    /// The draft of a saved instance, with its key, to be tested or edited.
    pub async fn draft(&self, owner: AccountId, id: InstanceId) -> Result<Draft, Refusal> {
        let row = self.db.read().await?.find_instance(owner, id).await?.ok_or(Refusal::NotFound)?;
        let context = key_context(owner, &row.api_url, &row.instance_name);
        let key = self.keyring.open(&context, &row.api_key).map_err(|_| Refusal::NotFound)?;
        let key = ApiKey::parse(&String::from_utf8_lossy(&key)).map_err(|_| Refusal::NotFound)?;
        let instance = show(row)?;
        Ok(Draft { label: instance.label, server: instance.server, key, name: instance.name })
    }

    /// Tests a draft: tells the causes apart.
    pub async fn test(&self, draft: &Draft) -> Diagnosis {
        self.evolution.examine(&draft.server, &draft.key, &draft.name, |_| {}).await
    }

    /// Notes what a test of a saved instance found; what was held goes when it is connected.
    pub async fn note(&self, owner: AccountId, id: InstanceId, found: &Diagnosis) -> Result<(), Refusal> {
        let now = self.clock.now();
        let health = Health {
            connection: found.connection.as_str(),
            number: found.number.clone(),
            profile_name: found.profile_name.clone(),
            server_version: found.version.clone(),
        };
        let open = found.connection == Connection::Open;
        self.db
            .write(move |conn| {
                Box::pin(async move {
                    conn.set_instance_health(owner, id, &health, now).await?;
                    if open {
                        conn.wake_held(owner, id, now).await?;
                    }
                    Ok::<_, Refusal>(())
                })
            })
            .await?;
        self.wake.notify_one();
        self.reported.notify_one();
        Ok(())
    }

    /// Whether policy lets an instance point there.
    pub fn allowed(&self, server: &ServerUrl) -> bool {
        self.evolution.check_policy(server).is_ok()
    }

    /// Refuses a server and name that the account already has under another label.
    pub async fn check_new(
        &self,
        owner: AccountId,
        server: &ServerUrl,
        name: &InstanceName,
        except: Option<InstanceId>,
    ) -> Result<(), Refusal> {
        let same = self.db.read().await?.find_instance_by_name(owner, server.as_str(), name.as_str()).await?;
        match same {
            Some(row) if Some(row.id) != except => Err(Refusal::AlreadyExists { name: row.name }),
            _ => Ok(()),
        }
    }

    fn seal(&self, owner: AccountId, draft: &Draft) -> NewInstance {
        let context = key_context(owner, draft.server.as_str(), draft.name.as_str());
        NewInstance {
            name: draft.label.as_str().to_owned(),
            api_url: draft.server.as_str().to_owned(),
            instance_name: draft.name.as_str().to_owned(),
            api_key: self.keyring.seal(&context, draft.key.expose().as_bytes()),
            api_key_hint: draft.key.hint(),
        }
    }

    /// Saves a new instance. The first of an account becomes active by itself; `activate` makes this one so.
    pub async fn add(
        &self,
        owner: AccountId,
        draft: &Draft,
        activate: bool,
        found: Option<&Diagnosis>,
    ) -> Result<Instance, Refusal> {
        if !self.allowed(&draft.server) {
            return Err(Refusal::NotAllowed);
        }
        self.check_new(owner, &draft.server, &draft.name, None).await?;
        let (now, new, quota) = (self.clock.now(), self.seal(owner, draft), self.quota);
        let ahead = self.wake.ahead.clone();
        let id = self
            .db
            .write(move |conn| {
                Box::pin(async move {
                    let count = conn.count_instances(owner).await?;
                    if quota > 0 && count.unsigned_abs() >= quota {
                        return Err(Refusal::TooMany { limit: quota });
                    }
                    let id = conn.add_instance(owner, &new, now).await?;
                    if activate || count == 0 {
                        conn.recall(&ahead, owner, now).await?;
                        conn.activate_instance(owner, id, now).await?;
                        conn.adopt_orphans(owner, now).await?;
                        conn.wake_held(owner, id, now).await?;
                    }
                    Ok(id)
                })
            })
            .await
            .map_err(|refusal| match refusal {
                Refusal::Storage(StorageError::Conflict) => {
                    Refusal::AlreadyExists { name: draft.label.as_str().to_owned() }
                }
                other => other,
            })?;
        if let Some(found) = found {
            self.note(owner, id, found).await?;
        }
        self.wake.notify_one();
        self.reported.notify_one();
        self.find(owner, id).await
    }

    /// Saves an edited instance.
    pub async fn update(&self, owner: AccountId, id: InstanceId, draft: &Draft) -> Result<Instance, Refusal> {
        if !self.allowed(&draft.server) {
            return Err(Refusal::NotAllowed);
        }
        self.check_new(owner, &draft.server, &draft.name, Some(id)).await?;
        let (now, new, ahead) = (self.clock.now(), self.seal(owner, draft), self.wake.ahead.clone());
        let done = self
            .db
            .write(move |conn| {
                Box::pin(async move {
                    conn.recall(&ahead, owner, now).await?;
                    Ok::<_, Refusal>(conn.update_instance(owner, id, &new, now).await?)
                })
            })
            .await?;
        self.wake.notify_one();
        if done { self.find(owner, id).await } else { Err(Refusal::NotFound) }
    }

    /// Switches the active instance in one transaction; returns how many messages now go out through it.
    pub async fn activate(&self, owner: AccountId, id: InstanceId) -> Result<(Instance, i64), Refusal> {
        let (now, ahead, grace) = (self.clock.now(), self.wake.ahead.clone(), self.grace);
        let waiting = self
            .db
            .write(move |conn| {
                Box::pin(async move {
                    conn.recall(&ahead, owner, now).await?;
                    if conn.find_instance(owner, id).await?.is_none() {
                        return Err(Refusal::NotFound);
                    }
                    conn.activate_instance(owner, id, now).await?;
                    conn.adopt_orphans(owner, now).await?;
                    conn.wake_held(owner, id, now).await?;
                    Ok(conn.count_to_go(owner, id, grace, now).await?)
                })
            })
            .await?;
        self.wake.notify_one();
        self.reported.notify_one();
        Ok((self.find(owner, id).await?, waiting))
    }

    /// Pins what waited at `since` for the active instance to another one, as it did before the switch. Returns how
    /// many messages those are.
    pub async fn keep_on(&self, owner: AccountId, id: InstanceId, since: Moment) -> Result<u64, Refusal> {
        let (now, ahead) = (self.clock.now(), self.wake.ahead.clone());
        let kept = self
            .db
            .write(move |conn| {
                Box::pin(async move {
                    conn.recall(&ahead, owner, now).await?;
                    if conn.find_instance(owner, id).await?.is_none() {
                        return Err(Refusal::NotFound);
                    }
                    Ok(conn.keep_messages_on(owner, id, since, now).await?)
                })
            })
            .await?;
        self.wake.notify_one();
        Ok(kept)
    }

    /// Notes that the server does not know an instance any more.
    pub async fn note_missing(&self, owner: AccountId, id: InstanceId) -> Result<(), Refusal> {
        let now = self.clock.now();
        let health =
            Health { connection: Connection::Missing.as_str(), number: None, profile_name: None, server_version: None };
        self.db
            .write(move |conn| {
                Box::pin(async move { Ok::<_, Refusal>(conn.set_instance_health(owner, id, &health, now).await?) })
            })
            .await
    }

    /// Deletes an instance; never picks another active one. Returns how many messages were touched.
    pub async fn delete(&self, owner: AccountId, id: InstanceId, pending: Pending) -> Result<u64, Refusal> {
        let (now, ahead) = (self.clock.now(), self.wake.ahead.clone());
        let touched = self
            .db
            .write(move |conn| {
                Box::pin(async move {
                    conn.recall(&ahead, owner, now).await?;
                    let to = match pending {
                        Pending::Move => None,
                        Pending::Cancel => Some(Status::Cancelled),
                        Pending::Hold => Some(Status::Held),
                    };
                    let touched = conn.settle_messages_of(owner, id, to, now).await?;
                    // Their cards follow.
                    let mut changed = conn.unpin_others_of(owner, id, now).await?;
                    changed.extend(&touched);
                    conn.add_changed(owner, &changed, now).await?;
                    if pending != Pending::Hold {
                        conn.settle_series_of(owner, id, pending == Pending::Cancel, now).await?;
                    }
                    if conn.delete_instance(owner, id, now).await? {
                        Ok(touched.len() as u64)
                    } else {
                        Err(Refusal::NotFound)
                    }
                })
            })
            .await?;
        self.wake.notify_one();
        self.reported.notify_one();
        Ok(touched)
    }
}

fn show(row: InstanceRow) -> Result<Instance, StorageError> {
    let corrupt = |column| StorageError::Corrupt { table: "user_instances", column, row: row.id.0 };
    Ok(Instance {
        id: row.id,
        label: Label::parse(&row.name).map_err(|_| corrupt("name"))?,
        server: ServerUrl::parse(&row.api_url).map_err(|_| corrupt("api_url"))?,
        name: InstanceName::parse(&row.instance_name).map_err(|_| corrupt("instance_name"))?,
        key_hint: row.api_key_hint,
        is_active: row.is_active,
        connection: Connection::parse(&row.connection),
        checked_at: row.checked_at,
        number: row.number,
        profile: row.profile_name,
        server_version: row.server_version,
        last_sent_at: row.last_sent_at,
    })
}
