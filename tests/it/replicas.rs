//! Several processes on one PostgreSQL. Without `TEST_DATABASE_URL` there is nothing to try.

use std::time::Duration;

use schedulezap::domain::clock::Clock;

use crate::harness::{amount, within};
use crate::kills::until_settled;
use crate::real::{Process, Real};

const LOG: (&str, &str) = ("LOG", "info,schedulezap::scheduler=debug");

#[expect(clippy::print_stdout, reason = "who runs the tests is told")]
fn skipped() -> bool {
    let skipped = std::env::var("TEST_DATABASE_URL").is_err();
    if skipped {
        println!("skipped: TEST_DATABASE_URL is not set");
    }
    skipped
}

/// How many messages a process handed over, as it says.
fn share(process: &Process) -> usize {
    process.log().matches("handing over").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_share_the_work_and_double_nothing() {
    if skipped() {
        return;
    }
    let messages = amount("MESSAGES", 400);
    let mut real = Real::new(16).await;
    // Between two messages of a number either process may come first; without a gap one keeps the number to itself.
    real.settings.push(("SEND_GAP_MS", "100".to_owned()));
    real.is_slow(Duration::from_millis(40));
    real.schedule(i64::try_from(messages).unwrap(), Clock::System.now().plus(Duration::from_secs(8))).await;
    let replicas = amount("REPLICAS", 2);
    let all: Vec<Process> = (0..replicas).map(|_| real.start_with(&[LOG])).collect();
    let sent = [("sent".to_owned(), i64::try_from(messages).unwrap())];
    assert_eq!(until_settled(&real, &["sent"]).await, sent);
    assert_eq!(real.doubled(), Vec::<String>::new());
    assert_eq!(real.evolution.count(), messages);
    let shares: Vec<usize> = all.iter().map(share).collect();
    println!("shares: {shares:?}");
    for share in &shares {
        // With two, from 25 to 75 % on a quiet machine; here each has a part of it.
        let fair = messages / replicas;
        assert!(share * 10 >= fair, "{shares:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_stood_still_past_its_lease_doubles_nothing() {
    if skipped() {
        return;
    }
    let (messages, stops) = (amount("MESSAGES", 400), amount("STOPS", 2));
    let mut real = Real::new(8).await;
    real.settings.push(("LEASE", "2s".to_owned()));
    real.is_slow(Duration::from_millis(60));
    real.schedule(i64::try_from(messages).unwrap(), Clock::System.now().plus(Duration::from_secs(3))).await;
    let both = [real.start_with(&[LOG]), real.start_with(&[LOG])];
    for stop in 0..stops {
        real.evolution.wait_for(messages * (stop + 1) / (stops * 3)).await;
        let process = &both[stop % 2];
        process.signal("STOP");
        Clock::System.sleep(Duration::from_millis(3500)).await;
        process.signal("CONT");
    }
    let sent = [("sent".to_owned(), i64::try_from(messages).unwrap())];
    assert_eq!(until_settled(&real, &["sent"]).await, sent);
    assert_eq!(real.doubled(), Vec::<String>::new());
    assert_eq!(real.evolution.count(), messages);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_process_that_talks_dies_another_takes_over() {
    if skipped() {
        return;
    }
    within(async {
        let real = Real::new(1).await;
        let ana = &real.people[0];
        let first = real.start_with(&[LOG]);
        ana.sees_one(|_| true).await;
        let second = real.start_with(&[LOG]);
        ana.says("/agendar");
        ana.sees("Para quem?").await;
        assert!(first.log().contains("talking with Telegram") && !second.log().contains("talking with Telegram"));
        let begun = Clock::System.now();
        first.kill();
        ana.says("11 98888-7777");
        ana.sees("O que enviar?").await;
        let took = Clock::System.now().since(begun);
        println!("taken over in {took:?}");
        assert!(took < Duration::from_secs(90), "{took:?}");
        assert!(second.ask_to_end("TERM").success());
    })
    .await;
}
