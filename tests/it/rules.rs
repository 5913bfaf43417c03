//! Rules that the compiler does not hold: the direction of the layers, the languages, the two schemas.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What each layer may use of the others; `app`, `config`, `main` and `sandbox::demo` stand above them all.
const LAYERS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("when", &["domain"]),
    ("storage", &["domain"]),
    ("evolution", &["domain"]),
    ("services", &["domain", "when", "storage", "evolution"]),
    ("scheduler", &["domain", "storage", "evolution", "services"]),
    ("locale", &["domain", "telegram"]),
    ("telegram", &["domain", "when", "locale", "storage", "services", "evolution"]),
    ("http", &["domain", "storage", "services"]),
];

fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn each_layer_uses_only_what_stands_below_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (layer, allowed) in LAYERS {
        for file in sources(&src.join(layer)) {
            let text = fs::read_to_string(&file).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for line in code.lines() {
                for (at, _) in line.match_indices("crate::") {
                    let name: String =
                        line[at + 7..].chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
                    let known = LAYERS.iter().any(|(other, _)| *other == name);
                    let fine = !known || name == *layer || allowed.contains(&name.as_str());
                    assert!(fine || file.ends_with("tests.rs"), "{} uses {name}: {line}", file.display());
                }
            }
        }
    }
}

fn keys(language: &str) -> BTreeSet<(String, BTreeSet<String>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("locales").join(language).join("bot.ftl");
    let text = fs::read_to_string(path).unwrap();
    let mut found: Vec<(String, BTreeSet<String>)> = Vec::new();
    for line in text.lines() {
        if let Some((key, _)) = line.split_once(" =").filter(|(key, _)| !key.starts_with([' ', '#', '}', '['])) {
            found.push((key.to_owned(), BTreeSet::new()));
        }
        if let Some((_, variables)) = found.last_mut() {
            for (at, _) in line.match_indices('$') {
                variables.insert(line[at + 1..].chars().take_while(char::is_ascii_alphanumeric).collect());
            }
        }
    }
    found.into_iter().collect()
}

#[test]
fn every_language_has_every_text_with_the_same_values() {
    let portuguese = keys("pt-BR");
    assert!(portuguese.len() > 200);
    for language in ["en", "es"] {
        let other = keys(language);
        let difference: Vec<_> = portuguese.symmetric_difference(&other).collect();
        assert!(difference.is_empty(), "{language}: {difference:?}");
    }
}

fn tables(engine: &str) -> BTreeSet<(String, Vec<String>)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(engine);
    let mut files: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut found = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(file).unwrap();
        for part in text.replace("UNLOGGED ", "").split("CREATE TABLE ").skip(1) {
            let (name, rest) = part.split_once(" (").unwrap();
            let (columns, _) = rest.split_once("\n)").unwrap();
            let columns =
                columns.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
            found.insert((name.to_owned(), columns));
        }
        for part in text.split("ALTER TABLE ").skip(1) {
            let words: Vec<_> = part.split_whitespace().take(4).map(str::to_owned).collect();
            if words[1] == "ADD" {
                found.insert((words[0].clone(), words[1..].to_vec()));
            }
        }
    }
    found
}

#[test]
fn both_engines_have_the_same_tables_and_columns() {
    assert!(tables("sqlite").len() > 10);
    assert_eq!(tables("sqlite"), tables("postgres"));
}
