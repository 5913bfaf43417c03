//! Passwords: their rules, and hashing on two threads of its own, so that many logins at once
//! cost neither memory nor the time of others.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::domain::account::Username;

/// How many jobs may wait.
const QUEUE: usize = 32;
/// How many threads hash.
const THREADS: usize = 2;
/// The longest password, in characters.
pub const LONGEST: usize = 128;
/// The shortest password, in characters.
pub const SHORTEST: usize = 8;

/// Why a password will not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Fewer than 8 characters.
    #[error("at least 8 characters")]
    TooShort,
    /// More than 128 characters.
    #[error("at most 128 characters")]
    TooLong,
    /// Easily guessed.
    #[error("easily guessed")]
    Weak,
    /// Starts or ends with a blank, or holds a line break, which a chat does not keep.
    #[error("blank at an end, or a line break")]
    Blank,
    /// The username itself.
    #[error("the same as the username")]
    SameAsName,
    /// The one that is to be replaced.
    #[error("the same as before")]
    Unchanged,
}

/// Holds a new password against the rules.
pub fn check_password(username: &str, password: &str) -> Result<(), PasswordError> {
    let length = password.chars().take(LONGEST + 1).count();
    if length > LONGEST {
        return Err(PasswordError::TooLong);
    }
    if password != password.trim() || password.contains(['\n', '\r', '\0']) {
        return Err(PasswordError::Blank);
    }
    if length < SHORTEST {
        return Err(PasswordError::TooShort);
    }
    if password.eq_ignore_ascii_case(username) {
        return Err(PasswordError::SameAsName);
    }
    let score = zxcvbn::zxcvbn(password, &[username, "schedulezap", "whatsapp", "telegram"]).score();
    if score < zxcvbn::Score::Three { Err(PasswordError::Weak) } else { Ok(()) }
}

/// A password as it is stored: an argon2id PHC string.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(pub(crate) String);

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is not the password.
    Wrong,
    /// It is the password.
    Right {
        /// A stronger hash to be stored instead.
        rehashed: Option<PasswordHash>,
    },
}

/// Too many passwords wait to be hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("busy")]
pub struct Busy;

enum Job {
    Hash(SecretString, oneshot::Sender<Option<PasswordHash>>),
    Verify(Option<String>, SecretString, oneshot::Sender<Verdict>),
}

/// Hashes and verifies on threads of its own. Cheap to clone; the threads end with the last clone.
#[derive(Debug, Clone)]
pub struct Hasher {
    jobs: SyncSender<Job>,
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new(Params::default())
    }
}

impl Hasher {
    /// A hasher of the given cost. Tests take a cheap one.
    pub fn new(params: Params) -> Self {
        let (jobs, queue) = sync_channel(QUEUE);
        let queue = Arc::new(Mutex::new(queue));
        let engine = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        // What an unknown user's password is held against, so that it takes as long as a known one's.
        let dummy = hash(&engine, "nobody's password").map(|hash| hash.0).unwrap_or_default();
        for n in 0..THREADS {
            let (queue, engine, dummy) = (Arc::clone(&queue), engine.clone(), dummy.clone());
            let started =
                std::thread::Builder::new().name(format!("passwords-{n}")).spawn(move || work(&queue, &engine, &dummy));
            if let Err(error) = started {
                tracing::error!(error = %error, "a password thread did not start");
            }
        }
        Self { jobs }
    }

    /// As cheap as it gets, for tests only.
    pub fn cheap() -> Self {
        Self::new(Params::new(Params::MIN_M_COST, 1, 1, None).unwrap_or_default())
    }

    fn submit(&self, job: Job) -> Result<(), Busy> {
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) | TrySendError::Disconnected(_) => Busy,
        })
    }

    /// Hashes a password that fulfils the rules.
    pub async fn hash(&self, username: &Username, password: &str) -> Result<PasswordHash, super::Refusal> {
        check_password(username.as_str(), password)?;
        let (tell, told) = oneshot::channel();
        self.submit(Job::Hash(password.into(), tell)).map_err(|Busy| super::Refusal::Busy)?;
        told.await.ok().flatten().ok_or(super::Refusal::Busy)
    }

    /// Holds a password against a stored hash; `None` for an unknown user takes as long and is wrong.
    pub async fn verify(&self, stored: Option<&PasswordHash>, password: &str) -> Result<Verdict, Busy> {
        if password.chars().take(LONGEST + 1).count() > LONGEST {
            return Ok(Verdict::Wrong);
        }
        let (tell, told) = oneshot::channel();
        self.submit(Job::Verify(stored.map(|hash| hash.0.clone()), password.into(), tell))?;
        told.await.map_err(|_| Busy)
    }
}

