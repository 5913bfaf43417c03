//! How fast what is due leaves, how late, and at what cost: `cargo bench --bench dispatch`.
//!
//! Each figure is taken in processes of their own, against a server in another that answers as an Evolution API and a Bot
//! API do. The bare loop of requests is the limit on the same machine in the same run. Switches, all of them from the
//! environment:
//!
//! - `BENCH_DATABASE_URL`: a PostgreSQL database that may be emptied; the same is measured there.
//! - `BENCH_PEERS=1`: builds and measures graphile_worker and apalis as well.
//! - `BENCH_ONLY=burst,slow,lateness,beside,program,updates`: only these parts.
//! - `BENCH_RUNS`, `BENCH_COUNT`, `BENCH_SECONDS`, `BENCH_BESIDE`, `BENCH_UPDATES`: shorter or longer.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark may end by panicking, and prints")]

mod fill;
mod peers;
mod process;
mod program;
mod scheduler;
#[expect(clippy::cast_precision_loss, reason = "counts and times, to be printed")]
mod server;
mod table;

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;

use self::server::Server;

/// Requests at once: of the bare loop, of the peers, and of ours at one server. Of those that the program has (256), one
/// server has at most half.
const AT_ONCE: usize = 128;
/// The same where the server takes its time.
const SLOWLY_AT_ONCE: usize = 64;

/// What a measurement found, by name.
type Figures = BTreeMap<String, f64>;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let mode = args.iter().position(|arg| arg == "--mode").map(|at| &args[at + 1..]);
    let Some([mode, rest @ ..]) = mode else { return table::run() };
    if mode == "server" {
        return server::run();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        match (mode.as_str(), rest) {
            ("bare", [url]) => scheduler::bare(url, number("BENCH_COUNT", 20_000)).await,
            ("capacity", [url]) => server::capacity(url, 400_000).await,
            ("echo", [url]) => program::echo(url).await,
            ("fill", [what, url, store, dir]) => program::fill(what, url, store, dir).await,
            (mode, [url, store]) => scheduler::ours(mode, url, store).await,
            (mode, rest) => panic!("what is {mode} {rest:?}?"),
        }
    });
}

/// Runs one measurement in a process of its own; its lines are `name value`.
fn measure(answer_ms: u64, args: &[&str]) -> Figures {
    let server = Server::start(answer_ms);
    let url = server.url();
    let mut all = vec!["--mode", args[0], url.as_str()];
    all.extend(&args[1..]);
    let told = Command::new(std::env::current_exe().unwrap()).args(all).stderr(Stdio::inherit()).output().unwrap();
    assert!(told.status.success(), "a measurement failed");
    let mut figures = lines(&told.stdout);
    figures.insert("server_cpu_s".to_owned(), process::cpu_seconds(server.pid()));
    figures
}

/// Figures from lines of `name value`.
fn lines(text: &[u8]) -> Figures {
    let text = std::str::from_utf8(text).unwrap();
    let pairs = text.lines().filter_map(|line| line.split_once(' '));
    pairs.map(|(name, value)| (name.to_owned(), value.parse().unwrap())).collect()
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

#[expect(clippy::disallowed_methods, reason = "the benchmark waits by the machine's clock")]
async fn wait(time: Duration) {
    tokio::time::sleep(time).await;
}

fn sleep(time: Duration) {
    std::thread::sleep(time);
}

#[expect(clippy::cast_precision_loss, reason = "a rate")]
fn per_second(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

/// CPU time of this process, in seconds.
fn cpu_seconds() -> f64 {
    process::cpu_seconds(std::process::id())
}

fn peak_mib() -> f64 {
    process::peak_mib(std::process::id())
}
