//! A PostgreSQL of a test's own, that it may restart, kill and replace.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A server and its data.
pub struct Cluster {
    place: TempDir,
    bin: PathBuf,
    name: &'static str,
    pub port: u16,
}

/// The newest server's programs.
fn programs() -> PathBuf {
    let mut found: Vec<PathBuf> =
        std::fs::read_dir("/usr/lib/postgresql").unwrap().map(|e| e.unwrap().path()).collect();
    found.sort_by_key(|path| path.file_name().unwrap().to_str().unwrap().parse::<u32>().unwrap_or(0));
    found.pop().unwrap().join("bin")
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0)
}

impl Cluster {
    /// A new server that runs.
    pub fn start() -> Self {
        let cluster = Self::empty("data");
        cluster.run("initdb", &["-U", "schedulezap", "-A", "trust", "-E", "UTF8", "--no-sync"]);
        std::fs::write(cluster.data().join("postgresql.auto.conf"), "fsync = off\nmax_connections = 100\n").unwrap();
        cluster.go();
        cluster.create("app");
        cluster
    }

    fn empty(name: &'static str) -> Self {
        let place = tempfile::tempdir().unwrap();
        if is_root() {
            assert!(Command::new("chown").arg("postgres").arg(place.path()).status().unwrap().success());
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { place, bin: programs(), name, port }
    }

    /// A copy of this server that follows it; it does not run.
    pub fn follower(&self) -> Self {
        let mut copy = Self::empty("copy");
        copy.port = self.port;
        let port = self.port.to_string();
        copy.run("pg_basebackup", &["-h", "127.0.0.1", "-p", &port, "-U", "schedulezap", "-R", "-c", "fast"]);
        copy
    }

    /// Starts it, on its port.
    pub fn go(&self) {
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories={}",
            self.port,
            self.place.path().display()
        );
        let log = self.place.path().join("log");
        self.run("pg_ctl", &["-w", "-l", log.to_str().unwrap(), "-o", &options, "start"]);
    }

    /// Ends it as a crash does.
    pub fn crash(&self) {
        self.run("pg_ctl", &["-m", "immediate", "stop"]);
    }

    /// A follower becomes a server of its own.
    pub fn promote(&self) {
        self.run("pg_ctl", &["-w", "promote"]);
    }

    /// Runs a program over TCP: `pg_dump`, `pg_restore`, `psql`.
    pub fn tool(&self, program: &str, args: &[&str]) {
        let mut command = Command::new(self.bin.join(program));
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "schedulezap"]).args(args);
        let done = command.output().unwrap();
        assert!(done.status.success(), "{program}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// Makes an empty database.
    pub fn create(&self, database: &str) {
        self.tool("createdb", &[database]);
    }

    /// The address of a database.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://schedulezap@127.0.0.1:{}/{database}", self.port)
    }

    fn data(&self) -> PathBuf {
        self.place.path().join(self.name)
    }

    fn run(&self, program: &str, args: &[&str]) {
        let data = self.data();
        assert!(self.command(program, &data, args).status().unwrap().success(), "{program} {args:?}");
    }

    fn command(&self, program: &str, data: &Path, args: &[&str]) -> Command {
        let program = self.bin.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.arg("-D").arg(data).args(args).current_dir("/");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.command("pg_ctl", &self.data(), &["-m", "immediate", "stop"]).status();
    }
}
