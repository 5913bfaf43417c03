//! What one person, one chat or an outage does to others, and what it does not.

use std::time::Duration;

use schedulezap::domain::clock::Clock;
use schedulezap::domain::ids::{AccountId, ChatId, MessageId};
use schedulezap::domain::message::Body;
use schedulezap::domain::recipient::Recipient;
use schedulezap::domain::report::Report;
use schedulezap::sandbox::evolution::Faults;
use schedulezap::sandbox::telegram::{Fault, Person};
use schedulezap::services::Refusal;
use schedulezap::services::messages::Addressee;
use schedulezap::storage::StorageError;
use schedulezap::telegram::reports;

use crate::harness::{START, World, amount, within};

const HELP: &str = "Como usar";

fn helped(person: &Person) -> usize {
    person.chat().iter().filter(|m| m.from_bot && m.text.contains(HELP)).count()
}

/// Two people, and a bot that is away.
async fn two(quota: u64) -> (World, Person, Person) {
    let tune = |config: &mut schedulezap::config::Config| {
        config.quotas.updates_per_min = quota;
        config.send_gap = Duration::ZERO;
        (config.send_per_hour, config.send_per_day) = (0, 0);
    };
    let world = World::start_with(Clock::manual(START), tune).await;
    let ana = world.member("Ana", "pt-br").await;
    let ben = world.member("Ben", "pt-br").await;
    world.handled().await;
    // The chats may be spoken to at length again.
    world.advance(Duration::from_secs(60));
    (world, ana, ben)
}

