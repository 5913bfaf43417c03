//! How fast replies are read: every expression of the corpora, the same for other readers, and texts made to be slow.

use std::time::Instant;

use chrono::{DateTime, TimeZone as _};
use chrono_tz::Tz;
use schedulezap::domain::language::Language;
use schedulezap::when::read;

const CORPORA: [&str; 4] = [
    include_str!("../tests/when/corpus/pt.jsonl"),
    include_str!("../tests/when/corpus/en.jsonl"),
    include_str!("../tests/when/corpus/es.jsonl"),
    include_str!("../tests/when/corpus/chat.jsonl"),
];

/// Texts that repeat what keeps the grammar busiest.
const WORST: [&str; 8] = ["amanhã ", "1/1/", "e 1 e ", "next ", "9h30 e ", "de 6 em 6 ", "(11) 9 ", "tomorow"];

fn main() {
    report();
    divan::main();
}

fn now() -> DateTime<Tz> {
    chrono_tz::America::Sao_Paulo
        .with_ymd_and_hms(2026, 3, 11, 14, 20, 0)
        .single()
        .unwrap_or_else(|| unreachable!("no clock changes then"))
}

/// The expressions of the corpora with their languages.
fn expressions() -> Vec<(Language, String)> {
    let line = |line: &str| {
        let case: serde_json::Value = serde_json::from_str(line).ok()?;
        let text = case["expr"].as_str().or(case["text"].as_str())?;
        Some((Language::from_tag(case["lang"].as_str()?)?, text.to_owned()))
    };
    CORPORA.iter().flat_map(|corpus| corpus.lines()).filter_map(line).collect()
}

/// The median time of one call, in microseconds.
fn median(cases: &[(Language, String)], mut call: impl FnMut(Language, &str)) -> f64 {
    let mut times: Vec<f64> = cases
        .iter()
        .map(|(language, text)| {
            // The best of three leaves the machine's other work out.
            (0..3)
                .map(|_| {
                    let start = Instant::now();
                    call(*language, text);
                    start.elapsed().as_secs_f64() * 1e6
                })
                .fold(f64::INFINITY, f64::min)
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Prints the median per expression beside other readers, and the growth with length.
#[expect(clippy::print_stdout, reason = "a benchmark reports to whoever runs it")]
fn report() {
    let mut cases = expressions();
    let now = now();
    let ours = median(&cases, |language, text| {
        divan::black_box(read(text, now, language));
    });
    println!("median per expression, {} expressions: ours {ours:.2} us", cases.len());
    // The others read English only, and two of them panic on some texts: those calls count with the time they took.
    std::panic::set_hook(Box::new(|_| {}));
    cases.retain(|(language, text)| *language == Language::English && text.is_ascii());
    let ours = median(&cases, |language, text| {
        divan::black_box(read(text, now, language));
    });
    println!("English alone, {} expressions: ours {ours:.2} us", cases.len());
    let chrono_english = median(&cases, |_, text| {
        let _ = std::panic::catch_unwind(|| {
            divan::black_box(chrono_english::parse_date_string(text, now, chrono_english::Dialect::Us).is_ok())
        });
    });
    let interim = median(&cases, |_, text| {
        let _ = std::panic::catch_unwind(|| {
            divan::black_box(interim::parse_date_string(text, now, interim::Dialect::Us).is_ok())
        });
    });
    let two_timer = median(&cases, |_, text| {
        let _ = std::panic::catch_unwind(|| divan::black_box(two_timer::parse(text, None).is_ok()));
    });
    let others = [("chrono-english", chrono_english), ("interim", interim), ("two_timer", two_timer)];
    drop(std::panic::take_hook());
    for (name, theirs) in others {
        println!("  {name}: {theirs:.2} us; ours takes {:.2} times as long", ours / theirs.max(0.001));
    }
    for piece in WORST {
        let times: Vec<String> = [1024, 2048, 4096]
            .iter()
            .map(|length| {
                let text: String = piece.chars().cycle().take(*length).collect();
                let time = median(&[(Language::Portuguese, text)], |language, text| {
                    divan::black_box(read(text, now, language));
                });
                format!("{length} characters {time:.0} us")
            })
            .collect();
        println!("  {piece:?} over and over: {}", times.join(", "));
    }
}

#[divan::bench(args = ["amanhã às 9h", "sexta q vem 18:30", "every weekday at 8", "el lunes por la tarde"])]
fn reply(text: &str) {
    divan::black_box(read(text, now(), Language::Portuguese));
}

#[divan::bench(args = [1024, 2048, 4096])]
fn long_text(bencher: divan::Bencher, length: usize) {
    let text: String = "amanhã 9h e meia, ".chars().cycle().take(length).collect();
    bencher.bench_local(|| divan::black_box(read(&text, now(), Language::Portuguese)));
}