fn work(queue: &Mutex<Receiver<Job>>, engine: &Argon2<'_>, dummy: &str) {
    loop {
        // The lock is held only while waiting: the other thread takes over once this one has a job.
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        // Whoever asked may have gone away.
        match job {
            Err(_) => return,
            Ok(Job::Hash(password, tell)) => {
                let _ = tell.send(hash(engine, password.expose_secret()));
            }
            Ok(Job::Verify(stored, password, tell)) => {
                let _ = tell.send(verify(engine, stored.as_deref(), dummy, password.expose_secret()));
            }
        }
    }
}

fn hash(engine: &Argon2<'_>, password: &str) -> Option<PasswordHash> {
    let hash: Phc = engine.hash_password(password.as_bytes()).ok()?;
    Some(PasswordHash(hash.to_string()))
}

fn verify(engine: &Argon2<'_>, stored: Option<&str>, dummy: &str, password: &str) -> Verdict {
    let Ok(parsed) = Phc::new(stored.unwrap_or(dummy)) else { return Verdict::Wrong };
    // Numbers of a stored hash decide how much memory and time is spent: absurd ones are refused.
    let Ok(params) = Params::try_from(&parsed) else { return Verdict::Wrong };
    if params.m_cost() > 256 * 1024 || params.t_cost() > 10 || params.p_cost() > 8 {
        return Verdict::Wrong;
    }
    let right = engine.verify_password(password.as_bytes(), &parsed).is_ok();
    if !right || stored.is_none() {
        return Verdict::Wrong;
    }
    let ours = engine.params();
    let weaker = params.m_cost() < ours.m_cost() || params.t_cost() < ours.t_cost();
    Verdict::Right { rehashed: if weaker { hash(engine, password) } else { None } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_of_passwords() {
        for (password, verdict) in [
            ("correct-horse-battery", Ok(())),
            ("açúcar e bicicleta azul", Ok(())),
            ("k7#Vq9!zT2", Ok(())),
            ("short", Err(PasswordError::TooShort)),
            ("12345678", Err(PasswordError::Weak)),
            ("senha123", Err(PasswordError::Weak)),
            ("mariazinha", Err(PasswordError::SameAsName)),
            (" correct-horse-battery", Err(PasswordError::Blank)),
            ("correct-horse\nbattery", Err(PasswordError::Blank)),
            ("        ", Err(PasswordError::Blank)),
        ] {
            assert_eq!(check_password("mariazinha", password), verdict, "{password}");
        }
        assert_eq!(check_password("x", &"a".repeat(4096)), Err(PasswordError::TooLong));
        assert_eq!(check_password("x", &"é".repeat(129)), Err(PasswordError::TooLong));
    }

    #[tokio::test]
    async fn hashes_verify_and_weaker_ones_are_replaced() {
        let name = Username::parse("maria").unwrap();
        let hasher = Hasher::cheap();
        let hash = hasher.hash(&name, "correct-horse-battery").await.unwrap();
        assert!(hash.0.starts_with("$argon2id$v=19$"));
        assert_eq!(hasher.verify(Some(&hash), "correct-horse-battery").await, Ok(Verdict::Right { rehashed: None }));
        assert_eq!(hasher.verify(Some(&hash), "correct-horse-batterY").await, Ok(Verdict::Wrong));
        assert_eq!(hasher.verify(None, "nobody's password").await, Ok(Verdict::Wrong));
        let stronger = Hasher::new(Params::new(64, 2, 1, None).unwrap());
        let verdict = stronger.verify(Some(&hash), "correct-horse-battery").await.unwrap();
        assert!(matches!(verdict, Verdict::Right { rehashed: Some(_) }));
    }

    #[tokio::test]
    async fn hostile_stored_numbers_are_refused_without_work() {
        let hasher = Hasher::cheap();
        for hostile in [
            "$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
            "$argon2id$v=19$m=8,t=4000000,p=1$c29tZXNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
            "",
            "$2a$31$abc",
        ] {
            let verdict = hasher.verify(Some(&PasswordHash(hostile.to_owned())), "x").await;
            assert_eq!(verdict, Ok(Verdict::Wrong), "{hostile}");
        }
    }

    #[tokio::test]
    async fn too_many_at_once_are_told_so() {
        let hasher = Hasher::new(Params::new(64 * 1024, 3, 1, None).unwrap());
        let tries = (0..80).map(|_| hasher.verify(None, "anything at all"));
        let verdicts = futures::future::join_all(tries).await;
        assert!(verdicts.contains(&Err(Busy)));
        assert!(verdicts.contains(&Ok(Verdict::Wrong)));
    }
}
