//! What the server keeps: instances, their histories, and what goes wrong.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use serde_json::{Value, json};
use tokio::sync::watch;

use super::answers::{now, uuid};
use super::groups;
use super::{Delivered, Faults};
use crate::domain::clock::Clock;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

/// How an instance reaches WhatsApp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channel {
    /// As a linked device.
    Baileys,
    /// Not at all: everything is accepted, nothing leaves.
    Evolution,
}

impl Channel {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Baileys => "WHATSAPP-BAILEYS",
            Self::Evolution => "EVOLUTION",
        }
    }
}

/// An instance's socket.
#[derive(Debug, Clone, Copy)]
pub(super) struct Socket {
    /// `open`, `connecting` or `close`.
    pub state: &'static str,
    /// It was opened at least once.
    pub started: bool,
    /// A phone has scanned its code.
    pub paired: bool,
    /// How many codes it has shown.
    pub codes: u32,
    /// Why its last session ended.
    pub reason: Option<u16>,
}

/// A stored message.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub id: String,
    pub jid: String,
    pub text: String,
    /// In milliseconds.
    pub at: i64,
}

/// An instance.
#[derive(Debug)]
pub(super) struct Instance {
    pub id: String,
    pub name: String,
    pub token: String,
    pub channel: Channel,
    /// Its WhatsApp number.
    pub number: Option<String>,
    /// Its WhatsApp profile name.
    pub profile: String,
    pub created: i64,
    place: AtomicUsize,
    socket: Mutex<Socket>,
    stored: Mutex<Vec<Stored>>,
    settings: Mutex<Value>,
    webhook: Mutex<Value>,
}

impl Instance {
    pub(super) fn new(name: &str, token: &str, channel: Channel) -> Self {
        let open = channel == Channel::Evolution;
        let state = if open { "open" } else { "close" };
        Self {
            id: uuid(),
            name: name.to_owned(),
            token: token.to_owned(),
            channel,
            number: None,
            profile: "Loja de Teste".to_owned(),
            created: now(),
            place: AtomicUsize::new(0),
            socket: Mutex::new(Socket { state, started: open, paired: open, codes: 0, reason: None }),
            stored: Mutex::default(),
            settings: Mutex::new(json!({
                "rejectCall": false, "msgCall": "", "groupsIgnore": false, "alwaysOnline": false,
                "readMessages": false, "readStatus": false, "syncFullHistory": false, "wavoipToken": "",
            })),
            webhook: Mutex::default(),
        }
    }

    pub(super) fn paired(name: &str, token: &str, number: &str, state: &'static str) -> Self {
        let socket = Mutex::new(Socket { state, started: true, paired: true, codes: 0, reason: None });
        Self { number: Some(number.to_owned()), socket, ..Self::new(name, token, Channel::Baileys) }
    }

    pub(super) fn with_profile(self, profile: &str) -> Self {
        Self { profile: profile.to_owned(), ..self }
    }

    /// Its socket, as the faults let it be.
    pub(super) fn socket(&self, faults: Faults) -> Socket {
        let mut socket = *lock(&self.socket);
        if faults.disconnected && self.channel == Channel::Baileys && socket.started {
            socket.state = "close";
        }
        socket
    }

    pub(super) fn state(&self, faults: Faults) -> &'static str {
        self.socket(faults).state
    }

    pub(super) fn set(&self, state: &'static str) {
        let mut socket = lock(&self.socket);
        *socket = Socket { state, started: true, paired: true, ..*socket };
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Socket)) {
        change(&mut lock(&self.socket));
    }

    pub(super) fn stored(&self) -> MutexGuard<'_, Vec<Stored>> {
        lock(&self.stored)
    }

    pub(super) fn settings(&self) -> MutexGuard<'_, Value> {
        lock(&self.settings)
    }

    pub(super) fn webhook(&self) -> MutexGuard<'_, Value> {
        lock(&self.webhook)
    }
}

