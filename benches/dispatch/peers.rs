//! Other schedulers at the same job: a crate of its own beside this one, built when `BENCH_PEERS=1`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::server::Server;
use crate::{Figures, lines};

/// The program that holds them; nothing when they are not wanted.
pub fn build() -> Option<PathBuf> {
    std::env::var_os("BENCH_PEERS").filter(|value| value != "0")?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = root.join("target/peers");
    eprintln!("building the peers, some minutes the first time");
    let built = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--release", "--locked", "--quiet", "--manifest-path"])
        .arg(root.join("benches/peers/Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .status()
        .unwrap();
    assert!(built.success(), "the peers cannot be built");
    Some(target.join("release/peers"))
}

/// Runs one of them.
pub fn measure(program: &Path, peer: &str, mode: &str, store: &str) -> Figures {
    let server = Server::start(0);
    let dir = tempfile::tempdir_in(concat!(env!("CARGO_MANIFEST_DIR"), "/target")).unwrap();
    let store = if store == "sqlite" { dir.path().join("peer.db").display().to_string() } else { store.to_owned() };
    let told =
        Command::new(program).args([peer, mode, &server.url(), &store]).stderr(Stdio::inherit()).output().unwrap();
    assert!(told.status.success(), "{peer} failed");
    let mut figures = lines(&told.stdout);
    if mode == "lateness" {
        let late = server.ask("/lateness");
        figures.extend([("p50".to_owned(), late[1]), ("p99".to_owned(), late[2]), ("max".to_owned(), late[3])]);
    }
    figures
}
