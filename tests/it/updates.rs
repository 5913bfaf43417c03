//! What people said is handled once and in order, whatever Telegram or the machine does.

use std::time::{Duration, Instant};

use schedulezap::domain::clock::Clock;
use schedulezap::sandbox::telegram::Person;

use crate::harness::{PATIENCE, START, World, amount, within};
use crate::real::Real;

/// Schedules messages in one line each, and waits for each answer.
async fn in_one_line(person: Person, name: usize, count: usize) {
    for n in 0..count {
        let text = format!("u{name}-{n}.");
        person.says(&format!("amanhã 9h para 11 98888-7{name:03}: {text}"));
        person.sees_one(|m| m.text.contains(&text) && m.text.contains("Confira")).await;
        person.taps("Confirmar").unwrap();
        person.sees_one(|m| m.text.contains(&text) && m.text.contains("Agendada")).await;
    }
}

/// Schedules messages step by step, and says all answers at once.
async fn in_a_burst(person: Person, name: usize, count: usize) {
    for n in 0..count {
        let text = format!("u{name}-{n}.");
        for said in ["/agendar", &format!("11 98888-7{name:03}"), &text, "amanhã 9h"] {
            person.says(said);
        }
        person.sees_one(|m| m.text.contains(&text) && m.text.contains("Confira")).await;
        person.taps("Confirmar").unwrap();
        person.sees_one(|m| m.text.contains(&text) && m.text.contains("Agendada")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_people_talk_every_update_takes_effect_once() {
    let (kills, each) = (amount("KILLS", 4), amount("EACH", 3));
    let mut real = Real::new(6).await;
    real.settings.push(("QUOTA_UPDATES_PER_MIN", "0".to_owned()));
    let people: Vec<_> = real.people.iter().cloned().enumerate().collect();
    let begun = Instant::now();
    let talks: Vec<_> = people
        .iter()
        .cloned()
        .map(|(name, person)| {
            tokio::spawn(async move {
                if name % 2 == 0 { in_one_line(person, name, each).await } else { in_a_burst(person, name, each).await }
            })
        })
        .collect();
    for _ in 0..kills {
        // So many changes in the chats and calls after its start, it dies.
        let goal = real.telegram.revision() + rand::random_range(8..40);
        let process = real.start();
        while real.telegram.revision() < goal && talks.iter().any(|talk| !talk.is_finished()) {
            let seen = real.telegram.revision();
            let _ = tokio::time::timeout(Duration::from_secs(5), real.telegram.changed_after(seen)).await;
        }
        process.kill();
    }
    let process = real.start();
    for talk in talks {
        tokio::time::timeout(PATIENCE, talk).await.expect("an answer was lost").unwrap();
    }
    for (name, person) in &people {
        person.says("/mensagens");
        person.sees(&format!("Esperando: {each}")).await;
        let wrong: Vec<_> = person.chat().into_iter().filter(|m| m.from_bot && m.text.contains("errado")).collect();
        assert!(wrong.is_empty(), "{name}: {wrong:?}");
    }
    assert_eq!(real.statuses().await, [("scheduled".to_owned(), i64::try_from(6 * each).unwrap())]);
    // Said twice is only what was on its way when the process died: one thing in each chat at most.
    let cards =
        |text: &str| people.iter().flat_map(|(_, p)| p.chat()).filter(|m| m.from_bot && m.text.contains(text)).count();
    let repeated: usize = (0..6)
        .flat_map(|name| (0..each).map(move |n| format!("u{name}-{n}.")))
        .map(|text| cards(&text).saturating_sub(2))
        .sum();
    assert!(repeated <= kills * people.len(), "{repeated} cards were drawn more than once");
    assert!(process.ask_to_end("TERM").success());
    println!("{kills} kills, {} messages, {repeated} cards repeated, {:?}", 6 * each, begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_of_a_dialogue_it_goes_on_where_it_was() {
    within(async {
        let real = Real::new(1).await;
        let ana = &real.people[0];
        let mut process = real.start();
        for (said, asked) in [
            ("/agendar", "Para quem?"),
            ("11 98888-7777", "O que enviar?"),
            ("ainda aqui", "Quando?"),
            ("amanhã 9h", "Confira e confirme"),
        ] {
            ana.says(said);
            ana.sees(asked).await;
            process.kill();
            process = real.start();
        }
        ana.taps("Confirmar").unwrap();
        let card = ana.sees("Agendada").await;
        assert!(card.text.contains("ainda aqui") && card.text.contains("98888-7777"), "{}", card.text);
    })
    .await;
}

/// What a chat shows of the bot, without the numbers of messages, which depend on who came first.
fn shown(person: &Person) -> Vec<String> {
    let number = |word: &str| word.starts_with('#') && word[1..].bytes().all(|b| b.is_ascii_digit());
    let text = |text: &str| text.split(' ').filter(|word| !number(word.trim_end())).collect::<Vec<_>>().join(" ");
    person
        .chat()
        .iter()
        .filter(|m| m.from_bot)
        .map(|m| text(m.text.split_once('\n').map_or(&m.text, |(_, rest)| rest)))
        .collect()
}

/// People say all they have to say while the bot is away; it comes once and in order, or as an echo.
async fn talk(echoes: bool, people: usize, each: usize) -> (Vec<Vec<String>>, i64) {
    let mut world = World::start_with(Clock::manual(START), |config| config.quotas.updates_per_min = 0).await;
    let mut all = Vec::new();
    for n in 0..people {
        all.push(world.member(&format!("Pessoa{n}"), "pt-br").await);
    }
    world.handled().await;
    world.end().await;
    for (name, person) in all.iter().enumerate() {
        let card = person.chat().iter().rev().find(|m| m.from_bot).unwrap().id;
        for n in 0..each {
            person.says("/agendar");
            person.says(&format!("11 98888-7{name:03}"));
            person.says(&format!("texto {n}"));
            person.says("amanhã 9h");
            person.taps_data(card, "ok");
        }
        person.says("/mensagens");
    }
    world.telegram.set_echoes(echoes);
    world.restart().await;
    world.handled().await;
    world.said().await;
    let stored = world.count("SELECT COUNT(*) FROM scheduled_messages WHERE status = 'scheduled'").await;
    (all.iter().map(shown).collect(), stored)
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_that_come_thrice_and_out_of_order_end_as_if_they_had_come_once() {
    let (people, each) = (amount("PEOPLE", 4), amount("EACH", 6));
    let once = tokio::time::timeout(PATIENCE, talk(false, people, each)).await.unwrap();
    assert_eq!(usize::try_from(once.1).unwrap(), people * each);
    let echoed = tokio::time::timeout(PATIENCE, talk(true, people, each)).await.unwrap();
    assert_eq!(once, echoed);
}
