//! Why a service said no. Without words for people: the chat and the REST API have their own.

use super::passwords::PasswordError;
use crate::domain::clock::Moment;
use crate::storage::StorageError;

/// Why a service said no.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Another account has this name.
    #[error("the username is taken")]
    UsernameTaken,
    /// The password is wrong, or no such account exists: the two look the same.
    #[error("wrong username or password")]
    WrongPassword,
    /// Too many tries; none is looked at before this moment.
    #[error("too many tries")]
    Throttled {
        /// When the next try is looked at.
        until: Moment,
    },
    /// Too many passwords are being hashed; worth another try in a moment.
    #[error("busy")]
    Busy,
    /// A claim or invite code is unknown, used or expired.
    #[error("the code is not valid")]
    CodeInvalid,
    /// Nobody may sign up.
    #[error("sign-up is closed")]
    SignupClosed,
    /// Only who was invited may sign up.
    #[error("sign-up needs an invite")]
    SignupNeedsInvite,
    /// The new password will not do.
    #[error("password: {0}")]
    Password(#[from] PasswordError),
    /// There is no such thing, or it is somebody else's.
    #[error("not found")]
    NotFound,
    /// The account is suspended.
    #[error("the account is disabled")]
    Disabled,
    /// The account has as many linked chats as it may.
    #[error("too many chats")]
    TooManyChats,
    /// The same thing exists under this name.
    #[error("already exists: {name}")]
    AlreadyExists {
        /// What its owner calls it.
        name: String,
    },
    /// A quota is used up.
    #[error("at most {limit}")]
    TooMany {
        /// How many there may be.
        limit: u64,
    },
    /// Policy does not let an instance point there.
    #[error("the address is not allowed")]
    NotAllowed,
    /// Too far in the future.
    #[error("too far ahead")]
    TooFar,
    /// Somebody else changed it meanwhile.
    #[error("changed meanwhile")]
    Changed,
    /// It is on its way.
    #[error("being sent")]
    BeingSent,
    /// It has gone.
    #[error("already sent")]
    AlreadySent,
    /// Only for administrators.
    #[error("not an administrator")]
    NotAdmin,
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// The error of services.
pub type ServiceError = Refusal;
