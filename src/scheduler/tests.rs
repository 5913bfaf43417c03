//! Claim, settle and recovery against a store in a file.

use super::*;
use crate::domain::clock::Clock;
use crate::domain::ids::{AccountId, InstanceId, MessageId};
use crate::domain::message::{Reason, Status};
use crate::domain::report::Report;
use crate::evolution::policy::AllowHosts;
use crate::storage::looks::Looked;
use crate::storage::queue::Serving;

const NOW: Moment = Moment(1_800_000_000_000);

async fn scheduler(folder: &tempfile::TempDir) -> Scheduler {
    on(&format!("sqlite://{}", folder.path().join("test.db").display())).await
}

/// The same on PostgreSQL, where there is one: a database of its own, on the server for tests.
async fn on_postgres(name: &str) -> Option<Scheduler> {
    let server = std::env::var("TEST_DATABASE_URL").ok()?;
    let name = format!("{name}_{}", std::process::id());
    let admin = sqlx::PgPool::connect(&server).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&admin).await.unwrap();
    let (base, _) = server.rsplit_once('/').unwrap();
    let scheduler = on(&format!("{base}/{name}")).await;
    scheduler.adopt(&mut desk(&scheduler)).await.unwrap();
    Some(scheduler)
}

async fn on(url: &str) -> Scheduler {
    Scheduler {
        db: Database::open(url).await.unwrap(),
        clock: Clock::manual(NOW),
        evolution: Evolution::new(AllowHosts::parse("").unwrap()).unwrap(),
        keyring: Arc::new(Keyring::generate()),
        settings: Settings {
            grace: Duration::from_secs(1800),
            lease: Duration::from_secs(30),
            settle: Duration::from_secs(120),
            gap: Duration::ZERO,
            per_hour: 0,
            per_day: 0,
            retry: RetryPolicy::default(),
            in_flight: 64,
        },
        wake: Wake::default(),
        reported: Arc::default(),
        lookups: Arc::default(),
        ledger: Ledger::default(),
        stamp: Stamp::default(),
        well: Well::default(),
        guard: Guard::default(),
        holder: "one".to_owned(),
        shutdown: CancellationToken::new(),
    }
}

async fn run(scheduler: &Scheduler, sql: &'static str) {
    let done: Result<(), StorageError> =
        scheduler.db.write(move |conn| Box::pin(async move { conn.execute(sql).await })).await;
    done.unwrap();
}

async fn seed(scheduler: &Scheduler) {
    run(
        scheduler,
        "INSERT INTO users (id, username, password_hash, role, locale, time_zone, region, created_at, updated_at)
         VALUES (1,'ana','','user','pt','UTC','BR',0,0),(2,'bob','','user','pt','UTC','BR',0,0);
         INSERT INTO user_instances (id, user_id, name, api_url, instance_name, api_key, api_key_hint, is_active, created_at, updated_at)
         VALUES (1,1,'a','http://a','a','','',TRUE,0,0),(2,2,'b','http://b','b','','',TRUE,0,0);",
    )
    .await;
}

