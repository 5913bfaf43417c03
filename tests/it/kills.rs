//! What holds when the process dies: the real binary is killed, and the truth is the log of deliveries.

use std::time::{Duration, Instant};

use schedulezap::domain::clock::Clock;

use crate::harness::{PATIENCE, amount};
use crate::real::Real;
use schedulezap::sandbox::telegram::Person;

/// Kills and starts the process while messages are on their way, until WhatsApp has nearly all of them.
async fn kill_while_sending(real: &Real, kills: usize, messages: usize) {
    for kill in 1..=kills {
        let process = real.start();
        let goal = messages * kill / (kills + 1);
        let begun = Instant::now();
        while real.evolution.count() < goal && begun.elapsed() < Duration::from_secs(20) {
            real.evolution.next_delivery(real.evolution.count(), Duration::from_secs(1)).await;
        }
        process.kill();
    }
}

pub async fn until_settled(real: &Real, settled: &[&str]) -> Vec<(String, i64)> {
    let begun = Instant::now();
    loop {
        let statuses = real.statuses().await;
        if statuses.iter().all(|(status, _)| settled.contains(&status.as_str())) || begun.elapsed() > PATIENCE {
            return statuses;
        }
        real.evolution.next_delivery(real.evolution.count(), Duration::from_millis(300)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_sending_nothing_is_lost_or_doubled_where_the_history_can_be_searched() {
    let (kills, messages) = (amount("KILLS", 3), amount("MESSAGES", 120));
    let real = Real::new(8).await;
    real.is_slow(Duration::from_millis(40));
    real.schedule(i64::try_from(messages).unwrap(), Clock::System.now().plus(Duration::from_secs(3))).await;
    kill_while_sending(&real, kills, messages).await;
    let process = real.start();
    let statuses = until_settled(&real, &["sent"]).await;
    assert_eq!(statuses, [("sent".to_owned(), i64::try_from(messages).unwrap())]);
    assert_eq!(real.doubled(), Vec::<String>::new());
    assert_eq!(real.evolution.count(), messages);
    // Every message is reported; how often a report is repeated is told by the number of kills.
    real.until_told(messages).await;
    assert!(process.ask_to_end("TERM").success());
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_sending_what_cannot_be_searched_is_asked_about_and_never_doubled() {
    let (kills, messages) = (amount("KILLS", 2), amount("MESSAGES", 80));
    let real = Real::new(8).await;
    real.evolution.set_searchable(false);
    real.is_slow(Duration::from_millis(40));
    real.schedule(i64::try_from(messages).unwrap(), Clock::System.now().plus(Duration::from_secs(3))).await;
    kill_while_sending(&real, kills, messages).await;
    let process = real.start();
    let statuses = until_settled(&real, &["sent", "unknown"]).await;
    let total: i64 = statuses.iter().map(|(_, count)| count).sum();
    assert_eq!(usize::try_from(total).unwrap(), messages, "{statuses:?}");
    let unknown = statuses.iter().find(|(status, _)| status == "unknown").map_or(0, |(_, count)| *count);
    let (sent, unknown) = (messages - usize::try_from(unknown).unwrap(), usize::try_from(unknown).unwrap());
    assert!(unknown <= kills * 8, "no more than were on their way: {statuses:?}");
    assert_eq!(real.doubled(), Vec::<String>::new());
    let delivered = real.evolution.count();
    assert!((sent..=sent + unknown).contains(&delivered), "{delivered} delivered, and {statuses:?}");
    // What is unknown is looked for first, in vain; then the chat is asked about each.
    let begun = Instant::now();
    loop {
        let questions =
            |person: &Person| person.chat().iter().filter(|m| m.text.contains("Não sei se a mensagem")).count();
        let asked: usize = real.people.iter().map(questions).sum();
        if asked >= unknown {
            // What was being said at a death is said again.
            assert!(asked <= unknown + kills, "{asked} questions about {unknown}");
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{asked} questions about {unknown}");
        Clock::System.sleep(Duration::from_millis(200)).await;
    }
    drop(process);
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_to_end_it_ends_what_it_began_and_leaves_nothing_unsure() {
    let real = Real::new(8).await;
    real.is_slow(Duration::from_millis(40));
    real.schedule(120, Clock::System.now().plus(Duration::from_secs(3))).await;
    let stops = amount("TERMS", 3);
    for stop in 1..=stops {
        let (goal, signal) = (100 * stop / (stops + 1), if stop % 2 == 0 { "INT" } else { "TERM" });
        let process = real.start();
        while real.evolution.count() < goal {
            real.evolution.next_delivery(real.evolution.count(), Duration::from_secs(5)).await;
        }
        let begun = Instant::now();
        assert!(process.ask_to_end(signal).success());
        assert!(begun.elapsed() < Duration::from_secs(60));
        let statuses = real.statuses().await;
        assert!(statuses.iter().all(|(status, _)| status == "sent" || status == "scheduled"), "{statuses:?}");
    }
    let _process = real.start();
    assert_eq!(until_settled(&real, &["sent"]).await, [("sent".to_owned(), 120)]);
    assert_eq!(real.doubled(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_copy_sends_nothing_again() {
    if std::env::var("TEST_DATABASE_URL").is_ok() {
        return; // A file can be copied; on PostgreSQL the identity of the server is compared instead.
    }
    for searchable in [true, false] {
        let real = Real::new(4).await;
        real.schedule(20, Clock::System.now().plus(Duration::from_secs(3))).await;
        let db = real.database().await;
        db.backup(&real.file("copy.db")).await.unwrap();
        db.close().await;
        let process = real.start();
        assert_eq!(until_settled(&real, &["sent"]).await, [("sent".to_owned(), 20)]);
        process.kill();
        if searchable {
            assert!(real.command(&["restore", "copy.db"]).success());
        } else {
            for ending in ["-wal", "-shm"] {
                let _ = std::fs::remove_file(real.file(&format!("test.db{ending}")));
            }
            std::fs::copy(real.file("copy.db"), real.file("test.db")).unwrap();
        }
        real.evolution.set_searchable(searchable);
        let _process = real.start();
        let settled = if searchable { "sent" } else { "late" };
        assert_eq!(until_settled(&real, &[settled]).await, [(settled.to_owned(), 20)], "searchable: {searchable}");
        assert_eq!(real.evolution.count(), 20, "nothing left a second time");
        if !searchable {
            for person in &real.people {
                person.sees("passaram da hora").await;
                let told = person.chat().iter().filter(|m| m.text.contains("passaram da hora")).count();
                assert_eq!(told, 1, "asked once for all of them");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_share_the_work_and_one_that_froze_doubles_nothing() {
    if std::env::var("TEST_DATABASE_URL").is_err() {
        return; // An SQLite file has one server.
    }
    let real = Real::new(16).await;
    real.is_slow(Duration::from_millis(40));
    real.schedule(480, Clock::System.now().plus(Duration::from_secs(3))).await;
    let (one, two) = (real.start(), real.start());
    while real.evolution.count() < 100 {
        real.evolution.next_delivery(real.evolution.count(), Duration::from_secs(5)).await;
    }
    one.signal("STOP");
    // Frozen past its lease of 4 s; the other goes on.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(6) {
        real.evolution.next_delivery(real.evolution.count(), Duration::from_millis(500)).await;
    }
    one.signal("CONT");
    assert_eq!(until_settled(&real, &["sent"]).await, [("sent".to_owned(), 480)]);
    assert_eq!(real.doubled(), Vec::<String>::new());
    assert_eq!(real.evolution.count(), 480);
    assert!(one.ask_to_end("TERM").success() && two.ask_to_end("TERM").success());
}
