//! The rules of time zones change from one program to the next: what was said by clocks keeps its wall time.

use std::time::Duration;

use schedulezap::domain::clock::Moment;
use schedulezap::domain::ids::{AccountId, ChatId};
use schedulezap::domain::message::Body;
use schedulezap::domain::recipient::Recipient;
use schedulezap::domain::wall::{Due, WallTime};
use schedulezap::sandbox::telegram::Person;
use schedulezap::services::messages::Addressee;
use schedulezap::services::zone_rules::{NOTED, Rules, ZoneRules};

use crate::harness::{START, World, amount, within};

const HOUR: Duration = Duration::from_secs(3600);
const TOLD: &str = "As regras dos fusos horários mudaram";

/// What an older program leaves, by whose rules São Paulo has summer time (UTC−2): everything there is an hour earlier.
const SUMMER: &str = "
    UPDATE scheduled_messages SET scheduled_time = scheduled_time - 3600000, due_at = due_at - 3600000
        WHERE wall_time IS NOT NULL AND time_zone = 'America/Sao_Paulo' AND status <> 'sent';
    UPDATE scheduled_messages SET origin = 'series:' || series_id || ':' || scheduled_time WHERE series_id IS NOT NULL;
    UPDATE series SET made_to = made_to - 3600000, next_at = next_at - 3600000, make_at = make_at - 3600000;
    UPDATE meta SET value = '2001a' WHERE name = 'zone_rules'";

/// The same by rules under which it is an hour farther from UTC.
const FARTHER: &str = "
    UPDATE scheduled_messages SET scheduled_time = scheduled_time + 3600000, due_at = due_at + 3600000
        WHERE wall_time IS NOT NULL AND time_zone = 'America/Sao_Paulo' AND status <> 'sent';
    UPDATE scheduled_messages SET origin = 'series:' || series_id || ':' || scheduled_time
        WHERE series_id IS NOT NULL AND status <> 'sent';
    UPDATE series SET made_to = made_to + 3600000, next_at = next_at + 3600000, make_at = make_at + 3600000;
    UPDATE meta SET value = '2001a' WHERE name = 'zone_rules'";

/// Says something that is understood at once, and confirms it.
async fn schedules(person: &Person, line: &str, card: &str) {
    person.says(line);
    person.sees("Confira e confirme").await;
    person.taps("Confirmar").unwrap();
    person.sees(card).await;
}

/// How often the change of rules was told.
fn told(person: &Person) -> usize {
    person.chat().iter().filter(|m| m.text.contains(TOLD)).count()
}

/// Waits until the program has looked at the rules by which the store was reckoned, which it does beside its other work.
async fn followed(world: &World) {
    let version = Rules::default().version;
    loop {
        if world.db.read().await.unwrap().find_meta(NOTED).await.unwrap().as_deref() == Some(&*version) {
            return;
        }
        let seen = world.telegram.revision();
        let _ = tokio::time::timeout(Duration::from_millis(20), world.telegram.changed_after(seen)).await;
    }
}

/// Starts the program again, and waits until it has looked at the rules.
async fn restart(world: &mut World) {
    world.restart().await;
    followed(world).await;
}

