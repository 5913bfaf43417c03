//! Secrets at rest: sealed with XChaCha20-Poly1305 under a key of a file, bound to their place, and
//! random codes. It keeps nothing itself; the sealed text stands in the store.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use rand::{Rng, RngCore};
use sha2::{Digest, Sha256};

use crate::storage::{Database, StorageError};

/// The name in `meta` under which the id of the installation's key stands.
const META: &str = "secret_key_id";

/// Why a sealed text cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Not of the form `v1.<key id>.<nonce>.<ciphertext>`.
    #[error("not a sealed text")]
    Malformed,
    /// Sealed with a key that this installation does not have.
    #[error("sealed with the unknown key {0}")]
    UnknownKey(String),
    /// Changed, or sealed for another place.
    #[error("the sealed text was changed or belongs elsewhere")]
    Refused,
}

/// Why the keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The file cannot be read or made.
    #[error("secret key file {path}: {source}", path = path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// Others than its owner may read the file.
    #[error("secret key file {path} has mode {mode:03o}: others may read it; run chmod 600 {path}", path = path.display())]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A line of the file is no key.
    #[error("secret key file {path}, line {line}: not a key", path = path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
    },
    /// The database was sealed with another key.
    #[error("the database is sealed with key {0}, which the secret key file does not hold")]
    UnknownKey(String),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

struct Key {
    id: String,
    cipher: XChaCha20Poly1305,
}

/// The keys of the installation. The first seals; all of them open.
pub struct Keyring {
    current: Key,
    older: Vec<Key>,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keyring").field("current", &self.current.id).finish_non_exhaustive()
    }
}

impl Key {
    fn new(id: String, key: [u8; 32]) -> Self {
        Self { id, cipher: XChaCha20Poly1305::new(&key.into()) }
    }

    fn parse(line: &str) -> Option<Self> {
        let (id, key) = line.split_once(' ')?;
        let key: [u8; 32] = URL_SAFE_NO_PAD.decode(key.trim()).ok()?.try_into().ok()?;
        let fine = (4..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric());
        fine.then(|| Self::new(id.to_owned(), key))
    }
}

impl Keyring {
    /// A ring with one fresh key that is kept nowhere: for tests.
    pub fn generate() -> Self {
        Self { current: Key::new(fresh_id(), fresh_key()), older: Vec::new() }
    }

    /// Reads the keys of `path`; makes the file, readable by its owner alone, when there is none.
    pub fn open_or_create(path: &Path) -> Result<Self, KeyringError> {
        let failed = |source| KeyringError::File { path: path.to_owned(), source };
        if !path.try_exists().map_err(failed)? {
            create(path).map_err(failed)?;
        }
        let mode = fs::metadata(path).map_err(failed)?.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyringError::Exposed { path: path.to_owned(), mode });
        }
        let mut keys = Vec::new();
        for (n, line) in fs::read_to_string(path).map_err(failed)?.lines().enumerate() {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                let malformed = || KeyringError::Malformed { path: path.to_owned(), line: n + 1 };
                keys.push(Key::parse(line).ok_or_else(malformed)?);
            }
        }
        let mut keys = keys.into_iter();
        let current = keys.next().ok_or_else(|| KeyringError::Malformed { path: path.to_owned(), line: 1 })?;
        Ok(Self { current, older: keys.collect() })
    }

    /// The id of the key that seals.
    pub fn key_id(&self) -> &str {
        &self.current.id
    }

    fn find(&self, id: &str) -> Option<&Key> {
        std::iter::once(&self.current).chain(&self.older).find(|key| key.id == id)
    }

    /// Compares with the key that the database was sealed with; notes it in a new database.
    pub async fn check(&self, db: &Database) -> Result<(), KeyringError> {
        let current = self.current.id.clone();
        let stored = db
            .write(move |conn| {
                Box::pin(async move {
                    let stored = conn.find_meta(META).await?;
                    if stored.is_none() {
                        conn.set_meta(META, &current).await?;
                    }
                    Ok::<_, StorageError>(stored)
                })
            })
            .await?;
        match stored {
            Some(id) if self.find(&id).is_none() => Err(KeyringError::UnknownKey(id)),
            _ => Ok(()),
        }
    }

    /// Seals `plain` for one place, which `context` names.
    pub fn seal(&self, context: &str, plain: &[u8]) -> String {
        let mut nonce = [0; 24];
        rand::rng().fill_bytes(&mut nonce);
        let payload = Payload { msg: plain, aad: context.as_bytes() };
        #[expect(clippy::expect_used, reason = "fails only for texts longer than 256 GiB")]
        let sealed = self.current.cipher.encrypt(&XNonce::from(nonce), payload).expect("a text of sane length");
        format!("v1.{}.{}.{}", self.current.id, URL_SAFE_NO_PAD.encode(nonce), URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Opens what was sealed for the same place.
    pub fn open(&self, context: &str, sealed: &str) -> Result<Vec<u8>, SecretError> {
        let mut parts = sealed.split('.');
        let (Some("v1"), Some(id), Some(nonce), Some(text), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(SecretError::Malformed);
        };
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| SecretError::Malformed);
        let nonce: [u8; 24] = decode(nonce)?.try_into().map_err(|_| SecretError::Malformed)?;
        let text = decode(text)?;
        let key = self.find(id).ok_or_else(|| SecretError::UnknownKey(id.to_owned()))?;
        let payload = Payload { msg: &text, aad: context.as_bytes() };
        key.cipher.decrypt(&XNonce::from(nonce), payload).map_err(|_| SecretError::Refused)
    }
}

