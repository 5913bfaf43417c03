//! What the scheduler promises under load and over time: on time, in order, fair, the same after a restart.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use schedulezap::domain::clock::{Clock, Moment};
use schedulezap::sandbox::evolution::Faults;
use tokio::net::TcpListener;

use crate::cluster::Cluster;
use crate::harness::{PATIENCE, START, World, amount, skipped, within};
use crate::kills::until_settled;
use crate::real::{Process, Real};

fn whole(number: usize) -> i64 {
    i64::try_from(number).unwrap()
}

fn soon(seconds: u64) -> Moment {
    Clock::System.now().plus(Duration::from_secs(seconds))
}

/// The part of `sorted` at `percent`.
fn at(sorted: &[i64], percent: usize) -> i64 {
    sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
}

/// Starts and ends the process once: its files are there then, and it is no copy of another.
async fn settle_in(real: &Real) {
    let process = real.start();
    real.people[0].sees_one(|_| true).await;
    assert!(process.ask_to_end("TERM").success());
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_leave_on_time_and_a_crowd_of_them_in_order() {
    let (crowd, spread) = (amount("DUE", 400), amount("SPREAD", 60));
    let real = Real::new(50).await;
    real.evolution.set_slowness(Duration::from_millis(50));
    real.evolution.set_faults(Faults { slow: true, ..Faults::default() });
    settle_in(&real).await;
    // What is written into the table by another hand is found at the start, or by the slow look.
    let begun = soon(6);
    let later = begun.plus(Duration::from_millis(u64::try_from(spread).unwrap() * 100 + 5000));
    real.schedule_every("s", whole(spread), begun, Duration::from_millis(100)).await;
    real.schedule(whole(crowd), later).await;
    let process = real.start();
    real.evolution.wait_for(spread).await;
    let due = |text: &str| begun.0 + (text[1..].parse::<i64>().unwrap() - 1) * 100;
    let mut late: Vec<i64> = real.evolution.delivered()[..spread].iter().map(|one| one.at - due(&one.text)).collect();
    late.sort_unstable();
    println!("spread: p50 {} ms, p99 {} ms, at most {} ms late", at(&late, 50), at(&late, 99), at(&late, 100));
    assert!(late[0] >= 0, "{} ms early", -late[0]);
    // How late is measured on a quiet machine; here it only must not be a matter of waiting for something.
    let most = whole(amount("LATE_MS", 15_000));
    assert!(at(&late, 100) <= most, "{late:?}");
    real.evolution.wait_for(spread + crowd).await;
    let took = Clock::System.now().since(later);
    println!("{crowd} at once over 50 numbers: {took:?}");
    assert!(took < PATIENCE, "{took:?}");
    let mut last: HashMap<String, usize> = HashMap::new();
    for one in real.evolution.delivered().into_iter().filter(|one| one.text.starts_with('m')) {
        let number = one.text[1..].parse().unwrap();
        let before = last.insert(one.instance.clone(), number);
        assert!(before.is_none_or(|before| before < number), "{} after {before:?} through {}", number, one.instance);
    }
    assert_eq!(real.doubled(), Vec::<String>::new());
    assert!(process.ask_to_end("TERM").success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_with_many_waiting_sends_at_once() {
    let waiting = amount("WAITING", 20_000);
    let real = Real::new(4).await;
    settle_in(&real).await;
    real.schedule_as("far", whole(waiting), soon(30 * 24 * 3600)).await;
    real.schedule_as("now", 1, Clock::System.now()).await;
    let begun = Instant::now();
    let process = real.start();
    real.evolution.wait_for(1).await;
    let took = begun.elapsed();
    println!("the first left {took:?} after the start, with {waiting} waiting");
    assert!(took < Duration::from_secs(60), "{took:?}");
    assert!(process.ask_to_end("TERM").success());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes the default lease and settle time: three minutes"]
async fn with_the_default_times_what_was_on_its_way_is_resolved_in_time() {
    let mut real = Real::new(8).await;
    real.settings.retain(|(name, _)| !["LEASE", "SETTLE_TIME"].contains(name));
    real.evolution.set_slowness(Duration::from_millis(200));
    real.evolution.set_faults(Faults { slow: true, ..Faults::default() });
    real.schedule(80, soon(3)).await;
    let process = real.start();
    real.evolution.wait_for(30).await;
    process.kill();
    let begun = Instant::now();
    let process = real.start();
    while real.statuses().await != [("sent".to_owned(), 80)] {
        Clock::System.sleep(Duration::from_secs(1)).await;
        assert!(begun.elapsed() < Duration::from_secs(160), "{:?}", real.statuses().await);
    }
    println!("all resolved {:?} after the kill", begun.elapsed());
    assert_eq!((real.doubled(), real.evolution.count()), (Vec::<String>::new(), 80));
    assert!(process.ask_to_end("TERM").success());
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_downtime_the_account_decides_about_what_is_late() {
    let real = Real::new(3).await;
    settle_in(&real).await;
    real.execute("UPDATE users SET late_policy = 'always' WHERE id = 2".to_owned()).await;
    real.execute("UPDATE users SET late_policy = 'never' WHERE id = 3".to_owned()).await;
    // Ten minutes, two hours and three days late, twelve each over three accounts: ask, always, never.
    for (text, minutes) in [("a", 10), ("b", 120), ("c", 3 * 1440)] {
        real.schedule_as(text, 12, Clock::System.now().minus(Duration::from_secs(minutes * 60))).await;
    }
    let process = real.start();
    let statuses = until_settled(&real, &["sent", "late", "cancelled"]).await;
    let count = |status: &str| statuses.iter().find(|one| one.0 == status).map_or(0, |one| one.1);
    assert_eq!((count("sent"), count("late"), count("cancelled")), (12 + 4, 4 + 8, 8), "{statuses:?}");
    let texts: Vec<String> = real.evolution.delivered().into_iter().map(|one| one.text[..1].to_owned()).collect();
    assert_eq!(texts.iter().filter(|text| *text == "a").count(), 12);
    assert_eq!(texts.iter().filter(|text| *text == "c").count(), 0, "what is a day late never goes by itself");
    let told =
        |who: usize, text: &str| real.people[who].chat().iter().filter(|m| m.from_bot && m.text.contains(text)).count();
    // One by one, or in a digest.
    let late = || -> usize {
        real.people[0].chat().iter().filter(|m| m.from_bot).map(|m| m.text.matches("min de atraso").count()).sum()
    };
    while late() < 4 || told(0, "passaram da hora") < 1 || told(2, "descartadas") < 1 {
        let seen = real.telegram.revision();
        let _ = tokio::time::timeout(Duration::from_millis(500), real.telegram.changed_after(seen)).await;
    }
    assert_eq!(told(0, "passaram da hora"), 1, "one card for all of them");
    assert_eq!(told(2, "descartadas"), 1);
    assert!(process.ask_to_end("TERM").success());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_without_the_server_is_told_of_once_and_costs_one_question_at_most() {
    within(async {
        let world = World::start_with(Clock::manual(START), |config| config.send_gap = Duration::ZERO).await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        world.handled().await;
        world.advance(Duration::from_secs(60));
        for (minutes, text) in [(5, "um."), (6, "dois."), (50, "três."), (55, "quatro.")] {
            ana.says(&format!("em {minutes} minutos para 11 98888-7777: {text}"));
            ana.sees_one(|m| m.text.contains("Confira e confirme") && m.text.contains(text)).await;
            ana.taps("Confirmar").unwrap();
            ana.sees_one(|m| m.text.contains("Agendada") && m.text.contains(text)).await;
        }
        world.handled().await;
        world.said().await;
        world.evolution.set_faults(Faults { down: true, ..Faults::default() });
        let step = async |seconds: u64| {
            world.advance(Duration::from_secs(seconds));
            world.breath().await;
        };
        let told = |text: &str| ana.chat().iter().filter(|m| m.from_bot && m.text.contains(text)).count();
        for _ in 0..720 {
            step(5).await;
        }
        assert_eq!(told("Não consigo falar com o servidor"), 1);
        world.evolution.set_faults(Faults::default());
        while told("voltou a responder") == 0 || told("Enviada para") < 2 {
            step(5).await;
        }
        for _ in 0..60 {
            step(5).await;
        }
        world.handled().await;
        assert_eq!((told("Não consigo falar com o servidor"), told("voltou a responder")), (1, 1));
        assert!(told("Não sei se a mensagem") <= 1);
        let mut texts: Vec<String> = world.evolution.delivered().into_iter().map(|one| one.text).collect();
        texts.sort();
        assert_eq!(texts, ["quatro.", "três."], "those within their grace, once");
        let lost = "SELECT COUNT(*) FROM scheduled_messages WHERE status NOT IN ('sent', 'late', 'unknown')";
        assert_eq!(world.count(lost).await, 0);
        world.said().await;
        world.finish(&[&ana]).await;
    })
    .await;
}

/// Ana's message is late since its server is away: the server comes back, and nothing is tried that would show it.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_back_is_told_of_though_nothing_is_sent_and_what_waits_goes_at_once() {
    within(async {
        let world = World::start_with(Clock::manual(START), |config| config.send_gap = Duration::ZERO).await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        let says = async |minutes: u64, text: &str| {
            ana.says(&format!("em {minutes} minutos para 11 98888-7777: {text}"));
            ana.sees_one(|m| m.text.contains("Confira e confirme") && m.text.contains(text)).await;
            ana.taps("Confirmar").unwrap();
            ana.sees_one(|m| m.text.contains("Agendada") && m.text.contains(text)).await;
            world.handled().await;
            world.said().await;
        };
        let told = |text: &str| ana.chat().iter().filter(|m| m.from_bot && m.text.contains(text)).count();
        let step = async || {
            world.advance(Duration::from_secs(5));
            world.breath().await;
        };
        let (down, late) = (Faults { down: true, ..Faults::default() }, "passou da hora");
        says(5, "um.").await;
        // What stands before it answers: it is asked how it is first.
        world.does("UPDATE user_instances SET is_suspect = TRUE").await;
        world.evolution.set_faults(down);
        while told(late) == 0 {
            step().await;
        }
        let away = world.clock.now();
        while world.clock.now().since(away) < Duration::from_secs(1800) {
            step().await;
        }
        assert_eq!((told("Não consigo falar com o servidor"), told("voltou a responder")), (1, 0));
        world.evolution.set_faults(Faults::default());
        let begun = world.clock.now();
        while told("voltou a responder.") == 0 {
            step().await;
        }
        assert!(world.clock.now().since(begun) <= Duration::from_secs(90));
        assert_eq!(world.evolution.count(), 0, "what is late waits for its answer");
        // It is away again, and a message has been tried for so long that the next time would come minutes later.
        world.does("UPDATE user_instances SET is_suspect = TRUE").await;
        says(1, "dois.").await;
        world.evolution.set_faults(down);
        let far = "SELECT COUNT(*) FROM user_instances WHERE down_told AND next_send_at - checked_at > 200000";
        while world.count(far).await == 0 {
            step().await;
        }
        world.evolution.set_faults(Faults::default());
        let begun = world.clock.now();
        while told("voltou a responder: 1 mensagem que esperava sai agora.") == 0 || world.evolution.count() == 0 {
            step().await;
        }
        assert!(world.clock.now().since(begun) <= Duration::from_secs(90));
        for _ in 0..60 {
            step().await;
        }
        world.said().await;
        assert_eq!((told("Não consigo falar com o servidor"), told("voltou a responder")), (2, 2));
        world.finish(&[&ana]).await;
    })
    .await;
}

/// A server that takes connections and never says anything.
async fn silent_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_a_dead_server_and_a_number_at_its_cap_delay_nobody_else() {
    let crowd = amount("CROWD", 2000);
    let mut real = Real::new(50).await;
    real.settings.retain(|(name, _)| *name != "SEND_PER_HOUR");
    real.settings.push(("SEND_PER_HOUR", "20000".to_owned()));
    let silent = silent_server().await;
    // The first has a crowd; five are on a dead server; one has had its share of the hour.
    for dead in 2..=6 {
        real.move_to(dead, &silent).await;
    }
    settle_in(&real).await;
    let now = Clock::System.now();
    real.execute(format!("UPDATE user_instances SET hour_count = 20000, hour_start = {} WHERE id = 7", now.0)).await;
    let begun = soon(6);
    real.schedule_every("m", 50 * 6, begun, Duration::from_millis(30)).await;
    let series = if real.url.starts_with("sqlite") {
        format!("WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n + 1 < {crowd})")
    } else {
        format!("WITH s(n) AS (SELECT generate_series(0, {crowd} - 1))")
    };
    let (chat, due) = (real.people[0].id(), begun.0 - 500);
    real.execute(format!(
        "INSERT INTO scheduled_messages (user_id, recipient, message, scheduled_time, time_zone, due_at, status, chat_id,
             created_at, updated_at)
         {series} SELECT 1, '5511955554444', 'crowd' || n, {due}, 'UTC', {due}, 'scheduled', {chat}, {0}, {0} FROM s",
        now.0
    ))
    .await;
    let process = real.start();
    let of_others = || {
        real.evolution
            .delivered()
            .into_iter()
            .filter(|one| one.text.starts_with('m') && one.instance != "i1")
            .collect::<Vec<_>>()
    };
    while of_others().len() < 43 * 6 {
        let count = real.evolution.count();
        // What was delivered meanwhile is not waited for.
        if of_others().len() < 43 * 6 {
            let more = real.evolution.next_delivery(count, Duration::from_secs(60)).await;
            assert!(more.is_some(), "{} of {} others", of_others().len(), 43 * 6);
        }
    }
    let mut late: Vec<i64> =
        of_others().iter().map(|one| one.at - begun.0 - (one.text[1..].parse::<i64>().unwrap() - 1) * 30).collect();
    late.sort_unstable();
    let sent = real.evolution.delivered().iter().filter(|one| one.text.starts_with("crowd")).count();
    println!("others: p50 {} ms, at most {} ms late, while {sent} of {crowd} went", at(&late, 50), at(&late, 100));
    assert!(at(&late, 100) <= whole(amount("LATE_MS", 15_000)), "{late:?}");
    assert_eq!(real.evolution.delivered().iter().filter(|one| one.instance == "i7").count(), 0);
    process.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_claim_is_on_the_disk_before_its_message_leaves() {
    if std::env::var("TEST_DATABASE_URL").is_ok() {
        return;
    }
    let real = Real::new(1).await;
    settle_in(&real).await;
    real.schedule_every("m", 10, soon(6), Duration::from_millis(300)).await;
    let process = real.start();
    let trace = real.file("trace");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-e", "trace=fdatasync,fsync", "-p", &process.pid().to_string(), "-o"]).arg(&trace);
    let Ok(mut strace) = strace.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn() else {
        skipped("strace is not installed");
        return;
    };
    // It says that it is there, or why it cannot be.
    let mut said = BufReader::new(strace.stderr.take().unwrap());
    said.read_line(&mut String::new()).unwrap();
    std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
    let before = real.evolution.count();
    real.evolution.wait_for(10).await;
    assert!(process.ask_to_end("TERM").success());
    let _ = strace.wait();
    let syncs = std::fs::read_to_string(&trace).unwrap_or_default().matches("sync(").count();
    if syncs == 0 {
        skipped("no process may be traced here");
        return;
    }
    println!("{syncs} syncs for 10 messages");
    // A claim each; an outcome too, which shares the next claim's where the machine is slow.
    assert!(syncs >= 10 - before, "{syncs}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_that_is_restored_sends_nothing_again() {
    if std::env::var("TEST_DATABASE_URL").is_err() {
        return; // On SQLite: `kills::a_restored_copy_sends_nothing_again`.
    }
    for searchable in [true, false] {
        let cluster = Cluster::start();
        let mut real = Real::at(4, tempfile::tempdir().unwrap(), cluster.url("app")).await;
        if !searchable {
            // A dump of a database that was served is told by another's identity; one that never was, by its lack.
            settle_in(&real).await;
        }
        real.schedule(20, soon(6)).await;
        let dump = real.file("dump");
        cluster.tool("pg_dump", &["-Fc", "-f", dump.to_str().unwrap(), "app"]);
        let process = real.start();
        assert_eq!(until_settled(&real, &["sent"]).await, [("sent".to_owned(), 20)]);
        process.kill();
        cluster.create("again");
        cluster.tool("pg_restore", &["-d", "again", dump.to_str().unwrap()]);
        real.url = cluster.url("again");
        real.evolution.set_searchable(searchable);
        let process = real.start();
        let settled = if searchable { "sent" } else { "late" };
        assert_eq!(until_settled(&real, &[settled]).await, [(settled.to_owned(), 20)], "searchable: {searchable}");
        assert_eq!(real.evolution.count(), 20, "nothing left a second time");
        assert!(process.ask_to_end("TERM").success());
    }
}

/// Answers what the chats ask, by what WhatsApp got: the truth.
fn answer(real: &Real, answered: &mut HashSet<(i64, i64)>) {
    let got: HashSet<String> = real.evolution.delivered().into_iter().map(|one| one.text).collect();
    for person in &real.people {
        for asked in person.chat() {
            if !asked.from_bot
                || !asked.text.contains("Não sei se a mensagem")
                || answered.contains(&(person.id(), asked.id))
            {
                continue;
            }
            let first = asked.text.lines().next().unwrap_or_default();
            let Some(text) = first.split(": ").last() else { continue };
            let wanted = if got.contains(text.trim()) { "Já chegou" } else { "Enviar de novo" };
            let key = asked.rows.iter().flatten().find(|key| key.label.contains(wanted));
            if let Some(data) = key.and_then(|key| key.data.clone()) {
                person.taps_data(asked.id, &data);
                answered.insert((person.id(), asked.id));
            }
        }
    }
}

/// Its memory in KiB, and how many files it has open.
fn size(process: &Process) -> (i64, usize) {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    let memory = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    (memory, std::fs::read_dir(format!("/proc/{}/fd", process.pid())).unwrap().count())
}

#[tokio::test(flavor = "multi_thread")]
async fn through_all_kinds_of_trouble_nothing_is_lost_doubled_or_leaked() {
    let (messages, seconds) = (amount("SOAK", 300), amount("SOAK_SECONDS", 20));
    let real = Real::new(16).await;
    real.evolution.set_slowness(Duration::from_millis(100));
    let step = Duration::from_millis(u64::try_from(seconds * 1000 / messages).unwrap().max(1));
    real.schedule_every("m", whole(messages), soon(4), step).await;
    let process = real.start();
    let mut answered = HashSet::new();
    let mut sizes = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(u64::try_from(seconds).unwrap() + 4) {
        match rand::random_range(0..8) {
            0 => real.evolution.set_faults(Faults { slow: true, ..Faults::default() }),
            1 => real.evolution.set_faults(Faults { down: true, ..Faults::default() }),
            2 => real.evolution.set_faults(Faults { answer_lost: true, ..Faults::default() }),
            3 => real.telegram.set_down(true),
            4 => real.evolution.swallow_next(rand::random_range(1..4)),
            5 => real.evolution.lose_next_answers(rand::random_range(1..4)),
            6 => real.evolution.set_searchable(false),
            _ => {}
        }
        Clock::System.sleep(Duration::from_millis(rand::random_range(100..1500))).await;
        real.evolution.set_faults(Faults::default());
        real.evolution.set_searchable(true);
        real.telegram.set_down(false);
        Clock::System.sleep(Duration::from_millis(rand::random_range(100..2500))).await;
        answer(&real, &mut answered);
        sizes.push(size(&process));
    }
    let patience = Duration::from_secs(240 + u64::try_from(seconds).unwrap());
    while real.statuses().await != [("sent".to_owned(), whole(messages))] {
        Clock::System.sleep(Duration::from_millis(500)).await;
        answer(&real, &mut answered);
        assert!(
            begun.elapsed() < patience + Duration::from_secs(u64::try_from(seconds).unwrap()),
            "{:?}",
            real.statuses().await
        );
    }
    sizes.push(size(&process));
    assert_eq!(real.doubled(), Vec::<String>::new());
    assert_eq!(real.evolution.count(), messages);
    // From the first quarter on: what is opened and held at the start is held for good.
    let (early, last) = (sizes[sizes.len() / 4], sizes[sizes.len() - 1]);
    println!(
        "{messages} messages in {:?}, {} questions, (KiB, files): {early:?}, then {last:?}",
        begun.elapsed(),
        answered.len()
    );
    assert!(last.0 - early.0 < 30 * 1024, "{early:?} {last:?}");
    assert!(last.1 <= early.1 + 40, "{early:?} {last:?}");
    assert!(process.ask_to_end("TERM").success());
}
