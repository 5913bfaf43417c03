//! The use cases. The bot and the REST API are two doors to the same functions; a service takes the
//! account first and looks every id up under it.

pub mod accounts;
pub mod digests;
pub mod instances;
pub mod late;
pub mod lock;
pub mod messages;
pub mod on_server;
pub mod passwords;
pub mod refusal;
pub mod secrets;
pub mod series;
pub mod zone_rules;

pub use refusal::Refusal;

/// All services, cheap to clone.
#[derive(Debug, Clone)]
pub struct Services {
    /// Accounts, chats, access.
    pub accounts: accounts::Accounts,
    /// WhatsApp numbers.
    pub instances: instances::Instances,
    /// Scheduled messages.
    pub messages: messages::Messages,
    /// Repeating messages.
    pub series: series::AllSeries,
}
