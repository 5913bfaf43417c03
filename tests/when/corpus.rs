//! The corpora of `corpus/`: right answers must not fall below their bars.

use serde_json::Value;

use schedulezap::when::answer_json;

/// The cases of a file, as they are written.
fn cases(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a JSON line"))
        .filter(|case: &Value| case["dup"].is_null())
        .collect()
}

fn answer(case: &Value) -> Value {
    let text = case["expr"].as_str().or(case["text"].as_str());
    let question = serde_json::json!({ "text": text, "lang": case["lang"], "reference": case["reference"] });
    serde_json::from_str(&answer_json(&question.to_string())).expect("an answer is JSON")
}

/// Whether a value is right: a date by its date, a clock time to the minute, seconds where they are said.
fn same(value: &str, want: &str, grain: &str) -> bool {
    let length = match grain {
        "second" => 19,
        "minute" | "hour" => 16,
        _ => 10,
    };
    value.get(..length).is_some_and(|v| Some(v) == want.get(..length))
}

fn right(case: &Value, answer: &Value) -> bool {
    let expect = &case["expect"];
    let value = answer["value"].as_str();
    let parsed = value.is_some() || answer["recurrence"].is_string();
    match expect["kind"].as_str() {
        None => !parsed,
        Some("question") => {
            let fits = |want: &Value| {
                value
                    .zip(want.as_str())
                    .is_some_and(|(v, w)| same(v, w, if w.contains('T') { "minute" } else { "day" }))
            };
            answer["ask"].is_string()
                || !parsed
                || expect["candidates"].as_array().is_some_and(|list| list.iter().any(fits))
        }
        Some("recurrence") => answer["recurrence"]
            .as_str()
            .is_some_and(|got| same_rule(got, expect["recurrence"].as_str().unwrap_or_default())),
        Some("interval") if expect["accept"].is_array() => value.is_some_and(|v| {
            let (from, to) = (expect["accept"][0].as_str(), expect["accept"][1].as_str());
            v.contains('T') && from.is_some_and(|from| from <= v) && to.is_some_and(|to| v < to)
        }),
        _ => {
            let grain = expect["grain"].as_str().unwrap_or("day");
            let others = expect["alt"].as_array().into_iter().flatten();
            std::iter::once(&expect["value"])
                .chain(others)
                .any(|want| value.zip(want.as_str()).is_some_and(|(v, w)| same(v, w, grain)))
        }
    }
}

/// Rules as sets of parts; a plain rule is right without a time.
fn same_rule(got: &str, want: &str) -> bool {
    let parts = |rule: &str| {
        let mut parts: Vec<String> = rule.split(';').filter(|p| !p.starts_with("COUNT")).map(str::to_owned).collect();
        parts.sort();
        parts
    };
    parts(got) == parts(want)
}

/// The share of right answers, in percent, and the first wrong ones.
fn score(cases: &[Value], language: &str) -> (f64, Vec<String>) {
    let mine: Vec<_> = cases.iter().filter(|c| c["lang"] == language).collect();
    let wrong: Vec<_> =
        mine.iter().filter(|c| !right(c, &answer(c))).map(|c| format!("{} => {}", c["expr"], answer(c))).collect();
    let share = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    (100.0 - 100.0 * share(wrong.len()) / share(mine.len().max(1)), wrong)
}

fn holds(file: &str, bars: [(&str, f64); 3]) {
    let cases = cases(file);
    for (language, bar) in bars {
        let (share, wrong) = score(&cases, language);
        assert!(share >= bar, "{language}: {share:.1} % right, {bar} wanted; wrong: {wrong:#?}");
    }
}

#[test]
fn main_in_portuguese() {
    holds(include_str!("corpus/pt.jsonl"), [("pt", 99.0), ("en", 0.0), ("es", 0.0)]);
}

#[test]
fn main_in_english() {
    holds(include_str!("corpus/en.jsonl"), [("pt", 0.0), ("en", 99.0), ("es", 0.0)]);
}

#[test]
fn main_in_spanish() {
    holds(include_str!("corpus/es.jsonl"), [("pt", 0.0), ("en", 0.0), ("es", 99.0)]);
}

#[test]
fn chat_replies() {
    holds(include_str!("corpus/chat.jsonl"), [("pt", 99.0), ("en", 99.0), ("es", 99.0)]);
}

#[test]
fn recurrences() {
    holds(include_str!("corpus/recurrence.jsonl"), [("pt", 95.0), ("en", 95.0), ("es", 95.0)]);
}

#[test]
fn texts_that_are_no_times() {
    holds(include_str!("corpus/negative.jsonl"), [("pt", 97.0), ("en", 97.0), ("es", 97.0)]);
}