/// Makes the file as a whole or not at all; another process that was faster wins.
fn create(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    crate::services::lock::make_private_dir(folder)?;
    let draft = folder.join(format!(".{}.new", random_code(12)));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let key = URL_SAFE_NO_PAD.encode(fresh_key());
    write!(file, "# Keep this file: without it the stored API keys cannot be opened.\n{} {key}\n", fresh_id())?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => File::open(folder)?.sync_all(),
    }
}

fn fresh_key() -> [u8; 32] {
    let mut key = [0; 32];
    rand::rng().fill_bytes(&mut key);
    key
}

fn fresh_id() -> String {
    let alphabet = b"abcdefghijkmnpqrstuvwxyz23456789";
    (0..8).map(|_| char::from(alphabet[rand::rng().random_range(0..alphabet.len())])).collect()
}

/// A random text of `n` characters of `A-Za-z0-9_-`, six bits each.
pub fn random_code(n: usize) -> String {
    let mut bytes = vec![0; n];
    rand::rng().fill_bytes(&mut bytes);
    let mut code = URL_SAFE_NO_PAD.encode(bytes);
    code.truncate(n);
    code
}

/// The SHA-256 of a text in hexadecimal digits: how codes and tokens are stored.
pub fn fingerprint(text: &str) -> String {
    use std::fmt::Write as _;
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        // Writing into a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_is_sealed_opens_only_in_its_place() {
        let ring = Keyring::generate();
        let sealed = ring.seal("users/1/key", b"secret");
        assert!(sealed.starts_with(&format!("v1.{}.", ring.key_id())));
        assert_ne!(sealed, ring.seal("users/1/key", b"secret"));
        assert_eq!(ring.open("users/1/key", &sealed), Ok(b"secret".to_vec()));
        assert_eq!(ring.open("users/2/key", &sealed), Err(SecretError::Refused));
        assert_eq!(ring.open("users/1/key", "v1.a.b"), Err(SecretError::Malformed));
        let other = Keyring::generate();
        assert_eq!(other.open("users/1/key", &sealed), Err(SecretError::UnknownKey(ring.key_id().to_owned())));
    }

    #[tokio::test]
    async fn the_file_is_made_once_and_must_be_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/secret.key");
        let first = Keyring::open_or_create(&path).unwrap();
        let again = Keyring::open_or_create(&path).unwrap();
        assert_eq!(first.key_id(), again.key_id());
        assert_eq!(again.open("x", &first.seal("x", b"1")), Ok(b"1".to_vec()));

        let db = Database::open(&format!("sqlite://{}/a.db", dir.path().display())).await.unwrap();
        first.check(&db).await.unwrap();
        again.check(&db).await.unwrap();
        let stranger = Keyring::generate().check(&db).await.unwrap_err();
        assert!(stranger.to_string().contains(first.key_id()), "{stranger}");

        // A ring with an older key behind the current one opens both.
        let old = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("newkey99 {}\n{old}", URL_SAFE_NO_PAD.encode([7; 32]))).unwrap();
        let both = Keyring::open_or_create(&path).unwrap();
        assert_eq!(both.key_id(), "newkey99");
        assert_eq!(both.open("x", &first.seal("x", b"1")), Ok(b"1".to_vec()));
        both.check(&db).await.unwrap();

        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(Keyring::open_or_create(&path), Err(KeyringError::Exposed { mode: 0o640, .. })));
    }

    #[test]
    fn codes_are_url_safe_and_differ() {
        let code = random_code(32);
        assert_eq!(code.len(), 32);
        assert!(code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'));
        assert_ne!(code, random_code(32));
        assert_eq!(fingerprint("a").len(), 64);
    }
}
