//! Claim, settle and recovery against a store in a file.

use super::*;
use crate::domain::clock::Clock;
use crate::domain::ids::{AccountId, MessageId};
use crate::domain::message::Status;
use crate::evolution::error::CallError;
use crate::evolution::policy::AllowHosts;

const NOW: Moment = Moment(1_800_000_000_000);

async fn scheduler(folder: &tempfile::TempDir) -> Scheduler {
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    Scheduler {
        db: Database::open(&url).await.unwrap(),
        clock: Clock::manual(NOW),
        evolution: Evolution::new(AllowHosts::parse("").unwrap()).unwrap(),
        keyring: Arc::new(Keyring::generate()),
        settings: Settings {
            grace: Duration::from_secs(1800),
            lease: Duration::from_secs(30),
            gap: Duration::ZERO,
            per_hour: 0,
            per_day: 0,
            retry: RetryPolicy::default(),
            in_flight: 64,
        },
        wake: Arc::default(),
        reported: Arc::default(),
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
         VALUES (1,1,'a','http://a','a','','',1,0,0),(2,2,'b','http://b','b','','',1,0,0);",
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

#[tokio::test]
async fn an_account_with_many_due_messages_leaves_room_for_another() {
    let folder = tempfile::tempdir().unwrap();
    let scheduler = scheduler(&folder).await;
    seed(&scheduler).await;
    messages(&scheduler, 1, 600, NOW.minus(Duration::from_secs(9))).await;
    messages(&scheduler, 2, 3, NOW).await;
    let (claimed, _) = scheduler.round(Vec::new(), 64, Busy::new()).await.unwrap();
    assert_eq!(claimed.iter().filter(|one| one.0.user_id == AccountId(2)).count(), 3);
    assert!(claimed.len() < 64, "one server never takes every slot");
}

#[tokio::test]
async fn what_is_due_is_looked_at_once_and_a_suspended_account_sends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let scheduler = scheduler(&folder).await;
    seed(&scheduler).await;
    messages(&scheduler, 1, 2, NOW).await;
    run(&scheduler, "UPDATE users SET disabled_at = 1 WHERE id = 1").await;
    let (claimed, next) = scheduler.round(Vec::new(), 64, Busy::new()).await.unwrap();
    assert!(claimed.is_empty());
    assert_eq!(next, None, "else the loop would spin");
}

#[tokio::test]
async fn an_expired_claim_is_asked_about_and_its_late_finisher_is_fenced() {
    let folder = tempfile::tempdir().unwrap();
    let scheduler = scheduler(&folder).await;
    seed(&scheduler).await;
    messages(&scheduler, 1, 1, NOW).await;
    let (mut claimed, _) = scheduler.round(Vec::new(), 64, Busy::new()).await.unwrap();
    let (due, attempt) = claimed.remove(0);
    scheduler.clock.advance(Duration::from_secs(31));
    scheduler.round(Vec::new(), 0, Busy::new()).await.unwrap();
    assert_eq!(count(&scheduler, Status::Unknown).await, 1);
    let outcome = Ok(Sent { remote_id: "R".to_owned(), remote_jid: String::new() });
    scheduler.round(vec![Finished { due: due.clone(), attempt, outcome }], 0, Busy::new()).await.unwrap();
    assert_eq!(count(&scheduler, Status::Unknown).await, 1);
    assert_eq!(reports(&scheduler).await, [Report::Unknown { message: due.id }]);
}

#[tokio::test]
async fn an_outcome_written_twice_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let scheduler = scheduler(&folder).await;
    seed(&scheduler).await;
    messages(&scheduler, 1, 1, NOW).await;
    let (mut claimed, _) = scheduler.round(Vec::new(), 64, Busy::new()).await.unwrap();
    let (due, attempt) = claimed.remove(0);
    let one = Finished { due, attempt, outcome: Ok(Sent { remote_id: "R".to_owned(), remote_jid: String::new() }) };
    scheduler.round(vec![one.clone(), one], 0, Busy::new()).await.unwrap();
    assert_eq!(count(&scheduler, Status::Sent).await, 1);
    assert_eq!(reports(&scheduler).await.len(), 1);
}

#[tokio::test]
async fn a_disconnected_number_holds_all_that_is_due_and_tells_once() {
    let folder = tempfile::tempdir().unwrap();
    let scheduler = scheduler(&folder).await;
    seed(&scheduler).await;
    messages(&scheduler, 1, 5, NOW).await;
    let (mut claimed, _) = scheduler.round(Vec::new(), 1, Busy::new()).await.unwrap();
    let (due, attempt) = claimed.remove(0);
    scheduler
        .round(vec![Finished { due, attempt, outcome: Err(SendError::NotConnected) }], 64, Busy::new())
        .await
        .unwrap();
    assert_eq!(count(&scheduler, Status::Held).await, 5);
    assert_eq!(reports(&scheduler).await.len(), 1);
}

#[tokio::test]
async fn what_missed_its_grace_is_late_and_told_once_for_the_account() {
    let folder = tempfile::tempdir().unwrap();
    let scheduler = scheduler(&folder).await;
    seed(&scheduler).await;
    messages(&scheduler, 1, 3, NOW.minus(Duration::from_secs(7200))).await;
    messages(&scheduler, 2, 2, NOW.minus(Duration::from_secs(90_000))).await;
    run(&scheduler, "UPDATE users SET late_policy = 'always' WHERE id = 2").await;
    scheduler.round(Vec::new(), 64, Busy::new()).await.unwrap();
    assert_eq!(count(&scheduler, Status::Late).await, 5);
    assert_eq!(reports(&scheduler).await, [Report::Late, Report::Late]);
}

#[tokio::test]
async fn a_claim_that_stood_still_too_long_never_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let scheduler = scheduler(&folder).await;
    seed(&scheduler).await;
    messages(&scheduler, 1, 1, NOW).await;
    let (claimed, _) = scheduler.round(Vec::new(), 64, Busy::new()).await.unwrap();
    scheduler.clock.advance(Duration::from_secs(25));
    assert_eq!(scheduler.deliver(&claimed[0].0, NOW).await, Err(SendError::Call(CallError::Connect)));
}