async fn messages(scheduler: &Scheduler, account: i64, count: i64, at: Moment) {
    let done: Result<(), StorageError> = scheduler
        .db
        .write(move |conn| {
            Box::pin(async move {
                for _ in 0..count {
                    crate::storage::on!(&mut *conn, c => sqlx::query(
                        "INSERT INTO scheduled_messages (user_id, recipient, message, scheduled_time, time_zone, due_at, status, chat_id, created_at, updated_at)
                         VALUES ($1, '5511988887777', 'x', $2, 'UTC', $2, 'scheduled', 9, 0, 0)")
                        .bind(account).bind(at).execute(c).await.map(|_| ()))?;
                }
                Ok(())
            })
        })
        .await;
    done.unwrap();
}

async fn statuses(scheduler: &Scheduler) -> Vec<(MessageId, Status, Option<Reason>)> {
    let mut conn = scheduler.db.read().await.unwrap();
    crate::storage::on!(&mut conn, c => sqlx::query_as("SELECT id, status, reason FROM scheduled_messages ORDER BY id").fetch_all(c).await).unwrap()
}

async fn reports(scheduler: &Scheduler) -> Vec<Report> {
    let mut conn = scheduler.db.read().await.unwrap();
    conn.list_reports(100).await.unwrap().into_iter().map(|row| row.report).collect()
}

async fn count(scheduler: &Scheduler, status: Status) -> usize {
    statuses(scheduler).await.iter().filter(|one| one.1 == status).count()
}

fn desk(scheduler: &Scheduler) -> Desk {
    Desk::begun_at(scheduler.clock.now())
}

/// Claims what is due, as the loop does, but sends nothing.
async fn claims(scheduler: &Scheduler, desk: &mut Desk) -> Vec<Due> {
    let claimed = scheduler.round(desk).await.unwrap();
    for due in &claimed {
        desk.in_flight.insert(due.id, due.through);
    }
    claimed
}

fn finished(due: &Due, outcome: Result<Sent, SendError>) -> Finished {
    Finished { due: due.clone(), attempt: due.attempt + 1, begun: NOW, ended: Ended::Answered(outcome), at: None }
}

fn sent() -> Sent {
    Sent { remote_id: "R".to_owned(), remote_jid: String::new() }
}

#[tokio::test]
async fn an_account_with_many_due_messages_leaves_room_for_another_and_keeps_its_order() {
    let folder = tempfile::tempdir().unwrap();
    let scheduler = scheduler(&folder).await;
    seed(&scheduler).await;
    messages(&scheduler, 1, 1500, NOW.minus(Duration::from_secs(9))).await;
    messages(&scheduler, 2, 3, NOW).await;
    let mut desk = desk(&scheduler);
    let mut went = Vec::new();
    for _ in 0..10 {
        for due in claims(&scheduler, &mut desk).await {
            went.push(due.id.0);
            desk.ended(finished(&due, Ok(sent())));
        }
    }
    assert_eq!(went.iter().filter(|id| **id > 1500).count(), 3, "{went:?}");
    let ones: Vec<_> = went.into_iter().filter(|id| *id <= 1500).collect();
    assert_eq!(ones, (1..=i64::try_from(ones.len()).unwrap()).collect::<Vec<_>>(), "one number sends in order");
}

#[tokio::test]
async fn what_is_due_is_looked_at_once_and_a_suspended_account_sends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let scheduler = scheduler(&folder).await;
    seed(&scheduler).await;
    messages(&scheduler, 1, 2, NOW).await;
    run(&scheduler, "UPDATE users SET disabled_at = 1 WHERE id = 1").await;
    let mut desk = desk(&scheduler);
    assert!(claims(&scheduler, &mut desk).await.is_empty());
    assert_eq!(desk.next_at((NOW, Duration::ZERO), 64), None, "else the loop would spin");
}

#[tokio::test]
async fn an_expired_claim_is_looked_for_and_its_late_finisher_is_fenced() {
    let folder = tempfile::tempdir().unwrap();
    let scheduler = scheduler(&folder).await;
    seed(&scheduler).await;
    messages(&scheduler, 1, 1, NOW).await;
    let due = claims(&scheduler, &mut desk(&scheduler)).await.remove(0);
    scheduler.clock.advance(Duration::from_secs(31));
    let mut other = desk(&scheduler);
    other.next_expiry = Some(NOW);
    claims(&scheduler, &mut other).await;
    assert_eq!(count(&scheduler, Status::Unknown).await, 1);
    let lookups = scheduler.db.read().await.unwrap().list_lookups(Moment(i64::MAX), 9).await.unwrap();
    assert_eq!(lookups[0].look_at, NOW.plus(Duration::from_secs(120)), "the server may still be at it");
    let mut late = desk(&scheduler);
    late.ended(finished(&due, Ok(sent())));
    scheduler.round(&mut late).await.unwrap();
    assert_eq!(count(&scheduler, Status::Unknown).await, 1);
    assert_eq!(reports(&scheduler).await, [Report::Changed { message: due.id }]);
}

#[tokio::test]
async fn an_outcome_written_twice_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let scheduler = scheduler(&folder).await;
    seed(&scheduler).await;
    messages(&scheduler, 1, 1, NOW).await;
    let mut desk = desk(&scheduler);
    let due = claims(&scheduler, &mut desk).await.remove(0);
    desk.ended(finished(&due, Ok(sent())));
    desk.ended(finished(&due, Ok(sent())));
    scheduler.round(&mut desk).await.unwrap();
    desk.ended(finished(&due, Ok(sent())));
    scheduler.round(&mut desk).await.unwrap();
    assert_eq!(count(&scheduler, Status::Sent).await, 1);
    assert_eq!(reports(&scheduler).await.len(), 1);
}

#[tokio::test]
async fn a_disconnected_number_holds_all_that_is_due_and_tells_once() {
    let folder = tempfile::tempdir().unwrap();
    let scheduler = scheduler(&folder).await;
    seed(&scheduler).await;
    messages(&scheduler, 1, 5, NOW).await;
    let mut desk = desk(&scheduler);
    let due = claims(&scheduler, &mut desk).await.remove(0);
    desk.ended(finished(&due, Err(SendError::NotConnected)));
    assert!(claims(&scheduler, &mut desk).await.is_empty());
    assert_eq!(count(&scheduler, Status::Held).await, 5);
    let mut told = reports(&scheduler).await;
    assert_eq!(told.remove(0), Report::Held { reason: Reason::Disconnected, message: due.id });
    assert_eq!(
        told,
        (2..=5).map(|n| Report::Changed { message: MessageId(n) }).collect::<Vec<_>>(),
        "each card follows"
    );
}

