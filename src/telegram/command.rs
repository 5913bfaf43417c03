//! Commands: every one works in every language; the menu shows those of the reader's.

use super::super::domain::language::Language;
use crate::locale::plain;

/// A command of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// `/start`, `/menu`
    Home,
    /// `/agendar`
    Schedule,
    /// `/mensagens`
    Messages,
    /// `/instancias`
    Instances,
    /// `/conta`
    Account,
    /// `/convidar`
    Invite,
    /// `/ajuda`
    Help,
    /// `/cancelar`
    Cancel,
}

/// The words of each command in Portuguese, English and Spanish (PRODUCT.md section 13).
const WORDS: &[(Command, [&str; 3])] = &[
    (Command::Home, ["menu", "menu", "menu"]),
    (Command::Schedule, ["agendar", "schedule", "programar"]),
    (Command::Messages, ["mensagens", "messages", "mensajes"]),
    (Command::Instances, ["instancias", "instances", "instancias"]),
    (Command::Account, ["conta", "account", "cuenta"]),
    (Command::Invite, ["convidar", "invite", "invitar"]),
    (Command::Help, ["ajuda", "help", "ayuda"]),
    (Command::Cancel, ["cancelar", "cancel", "cancelar"]),
];

impl Command {
    /// Reads a command's name, in any language.
    pub fn read(name: &str) -> Option<Self> {
        if name == "start" || name == "settings" {
            return Some(if name == "start" { Self::Home } else { Self::Account });
        }
        WORDS.iter().find(|(_, words)| words.contains(&name)).map(|(command, _)| *command)
    }
}

/// The menu of a language: command and what it does.
pub fn menu(language: Language) -> Vec<(String, String)> {
    let column = match language {
        Language::Portuguese => 0,
        Language::English => 1,
        Language::Spanish => 2,
    };
    WORDS
        .iter()
        .map(|(command, words)| {
            let does = match command {
                Command::Home => plain!(language, "command-home"),
                Command::Schedule => plain!(language, "command-schedule"),
                Command::Messages => plain!(language, "command-messages"),
                Command::Instances => plain!(language, "command-instances"),
                Command::Account => plain!(language, "command-account"),
                Command::Invite => plain!(language, "command-invite"),
                Command::Help => plain!(language, "command-help"),
                Command::Cancel => plain!(language, "command-cancel"),
            };
            (words[column].to_owned(), does)
        })
        .collect()
}
