//! Takes the measurements in turn and prints them beside their goals.

use std::path::Path;

use crate::{AT_ONCE, Figures, SLOWLY_AT_ONCE, measure, number, peers, program};

/// The table as it grows: what, figure, ratio, goal, and whether that is met.
#[derive(Default)]
struct Table {
    rows: Vec<[String; 4]>,
    missed: Vec<String>,
}

#[derive(Clone, Copy)]
enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

impl Table {
    fn note(&mut self, what: &str, figure: String) {
        self.rows.push([what.to_owned(), figure, String::new(), String::new()]);
    }

    fn held(&mut self, what: &str, figure: String, value: f64, goal: Goal) {
        let (met, word, bound) = match goal {
            Goal::AtLeast(bound) => (value >= bound, ">=", bound),
            Goal::AtMost(bound) => (value <= bound, "<=", bound),
        };
        if !met {
            self.missed.push(what.to_owned());
        }
        let mark = if met { "met" } else { "MISSED" };
        self.rows.push([what.to_owned(), figure, format!("{value:.2}"), format!("{word} {bound} {mark}")]);
    }

    fn print(&self) {
        let widths: Vec<usize> =
            (0..4).map(|column| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)).collect();
        for row in &self.rows {
            let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            println!("| {} |", cells.join(" | "));
        }
        if self.missed.is_empty() {
            println!("\nEvery goal is met.");
        } else {
            println!("\nMissed: {}", self.missed.join("; "));
        }
    }
}

/// The median of each figure.
fn medians(runs: &[Figures]) -> Figures {
    let mut medians = Figures::new();
    for name in runs.first().into_iter().flat_map(Figures::keys) {
        let mut values: Vec<f64> = runs.iter().filter_map(|run| run.get(name).copied()).collect();
        values.sort_by(f64::total_cmp);
        medians.insert(name.clone(), values[values.len() / 2]);
    }
    medians
}

/// Takes each of these measurements in turn, as often as there are runs: what disturbs one disturbs the others.
fn in_turn(measurements: &[(String, &dyn Fn() -> Figures)]) -> Vec<Figures> {
    let mut all = vec![Vec::new(); measurements.len()];
    for run in 1..=number("BENCH_RUNS", 3) {
        for ((name, measure), all) in measurements.iter().zip(&mut all) {
            let figures = measure();
            eprintln!(
                "run {run}, {name}: {}",
                figures.iter().map(|(name, value)| format!("{name} {value:.2}")).collect::<Vec<_>>().join(", ")
            );
            all.push(figures);
        }
    }
    all.iter().map(|runs| medians(runs)).collect()
}

fn wants(part: &str) -> bool {
    std::env::var("BENCH_ONLY").map_or(true, |only| only.split(',').any(|one| one == part))
}

pub fn run() {
    let peers = peers::build();
    let mut stores = vec![("SQLite", "sqlite".to_owned())];
    if let Ok(url) = std::env::var("BENCH_DATABASE_URL") {
        stores.push(("PostgreSQL", url));
    }
    let mut table = Table::default();
    table.rows.push(["what".into(), "figure".into(), "ratio".into(), "goal".into()]);
    if wants("burst") {
        burst(&mut table, &stores, peers.as_deref());
    }
    for (name, store) in &stores {
        if wants("slow") {
            slow(&mut table, name, store);
        }
        if wants("lateness") {
            lateness(&mut table, name, store, peers.as_deref());
        }
        if wants("beside") {
            beside(&mut table, name, store);
        }
        if wants("program") {
            whole(&mut table, name, store);
        }
    }
    if wants("updates") {
        updates(&mut table, &stores);
    }
    table.print();
}