#[tokio::test]
async fn a_server_that_is_away_is_told_of_once_after_two_minutes_and_once_when_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let scheduler = scheduler(&folder).await;
    seed(&scheduler).await;
    messages(&scheduler, 1, 5, NOW).await;
    let mut desk = desk(&scheduler);
    let mut tries = 0;
    for _ in 0..600 {
        for due in claims(&scheduler, &mut desk).await {
            tries += 1;
            desk.ended(finished(&due, Err(SendError::Call(CallError::Connect))));
        }
        scheduler.clock.advance(Duration::from_secs(1));
    }
    assert!((5..12).contains(&tries), "{tries} tries in ten minutes: the number backs off as a whole");
    assert_eq!(reports(&scheduler).await, [Report::Down { instance: InstanceId(1) }]);
    assert_eq!(count(&scheduler, Status::Scheduled).await, 5);
    for _ in 0..400 {
        for due in claims(&scheduler, &mut desk).await {
            desk.ended(finished(&due, Ok(sent())));
        }
        scheduler.clock.advance(Duration::from_secs(1));
    }
    let told = reports(&scheduler).await;
    assert_eq!(told.iter().filter(|one| matches!(one, Report::Up { .. })).count(), 1);
    assert_eq!(count(&scheduler, Status::Sent).await, 5);
}

#[tokio::test]
async fn a_server_that_answers_is_there_whatever_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let scheduler = scheduler(&folder).await;
    seed(&scheduler).await;
    let mut desk = desk(&scheduler);
    let refused = || Err(SendError::Call(CallError::Connect));
    let next = async |desk: &mut Desk, day: u64| {
        let at = NOW.plus(Duration::from_secs(day * 86_400));
        messages(&scheduler, 1, 1, at).await;
        scheduler.clock.advance(at.since(scheduler.clock.now()));
        desk.anew(at);
    };
    // Once it is out of reach for a moment, and then refuses the message: the next day it is so again.
    for day in 0..3 {
        next(&mut desk, day).await;
        for answer in [refused(), Err(SendError::NotOnWhatsApp)] {
            let due = claims(&scheduler, &mut desk).await.remove(0);
            desk.ended(finished(&due, answer));
            claims(&scheduler, &mut desk).await;
            scheduler.clock.advance(Duration::from_secs(10));
        }
    }
    assert!(reports(&scheduler).await.iter().all(|one| matches!(one, Report::Failed { .. })));
    // When the account was told that it is away, it is told that it is back, and how many messages go now.
    next(&mut desk, 4).await;
    messages(&scheduler, 1, 2, scheduler.clock.now()).await;
    let is_told = async |what: fn(&Report) -> bool| reports(&scheduler).await.iter().filter(|one| what(one)).count();
    while is_told(|one| matches!(one, Report::Down { .. })).await == 0 {
        for due in claims(&scheduler, &mut desk).await {
            desk.ended(finished(&due, refused()));
        }
        scheduler.clock.advance(Duration::from_secs(1));
    }
    let due = loop {
        if let Some(due) = claims(&scheduler, &mut desk).await.pop() {
            break due;
        }
        scheduler.clock.advance(Duration::from_secs(1));
    };
    desk.ended(finished(&due, Err(SendError::NotOnWhatsApp)));
    claims(&scheduler, &mut desk).await;
    let up = Report::Up { instance: InstanceId(1), messages: 2 };
    assert!(reports(&scheduler).await.contains(&up));
    assert_eq!(is_told(|one| matches!(one, Report::Up { .. })).await, 1);
    let rows = scheduler.db.read().await.unwrap().list_instances(AccountId(1)).await.unwrap();
    assert_eq!(rows[0].connection, "unknown");
}

#[tokio::test]
async fn a_server_that_asks_for_patience_is_not_away() {
    let folder = tempfile::tempdir().unwrap();
    let scheduler = scheduler(&folder).await;
    seed(&scheduler).await;
    messages(&scheduler, 1, 2, NOW).await;
    let mut desk = desk(&scheduler);
    let mut tries = 0;
    for _ in 0..600 {
        for due in claims(&scheduler, &mut desk).await {
            assert!(!due.is_suspect);
            tries += 1;
            desk.ended(finished(&due, Err(SendError::TooMany)));
        }
        scheduler.clock.advance(Duration::from_secs(1));
    }
    assert!((4..12).contains(&tries), "{tries} tries in ten minutes");
    assert_eq!(reports(&scheduler).await, []);
    let rows = scheduler.db.read().await.unwrap().list_instances(AccountId(1)).await.unwrap();
    assert_eq!(rows[0].connection, "unknown");
    assert!(statuses(&scheduler).await.contains(&(MessageId(1), Status::Scheduled, Some(Reason::Busy))));
}