/// How many updates of a chat are done.
async fn done(world: &World, person: &Person) -> usize {
    let sql = "SELECT COUNT(*) FROM inbox WHERE status = 'done' AND lane = '1001:1001'";
    assert_eq!(person.id(), 1001);
    usize::try_from(world.count(sql).await).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_much_delays_only_themselves() {
    within(async {
        let (mut world, ana, ben) = two(0).await;
        let before = done(&world, &ana).await;
        world.end().await;
        for _ in 0..600 {
            ana.says("/ajuda");
        }
        ben.says("/ajuda");
        world.restart().await;
        ben.sees(HELP).await;
        let first = done(&world, &ana).await - before;
        assert!(first < 400, "{first} of 600 came first");
        world.handled().await;
        world.said().await;
        assert_eq!(helped(&ana), 600, "all are answered");
        assert_eq!(helped(&ben), 1);
        world.finish(&[&ana, &ben]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_too_fast_is_delayed_and_never_dropped() {
    within(async {
        let (mut world, ana, ben) = two(120).await;
        world.end().await;
        for _ in 0..300 {
            ana.says("/ajuda");
        }
        world.restart().await;
        let before = done(&world, &ana).await;
        while world.telegram.pending() > 0 || done(&world, &ana).await < before + 100 {
            world.breath().await;
        }
        ben.says("/ajuda");
        ben.sees(HELP).await;
        let first = done(&world, &ana).await;
        assert!(first <= 120 + before, "{first} in one moment");
        world.advance(Duration::from_secs(30));
        while done(&world, &ana).await < first + 60 {
            world.breath().await;
        }
        while world.count("SELECT COUNT(*) FROM inbox WHERE status = 'waiting'").await > 0 {
            world.advance(Duration::from_secs(1));
            world.breath().await;
        }
        world.said().await;
        assert_eq!(helped(&ana), 300);
        world.finish(&[&ana, &ben]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tap_is_answered_at_once_however_much_waits_to_be_said() {
    within(async {
        let (mut world, ana, ben) = two(0).await;
        ana.says("/ajuda");
        let card = ana.sees(HELP).await;
        let now = world.clock.now();
        for tries in 0..100 {
            let report = Report::Guessing { tries };
            let written: Result<(), StorageError> = world
                .db
                .write(move |conn| {
                    Box::pin(async move { conn.add_report(AccountId(1), ChatId(1001), &report, now).await })
                })
                .await;
            written.unwrap();
        }
        while reports::tell_all(&world.door).await.unwrap() {}
        let waits = "SELECT COUNT(*) FROM outbox WHERE status = 'waiting' AND chat_id = 1001";
        let told = || ana.chat().iter().filter(|m| m.text.contains("Alguém errou a senha")).count();
        // The clock stands still from here on.
        ana.taps_data(card.id, "cancel:");
        world.until(Duration::ZERO, || ana.toasts().len() == 1).await;
        assert!(world.count(waits).await > 20, "much waits still");
        // An answer that Telegram fails to take is not lost either, though the process ends.
        world.telegram.fail_next("answerCallbackQuery", Fault::ServerError(502));
        ana.taps_data(card.id, "cancel:");
        world.handled().await;
        assert_eq!(ana.toasts().len(), 1);
        world.end().await;
        world.restart().await;
        world.until(Duration::ZERO, || ana.toasts().len() == 2).await;
        assert!(world.count(waits).await > 20, "much waits still");
        world.said().await;
        assert_eq!(told(), 100);
        world.finish(&[&ana, &ben]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_cannot_be_told_holds_up_no_other() {
    within(async {
        let (world, ana, ben) = two(0).await;
        ana.says("amanhã 9h para 11 98888-7777: estranha");
        ana.sees("Confira e confirme").await;
        ana.taps("Confirmar").unwrap();
        ana.sees("Agendada #1").await;
        let now = world.clock.now();
        // A row that cannot be read, one of a message that cannot, and one of another account behind them.
        world.does("INSERT INTO reports (account_id, chat_id, payload, created_at) VALUES (1, 1001, '{\"what\":\"dreamt\"}', 0)").await;
        world.does("INSERT INTO reports (account_id, chat_id, payload, created_at) VALUES (1, 1001, 'no json', 0)").await;
        world.does("UPDATE scheduled_messages SET recipient = 'nobody at all' WHERE id = 1").await;
        let written: Result<(), StorageError> = world
            .db
            .write(move |conn| {
                Box::pin(async move {
                    let sent = Report::Sent { message: MessageId(1), late_ms: 0 };
                    conn.add_report(AccountId(1), ChatId(1001), &sent, now).await?;
                    conn.add_report(AccountId(2), ChatId(1002), &Report::Guessing { tries: 5 }, now).await
                })
            })
            .await;
        written.unwrap();
        while reports::tell_all(&world.door).await.unwrap() {}
        ben.sees("Alguém errou a senha").await;
        world.handled().await;
        assert_eq!(world.count("SELECT COUNT(*) FROM reports").await, 3, "they are kept, to be looked at");
        assert!(!reports::tell_all(&world.door).await.unwrap(), "and tried no more");
        world.finish(&[&ana, &ben]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_that_panics_costs_one_apology() {
    within(async {
        let (world, ana, ben) = two(0).await;
        world.door.trap.set("isca".to_owned()).unwrap();
        ana.says("/agendar");
        ana.says("isca");
        ana.says("11 98888-7777");
        ana.sees("O que enviar?").await;
        ben.says("isca");
        ben.says("/ajuda");
        ben.sees(HELP).await;
        world.handled().await;
        world.said().await;
        for person in [&ana, &ben] {
            let sorry = person.chat().iter().filter(|m| m.from_bot && m.text.contains("Algo deu errado")).count();
            assert_eq!(sorry, 1);
        }
        assert_eq!(world.count("SELECT COUNT(*) FROM inbox WHERE status = 'failed'").await, 2);
        world.finish(&[&ana, &ben]).await;
    })
    .await;
}

/// Schedules a message in ten minutes, and some seconds more.
async fn schedule(person: &Person, seconds: u32, text: &str) {
    person.says(&format!("em 10 minutos e {seconds} segundos para 11 98888-7777: {text}"));
    person.sees_one(|m| m.text.contains(text) && m.text.contains("Confira")).await;
    person.taps("Confirmar").unwrap();
    person.sees_one(|m| m.text.contains(text) && m.text.contains("Agendada")).await;
}

/// The calls for a chat, and whether each was let in.
fn calls(world: &World, person: &Person) -> Vec<(String, Option<String>)> {
    let mine = |call: &schedulezap::sandbox::telegram::Call| call.params["chat_id"] == person.id();
    world.telegram.calls().into_iter().filter(mine).map(|call| (call.method, call.error)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_outlast_an_outage_of_telegram_and_obey_its_pauses() {
    within(async {
        let (world, ana, ben) = two(0).await;
        world.with_instance(&ana).await;
        world.advance(Duration::from_secs(60));
        for (n, text) in [(1, "primeira"), (2, "segunda"), (3, "terceira")] {
            schedule(&ana, n, text).await;
        }
        world.handled().await;
        world.said().await;
        world.telegram.set_down(true);
        world.advance(Duration::from_secs(604));
        world.until(Duration::from_millis(50), || world.evolution.count() == 3).await;
        // An hour of it: nothing is lost meanwhile, and WhatsApp got all of them.
        for _ in 0..60 {
            world.advance(Duration::from_secs(60));
            world.breath().await;
        }
        world.telegram.set_flood(ana.id(), Some(7));
        let before = calls(&world, &ana).len();
        world.telegram.set_down(false);
        world.until(Duration::from_secs(10), || calls(&world, &ana).len() > before).await;
        world.telegram.set_flood(ana.id(), None);
        ben.says("/ajuda");
        world.until(Duration::ZERO, || helped(&ben) == 1).await;
        // Whatever happens elsewhere, this chat is left alone for seven seconds from its last refusal on.
        let refused = calls(&world, &ana);
        assert!(refused.last().unwrap().1.as_ref().unwrap().contains("Too Many Requests"), "{refused:?}");
        world.advance(Duration::from_millis(6900));
        ben.says("/ajuda");
        ben.sees_one(|_| helped(&ben) == 2).await;
        assert_eq!(calls(&world, &ana).len(), refused.len(), "nothing is called in the meantime");
        // The refusal may have been read a step of the clock after the call.
        let told =
            || ana.chat().iter().any(|m| m.from_bot && m.text.contains("Enviada para") && m.text.contains("terceira"));
        world.until(Duration::from_secs(1), told).await;
        let third = ana.sees_one(|m| m.text.contains("Enviada para") && m.text.contains("terceira")).await;
        let told: Vec<_> = ana.chat().into_iter().filter(|m| m.from_bot && m.text.contains("Enviada para")).collect();
        assert_eq!(told.len(), 3);
        for (told, text) in told.iter().zip(["primeira", "segunda", "terceira"]) {
            assert!(told.text.contains(text), "{}", told.text);
        }
        assert_eq!(told.last().unwrap().id, third.id);
        world.finish(&[&ana, &ben]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_that_is_gone_is_not_called_again_and_again() {
    within(async {
        let (world, ana, ben) = two(0).await;
        world.with_instance(&ana).await;
        world.advance(Duration::from_secs(60));
        for n in 1..=5 {
            schedule(&ana, n, &format!("nr{n}.")).await;
        }
        world.handled().await;
        world.said().await;
        ana.vanishes();
        let before = calls(&world, &ana).len();
        world.advance(Duration::from_secs(610));
        world.until(Duration::from_millis(50), || world.evolution.count() == 5).await;
        ben.says("/ajuda");
        ben.sees(HELP).await;
        for _ in 0..20 {
            world.advance(Duration::from_secs(60));
            world.said().await;
        }
        let more = calls(&world, &ana).split_off(before);
        assert!((1..=2).contains(&more.len()), "{more:?}");
        // When the person is back, they are answered.
        ana.blocks(false);
        ana.says("/ajuda");
        ana.sees(HELP).await;
        world.finish(&[&ana, &ben]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_that_races_with_sending_has_one_winner() {
    let count = amount("RACES", 50);
    within(async {
        let (world, ana, ben) = two(0).await;
        world.with_instance(&ana).await;
        world.advance(Duration::from_secs(60));
        world.evolution.set_slowness(Duration::from_millis(4));
        world.evolution.set_faults(Faults { slow: true, ..Faults::default() });
        let messages = world.door.services.messages.clone();
        let account = world.door.services.accounts.find_account(AccountId(1)).await.unwrap().unwrap();
        let to = [Addressee { recipient: Recipient::Phone("5511988887777".to_owned()), name: String::new() }];
        let due = world.clock.now().plus(Duration::from_secs(600));
        let mut made = Vec::new();
        for n in 0..count {
            let body = Body::parse(&format!("corrida {n}.")).unwrap();
            let ids =
                messages.schedule(&account, ChatId(ana.id()), &to, &body, due, &format!("race-{n}")).await.unwrap();
            made.push((format!("corrida {n}."), ids[0]));
        }
        world.advance(Duration::from_secs(600));
        let mut races = Vec::new();
        for (n, (text, id)) in made.into_iter().enumerate() {
            let (messages, owner) = (messages.clone(), account.id);
            let evolution = world.evolution.clone();
            races.push(tokio::spawn(async move {
                // They come at every stage of the sending of the others.
                evolution.wait_for(n / 8).await;
                (text, messages.cancel(owner, id).await)
            }));
        }
        world.until(Duration::from_millis(10), || races.iter().all(tokio::task::JoinHandle::is_finished)).await;
        let mut cancelled = 0;
        let mut sent = Vec::new();
        for race in races {
            match race.await.unwrap() {
                (_, Ok(_)) => cancelled += 1,
                (text, Err(Refusal::BeingSent | Refusal::AlreadySent)) => sent.push(text),
                (text, Err(other)) => panic!("{text}: {other}"),
            }
        }
        world.until(Duration::from_millis(10), || world.evolution.count() >= sent.len()).await;
        let open = "SELECT COUNT(*) FROM scheduled_messages WHERE status IN ('scheduled', 'sending')";
        while world.count(open).await > 0 {
            world.until(Duration::from_millis(10), || true).await;
        }
        let mut delivered: Vec<_> = world.evolution.delivered().into_iter().map(|one| one.text).collect();
        delivered.sort();
        sent.sort();
        assert_eq!(delivered, sent, "{cancelled} were cancelled");
        println!("{cancelled} cancelled, {} sent", sent.len());
        world.finish(&[&ana, &ben]).await;
    })
    .await;
}