fn burst(table: &mut Table, stores: &[(&str, String)], peers: Option<&Path>) {
    let bare = || measure(0, &["bare"]);
    let capacity = || measure(0, &["capacity"]);
    let mut names: Vec<(String, String, Option<&str>)> = Vec::new();
    for (engine, store) in stores {
        if peers.is_some() && *engine == "PostgreSQL" {
            names.push(("graphile_worker, storing no outcome".into(), store.clone(), Some("graphile")));
            names.push(("graphile_worker, storing what ours does".into(), store.clone(), Some("graphile-whole")));
            names.push(("apalis on PostgreSQL".into(), store.clone(), Some("apalis-postgres")));
        }
        if peers.is_some() && *engine == "SQLite" {
            names.push(("apalis on SQLite".into(), store.clone(), Some("apalis-sqlite")));
        }
        names.push((format!("ours on {engine}"), store.clone(), None));
    }
    let runs: Vec<Box<dyn Fn() -> Figures>> = names
        .iter()
        .map(|(_, store, peer)| -> Box<dyn Fn() -> Figures> {
            match (peer, peers) {
                (Some(peer), Some(program)) => Box::new(move || peers::measure(program, peer, "burst", store)),
                _ => Box::new(move || measure(0, &["burst", store])),
            }
        })
        .collect();
    let mut list: Vec<(String, &dyn Fn() -> Figures)> =
        vec![("the server's limit".to_owned(), &capacity), ("bare loop".to_owned(), &bare)];
    list.extend(names.iter().zip(&runs).map(|((name, ..), run)| (format!("{name}, burst"), &**run)));
    let found = in_turn(&list);
    let (capacity, bare) = (found[0]["per_second"], found[1]["per_second"]);
    table.held("the server's limit, against the bare loop", rate(capacity), capacity / bare, Goal::AtLeast(3.0));
    table.note(
        &format!("bare loop of reqwest, {AT_ONCE} at once"),
        format!("{}, CPU {:.0} us each", rate(bare), found[1]["cpu_us"]),
    );
    let of = |peer| names.iter().position(|name| name.2 == Some(peer)).map(|at| found[at + 2]["per_second"]);
    let (graphile, whole) = (of("graphile"), of("graphile-whole"));
    for ((name, _, peer), figures) in names.iter().zip(&found[2..]) {
        let speed = figures["per_second"];
        let told =
            format!("{}, CPU {:.0} us each, peak {:.0} MiB", rate(speed), figures["cpu_us"], figures["peak_mib"]);
        if peer.is_some() {
            table.note(&format!("{name}: all due at once"), told);
            continue;
        }
        table.held(&format!("{name}: all due at once, against the bare loop"), told, speed / bare, Goal::AtLeast(0.4));
        let goal = Goal::AtLeast(if name.ends_with("SQLite") { 1.5 } else { 1.2 });
        for (theirs, what) in [(graphile, "that stores no outcome"), (whole, "that stores what ours does")] {
            if let Some(theirs) = theirs {
                table.held(&format!("{name}: against graphile_worker {what}"), rate(speed), speed / theirs, goal);
            }
        }
    }
}

fn slow(table: &mut Table, name: &str, store: &str) {
    let slow = &in_turn(&[(format!("{name}, 20 ms"), &|| measure(20, &["slow", store]))])[0];
    let bound = f64::from(u32::try_from(SLOWLY_AT_ONCE).unwrap()) / 0.020;
    let told = format!("{}, {:.0} at once", rate(slow["per_second"]), slow["at_once"]);
    table.held(
        &format!("ours on {name}: the server takes 20 ms, of 64 / 20 ms"),
        told,
        slow["per_second"] / bound,
        Goal::AtLeast(0.85),
    );
}

fn lateness(table: &mut Table, name: &str, store: &str, peers: Option<&Path>) {
    if let (Some(program), "PostgreSQL") = (peers, name) {
        let late = &in_turn(&[("graphile_worker, lateness".to_owned(), &|| {
            peers::measure(program, "graphile", "lateness", store)
        })])[0];
        table.note("graphile_worker: lateness at 100 a second", spread(late));
    }
    let late = &in_turn(&[(format!("{name}, lateness"), &|| measure(0, &["lateness", store]))])[0];
    table.held(
        &format!("ours on {name}: lateness at 100 a second, p50 ms"),
        spread(late),
        late["p50"],
        Goal::AtMost(2.0),
    );
    table.held(
        &format!("ours on {name}: lateness at 100 a second, p99 ms"),
        String::new(),
        late["p99"],
        Goal::AtMost(10.0),
    );
}