#[tokio::test]
async fn what_missed_its_grace_is_late_and_told_once_for_the_account() {
    let folder = tempfile::tempdir().unwrap();
    let scheduler = scheduler(&folder).await;
    seed(&scheduler).await;
    messages(&scheduler, 1, 4, NOW.minus(Duration::from_secs(3600))).await;
    let mut desk = desk(&scheduler);
    assert!(claims(&scheduler, &mut desk).await.is_empty());
    assert_eq!(count(&scheduler, Status::Late).await, 4);
    let told = reports(&scheduler).await;
    assert_eq!(told.iter().filter(|one| **one == Report::Late).count(), 1);
    assert_eq!(told.iter().filter(|one| matches!(one, Report::Changed { .. })).count(), 4, "each card follows");
    run(&scheduler, "UPDATE users SET late_policy = 'always' WHERE id = 2").await;
    messages(&scheduler, 2, 1, NOW.minus(Duration::from_secs(3600))).await;
    messages(&scheduler, 2, 1, NOW.minus(Duration::from_secs(30 * 3600))).await;
    desk.rewind(Moment::default());
    desk.agenda.rewind(Moment::default());
    desk.started_at = Moment::default();
    assert_eq!(claims(&scheduler, &mut desk).await.len(), 1, "what is a day late is never sent by itself");
    assert_eq!(count(&scheduler, Status::Late).await, 5);
}

#[tokio::test]
async fn what_was_given_another_day_while_it_waited_for_its_turn_is_not_late() {
    let folder = tempfile::tempdir().unwrap();
    let scheduler = scheduler(&folder).await;
    seed(&scheduler).await;
    messages(&scheduler, 1, 3, NOW).await;
    let mut desk = desk(&scheduler);
    assert_eq!(claims(&scheduler, &mut desk).await.len(), 1, "the others are in memory, and wait for it");
    run(
        &scheduler,
        "UPDATE scheduled_messages SET scheduled_time = due_at + 86400000, due_at = due_at + 86400000 WHERE id = 2",
    )
    .await;
    scheduler.clock.advance(Duration::from_secs(3600));
    claims(&scheduler, &mut desk).await;
    let late = statuses(&scheduler).await.into_iter().filter(|one| one.1 == Status::Late).map(|one| one.0.0);
    assert_eq!(late.collect::<Vec<_>>(), [3], "the second goes tomorrow");
}

#[tokio::test]
async fn what_was_held_while_the_store_was_younger_is_looked_for_too() {
    let folder = tempfile::tempdir().unwrap();
    let scheduler = scheduler(&folder).await;
    seed(&scheduler).await;
    messages(&scheduler, 1, 1, NOW.minus(Duration::from_secs(600))).await;
    // As after it was mended: it is due anew.
    scheduler.clock.advance(Duration::from_secs(10));
    run(&scheduler, "UPDATE scheduled_messages SET due_at = scheduled_time + 605000").await;
    let mut desk = desk(&scheduler);
    desk.doubt_before = NOW;
    assert!(claims(&scheduler, &mut desk).await.is_empty());
    assert_eq!(count(&scheduler, Status::Unknown).await, 1);
}

#[tokio::test]
async fn an_account_chooses_its_grace_which_is_never_more_than_a_day() {
    let folder = tempfile::tempdir().unwrap();
    let scheduler = scheduler(&folder).await;
    seed(&scheduler).await;
    run(&scheduler, "UPDATE users SET late_grace = CASE id WHEN 1 THEN 300000 ELSE 259200000 END").await;
    for (account, minutes) in [(1, 4), (1, 6), (2, 23 * 60), (2, 25 * 60)] {
        messages(&scheduler, account, 1, NOW.minus(Duration::from_mins(minutes))).await;
    }
    let mut desk = desk(&scheduler);
    desk.started_at = Moment::default();
    let going: Vec<_> = claims(&scheduler, &mut desk).await.iter().map(|due| due.scheduled_time).collect();
    assert_eq!(going, [4, 23 * 60].map(|minutes| NOW.minus(Duration::from_mins(minutes))));
    assert_eq!(count(&scheduler, Status::Late).await, 2);
}

