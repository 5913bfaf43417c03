//! What holds when the machine's clock is set: by hand, by a time server, or because the machine slept.

use std::path::Path;
use std::time::Duration;

use schedulezap::domain::clock::{Clock, Moment};
use schedulezap::sandbox::telegram::Person;

use crate::harness::{START, World, skipped, within};
use crate::machine::{ready, until_ready};
use crate::real::Real;

const HOURS: Duration = Duration::from_secs(7200);

/// A bot whose Telegram has a clock of its own, and a person who administers it.
async fn world() -> (World, Person, Clock) {
    let world = World::start_with(Clock::manual(START), |config| config.send_gap = Duration::ZERO).await;
    let truth = Clock::manual(START);
    world.telegram.set_clock(truth.clone());
    let ana = world.member("Ana", "pt-br").await;
    world.with_instance(&ana).await;
    world.handled().await;
    // The chat may be spoken to at length again.
    pass(&world, &truth, Duration::from_secs(60));
    (world, ana, truth)
}

/// Both clocks go on.
fn pass(world: &World, truth: &Clock, by: Duration) {
    truth.advance(by);
    world.advance(by);
}

async fn schedule(person: &Person, when: &str, text: &str) {
    person.says(&format!("{when} para 11 98888-7777: {text}"));
    person.sees_one(|m| m.text.contains(text) && m.text.contains("Confira")).await;
    person.taps("Confirmar").unwrap();
    person.sees_one(|m| m.text.contains(text) && m.text.contains("Agendada")).await;
}

/// Lets time pass until the bot has said this.
async fn says(world: &World, truth: &Clock, person: &Person, text: &str) {
    while !person.chat().iter().any(|m| m.from_bot && m.text.contains(text)) {
        pass(world, truth, Duration::from_secs(1));
        world.breath().await;
    }
}

