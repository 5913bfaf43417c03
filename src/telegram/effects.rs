//! Slow outside work that a turn wants done: it runs apart, and what it finds comes back as an input.

use serde::{Deserialize, Serialize};

use crate::domain::ids::{AccountId, InstanceId};
use crate::domain::instance::{ApiKey, InstanceName, Label, ServerUrl};
use crate::evolution::doctor::Diagnosis;
use crate::services::Services;
use crate::services::instances::Draft;

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
    /// List the names on the server.
    ListNames {
        /// Which run of the draft.
        run: i64,
        /// Its server.
        url: String,
        /// Its key.
        key: String,
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
    /// Names on the server.
    Names {
        /// Which run of the draft.
        run: i64,
        /// In the server's order; empty when the key cannot list.
        names: Vec<String>,
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
            Self::TestInstance { id } => {
                let found = match account {
                    Some(owner) => match instances.draft(owner, id).await {
                        Ok(draft) => {
                            let found = instances.test(&draft).await;
                            // When it cannot be noted, the card still tells what was found.
                            let _ = instances.note(owner, id, &found).await;
                            Some(found)
                        }
                        Err(_) => None,
                    },
                    None => None,
                };
                Finding::Instance { id, found }
            }
            Self::ListNames { run, url, key } => {
                let names = match (ServerUrl::parse(&url), ApiKey::parse(&key)) {
                    (Ok(url), Ok(key)) => instances.offered(&url, &key).await,
                    _ => Vec::new(),
                };
                Finding::Names { run, names }
            }
        }
    }
}

fn parse(url: &str, key: &str, name: &str) -> Option<Draft> {
    Some(Draft {
        label: Label::parse("-").ok()?,
        server: ServerUrl::parse(url).ok()?,
        key: ApiKey::parse(key).ok()?,
        name: InstanceName::parse(name).ok()?,
    })
}
