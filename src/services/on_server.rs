//! What is done on an account's own Evolution server: instances are listed, created and deleted there, and numbers
//! looked up.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::instances::Instances;
use super::refusal::Refusal;
use super::secrets::{fingerprint, random_code};
use crate::domain::ids::{AccountId, InstanceId};
use crate::domain::instance::{ApiKey, InstanceName, ServerUrl};
use crate::evolution::error::CallError;
use crate::storage::StorageError;

/// Longer than a create with all its questions takes.
const TERM: Duration = Duration::from_secs(90);

/// What became of a wish to create an instance.
#[derive(Debug, Clone)]
pub enum Creation {
    /// It is there; this is its own key.
    Made(ApiKey),
    /// The server has another instance of this name.
    Taken,
    /// The key may not create.
    KeyRefused,
    /// One of this name is being created right now.
    Busy,
    /// The server did not do it, or could not be asked.
    Failed,
}

/// The names that are being created, so that no two creates of one name meet (`EVOLUTION_API.md` section 4).
#[derive(Debug, Clone, Default)]
pub struct Creating(Arc<Mutex<HashSet<String>>>);

/// The turn of one name; it ends when dropped.
struct Turn {
    names: Creating,
    name: String,
}

impl Creating {
    fn take(&self, name: &str) -> Option<Turn> {
        let is_free = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
        is_free.then(|| Turn { names: self.clone(), name: name.to_owned() })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.names.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}

/// A key that an instance is to have as its own.
pub fn fresh_token() -> String {
    random_code(36)
}

impl Instances {
    /// The names that the key can list on the server, and whether it may create one there.
    pub async fn offered(&self, server: &ServerUrl, key: &ApiKey) -> (Vec<String>, bool) {
        let Ok(listed) = self.evolution.list_instances(server, key).await else { return (Vec::new(), false) };
        let may_create = self.evolution.verify_global_key(server, key).await == Ok(true);
        (listed.into_iter().map(|row| row.name).collect(), may_create)
    }

    /// Creates an instance on the server with `token` as its own key. The same wish again finds what it made.
    pub async fn create_on_server(
        &self,
        server: &ServerUrl,
        key: &ApiKey,
        name: &InstanceName,
        token: &ApiKey,
    ) -> Result<Creation, Refusal> {
        if !name.is_creatable() || !self.allowed(server) {
            return Ok(Creation::Failed);
        }
        let lease = format!("create/{}", fingerprint(&format!("{} {}", server.as_str(), name.as_str())));
        let Some(_turn) = self.creating.take(&lease) else { return Ok(Creation::Busy) };
        let holder = random_code(16);
        let (wanted, me) = (lease.clone(), holder.clone());
        let taken: Result<bool, StorageError> =
            self.db.write(move |conn| Box::pin(async move { conn.take_lease(&wanted, &me, TERM).await })).await;
        if !taken? {
            return Ok(Creation::Busy);
        }
        let outcome = self.create(server, key, name, token).await;
        let released: Result<(), StorageError> =
            self.db.write(move |conn| Box::pin(async move { conn.release_lease(&lease, &holder).await })).await;
        released?;
        Ok(outcome)
    }

    async fn create(&self, server: &ServerUrl, key: &ApiKey, name: &InstanceName, token: &ApiKey) -> Creation {
        // A name that is there is not tried: a create that fails can wipe it (#560).
        match self.look(server, key, name, token).await {
            Ok(Some(there)) => return there,
            Ok(None) => {}
            Err(CallError::Refused) => return Creation::KeyRefused,
            Err(_) => return Creation::Failed,
        }
        let refused = match self.evolution.create_instance(server, key, name, Some(token)).await {
            Ok(created) => return Creation::Made(created.token),
            Err(error) => error == CallError::Refused,
        };
        // After a 400 or no answer only the list tells what there is.
        match self.look(server, key, name, token).await {
            Ok(Some(there)) => there,
            _ if refused => Creation::KeyRefused,
            _ => Creation::Failed,
        }
    }

    /// Whether the name is there, as ours or as another's.
    async fn look(
        &self,
        server: &ServerUrl,
        key: &ApiKey,
        name: &InstanceName,
        token: &ApiKey,
    ) -> Result<Option<Creation>, CallError> {
        let row = self.evolution.find_instance_row(server, key, name).await?;
        Ok(row.map(|row| match row.token {
            Some(own) if own.expose() == token.expose() => Creation::Made(own),
            _ => Creation::Taken,
        }))
    }

    /// Deletes an instance on its server, with its history there; what stands here stays. `false` when the server
    /// did not do it.
    pub async fn delete_on_server(&self, owner: AccountId, id: InstanceId) -> Result<bool, Refusal> {
        let draft = self.draft(owner, id).await?;
        let done = self.evolution.delete_instance(&draft.server, &draft.key, &draft.name).await;
        // What is not there is deleted.
        Ok(matches!(done, Ok(()) | Err(CallError::Missing)))
    }

    /// Which of these numbers have no WhatsApp, as the active instance's server says; none when it cannot tell.
    pub async fn without_whatsapp(&self, owner: AccountId, numbers: &[String]) -> Result<Vec<String>, Refusal> {
        let Some(active) = self.active(owner).await? else { return Ok(Vec::new()) };
        let draft = self.draft(owner, active.id).await?;
        let asked: Vec<&str> = numbers.iter().map(String::as_str).collect();
        let told = self.evolution.whatsapp_numbers(&draft.server, &draft.key, &draft.name, &asked).await;
        let absent = told.unwrap_or_default().into_iter().filter(|row| !row.exists).map(|row| row.number);
        Ok(absent.filter(|number| numbers.contains(number)).collect())
    }
}
