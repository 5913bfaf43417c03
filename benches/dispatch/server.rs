//! What the measured programs talk with, in a process of its own: an Evolution API and a Bot API that answer as fast as
//! can be, and note when they were asked.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::{number, wait};

/// A running server, and how to ask it.
pub struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// Starts one whose answers to messages take `answer_ms`.
    pub fn start(answer_ms: u64) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--mode", "server"])
            .env("ANSWER_MS", answer_ms.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
        Self { child, port: port.trim().parse().unwrap() }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The numbers that it answers to a question of the benchmark.
    pub fn ask(&self, path: &str) -> Vec<f64> {
        ask(&self.url(), path)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Asks a server for numbers.
pub fn ask(url: &str, path: &str) -> Vec<f64> {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let body = answer.rsplit("\r\n\r\n").next().unwrap();
    body.split_whitespace().map(|value| value.parse().unwrap()).collect()
}

#[derive(Default)]
struct State {
    messages: Messages,
    bot: Bot,
}

/// What came for the Evolution API.
#[derive(Default)]
struct Messages {
    count: u64,
    at_once: u64,
    most_at_once: u64,
    first: Option<Duration>,
    /// Arrival less due time, in microseconds.
    late: Vec<i64>,
}

/// What the Bot API has to tell, and was told.
#[derive(Default)]
struct Bot {
    waiting: VecDeque<(i64, String)>,
    last_id: i64,
    /// When the updates of each chat could be had.
    offered: HashMap<i64, VecDeque<Instant>>,
    begun: Option<Instant>,
    ended: Option<Instant>,
    took: Vec<u64>,
    more: Arc<Notify>,
}

type Shared = Arc<Mutex<State>>;

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// Serves until it is killed; prints its port. One thread: what it costs is its own.
pub fn run() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answer = Duration::from_millis(number("ANSWER_MS", 0));
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap().port());
        let state = Shared::default();
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            socket.set_nodelay(true).unwrap();
            tokio::spawn(serve(socket, Arc::clone(&state), answer));
        }
    });
}