/// Waits until nothing is to be said any more, and nothing is to be made or sent by now.
async fn quiet(world: &World) {
    let reports = "SELECT COUNT(*) FROM reports";
    loop {
        world.said().await;
        let now = world.clock.now();
        let due = world.count("SELECT COALESCE(MIN(due_at), 9000000000000000) FROM scheduled_messages WHERE status IN ('scheduled', 'sending')").await;
        let make =
            world.count("SELECT COALESCE(MIN(make_at), 9000000000000000) FROM series WHERE status = 'active'").await;
        if world.count(reports).await == 0 && due.min(make) > now.0 {
            return;
        }
        let seen = world.telegram.revision();
        let _ = tokio::time::timeout(Duration::from_millis(20), world.telegram.changed_after(seen)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_by_clocks_keeps_its_wall_time_and_a_length_from_now_its_moment() {
    within(async {
        let mut world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        schedules(&ana, "em 20 horas para 11 98888-7777: em vinte horas", "Agendada #1").await;
        schedules(&ana, "amanhã 9h para 11 98888-7777: às nove", "Agendada #2").await;
        ana.says("para 11 98888-7777: lá");
        ana.sees("Quando?").await;
        schedules(&ana, "amanhã às 10h horário de Nova York", "Agendada #3").await;
        for (sql, why) in [
            ("SELECT COUNT(*) FROM scheduled_messages WHERE id = 1 AND wall_time IS NULL", "a length from now"),
            (
                "SELECT COUNT(*) FROM scheduled_messages WHERE id = 2 AND wall_time = '2026-03-12T09:00:00' AND time_zone = 'America/Sao_Paulo'",
                "by the account's clocks",
            ),
            (
                "SELECT COUNT(*) FROM scheduled_messages WHERE id = 3 AND wall_time = '2026-03-12T10:00:00' AND time_zone = 'America/New_York'",
                "by the clocks that were named",
            ),
        ] {
            assert_eq!(world.count(sql).await, 1, "{why}");
        }
        world.does(SUMMER).await;
        restart(&mut world).await;
        let card = ana.sees(TOLD).await;
        for text in
            ["Uma mensagem mantém", "+55 11 98888-7777", "sairia qui, 12/03/2026 às 08:00", "sai qui, 12/03/2026 às 09:00", "São Paulo (UTC−3)"]
        {
            assert!(card.text.contains(text), "{text} is not in {}", card.text);
        }
        // The card of the message shows it too.
        ana.sees_one(|m| m.text.contains("Agendada #2") && m.text.contains("12/03/2026 às 09:00")).await;
        // Another start, and one that looks again: nothing is moved or told twice.
        restart(&mut world).await;
        world.does("UPDATE meta SET value = '2001a' WHERE name = 'zone_rules'").await;
        restart(&mut world).await;
        quiet(&world).await;
        assert_eq!(told(&ana), 1);
        // An older program than the last one moves nothing.
        world.does(SUMMER).await;
        world.does("UPDATE meta SET value = '2999z' WHERE name = 'zone_rules'").await;
        restart(&mut world).await;
        quiet(&world).await;
        assert_eq!(told(&ana), 1);
        restart(&mut world).await;
        world.does("UPDATE meta SET value = '2001a' WHERE name = 'zone_rules'").await;
        restart(&mut world).await;
        ana.sees_one(|_| told(&ana) == 2).await;
        // 08:55, then nine.
        world.advance(Moment(1_773_316_500_000).since(world.clock.now()));
        quiet(&world).await;
        assert_eq!(world.evolution.count(), 0, "nothing leaves by the old rules");
        world.advance(Duration::from_secs(330));
        world.evolution.wait_for(1).await;
        assert_eq!(world.evolution.delivered()[0].text, "às nove");
        // 10:20, and 11:00, which is 10:00 in New York.
        for (count, text, minutes) in [(2, "em vinte horas", 85), (3, "lá", 40)] {
            world.advance(HOUR / 60 * minutes);
            world.evolution.wait_for(count).await;
            assert_eq!(world.evolution.delivered()[count - 1].text, text);
        }
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repetition_goes_on_by_the_clock_when_the_rules_change() {
    within(async {
        let mut world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        schedules(&ana, "todo dia às 9h para 11 98888-7777: Remédio", "Repetição #1").await;
        // Thursday is skipped, and stays so.
        ana.taps("Pular a próxima").unwrap();
        ana.sees_one(|m| m.text.contains("Repetição #1") && !m.text.contains("12/03/2026")).await;
        world.does(SUMMER).await;
        restart(&mut world).await;
        quiet(&world).await;
        assert_eq!(told(&ana), 0, "nothing that waits has moved");
        for _ in 0..60 {
            world.advance(HOUR / 2);
            quiet(&world).await;
        }
        // Thursday, 20:20: Friday's is there.
        assert_eq!(world.evolution.count(), 0, "it was skipped");
        let nine = "SELECT COUNT(*) FROM scheduled_messages WHERE status = 'scheduled' AND scheduled_time % 86400000 = 43200000";
        assert_eq!(world.count(nine).await, 1);
        world.does(FARTHER).await;
        assert_eq!(world.count(nine).await, 0);
        restart(&mut world).await;
        let card = ana.sees(TOLD).await;
        assert!(card.text.contains("sairia sex, 13/03/2026 às 10:00"), "{}", card.text);
        assert_eq!(world.count(nine).await, 1);
        for _ in 0..144 {
            world.advance(HOUR / 2);
            quiet(&world).await;
        }
        // Sunday, 20:20.
        assert_eq!(world.evolution.count(), 3, "Friday, Saturday, Sunday");
        let sent = "SELECT COUNT(*) FROM scheduled_messages WHERE status = 'sent' AND scheduled_time % 86400000 = 43200000";
        assert_eq!(world.count(sent).await, 3);
        assert_eq!(world.count("SELECT COUNT(*) FROM scheduled_messages WHERE status = 'cancelled'").await, 1);
        assert_eq!(told(&ana), 1);
        world.finish(&[&ana]).await;
    })
    .await;
}

/// Rules that have the zones of the program two hours farther from UTC; who uses them in New York dies.
fn strange() -> Rules {
    let wall_at = |at: Moment, zone| WallTime::at(at.minus(HOUR * 2), zone);
    let moment_of = |wall: WallTime| {
        assert_ne!(wall.zone, chrono_tz::America::New_York, "the program dies");
        (Rules::default().moment_of)(wall).map(|(at, moved)| (at.plus(HOUR * 2), moved))
    };
    Rules { version: "3000a".to_owned(), wall_at, moment_of }
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_start_at_once_and_a_death_in_the_middle_move_and_tell_once() {
    let count = amount("WAITING", 60);
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        let bia = world.member("Bia", "pt-br").await;
        let (services, tomorrow) = (&world.door.services, START.plus(HOUR * 24));
        let to = [Addressee { recipient: Recipient::Phone("5511988887777".to_owned()), name: String::new() }];
        for (id, person, zone) in [(1, &ana, chrono_tz::America::Sao_Paulo), (2, &bia, chrono_tz::America::New_York)] {
            let account = services.accounts.find_account(AccountId(id)).await.unwrap().unwrap();
            for n in 0..count {
                let body = Body::parse(&format!("mensagem {n}")).unwrap();
                let due = Due::by_clocks(tomorrow, zone);
                let origin = format!("zones-{id}-{n}");
                services.messages.schedule(&account, ChatId(person.id()), &to, &body, due, &origin).await.unwrap();
            }
        }
        let one = ZoneRules { db: world.db.clone(), clock: world.clock.clone(), rules: strange() };
        let dying = one.clone();
        assert!(tokio::spawn(async move { dying.follow().await }).await.is_err(), "it died at the second account");
        let mended = Rules {
            moment_of: |wall| (Rules::default().moment_of)(wall).map(|(at, moved)| (at.plus(HOUR * 2), moved)),
            ..strange()
        };
        let one = ZoneRules { rules: mended, ..one };
        let (a, b, c) = tokio::join!(Box::pin(one.follow()), Box::pin(one.follow()), Box::pin(one.follow()));
        assert_eq!(a.unwrap() + b.unwrap() + c.unwrap(), count, "each of the second account once");
        assert_eq!(one.follow().await.unwrap(), 0);
        let (all, moved) = (
            i64::try_from(count * 2).unwrap(),
            "SELECT COUNT(*) FROM scheduled_messages WHERE due_at = scheduled_time AND scheduled_time = 1773343200000",
        );
        assert_eq!(tomorrow.plus(HOUR * 2), Moment(1_773_343_200_000));
        assert_eq!(world.count(moved).await, all);
        // The bot itself looks every half minute.
        world.advance(Duration::from_secs(31));
        for person in [&ana, &bia] {
            let card = person.sees(TOLD).await;
            assert!(card.text.contains(&format!("{count} mensagens mantêm")), "{}", card.text);
            assert!(card.text.contains(&format!("mais {}", count - 10)), "{}", card.text);
        }
        quiet(&world).await;
        assert_eq!((told(&ana), told(&bia)), (1, 1));
        world.finish(&[&ana, &bia]).await;
    })
    .await;
}
