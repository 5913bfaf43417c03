//! What repeats: said in words, made ahead of its moments, changed, skipped, paused and stopped.

use std::time::Duration;

use schedulezap::domain::clock::Clock;
use schedulezap::domain::ids::{AccountId, ChatId};
use schedulezap::domain::message::Body;
use schedulezap::domain::recipient::Recipient;
use schedulezap::domain::series::Rhythm;
use schedulezap::sandbox::evolution::Faults;
use schedulezap::sandbox::telegram::{Person, Shown};
use schedulezap::services::messages::Addressee;
use schedulezap::storage::Conn;

use crate::harness::{START, World, amount, data, within};

const HOUR: Duration = Duration::from_secs(3600);

/// A person with an active instance and a repetition that was just confirmed. It is Wednesday 11 March 2026, 14:20.
async fn with_series(world: &World, said: &str, words: &str) -> Person {
    let ana = world.member("Ana", "pt-br").await;
    world.with_instance(&ana).await;
    ana.says(said);
    let card = ana.sees("Confira e confirme").await;
    assert!(card.text.contains(words), "{}", card.text);
    ana.taps("Confirmar").unwrap();
    ana.sees("Repetição #1").await;
    ana
}

async fn listed(person: &Person) -> Shown {
    person.sees_one(|m| m.text.starts_with("🔁 Repetições")).await
}

async fn opened(person: &Person) -> Shown {
    let newest = || person.chat().into_iter().rev().find(|m| m.from_bot).map(|m| m.id);
    person.sees_one(|m| m.text.starts_with("🔁 Repetição #1") && Some(m.id) == newest()).await
}

/// Waits until what is due was made and has left, so that the clock does not run ahead of the bot; what waits for
/// its number's pace is not waited for.
async fn caught_up(world: &World) {
    let now = world.clock.now();
    let open = format!(
        "SELECT (SELECT COUNT(*) FROM series WHERE status = 'active' AND make_at <= {now})
             + (SELECT COUNT(*) FROM scheduled_messages WHERE status = 'sending' AND due_at <= {now})
             + (SELECT COUNT(*) FROM scheduled_messages WHERE status = 'scheduled' AND due_at <= {now}
                AND NOT EXISTS (SELECT 1 FROM user_instances WHERE next_send_at > {now}))",
        now = now.0
    );
    for n in 0.. {
        let sql = sqlx::AssertSqlSafe(open.clone());
        let left: i64 = match &mut world.db.read().await.unwrap() {
            Conn::Sqlite(conn) => sqlx::query_scalar(sql).fetch_one(&mut **conn).await.unwrap(),
            Conn::Postgres(conn) => sqlx::query_scalar(sql).fetch_one(&mut **conn).await.unwrap(),
        };
        if left == 0 {
            return;
        }
        world.breath().await;
        // Some waits of the bot's are milliseconds of the clock.
        if n > 10 {
            world.advance(Duration::from_millis(100));
        }
    }
}

/// Lets the chat take what waits for it, and some seconds more: it may be spoken to at length again.
async fn calm(world: &World) {
    caught_up(world).await;
    world.handled().await;
    world.said().await;
    world.advance(Duration::from_secs(20));
}

/// Moves the clock in steps, as time passes, until so many messages were delivered.
async fn until_delivered(world: &World, count: usize, step: Duration) {
    for _ in 0..1200 {
        if world.evolution.count() >= count {
            return;
        }
        world.advance(step);
        caught_up(world).await;
    }
    panic!("{} of {count} were delivered", world.evolution.count());
}

