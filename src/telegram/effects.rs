//! Slow outside work that a turn wants done: it runs apart, and what it finds comes back as an input.

use serde::{Deserialize, Serialize};

use crate::domain::ids::{AccountId, InstanceId};
use crate::domain::instance::{ApiKey, InstanceName, Label, ServerUrl};
use crate::evolution::doctor::Diagnosis;
use crate::services::Services;
use crate::services::instances::Draft;
use crate::services::on_server::Creation;

/// What is to be done; stored sealed until it is done, since it may hold a key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Test a draft.
    TestDraft {
        /// Which test of the draft.
        run: i64,
        /// Its server.
        url: String,
        /// Its key.
        key: String,
        /// Its name on the server.
        name: String,
    },
    /// Test a saved instance.
    TestInstance {
        /// Which.
        id: InstanceId,
    },
    /// Look at a saved instance whose card is shown.
    LookAt {
        /// Which.
        id: InstanceId,
        /// The turn that showed its card: after another one the card may be gone.
        turn: i64,
    },
    /// List the names on the server.
    ListNames {
        /// Which run of the draft.
        run: i64,
        /// Its server.
        url: String,
        /// Its key.
        key: String,
    },
    /// Create an instance on the server.
    CreateInstance {
        /// Which run of the draft.
        run: i64,
        /// Its server.
        url: String,
        /// The key that creates.
        key: String,
        /// Its name.
        name: String,
        /// The key that it is to have as its own.
        token: String,
    },
    /// Delete a saved instance on its server.
    DeleteOnServer {
        /// Which.
        id: InstanceId,
    },
    /// Ask which numbers have no WhatsApp.
    LookUp {
        /// Which draft of a message.
        origin: String,
        /// In digits.
        numbers: Vec<String>,
    },
}

/// What an effect found.
#[derive(Debug, Clone)]
pub enum Finding {
    /// Of a draft.
    Draft {
        /// Which test.
        run: i64,
        /// What it found.
        found: Option<Diagnosis>,
    },
    /// Of a saved instance.
    Instance {
        /// Which.
        id: InstanceId,
        /// What it found.
        found: Option<Diagnosis>,
    },
    /// Of a saved instance whose card is shown; it is noted.
    Looked {
        /// Which.
        id: InstanceId,
        /// The turn that showed its card.
        turn: i64,
    },
    /// Names on the server.
    Names {
        /// Which run of the draft.
        run: i64,
        /// In the server's order; empty when the key cannot list.
        names: Vec<String>,
        /// Whether the key may create one.
        may_create: bool,
    },
    /// An instance was to be created.
    Created {
        /// Which run of the draft.
        run: i64,
        /// What became of it.
        creation: Creation,
    },
    /// A saved instance was to be deleted on its server.
    DeletedOnServer {
        /// Which.
        id: InstanceId,
        /// Whether the server did it.
        done: bool,
    },
    /// Numbers were looked up.
    LookedUp {
        /// For which draft of a message.
        origin: String,
        /// Those without WhatsApp, in digits.
        absent: Vec<String>,
    },
}

impl Effect {
    /// Does it.
    pub async fn run(self, services: &Services, account: Option<AccountId>) -> Finding {
        let instances = &services.instances;
        match self {
            Self::TestDraft { run, url, key, name } => {
                let draft = parse(&url, &key, &name);
                let found = match draft {
                    Some(draft) => Some(instances.test(&draft).await),
                    None => None,
                };
                Finding::Draft { run, found }
            }
            Self::TestInstance { id } => Finding::Instance { id, found: examine(services, account, id).await },
            Self::LookAt { id, turn } => {
                examine(services, account, id).await;
                Finding::Looked { id, turn }
            }
            Self::ListNames { run, url, key } => {
                let (names, may_create) = match (ServerUrl::parse(&url), ApiKey::parse(&key)) {
                    (Ok(url), Ok(key)) => instances.offered(&url, &key).await,
                    _ => (Vec::new(), false),
                };
                Finding::Names { run, names, may_create }
            }
            Self::CreateInstance { run, url, key, name, token } => {
                let creation = match (parse(&url, &key, &name), ApiKey::parse(&token)) {
                    (Some(Draft { server, key, name, .. }), Ok(token)) => {
                        instances.create_on_server(&server, &key, &name, &token).await.unwrap_or(Creation::Failed)
                    }
                    _ => Creation::Failed,
                };
                Finding::Created { run, creation }
            }
            Self::DeleteOnServer { id } => {
                let done = match account {
                    Some(owner) => instances.delete_on_server(owner, id).await.unwrap_or(false),
                    None => false,
                };
                Finding::DeletedOnServer { id, done }
            }
            Self::LookUp { origin, numbers } => {
                let absent = match account {
                    // What cannot be found out warns of nothing.
                    Some(owner) => instances.without_whatsapp(owner, &numbers).await.unwrap_or_default(),
                    None => Vec::new(),
                };
                Finding::LookedUp { origin, absent }
            }
        }
    }
}

/// Tests a saved instance and notes what was found.
async fn examine(services: &Services, account: Option<AccountId>, id: InstanceId) -> Option<Diagnosis> {
    let (owner, instances) = (account?, &services.instances);
    let draft = instances.draft(owner, id).await.ok()?;
    let found = instances.test(&draft).await;
    // When it cannot be noted, the card still tells what was found.
    let _ = instances.note(owner, id, &found).await;
    Some(found)
}

fn parse(url: &str, key: &str, name: &str) -> Option<Draft> {
    Some(Draft {
        label: Label::parse("-").ok()?,
        server: ServerUrl::parse(url).ok()?,
        key: ApiKey::parse(key).ok()?,
        name: InstanceName::parse(name).ok()?,
    })
}
