//! Every word a person reads, from `locales/`. Keys and arguments are checked by the compiler; values are
//! escaped for Telegram's HTML by `t!` and left as they are by `plain!`.

pub mod format;
pub mod rule;

use std::sync::LazyLock;

use i18n_embed::LanguageLoader;
use i18n_embed::fluent::{FluentLanguageLoader, fluent_language_loader};
use rust_embed::RustEmbed;

use crate::domain::language::Language;

#[derive(RustEmbed)]
#[folder = "locales"]
struct Texts;

static LOADERS: LazyLock<[FluentLanguageLoader; 3]> = LazyLock::new(|| Language::ALL.map(load));

fn load(language: Language) -> FluentLanguageLoader {
    let loader = fluent_language_loader!();
    let id = language.tag().parse().unwrap_or_else(|_| loader.fallback_language().clone());
    // The texts are part of the program; a test loads them all.
    if let Err(error) = loader.load_languages(&Texts, &[id]) {
        tracing::error!(error = %error, "a language could not be loaded");
    }
    loader.set_use_isolating(false);
    loader
}

/// The texts of a language.
pub fn loader(language: Language) -> &'static FluentLanguageLoader {
    match language {
        Language::Portuguese => &LOADERS[0],
        Language::English => &LOADERS[1],
        Language::Spanish => &LOADERS[2],
    }
}

/// A text as it is, for labels and toasts.
macro_rules! plain {
    ($language:expr, $key:literal $(, $arg:ident = $value:expr)* $(,)?) => {
        i18n_embed_fl::fl!($crate::locale::loader($language), $key $(, $arg = $value)*)
    };
}
pub(crate) use plain;

/// A text for Telegram's HTML mode: every value is escaped.
macro_rules! t {
    ($language:expr, $key:literal $(, $arg:ident = $value:expr)* $(,)?) => {
        $crate::telegram::screen::Html::trusted(i18n_embed_fl::fl!(
            $crate::locale::loader($language), $key
            $(, $arg = $crate::telegram::screen::Html::escape(&$value.to_string()).to_string())*
        ))
    };
}
pub(crate) use t;