async fn serve(mut socket: tokio::net::TcpStream, state: Shared, answer: Duration) {
    let (mut read, mut out) = (Vec::with_capacity(1 << 16), Vec::with_capacity(1 << 16));
    loop {
        if socket.read_buf(&mut read).await.unwrap_or(0) == 0 {
            return;
        }
        let (mut taken, mut is_last) = (0, false);
        // What came together is answered together.
        while let Some((head, end)) = whole(&read[taken..]) {
            let request = &read[taken..taken + end];
            let path = request.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
            let body = &request[head..];
            if path.starts_with(b"/message/") {
                arrive(&state, body);
                if !answer.is_zero() {
                    wait(answer).await;
                }
                let id = leave(&state);
                reply(
                    &mut out,
                    "201 Created",
                    format_args!(
                        r#"{{"key":{{"remoteJid":"5511@s.whatsapp.net","fromMe":true,"id":"3EB0{id:016X}"}},"status":"PENDING"}}"#
                    ),
                );
            } else if let Some(method) = path.strip_prefix(b"/bot").and_then(|rest| rest.split(|b| *b == b'/').nth(1)) {
                let method = String::from_utf8_lossy(method).to_ascii_lowercase();
                let answer = bot(&state, &method, body).await;
                reply(&mut out, "200 OK", format_args!(r#"{{"ok":true,"result":{answer}}}"#));
            } else {
                is_last = true;
                if path.starts_with(b"/chat/") || path.starts_with(b"/instance/") {
                    // What is not known here is not found.
                    reply(&mut out, "404 Not Found", format_args!("{{}}"));
                    break;
                }
                let answer = question(&state, &String::from_utf8_lossy(path));
                reply(&mut out, "200 OK", format_args!("{answer}"));
            }
            taken += end;
        }
        read.drain(..taken);
        if !out.is_empty() {
            if socket.write_all(&out).await.is_err() || is_last {
                return;
            }
            out.clear();
        }
    }
}

fn reply(out: &mut Vec<u8>, status: &str, body: std::fmt::Arguments<'_>) {
    let body = body.to_string();
    write!(out, "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())
        .unwrap();
}

/// Where the first request's head and the request end, when it is all there.
fn whole(read: &[u8]) -> Option<(usize, usize)> {
    let head = read.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let length = read[..head].split(|byte| *byte == b'\n').find_map(|line| {
        let (name, value) = (line.get(..15)?, line.get(15..)?);
        let value = std::str::from_utf8(value).ok()?;
        name.eq_ignore_ascii_case(b"content-length:").then(|| value.trim().parse().ok())?
    });
    let end = head + length.unwrap_or(0);
    (read.len() >= end).then_some((head, end))
}

fn arrive(state: &Shared, body: &[u8]) {
    let now = since_epoch();
    let due = body.windows(4).position(|four| four == b"due ").and_then(|at| {
        let digits = body[at + 4..].split(|byte| !byte.is_ascii_digit()).next()?;
        std::str::from_utf8(digits).ok()?.parse::<i64>().ok()
    });
    let mut state = state.lock().unwrap();
    let messages = &mut state.messages;
    messages.first.get_or_insert(now);
    messages.at_once += 1;
    messages.most_at_once = messages.most_at_once.max(messages.at_once);
    if let Some(due) = due {
        messages.late.push(i64::try_from(now.as_micros()).unwrap() - due * 1000);
    }
}

fn leave(state: &Shared) -> u64 {
    let mut state = state.lock().unwrap();
    state.messages.at_once = state.messages.at_once.saturating_sub(1);
    state.messages.count += 1;
    state.messages.count
}

/// Answers the benchmark itself.
fn question(state: &Shared, path: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let values: Vec<u64> = query.split(',').filter_map(|value| value.parse().ok()).collect();
    let mut held = state.lock().unwrap();
    match path {
        // How many messages came, when the first did (milliseconds), and how many were in hand at most.
        "/seen" => {
            let messages = &held.messages;
            let first = messages.first.map_or(0, |at| at.as_millis());
            format!("{} {first} {}", messages.count, messages.most_at_once)
        }
        // Lateness at the door in milliseconds: least, median, 99 of 100, most.
        "/lateness" => {
            let late = &mut held.messages.late;
            late.sort_unstable();
            spread(&late.iter().map(|us| *us as f64 / 1000.0).collect::<Vec<_>>())
        }
        "/reset" => {
            *held = State::default();
            String::new()
        }
        // Lets updates come: how many, how many a second (0: all at once), from how many chats.
        "/load" => {
            let shared = Arc::clone(state);
            let (count, rate, chats) = (values[0], values[1], values[2]);
            held.bot.took.clear();
            (held.bot.begun, held.bot.ended) = (None, None);
            tokio::spawn(offer(shared, count, rate, i64::try_from(chats).unwrap()));
            String::new()
        }
        // How many updates were answered, in how many seconds, and how long each took in milliseconds.
        "/answered" => {
            let bot = &held.bot;
            let time = bot.begun.zip(bot.ended).map_or(0.0, |(begun, ended)| (ended - begun).as_secs_f64());
            let mut took = bot.took.clone();
            took.sort_unstable();
            format!("{} {time} {}", took.len(), spread(&took.iter().map(|us| *us as f64 / 1000.0).collect::<Vec<_>>()))
        }
        other => panic!("no such question: {other}"),
    }
}

/// Least, median, 99 of 100 and most of what is sorted.
fn spread(sorted: &[f64]) -> String {
    let at = |percent: usize| sorted.get((sorted.len().max(1) - 1) * percent / 100).copied().unwrap_or_default();
    format!("{} {} {} {}", at(0), at(50), at(99), at(100))
}

/// Lets `count` updates come.
async fn offer(state: Shared, count: u64, rate: u64, chats: i64) {
    let begun = Instant::now();
    let mut offered = 0;
    while offered < count {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        let by_now = if rate == 0 { count } else { (begun.elapsed().as_secs_f64() * rate as f64) as u64 };
        {
            let mut state = state.lock().unwrap();
            let bot = &mut state.bot;
            let now = Instant::now();
            while offered < by_now.min(count) {
                bot.last_id += 1;
                let (id, chat) = (bot.last_id, 1000 + bot.last_id % chats);
                bot.waiting.push_back((id, format!(
                    r#"{{"update_id":{id},"message":{{"message_id":{id},"date":1800000000,"chat":{{"id":{chat},"type":"private","first_name":"Ana"}},"from":{{"id":{chat},"is_bot":false,"first_name":"Ana","language_code":"pt"}},"text":"/help","entities":[{{"type":"bot_command","offset":0,"length":5}}]}}}}"#
                )));
                bot.offered.entry(chat).or_default().push_back(now);
                offered += 1;
            }
            bot.begun.get_or_insert(now);
            bot.more.notify_one();
        }
        wait(Duration::from_millis(1)).await;
    }
}

/// One call of the Bot API.
async fn bot(state: &Shared, method: &str, body: &[u8]) -> String {
    let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    match method {
        "getme" => r#"{"id":7000001,"is_bot":true,"first_name":"Bench","username":"bench_bot","can_join_groups":true,
            "can_read_all_group_messages":false,"supports_inline_queries":false,"can_connect_to_business":false,
            "has_main_web_app":false}"#
            .to_owned(),
        "getwebhookinfo" => r#"{"url":"","has_custom_certificate":false,"pending_update_count":0}"#.to_owned(),
        "getupdates" => {
            let more = {
                let mut state = state.lock().unwrap();
                let offset = body["offset"].as_i64().unwrap_or(0);
                while state.bot.waiting.front().is_some_and(|(id, _)| *id < offset) {
                    state.bot.waiting.pop_front();
                }
                state.bot.waiting.is_empty().then(|| Arc::clone(&state.bot.more))
            };
            if let Some(more) = more {
                let patience = Duration::from_secs(body["timeout"].as_u64().unwrap_or(0));
                // A timeout answers with nothing.
                let _ = tokio::time::timeout(patience, more.notified()).await;
            }
            let state = state.lock().unwrap();
            let mut list = String::from("[");
            for (_, update) in state.bot.waiting.iter().take(100) {
                if list.len() > 1 {
                    list.push(',');
                }
                list.push_str(update);
            }
            list.push(']');
            list
        }
        "sendmessage" => {
            let now = Instant::now();
            let chat = body["chat_id"].as_i64().or_else(|| body["chat_id"].as_str()?.parse().ok()).unwrap_or(0);
            let mut state = state.lock().unwrap();
            let bot = &mut state.bot;
            if let Some(offered) = bot.offered.get_mut(&chat).and_then(VecDeque::pop_front) {
                bot.took.push(u64::try_from((now - offered).as_micros()).unwrap());
                bot.ended = Some(now);
            }
            let mut sent = String::new();
            let id = bot.took.len() + 1_000_000;
            write!(sent, r#"{{"message_id":{id},"date":1800000000,"chat":{{"id":{chat},"type":"private","first_name":"Ana"}},"text":"x"}}"#)
                .unwrap();
            sent
        }
        _ => "true".to_owned(),
    }
}

/// What the server can do: 64 connections that ask for sixteen things at a time and hardly work for it.
pub async fn capacity(url: &str, count: u64) {
    let address = url.trim_start_matches("http://").to_owned();
    let body = r#"{"number":"5511988887777","text":"due 0"}"#;
    let one = format!(
        "POST /message/sendText/i HTTP/1.1\r\nhost: {address}\r\napikey: bench-key\r\naccept: */*\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let (batch, rounds) = (one.repeat(16).into_bytes(), count / 16 / 64);
    let begun = Instant::now();
    let connections: Vec<_> = (0..64)
        .map(|_| {
            let (address, batch) = (address.clone(), batch.clone());
            tokio::spawn(async move {
                let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
                socket.set_nodelay(true).unwrap();
                let mut read = vec![0; 1 << 16];
                for _ in 0..rounds {
                    socket.write_all(&batch).await.unwrap();
                    let mut answers = 0;
                    while answers < 16 {
                        let count = socket.read(&mut read).await.unwrap();
                        assert!(count > 0, "the server hung up");
                        answers += read[..count].split(|byte| *byte == b'}').skip(1).count() / 2;
                    }
                }
            })
        })
        .collect();
    for one in connections {
        one.await.unwrap();
    }
    println!("per_second {}", crate::per_second(rounds * 16 * 64, begun.elapsed()));
}