#[tokio::test]
async fn dropped_late_messages_are_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let scheduler = scheduler(&folder).await;
    seed(&scheduler).await;
    run(&scheduler, "UPDATE users SET late_policy = 'never' WHERE id = 1").await;
    messages(&scheduler, 1, 3, NOW.minus(Duration::from_secs(3600))).await;
    claims(&scheduler, &mut desk(&scheduler)).await;
    assert_eq!(count(&scheduler, Status::Cancelled).await, 3);
    let mut told = reports(&scheduler).await;
    assert_eq!(told.remove(0), Report::Dropped { messages: 3 });
    assert_eq!(
        told,
        (1..=3).map(|n| Report::Changed { message: MessageId(n) }).collect::<Vec<_>>(),
        "each card follows"
    );
}

#[tokio::test]
async fn a_claim_that_is_nearly_over_sends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let scheduler = scheduler(&folder).await;
    seed(&scheduler).await;
    messages(&scheduler, 1, 1, NOW).await;
    let mut desk = desk(&scheduler);
    let due = claims(&scheduler, &mut desk).await.remove(0);
    scheduler.clock.advance(Duration::from_secs(25));
    assert_eq!(scheduler.deliver(&due, None, NOW, Duration::ZERO).await, Ended::Released);
    desk.ended(Finished { attempt: due.attempt + 1, due, begun: NOW, ended: Ended::Released, at: None });
    scheduler.round(&mut desk).await.unwrap();
    assert_eq!(count(&scheduler, Status::Scheduled).await + count(&scheduler, Status::Sending).await, 1);
}

#[tokio::test]
async fn what_the_ledger_says_was_sent_is_looked_for_and_never_sent_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let mut scheduler = scheduler(&folder).await;
    seed(&scheduler).await;
    messages(&scheduler, 1, 1, NOW).await;
    let database = folder.path().join("test.db");
    scheduler.ledger = Ledger::open(&database).unwrap();
    let due = claims(&scheduler, &mut desk(&scheduler)).await.remove(0);
    scheduler.ledger.note(&[due], NOW).unwrap();
    // An older copy of the database comes back.
    run(
        &scheduler,
        "UPDATE scheduled_messages SET status = 'scheduled', attempt = 0, tries = 0; DELETE FROM message_attempts",
    )
    .await;
    scheduler.ledger = Ledger::open(&database).unwrap();
    assert!(claims(&scheduler, &mut desk(&scheduler)).await.is_empty());
    assert_eq!(count(&scheduler, Status::Unknown).await, 1);
    // Its instance cannot be searched: a person is asked as for the late ones.
    scheduler.look_once().await.unwrap();
    assert_eq!(count(&scheduler, Status::Late).await, 1);
    let told = reports(&scheduler).await;
    assert_eq!(told.iter().filter(|one| **one == Report::Late).count(), 1);
}

#[tokio::test]
async fn a_store_without_its_ledger_may_be_a_copy_and_sends_nothing_overdue() {
    let folder = tempfile::tempdir().unwrap();
    let mut scheduler = scheduler(&folder).await;
    seed(&scheduler).await;
    messages(&scheduler, 1, 2, NOW.minus(Duration::from_secs(5))).await;
    scheduler.ledger = Ledger::open(&folder.path().join("test.db")).unwrap();
    let mut desk = desk(&scheduler);
    scheduler.adopt(&mut desk).await.unwrap();
    assert!(claims(&scheduler, &mut desk).await.is_empty());
    scheduler.look_once().await.unwrap();
    assert_eq!(count(&scheduler, Status::Late).await, 2);
}

#[tokio::test]
async fn a_person_who_decides_first_ends_the_search() {
    let folder = tempfile::tempdir().unwrap();
    let scheduler = scheduler(&folder).await;
    seed(&scheduler).await;
    messages(&scheduler, 1, 1, NOW).await;
    let mut desk = desk(&scheduler);
    let due = claims(&scheduler, &mut desk).await.remove(0);
    desk.ended(finished(&due, Err(SendError::Call(CallError::TimedOut))));
    scheduler.round(&mut desk).await.unwrap();
    let lookup = scheduler.db.read().await.unwrap().list_lookups(Moment(i64::MAX), 9).await.unwrap().remove(0);
    let id = lookup.id;
    let settled: Result<bool, StorageError> = scheduler
        .db
        .write(move |conn| {
            Box::pin(async move {
                conn.cancel_message(AccountId(1), id, NOW).await?;
                conn.settle_lookup(&lookup, lookup.look_at, &Looked::Send { counted: true }, NOW).await
            })
        })
        .await;
    assert!(!settled.unwrap());
    // It is looked for all the same, and nobody can tell.
    assert_eq!(statuses(&scheduler).await, [(id, Status::Unknown, Some(Reason::AnswerLost))]);
    for wait in [120, 30] {
        scheduler.clock.advance(Duration::from_secs(wait));
        scheduler.look_once().await.unwrap();
    }
    assert_eq!(statuses(&scheduler).await, [(id, Status::Cancelled, Some(Reason::AnswerLost))]);
}