/// Lets time pass, second by second, until so many messages were delivered.
async fn until_delivered(world: &World, truth: &Clock, count: usize) {
    while world.evolution.count() < count {
        pass(world, truth, Duration::from_secs(1));
        world.breath().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_ahead_sends_nothing_until_it_is_right_again() {
    within(async {
        let (world, ana, truth) = world().await;
        schedule(&ana, "em 1 hora", "na hora certa").await;
        until_ready(&world, &[]).await;
        world.clock.set(world.clock.now().plus(HOURS));
        says(&world, &truth, &ana, "adiantado").await;
        let chat = ana.chat();
        let told = chat.iter().rev().find(|m| m.text.contains("adiantado")).unwrap();
        assert!(told.text.contains("2 h"), "{}", told.text);
        assert!(ready(&world).await.1.contains(&"clock".to_owned()));
        for _ in 0..20 {
            pass(&world, &truth, Duration::from_secs(30));
            world.breath().await;
        }
        assert_eq!(world.evolution.count(), 0);
        assert_eq!(world.count("SELECT COUNT(*) FROM scheduled_messages WHERE status = 'scheduled'").await, 1);
        world.clock.set(truth.now());
        says(&world, &truth, &ana, "certo de novo").await;
        assert_eq!(world.evolution.count(), 0, "its hour has not come");
        let left = START.plus(Duration::from_secs(3600 - 1)).since(truth.now());
        pass(&world, &truth, left);
        until_delivered(&world, &truth, 1).await;
        assert!(truth.now().since(START) >= Duration::from_secs(3600));
        says(&world, &truth, &ana, "Enviada para").await;
        assert_eq!(world.evolution.count(), 1);
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_starts_with_its_clock_ahead_sends_nothing_until_it_is_right() {
    within(async {
        let (mut world, ana, truth) = world().await;
        schedule(&ana, "em 10 minutos", "na hora certa").await;
        world.end().await;
        // Past its moment, and within the grace.
        world.clock.set(world.clock.now().plus(Duration::from_secs(900)));
        world.restart().await;
        says(&world, &truth, &ana, "adiantado").await;
        for _ in 0..10 {
            pass(&world, &truth, Duration::from_secs(5));
            world.breath().await;
        }
        assert_eq!(world.evolution.count(), 0);
        world.clock.set(truth.now());
        until_delivered(&world, &truth, 1).await;
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_slept_sends_what_is_in_its_grace_and_asks_about_the_rest() {
    within(async {
        let (world, ana, truth) = world().await;
        schedule(&ana, "em 2 horas", "na graça.").await;
        schedule(&ana, "em 30 minutos", "bem antes.").await;
        schedule(&ana, "em 40 minutos", "também antes.").await;
        truth.set(START.plus(HOURS).plus(Duration::from_secs(600)));
        world.clock.set(truth.now());
        says(&world, &truth, &ana, "Enviada para").await;
        says(&world, &truth, &ana, "também antes.").await;
        until_ready(&world, &[]).await;
        assert_eq!(world.evolution.delivered().iter().map(|one| one.text.as_str()).collect::<Vec<_>>(), ["na graça."]);
        assert!(ana.chat().iter().any(|m| m.text.contains("de atraso") && m.text.contains("na graça")));
        let late = "SELECT COUNT(*) FROM scheduled_messages WHERE status = 'late'";
        assert_eq!(world.count(late).await, 2);
        world.handled().await;
        world.said().await;
        let cards =
            ana.chat().iter().filter(|m| m.text.contains("bem antes.") && m.text.contains("também antes.")).count();
        assert_eq!(cards, 1, "one card for all of them");
        assert!(!ana.chat().iter().any(|m| m.text.contains("adiantado")));
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_sends_nothing_twice_and_delays_nothing() {
    within(async {
        let (world, ana, truth) = world().await;
        schedule(&ana, "em 10 minutos", "antes.").await;
        pass(&world, &truth, Duration::from_secs(601));
        world.evolution.wait_for(1).await;
        says(&world, &truth, &ana, "Enviada para").await;
        // A server that was away closed the number for some minutes of a clock that was wrong.
        world.evolution.set_faults(schedulezap::sandbox::evolution::Faults { down: true, ..Default::default() });
        let ahead = world.clock.now();
        world.clock.set(ahead.minus(HOURS));
        truth.set(world.clock.now());
        world.evolution.set_faults(schedulezap::sandbox::evolution::Faults::default());
        pass(&world, &truth, Duration::from_secs(60));
        schedule(&ana, "em 10 minutos", "depois.").await;
        let due = world.clock.now().plus(Duration::from_secs(600));
        until_ready(&world, &[]).await;
        pass(&world, &truth, due.minus(Duration::from_secs(1)).since(world.clock.now()));
        for _ in 0..20 {
            world.breath().await;
        }
        assert_eq!(world.evolution.count(), 1, "its moment has not come");
        // At its very moment it leaves: nothing has to pass any more.
        pass(&world, &truth, due.since(world.clock.now()));
        world.evolution.wait_for(2).await;
        assert_eq!(world.evolution.delivered()[1].at, due.0);
        world.handled().await;
        world.said().await;
        assert_eq!(world.evolution.count(), 2);
        // A long poll does not know how far the clock went; what is said ends it.
        ana.says("/ajuda");
        ana.sees("Como usar").await;
        until_ready(&world, &[]).await;
        world.finish(&[&ana]).await;
    })
    .await;
}

/// A process whose wall clock follows a file, as `faketime` gives it.
struct Faked {
    file: std::path::PathBuf,
}

impl Faked {
    fn new(real: &mut Real) -> Option<Self> {
        let library = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"]
            .map(|lib| format!("{lib}/faketime/libfaketimeMT.so.1"))
            .into_iter()
            .find(|lib| Path::new(lib).exists());
        let Some(library) = library else {
            skipped("faketime is not installed");
            return None;
        };
        let file = real.file("time");
        real.settings.push(("LD_PRELOAD", library));
        real.settings.push(("FAKETIME_TIMESTAMP_FILE", file.display().to_string()));
        real.settings.push(("FAKETIME_NO_CACHE", "1".to_owned()));
        real.settings.push(("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()));
        let faked = Self { file };
        faked.set(0);
        Some(faked)
    }

    fn set(&self, seconds: i64) {
        let new = self.file.with_extension("new");
        std::fs::write(&new, format!("{seconds:+}\n")).unwrap();
        std::fs::rename(new, &self.file).unwrap();
    }
}

async fn until(real: &Real, so: impl Fn() -> bool) {
    while !so() {
        let seen = real.telegram.revision();
        let _ = tokio::time::timeout(Duration::from_millis(200), real.telegram.changed_after(seen)).await;
    }
}

/// The real binary under `faketime`: two hours ahead and back, and two hours back and forth.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs faketime, and a minute"]
async fn the_real_program_under_a_clock_that_is_set() {
    let mut real = Real::new(4).await;
    let Some(time) = Faked::new(&mut real) else { return };
    let db = real.database().await;
    let admin: Result<(), schedulezap::storage::StorageError> = db
        .write(|conn| Box::pin(async move { conn.execute("UPDATE users SET role = 'admin' WHERE id = 1").await }))
        .await;
    admin.unwrap();
    db.close().await;
    let now = Clock::System.now();
    let soon = now.plus(Duration::from_secs(12));
    // Forty in an hour, which the jump passes; forty in a few seconds.
    real.schedule(40, now.plus(Duration::from_secs(3600))).await;
    real.schedule_as("soon", 40, soon).await;
    let process = real.start();
    real.people[0].sees_one(|_| true).await;
    time.set(7200);
    let admin = real.people[0].clone();
    let told = |text: &str| admin.chat().iter().any(|m| m.from_bot && m.text.contains(text));
    until(&real, || told("adiantado")).await;
    Clock::System.sleep(soon.plus(Duration::from_secs(3)).since(Clock::System.now())).await;
    assert_eq!(real.evolution.count(), 0, "nothing leaves by a clock that is ahead");
    time.set(0);
    until(&real, || told("certo de novo")).await;
    real.evolution.wait_for(40).await;
    // Back: what is due by the clock goes by it, at once and once.
    time.set(-7200);
    until(&real, || told("atrasado em relação")).await;
    let due = Moment(Clock::System.now().0 - 7_200_000).plus(Duration::from_secs(2));
    real.schedule_as("back", 40, due).await;
    real.people[0].says("/menu");
    let begun = Clock::System.now();
    real.evolution.wait_for(80).await;
    println!("{:?} after it was written down, due in 2 s", Clock::System.now().since(begun));
    time.set(0);
    Clock::System.sleep(Duration::from_secs(5)).await;
    assert_eq!(real.evolution.count(), 80);
    let statuses = real.statuses().await;
    assert_eq!(statuses, [("scheduled".to_owned(), 40), ("sent".to_owned(), 80)]);
    assert!(process.ask_to_end("TERM").success());
}
