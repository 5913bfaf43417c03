//! A test that is a doctor, not a ping: it tells the causes apart, in the order in which a person can mend them.

use serde::{Deserialize, Serialize};

use super::Evolution;
use super::error::CallError;
use crate::domain::instance::{ApiKey, Connection, InstanceName, KeyKind, ServerUrl};

/// A line of the diagnosis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "told by their names")]
pub enum CheckName {
    Url,
    Policy,
    Dns,
    Connect,
    Tls,
    Evolution,
    Key,
    Instance,
    Connection,
}

/// Whether a line holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Which.
    pub name: CheckName,
    /// Whether it holds.
    pub ok: bool,
}

/// What was found out; without secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// Line by line, up to the first that fails.
    pub checks: Vec<Check>,
    /// The state it comes to.
    pub connection: Connection,
    /// The server's version.
    pub version: Option<String>,
    /// What the key opens.
    pub key_kind: Option<KeyKind>,
    /// The number, in digits.
    pub number: Option<String>,
    /// The WhatsApp profile.
    pub profile_name: Option<String>,
    /// Instances that the key can list.
    pub names: Vec<String>,
}

impl Diagnosis {
    /// All is well.
    pub fn is_connected(&self) -> bool {
        self.connection == Connection::Open
    }

    /// The server does not know it, and the key may create it there.
    pub fn is_creatable(&self) -> bool {
        self.connection == Connection::Missing && self.key_kind == Some(KeyKind::Global)
    }

    /// It may be saved all the same: only what policy refuses may not.
    pub fn is_savable(&self) -> bool {
        !self.checks.iter().any(|check| check.name == CheckName::Policy && !check.ok)
    }
}

impl Evolution {
    /// Examines an instance; `progress` hears each line as it is found out.
    pub async fn examine(
        &self,
        server: &ServerUrl,
        key: &ApiKey,
        instance: &InstanceName,
        mut progress: impl FnMut(Check),
    ) -> Diagnosis {
        let mut found = Diagnosis {
            checks: Vec::new(),
            connection: Connection::Unknown,
            version: None,
            key_kind: None,
            number: None,
            profile_name: None,
            names: Vec::new(),
        };
        let mut note = |found: &mut Diagnosis, name: CheckName, ok: bool| {
            let check = Check { name, ok };
            progress(check);
            found.checks.push(check);
        };
        if self.check_policy(server).is_err() {
            note(&mut found, CheckName::Policy, false);
            return found;
        }
        let state = self.connection_state(server, key, instance).await;
        let failed = match &state {
            Err(CallError::Policy) => Some((CheckName::Policy, Connection::Unreachable)),
            Err(CallError::Dns) => Some((CheckName::Dns, Connection::Unreachable)),
            Err(CallError::Connect | CallError::TimedOut | CallError::AnswerLost) => {
                Some((CheckName::Connect, Connection::Unreachable))
            }
            Err(CallError::Tls) => Some((CheckName::Tls, Connection::Unreachable)),
            Err(CallError::NotEvolution | CallError::TooLong | CallError::Status { .. }) => {
                Some((CheckName::Evolution, Connection::Unreachable))
            }
            Err(CallError::Refused | CallError::Missing) | Ok(_) => None,
        };
        if let Some((name, connection)) = failed {
            note(&mut found, name, false);
            found.connection = connection;
            return found;
        }
        note(&mut found, CheckName::Connect, true);
        found.version = self.version(server).await.ok();
        note(&mut found, CheckName::Evolution, true);
        let global = self.verify_global_key(server, key).await;
        let rows = self.list_instances(server, key).await;
        // Existence is checked before the key (#105): an unknown name answers 404 even to a wrong key.
        let accepted = global == Ok(true) || rows.is_ok() || state.is_ok();
        if !accepted && !matches!(rows, Err(CallError::Refused)) {
            // It answered one question and then no more.
            note(&mut found, CheckName::Connect, false);
            found.connection = Connection::Unreachable;
            return found;
        }
        note(&mut found, CheckName::Key, accepted);
        if !accepted {
            found.connection = Connection::Refused;
            return found;
        }
        found.key_kind = global.ok().map(|global| if global { KeyKind::Global } else { KeyKind::Instance });
        for row in rows.unwrap_or_default() {
            if row.name == instance.as_str() {
                found.number = row.number;
                found.profile_name = row.profile_name;
            }
            found.names.push(row.name);
        }
        match state {
            Err(CallError::Missing) => {
                note(&mut found, CheckName::Instance, false);
                found.connection = Connection::Missing;
            }
            Err(_) => {
                // The key is another instance's.
                found.checks.retain(|check| check.name != CheckName::Key);
                note(&mut found, CheckName::Key, false);
                found.connection = Connection::Refused;
            }
            Ok(connection) => {
                note(&mut found, CheckName::Instance, true);
                note(&mut found, CheckName::Connection, connection == Connection::Open);
                found.connection = connection;
            }
        }
        found
    }
}