/// A later failover may lack what the time between the two has sent.
#[tokio::test]
async fn what_was_doubted_once_is_doubted_again_when_the_store_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let scheduler = scheduler(&folder).await;
    seed(&scheduler).await;
    messages(&scheduler, 1, 1, NOW.minus(Duration::from_secs(300))).await;
    let mut desk = desk(&scheduler);
    assert!(claims(&scheduler, &mut desk).await.is_empty(), "it was overdue at the start");
    scheduler.look_once().await.unwrap();
    assert_eq!(count(&scheduler, Status::Scheduled).await, 1);
    desk.serving = Some(Serving { timeline: "another".to_owned(), flushed: 0 });
    for _ in 0..3 {
        desk.anew(NOW);
        assert!(claims(&scheduler, &mut desk).await.is_empty());
    }
    assert_eq!(count(&scheduler, Status::Unknown).await, 1);
}

/// A copy of the server's data that was put back has the same timeline, and is not as far.
#[tokio::test]
async fn a_server_that_is_less_far_than_it_was_lacks_what_was_sent() {
    let Some(scheduler) = on_postgres("less_far").await else { return };
    seed(&scheduler).await;
    messages(&scheduler, 1, 1, NOW).await;
    let mut desk = desk(&scheduler);
    scheduler.adopt(&mut desk).await.unwrap();
    let serving = desk.serving.clone().unwrap();
    desk.serving = Some(Serving { flushed: serving.flushed + (1 << 40), ..serving });
    for _ in 0..3 {
        desk.anew(NOW);
        assert!(claims(&scheduler, &mut desk).await.is_empty());
    }
    assert_eq!(count(&scheduler, Status::Unknown).await, 1);
    messages(&scheduler, 2, 1, NOW.plus(Duration::from_millis(1))).await;
    desk.anew(NOW);
    assert_eq!(claims(&scheduler, &mut desk).await.len(), 1, "what came after goes");
}

/// The same while nothing runs: a file knows how far the database was.
#[tokio::test]
async fn a_database_that_is_behind_the_count_of_this_process_may_be_a_copy() {
    let folder = tempfile::tempdir().unwrap();
    let scheduler = scheduler(&folder).await;
    let file = folder.path().join("replica");
    let older = |stamp: Stamp, identity: &'static str| {
        let db = scheduler.db.clone();
        async move {
            let told: Result<bool, StorageError> =
                db.write(move |conn| Box::pin(async move { stamp.is_newer_than(conn, identity).await })).await;
            told.unwrap()
        }
    };
    for n in 1..=3 {
        let stamp = Stamp::open(&file).unwrap();
        let beside = Stamp::open(&file).unwrap();
        assert!(folder.path().join("replica-1").exists(), "another process has one of its own");
        assert!(!older(beside, "1:2").await);
        assert!(!older(stamp.clone(), "1:2").await);
        let counted = stamp.count(Duration::from_secs(n)).unwrap();
        assert_eq!(stamp.count(Duration::from_secs(n + 1)), None, "not all the time");
        let written = counted.clone();
        let done: Result<(), StorageError> =
            scheduler.db.write(move |conn| Box::pin(async move { written.write(conn).await })).await;
        done.unwrap();
        stamp.keep(&counted);
    }
    run(&scheduler, "UPDATE meta SET value = '2' WHERE name LIKE 'stamp:%'").await;
    assert!(older(Stamp::open(&file).unwrap(), "1:2").await);
    assert!(!older(Stamp::open(&file).unwrap(), "1:3").await, "another database");
    std::fs::write(&file, "torn").unwrap();
    assert!(!older(Stamp::open(&file).unwrap(), "1:2").await);
}

#[tokio::test]
async fn a_held_message_that_tries_keeps_for_what_it_was_held_until_it_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let scheduler = scheduler(&folder).await;
    seed(&scheduler).await;
    messages(&scheduler, 1, 1, NOW).await;
    run(&scheduler, "UPDATE scheduled_messages SET reason = 'disconnected'").await;
    let mut desk = desk(&scheduler);
    let held = Some(Reason::Disconnected);
    for outcome in [Ended::Released, Ended::Answered(Err(SendError::Call(CallError::Connect)))] {
        let due = claims(&scheduler, &mut desk).await.remove(0);
        desk.ended(Finished { attempt: due.attempt + 1, due, begun: NOW, ended: outcome, at: None });
        scheduler.write_outcomes(&mut desk).await.unwrap();
        assert_eq!(statuses(&scheduler).await, [(MessageId(1), Status::Scheduled, held)]);
        desk.anew(NOW);
    }
}