/// Everything.
#[derive(Debug)]
pub(super) struct World {
    /// The global key.
    pub key: String,
    instances: RwLock<HashMap<String, Arc<Instance>>>,
    log: Mutex<Vec<Delivered>>,
    absent: RwLock<HashSet<String>>,
    known: RwLock<HashSet<String>>,
    faults: RwLock<Faults>,
    pub groups: Vec<Value>,
    /// Whether it is down.
    pub down: watch::Sender<bool>,
    pub deliveries: watch::Sender<usize>,
    pub calls: AtomicUsize,
    pub lose: AtomicUsize,
    pub swallow: AtomicUsize,
    pub forgetful: AtomicBool,
    /// Links say that they are open, and take nothing.
    pub dead: AtomicBool,
    pub hanging: AtomicBool,
    pub unsearchable: AtomicBool,
    pub bare: AtomicBool,
    /// Tells the moments that messages are stored with; the machine's when nothing is set.
    pub clock: RwLock<Clock>,
    pub slowness: AtomicU64,
    pub next: AtomicU64,
}

impl World {
    pub(super) fn new(key: &str) -> Self {
        Self {
            key: key.to_owned(),
            instances: RwLock::default(),
            log: Mutex::default(),
            absent: RwLock::default(),
            known: RwLock::default(),
            faults: RwLock::default(),
            groups: groups::known(),
            down: watch::channel(false).0,
            deliveries: watch::channel(0).0,
            calls: AtomicUsize::new(0),
            lose: AtomicUsize::new(0),
            swallow: AtomicUsize::new(0),
            forgetful: AtomicBool::new(false),
            dead: AtomicBool::new(false),
            hanging: AtomicBool::new(false),
            unsearchable: AtomicBool::new(false),
            clock: RwLock::new(Clock::System),
            bare: AtomicBool::new(false),
            slowness: AtomicU64::new(3000),
            next: AtomicU64::new(rand::random::<u64>() >> 1),
        }
    }

    pub(super) fn find(&self, name: &str) -> Option<Arc<Instance>> {
        read(&self.instances).get(name).cloned()
    }

    pub(super) fn add(&self, instance: Instance) -> Arc<Instance> {
        let mut instances = write(&self.instances);
        instance.place.store(instances.len(), std::sync::atomic::Ordering::Relaxed);
        let instance = Arc::new(instance);
        instances.insert(instance.name.clone(), Arc::clone(&instance));
        instance
    }

    pub(super) fn remove(&self, name: &str) {
        write(&self.instances).remove(name);
    }

    /// All instances, oldest first.
    pub(super) fn list(&self) -> Vec<Arc<Instance>> {
        let mut all: Vec<_> = read(&self.instances).values().cloned().collect();
        all.sort_by_key(|i| (i.created, i.place.load(std::sync::atomic::Ordering::Relaxed)));
        all
    }

    pub(super) fn faults(&self) -> Faults {
        *read(&self.faults)
    }

    pub(super) fn set_faults(&self, faults: Faults) {
        *write(&self.faults) = faults;
        self.down.send_if_modified(|down| std::mem::replace(down, faults.down) != faults.down);
    }

    pub(super) fn not_on_whatsapp(&self, number: &str) {
        write(&self.absent).insert(number.to_owned());
    }

    pub(super) fn is_absent(&self, number: &str) -> bool {
        number.ends_with("0000") || read(&self.absent).contains(number)
    }

    pub(super) fn know(&self, jid: &str) {
        if !self.knows(jid) {
            write(&self.known).insert(jid.to_owned());
        }
    }

    pub(super) fn knows(&self, jid: &str) -> bool {
        read(&self.known).contains(jid)
    }

    pub(super) fn delivered(&self) -> Vec<Delivered> {
        lock(&self.log).clone()
    }

    /// Hands a message to WhatsApp.
    pub(super) fn deliver(&self, message: Delivered, bare: bool) {
        if !bare {
            lock(&self.log).push(message);
        }
        self.deliveries.send_modify(|count| *count += 1);
    }
}