fn beside(table: &mut Table, name: &str, store: &str) {
    let found = in_turn(&[
        (format!("{name}, burst"), &|| measure(0, &["burst", store])),
        (format!("{name}, burst beside 1,000,000"), &|| measure(0, &["beside-burst", store])),
        (format!("{name}, lateness"), &|| measure(0, &["lateness", store])),
        (format!("{name}, lateness beside 1,000,000"), &|| measure(0, &["beside-lateness", store])),
    ]);
    let (with, without) = (found[1]["per_second"], found[0]["per_second"]);
    table.held(
        &format!("ours on {name}: 1,000,000 beside, throughput"),
        rate(with),
        with / without,
        Goal::AtLeast(0.9),
    );
    for which in ["p50", "p99"] {
        let told = format!("{:.1} ms, without {:.1} ms", found[3][which], found[2][which]);
        let ratio = found[3][which] / found[2][which];
        table.held(&format!("ours on {name}: 1,000,000 beside, lateness {which}"), told, ratio, Goal::AtMost(1.1));
    }
}

fn whole(table: &mut Table, name: &str, store: &str) {
    let found = in_turn(&[
        (format!("{name}, 20,000 in the whole program"), &|| program::memory(store)),
        (format!("{name}, start after a kill"), &|| program::start(store)),
        (format!("{name}, idle"), &|| program::idle(store)),
    ]);
    let (memory, start, idle) = (&found[0], &found[1], &found[2]);
    table.held(
        &format!("program on {name}: peak MiB while it sends 20,000"),
        rate(memory["per_second"]),
        memory["peak_mib"],
        Goal::AtMost(60.0),
    );
    table.held(
        &format!("program on {name}: start to first send after SIGKILL, 100,000 waiting, ms"),
        format!("longest of five {:.0} ms", start["most_ms"]),
        start["median_ms"],
        Goal::AtMost(1000.0),
    );
    table.held(
        &format!("program on {name}: idle beside 100,000 waiting, % of a core"),
        format!("{:.1} wake-ups a second", idle["wakeups"]),
        idle["percent"],
        Goal::AtMost(0.5),
    );
    table.held(
        &format!("program on {name}: the same, MiB"),
        format!("peak {:.0} MiB", idle["peak_mib"]),
        idle["mib"],
        Goal::AtMost(40.0),
    );
}

fn updates(table: &mut Table, stores: &[(&str, String)]) {
    let ours: Vec<Box<dyn Fn() -> Figures>> = stores
        .iter()
        .map(|(_, store)| -> Box<dyn Fn() -> Figures> { Box::new(move || program::updates(Some(store))) })
        .collect();
    let echo = || program::updates(None);
    let mut list: Vec<(String, &dyn Fn() -> Figures)> = vec![("teloxide echo, updates".to_owned(), &echo)];
    list.extend(stores.iter().zip(&ours).map(|((name, _), run)| (format!("{name}, updates"), &**run)));
    let found = in_turn(&list);
    let told = |figures: &Figures| {
        format!(
            "{}, CPU {:.0} us each, peak {:.0} MiB",
            rate(figures["per_second"]),
            figures["cpu_us"],
            figures["peak_mib"]
        )
    };
    let bare = &found[0];
    table.note("bare teloxide echo bot: updates", told(bare));
    table.note("bare teloxide echo bot: at 500 a second", spread(bare));
    for ((name, _), figures) in stores.iter().zip(&found[1..]) {
        let ratio = figures["per_second"] / bare["per_second"];
        let what = format!("program on {name}: updates, against the echo bot");
        // The goal is for SQLite.
        if *name == "SQLite" {
            table.held(&what, told(figures), ratio, Goal::AtLeast(0.15));
        } else {
            table.note(&what, format!("{}, ratio {ratio:.2}", told(figures)));
        }
        let what = format!("program on {name}: updates at 500 a second, p99 ms");
        table.held(&what, spread(figures), figures["p99"], Goal::AtMost(60.0));
    }
}

fn spread(figures: &Figures) -> String {
    format!("p50 {:.1}, p99 {:.1}, max {:.1} ms", figures["p50"], figures["p99"], figures["max"])
}

fn rate(per_second: f64) -> String {
    let whole = format!("{per_second:.0}");
    let split = whole.len().saturating_sub(3);
    if split == 0 { format!("{whole}/s") } else { format!("{},{}/s", &whole[..split], &whole[split..]) }
}