#[tokio::test]
async fn what_was_claimed_ahead_goes_on_after_a_kill_and_what_may_have_left_is_looked_for() {
    for (boot, scheduled, sent_already) in [("the same", 1, 1), ("another", 0, 0)] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("test.db");
        let mut scheduler = scheduler(&folder).await;
        scheduler.ledger = Ledger::open(&file).unwrap();
        seed(&scheduler).await;
        messages(&scheduler, 1, 1, NOW.plus(AHEAD)).await;
        messages(&scheduler, 2, 1, NOW.plus(AHEAD)).await;
        let mut desk = desk(&scheduler);
        let claimed = scheduler.round(&mut desk).await.unwrap();
        assert!(scheduler.take_in(&mut desk, claimed, NOW));
        assert_eq!(count(&scheduler, Status::Sending).await, 2);
        assert_eq!(desk.planned_at(), Some(NOW.plus(AHEAD)));
        // The first comes to leave before the process is killed.
        let mut come = desk.come_due(NOW.plus(AHEAD), &scheduler.wake.ahead);
        come.truncate(1);
        assert!(scheduler.hand_out(&mut desk, come));
        // Another left, and its server took it, before that was written in the store.
        messages(&scheduler, 2, 1, NOW).await;
        run(
            &scheduler,
            "UPDATE scheduled_messages SET status = 'sending', attempt = 1, lease_holder = 'one', lease_until = 1, claimed_for = 2,
                 started_at = due_at WHERE id = 3",
        )
        .await;
        let taken = ledger::Taken { id: MessageId(3), created: Moment(0), attempt: 1, remote: "3EB0".to_owned() };
        scheduler.ledger.note_taken(&[taken], NOW).unwrap();
        if boot == "another" {
            let ledger = folder.path().join("test.db-sends");
            let text = std::fs::read_to_string(&ledger).unwrap().replace("boot ", "boot x");
            std::fs::write(ledger, text).unwrap();
        }
        scheduler.ledger = Ledger::open(&file).unwrap();
        scheduler.adopt(&mut Desk::begun_at(NOW)).await.unwrap();
        let left = count(&scheduler, Status::Unknown).await;
        assert_eq!(count(&scheduler, Status::Sent).await, sent_already, "{boot}");
        let waits = count(&scheduler, Status::Scheduled).await;
        assert_eq!((waits, left), (scheduled, 3 - scheduled - sent_already), "{boot}");
        let told = reports(&scheduler).await.iter().filter(|one| matches!(one, Report::Sent { .. })).count();
        assert_eq!(told, sent_already);
    }
}

#[tokio::test]
async fn a_claim_that_was_taken_back_is_not_begun_and_its_message_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let scheduler = scheduler(&folder).await;
    seed(&scheduler).await;
    messages(&scheduler, 1, 1, NOW.plus(AHEAD)).await;
    let mut desk = desk(&scheduler);
    let claimed = scheduler.round(&mut desk).await.unwrap();
    scheduler.take_in(&mut desk, claimed, NOW);
    let ahead = scheduler.wake.ahead.clone();
    let done: Result<(), StorageError> =
        scheduler.db.write(move |conn| Box::pin(async move { conn.recall(&ahead, AccountId(1), NOW).await })).await;
    done.unwrap();
    assert_eq!(count(&scheduler, Status::Scheduled).await, 1);
    scheduler.clock.advance(AHEAD);
    assert!(desk.come_due(scheduler.clock.now(), &scheduler.wake.ahead).is_empty());
    // The round that finds it taken back frees its number, and the next claims it again.
    assert!(claims(&scheduler, &mut desk).await.is_empty());
    let again = claims(&scheduler, &mut desk).await;
    assert_eq!(again.iter().map(|due| due.attempt).collect::<Vec<_>>(), [1]);
}

/// Messages that have left: two people's first ones, each with another behind it.
async fn two_under_way(scheduler: &Scheduler) -> (Desk, Vec<Due>) {
    seed(scheduler).await;
    // What is due before the first start is doubted there.
    run(scheduler, "DELETE FROM meta WHERE name = 'doubt_before'").await;
    messages(scheduler, 1, 2, NOW).await;
    messages(scheduler, 2, 2, NOW).await;
    let mut desk = desk(scheduler);
    scheduler.adopt(&mut desk).await.unwrap();
    let claimed = scheduler.round(&mut desk).await.unwrap();
    scheduler.take_in(&mut desk, claimed.clone(), NOW);
    assert_eq!(claimed.iter().map(|due| due.id.0).collect::<Vec<_>>(), [1, 3]);
    (desk, claimed)
}