/// Lets time pass in steps, whatever happens meanwhile.
async fn pass(world: &World, time: Duration) {
    for _ in 0..48 {
        world.advance(time / 48);
        caught_up(world).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repetition_is_said_in_one_line_and_goes_each_time_once() {
    within(async {
        let world = World::start().await;
        let line = "todo dia útil às 8h para 11 98888-7777: Abrir a loja";
        let ana = with_series(&world, line, "todo dia útil · às 08:00").await;
        let card = ana.sees("Repetição #1").await;
        assert!(card.text.contains("qui, 12/03/2026 às 08:00"), "{}", card.text);
        assert!(card.text.contains("seg, 16/03/2026 às 08:00"), "the week-end is left out: {}", card.text);
        until_delivered(&world, 2, HOUR).await;
        pass(&world, HOUR * 48).await;
        assert_eq!(world.evolution.count(), 2, "nothing on Saturday and Sunday");
        until_delivered(&world, 3, HOUR).await;
        for one in world.evolution.delivered() {
            assert_eq!((one.number.as_str(), one.text.as_str()), ("5511988887777", "Abrir a loja"));
        }
        calm(&world).await;
        ana.says("/mensagens");
        ana.sees("Esperando").await;
        ana.taps("Repetições (1)").unwrap();
        assert!(listed(&ana).await.text.contains("todo dia útil · às 08:00"));
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_that_was_not_said_is_asked() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        ana.says("/agendar");
        ana.sees("Para quem?").await;
        ana.says("11 98888-7777");
        ana.sees("O que enviar?").await;
        ana.says("Pagar o aluguel");
        ana.sees("Quando?").await;
        ana.says("todo dia 5");
        ana.sees("a que horas?").await;
        ana.says("10");
        let card = ana.sees("Confira e confirme").await;
        assert!(card.text.contains("todo mês · dia 5 · às 10:00"), "{}", card.text);
        assert!(card.text.contains("dom, 05/04/2026 às 10:00"), "{}", card.text);
        ana.taps("Mudar horário").unwrap();
        ana.sees("Quando?").await;
        ana.says("toda sexta de manhã");
        ana.sees("a que horas?").await;
        ana.taps("09:00").unwrap();
        let card = ana.sees("sex · às 09:00").await;
        assert!(card.text.contains("Confira"), "{}", card.text);
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_can_be_skipped_and_all_of_it_paused_resumed_and_stopped() {
    within(async {
        let world = World::start().await;
        let ana = with_series(&world, "todo dia às 9h para 11 98888-7777: Remédio", "todo dia · às 09:00").await;
        ana.taps("Pular a próxima").unwrap();
        ana.sees_one(|m| m.text.contains("Repetição #1") && !m.text.contains("12/03/2026")).await;
        world.said().await;
        assert!(ana.toasts().iter().any(|toast| toast.contains("Pulada: qui, 12/03/2026")), "{:?}", ana.toasts());
        pass(&world, HOUR * 24).await;
        assert_eq!(world.evolution.count(), 0, "it was skipped");
        until_delivered(&world, 1, HOUR).await;
        // Friday 13, 9:20 or so.
        calm(&world).await;
        ana.says("/mensagens");
        ana.sees("Esperando").await;
        ana.taps("Repetições (1)").unwrap();
        listed(&ana).await;
        ana.taps("🔁 +55 11 98888-7777").unwrap();
        opened(&ana).await;
        ana.taps("Pausar").unwrap();
        ana.sees("Repetição pausada").await;
        pass(&world, HOUR * 72).await;
        assert_eq!(world.evolution.count(), 1, "nothing leaves while it is paused");
        calm(&world).await;
        ana.taps("Retomar repetição").unwrap();
        opened(&ana).await;
        until_delivered(&world, 2, HOUR).await;
        calm(&world).await;
        ana.says("/mensagens");
        ana.sees("Esperando").await;
        ana.taps("Repetições (1)").unwrap();
        listed(&ana).await;
        ana.taps("🔁 +55 11 98888-7777").unwrap();
        opened(&ana).await;
        ana.taps("Parar repetição").unwrap();
        ana.sees("Repetição parada").await;
        pass(&world, HOUR * 72).await;
        assert_eq!(world.evolution.count(), 2);
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rhythm_a_text_and_a_recipient_can_be_changed() {
    within(async {
        let world = World::start().await;
        let ana = with_series(&world, "todo dia às 9h para 11 98888-7777: Remédio", "todo dia · às 09:00").await;
        ana.taps("Mudar texto").unwrap();
        ana.sees("O que enviar?").await;
        ana.says("Remédio e água");
        ana.sees_one(|m| m.text.contains("Repetição #1") && m.text.contains("Remédio e água")).await;
        let card = ana.sees("Remédio e água").await;
        // A reply to the card says another rhythm.
        // A card is known to be one a moment after it is seen.
        world.said().await;
        ana.replies(card.id, "todo dia às 10h, 2 vezes");
        let card = ana.sees("todo dia · às 10:00 · 2 vezes").await;
        assert!(card.text.contains("qui, 12/03/2026 às 10:00"), "{}", card.text);
        until_delivered(&world, 2, HOUR).await;
        pass(&world, HOUR * 96).await;
        let texts: Vec<_> = world.evolution.delivered().into_iter().map(|one| one.text).collect();
        assert_eq!(texts, ["Remédio e água", "Remédio e água"], "twice, and at ten only");
        calm(&world).await;
        ana.says("/mensagens");
        ana.sees("Esperando").await;
        ana.taps("Repetições (1)").unwrap();
        ana.sees("🏁").await;
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_made_to_repeat_and_a_word_stops_it() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        ana.says("amanhã 9h para 11 98888-7777: Bom dia");
        ana.sees("Confira e confirme").await;
        ana.taps("Confirmar").unwrap();
        ana.sees("Agendada #1").await;
        ana.taps("Repetir").unwrap();
        ana.sees("Repetir quando?").await;
        ana.says("amanhã 9h");
        ana.sees("não é uma repetição").await;
        ana.taps("toda semana · qui · às 09:00").unwrap();
        ana.sees("Confira e confirme").await;
        ana.taps("Confirmar").unwrap();
        let card = ana.sees("Repetição #1").await;
        // A card is known to be one a moment after it is seen.
        world.said().await;
        ana.replies(card.id, "cancela");
        ana.sees("Repetição parada").await;
        until_delivered(&world, 1, HOUR).await;
        pass(&world, HOUR * 24 * 8).await;
        assert_eq!(world.evolution.count(), 1, "the message itself went; its repetition was stopped");
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_makes_no_occurrence_twice_and_loses_none() {
    within(async {
        let mut world = World::start().await;
        let ana = with_series(&world, "a cada 2 horas para 11 98888-7777: Água", "a cada 2 horas").await;
        for count in 1..=4 {
            until_delivered(&world, count, Duration::from_secs(600)).await;
            world.restart().await;
        }
        // Away for half a day: what was missed is asked about, in one card, and nothing old goes by itself.
        world.end().await;
        world.advance(HOUR * 12);
        world.restart().await;
        ana.sees("da hora").await;
        let settled = "SELECT COUNT(*) FROM scheduled_messages WHERE status IN ('sent', 'late')";
        while world.count(settled).await < 10 {
            pass(&world, Duration::from_secs(48)).await;
        }
        // Of the six that were missed one may have come due at the very moment of the start.
        assert!(world.evolution.count() <= 5, "nothing old goes by itself");
        let made = "SELECT COUNT(*) FROM (SELECT scheduled_time FROM scheduled_messages GROUP BY scheduled_time HAVING COUNT(*) > 1) AS t";
        assert_eq!(world.count(made).await, 0);
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wall_time_is_kept_as_clocks_change_and_an_hour_that_does_not_exist_goes_later_and_says_so() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        ana.says("/conta");
        ana.sees("Fuso horário").await;
        ana.taps("Fuso horário").unwrap();
        ana.sees("Qual é a sua cidade").await;
        ana.says("Lisboa");
        ana.sees("Fuso horário alterado").await;
        // Clocks go forward in Lisbon on Sunday 29 March 2026 at 1:00.
        ana.says("todo dia às 1h30 para 11 98888-7777: Ronda");
        ana.sees("Confira e confirme").await;
        ana.taps("Confirmar").unwrap();
        ana.sees("Repetição #1").await;
        until_delivered(&world, 17, HOUR / 2).await;
        calm(&world).await;
        ana.says("/mensagens");
        let list = ana.sees("Esperando").await;
        assert!(list.text.contains("dom, 29/03/2026 às 02:30"), "{}", list.text);
        ana.taps("🗓🔁 +55 11 98888-7777").unwrap();
        ana.sees("o relógio adianta").await;
        until_delivered(&world, 19, HOUR / 2).await;
        let hours =
            "SELECT COUNT(*) FROM scheduled_messages WHERE status = 'sent' AND scheduled_time % 86400000 = 1800000";
        assert_eq!(world.count(hours).await, 1, "from 30 March on it is 0:30 UTC");
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_series_is_changed_safely_while_it_fires_and_many_makers_make_each_occurrence_once() {
    let count = amount("SERIES", 40);
    within(async {
        let world = World::start_with(Clock::manual(START), |config| {
            config.send_gap = Duration::ZERO;
            (config.send_per_hour, config.send_per_day) = (0, 0);
        })
        .await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        world.evolution.set_slowness(Duration::from_millis(4));
        world.evolution.set_faults(Faults { slow: true, ..Faults::default() });
        let series = world.door.services.series.clone();
        let account = world.door.services.accounts.find_account(AccountId(1)).await.unwrap().unwrap();
        let to = [Addressee { recipient: Recipient::Phone("5511988887777".to_owned()), name: String::new() }];
        let rhythm = |hour: u32| Rhythm {
            rule: format!("FREQ=DAILY;BYHOUR={hour};BYMINUTE=0"),
            starts_at: "2026-03-11T15:00:00".parse().unwrap(),
        };
        let mut all = Vec::new();
        for n in 0..count {
            let body = Body::parse(&format!("série {n}.")).unwrap();
            let ids =
                series.start(&account, ChatId(ana.id()), &to, &body, &rhythm(15), &format!("s{n}")).await.unwrap();
            all.push(ids[0]);
        }
        // 15:00: all of them fire; every second is paused meanwhile, the others move to 16:00.
        world.advance(HOUR * 2 / 3);
        let mut changes = Vec::new();
        for (n, id) in all.iter().copied().enumerate() {
            let (series, account, to_16) = (series.clone(), account.clone(), rhythm(16));
            let evolution = world.evolution.clone();
            changes.push(tokio::spawn(async move {
                evolution.wait_for(n / 4).await;
                if n % 2 == 0 {
                    let version = series.find(account.id, id).await.unwrap().series.version;
                    series.pause(account.id, id, version).await.map(drop).unwrap();
                } else {
                    series.reschedule(&account, id, to_16).await.map(drop).unwrap();
                }
                // Others look after the same series at the same time.
                series.make_due().await.unwrap();
            }));
        }
        for change in changes {
            while !change.is_finished() {
                pass(&world, Duration::from_millis(480)).await;
            }
            change.await.unwrap();
        }
        until_delivered(&world, count / 2, Duration::from_millis(10)).await;
        let sent = world.evolution.count();
        // Nothing was both taken back and sent.
        let lost = "SELECT COUNT(*) FROM scheduled_messages WHERE scheduled_time < 1773253000000 AND status NOT IN ('sent', 'cancelled')";
        while world.count(lost).await > 0 {
            pass(&world, Duration::from_millis(48)).await;
        }
        let told = "SELECT COUNT(*) FROM scheduled_messages WHERE status = 'sent'";
        assert_eq!(usize::try_from(world.count(told).await).unwrap(), world.evolution.count());
        // 16:00: those that were moved go, the paused ones do not.
        pass(&world, HOUR).await;
        until_delivered(&world, sent + count / 2, Duration::from_millis(10)).await;
        pass(&world, HOUR / 4).await;
        let mut texts: Vec<_> = world.evolution.delivered().into_iter().map(|one| one.text).collect();
        texts.sort();
        for n in 0..count {
            let times = texts.iter().filter(|text| **text == format!("série {n}.")).count();
            let most = if n % 2 == 0 { 1 } else { 2 };
            assert!(times <= most && times >= most - 1, "series {n} went {times} times");
        }
        let made = "SELECT COUNT(*) FROM (SELECT series_id FROM scheduled_messages GROUP BY series_id, scheduled_time HAVING COUNT(*) > 1) AS t";
        assert_eq!(world.count(made).await, 0);
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_or_a_stop_as_an_occurrence_is_being_sent_holds_for_all_that_follow() {
    within(async {
        let world = World::start().await;
        let ana = with_series(&world, "todo dia às 8h para 11 98888-7777: Abrir a loja", "todo dia").await;
        // As another replica has it just before its moment.
        let claimed =
            "UPDATE scheduled_messages SET status = 'sending', lease_holder = 'another', claimed_for = 1, attempt = 1,
                 started_at = scheduled_time WHERE status = 'scheduled'";
        world.does(claimed).await;
        let card = ana.sees("Repetição #1").await;
        ana.taps_data(card.id, &data(&card, "Pular"));
        world.handled().await;
        world.said().await;
        assert!(ana.toasts().iter().any(|toast| toast.contains("sendo enviada agora")), "{:?}", ana.toasts());
        ana.taps_data(card.id, &data(&card, "Pausar"));
        let card = ana.sees("Depois dela, nada mais sai").await;
        assert!(card.text.contains("pausada") && card.rows.iter().flatten().any(|key| key.label.contains("Retomar")));
        let goes = "SELECT COUNT(*) FROM scheduled_messages WHERE status = 'sending'";
        assert_eq!(world.count(goes).await, 1);
        world.said().await;
        ana.taps_data(card.id, &data(&card, "Parar"));
        let card = ana.sees_one(|m| m.text.contains("parada") && m.text.contains("Depois dela, nada mais sai")).await;
        assert!(!card.rows.iter().flatten().any(|key| key.label.contains("Retomar")), "{card:?}");
        let others = "SELECT COUNT(*) FROM scheduled_messages WHERE status NOT IN ('sending', 'cancelled')";
        assert_eq!(world.count(others).await, 0);
        world.finish(&[&ana]).await;
    })
    .await;
}