async fn end(scheduler: &Scheduler, desk: &mut Desk, mut begun: Begun) -> Vec<Due> {
    let done = (&mut begun.done).await.unwrap().unwrap();
    scheduler.after(desk, begun, done)
}

#[tokio::test]
async fn outcomes_and_claims_that_are_written_beside_each_other_may_end_in_either_order() {
    let Some(scheduler) = on_postgres("orders").await else { return };
    let (mut desk, under_way) = two_under_way(&scheduler).await;
    let [first, other] = under_way.as_slice() else { unreachable!("two left") };
    desk.ended(finished(first, Ok(sent())));
    let outcomes = scheduler.begin_outcomes(&mut desk);
    assert!(
        scheduler.begin(&mut desk, false).await.unwrap().is_none(),
        "its number is not free before that is written"
    );
    end(&scheduler, &mut desk, outcomes).await;
    // The round that claims its number's next ends before, or after, the outcome of the other.
    let round = scheduler.begin(&mut desk, false).await.unwrap().unwrap();
    desk.ended(finished(other, Ok(sent())));
    let outcomes = scheduler.begin_outcomes(&mut desk);
    let claimed = end(&scheduler, &mut desk, round).await;
    assert_eq!(claimed.iter().map(|due| due.id.0).collect::<Vec<_>>(), [2]);
    scheduler.take_in(&mut desk, claimed.clone(), NOW);
    end(&scheduler, &mut desk, outcomes).await;
    let round = scheduler.begin(&mut desk, false).await.unwrap().unwrap();
    desk.ended(finished(&claimed[0], Ok(sent())));
    let outcomes = scheduler.begin_outcomes(&mut desk);
    end(&scheduler, &mut desk, outcomes).await;
    let last = end(&scheduler, &mut desk, round).await;
    assert_eq!(last.iter().map(|due| due.id.0).collect::<Vec<_>>(), [4]);
    assert_eq!(count(&scheduler, Status::Sent).await, 3);
    assert_eq!(reports(&scheduler).await.len(), 3);
}

#[tokio::test]
async fn where_outcomes_cannot_be_written_what_is_claimed_beside_them_stays_claimed() {
    let Some(scheduler) = on_postgres("halves").await else { return };
    let (mut desk, under_way) = two_under_way(&scheduler).await;
    desk.ended(finished(&under_way[0], Ok(sent())));
    let outcomes = scheduler.begin_outcomes(&mut desk);
    end(&scheduler, &mut desk, outcomes).await;
    let round = scheduler.begin(&mut desk, false).await.unwrap().unwrap();
    run(&scheduler, "ALTER TABLE message_attempts RENAME TO away").await;
    desk.ended(finished(&under_way[1], Ok(sent())));
    let mut outcomes = scheduler.begin_outcomes(&mut desk);
    let error = (&mut outcomes.done).await.unwrap().unwrap_err();
    desk.take_back(outcomes, &scheduler.wake.ahead);
    scheduler.failed(&mut desk, &error);
    assert!(scheduler.goes_alone(&desk), "what is ours is looked over next");
    let claimed = end(&scheduler, &mut desk, round).await;
    scheduler.take_in(&mut desk, claimed.clone(), NOW);
    run(&scheduler, "ALTER TABLE away RENAME TO message_attempts").await;
    let next = scheduler.round(&mut desk).await.unwrap();
    assert_eq!(next.iter().map(|due| due.id.0).collect::<Vec<_>>(), [4], "its number is free");
    assert!(!scheduler.goes_alone(&desk));
    let now: Vec<_> = statuses(&scheduler).await.into_iter().map(|(id, status, _)| (id.0, status)).collect();
    assert_eq!(now, [(1, Status::Sent), (2, Status::Sending), (3, Status::Sent), (4, Status::Sending)]);
}

#[tokio::test]
async fn what_is_set_aside_waits_for_the_outcomes_that_are_being_written() {
    let Some(scheduler) = on_postgres("aside").await else { return };
    let (mut desk, _) = two_under_way(&scheduler).await;
    messages(&scheduler, 1, 1, NOW.minus(Duration::from_secs(3600))).await;
    desk.doubt_before = Moment::default();
    desk.started_at = Moment::default();
    desk.anew(NOW);
    assert!(scheduler.begin(&mut desk, false).await.unwrap().is_none());
    assert!(scheduler.goes_alone(&desk));
    assert_eq!(count(&scheduler, Status::Late).await, 0);
    scheduler.round(&mut desk).await.unwrap();
    assert_eq!(count(&scheduler, Status::Late).await, 1);
    assert!(!scheduler.goes_alone(&desk));
}
