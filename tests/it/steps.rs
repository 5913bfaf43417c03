//! Every step of every dialogue, in each language, under rough hands: its help, what it cannot take, and the way out.

use std::time::Duration;

use schedulezap::config::SignUp;
use schedulezap::domain::clock::Clock;
use schedulezap::domain::ids::{AccountId, ChatId, MessageId, Subject, TelegramUserId};
use schedulezap::domain::language::Language;
use schedulezap::sandbox::telegram::{Person, Shown, text_of};
use schedulezap::telegram::screen::Screen;
use schedulezap::telegram::screens::{help, with_cancel};
use schedulezap::telegram::state::{State, Step};
use schedulezap::telegram::tap::{Part, Tap};

use crate::harness::{KEY, START, World};

/// Stands for a username that nobody has.
const NEW_NAME: &str = "new";

/// What a person does.
#[derive(Clone)]
enum Do {
    Say(String),
    Tap(Tap),
    Photo,
    Sticker,
    Voice,
    Place,
    /// Lets the bot find out what it wants to know.
    Wait,
}

fn say(text: &str) -> Do {
    Do::Say(text.to_owned())
}

/// The way to a step.
#[derive(Clone)]
struct Way {
    step: Step,
    /// By someone new, who has no account.
    stranger: bool,
    /// What leads there.
    inputs: Vec<Do>,
}

/// The words of a language that the ways need.
struct Words {
    language: Language,
    tag: &'static str,
    tomorrow: &'static str,
    every_day: &'static str,
    unknown: &'static str,
}

const PORTUGUESE: Words = Words {
    language: Language::Portuguese,
    tag: "pt-br",
    tomorrow: "amanhã",
    every_day: "todo dia",
    unknown: "Não conheço esse comando",
};
const ENGLISH: Words = Words {
    language: Language::English,
    tag: "en",
    tomorrow: "tomorrow",
    every_day: "every day",
    unknown: "I do not know that command",
};
const SPANISH: Words = Words {
    language: Language::Spanish,
    tag: "es",
    tomorrow: "mañana",
    every_day: "cada día",
    unknown: "No conozco ese comando",
};

/// The ways to all steps; every step is reached by one at least.
fn ways(words: &Words, url: &str) -> Vec<Way> {
    let tap = Do::Tap;
    let way = |step, inputs: &[Do]| Way { step, stranger: false, inputs: inputs.to_vec() };
    let door = |step, inputs: &[Do]| Way { step, stranger: true, inputs: inputs.to_vec() };
    let new = [tap(Tap::NewInstance), say("Loja"), say(url), say(KEY), Do::Wait, tap(Tap::CreateOnServer)];
    let message = [tap(Tap::NewMessage), say("+55 11 98888-7777"), say("oi")];
    let then = |more: Do| message.iter().cloned().chain([more]).collect::<Vec<_>>();
    let mut ways = vec![
        door(Step::Username, &[say("/start"), tap(Tap::CreateAccount)]),
        door(Step::NewPassword, &[say("/start"), tap(Tap::CreateAccount), say(NEW_NAME)]),
        door(Step::LoginName, &[say("/start"), tap(Tap::HaveAccount)]),
        door(Step::LoginPassword, &[say("/start"), tap(Tap::HaveAccount), say("ana")]),
        way(Step::Label, &new[..1]),
        way(Step::Url, &new[..2]),
        way(Step::Key, &new[..3]),
        way(Step::Name, &new[..4]),
        way(Step::NewName, &new),
        way(Step::Summary, &[&new[..5], &[say("loja")]].concat()),
        way(Step::To, &message[..1]),
        way(Step::Body, &message[..2]),
        way(Step::More, &[&message[..2], &[say(&"a".repeat(4000))]].concat()),
        way(Step::When, &message),
        way(Step::Hour, &then(say(words.tomorrow))),
        way(Step::EveryHour, &then(say(words.every_day))),
        way(Step::Confirm, &then(say("2026-12-31 10:00"))),
        way(Step::Every, &[tap(Tap::Repeat(MessageId(1)))]),
        way(Step::Zone, &[tap(Tap::Zone)]),
        way(Step::Region, &[tap(Tap::Region)]),
        way(Step::OldPassword, &[tap(Tap::Password)]),
        way(Step::NewPassword, &[tap(Tap::Password), say("cavalo bateria grampo certo")]),
    ];
    for (step, part) in [(Step::To, Part::To), (Step::Body, Part::Text), (Step::When, Part::Time)] {
        ways.push(way(step, &[tap(Tap::EditPart(MessageId(1), part, 0))]));
    }
    for step in Step::ALL {
        assert!(ways.iter().any(|way| way.step == step), "no way leads to {step:?}");
    }
    ways
}

struct Walk {
    world: World,
    words: Words,
    member: Person,
    strangers: usize,
}

impl Walk {
    async fn begin(words: Words) -> Self {
        let world = World::start_with(Clock::manual(START), |config| {
            config.quotas.updates_per_min = 0;
            config.signup = SignUp::Open;
            config.allow_hosts = Some("loopback".to_owned());
        })
        .await;
        let member = world.member("Ana", words.tag).await;
        let walk = Self { world, words, member, strangers: 0 };
        let ana = walk.member.clone();
        let line = [say("+55 11 98888-7777"), say("espera"), say("2026-12-31 10:00")];
        walk.does(&ana, &[&[Do::Tap(Tap::NewMessage)], &line[..], &[Do::Tap(Tap::Confirm)]].concat()).await;
        walk
    }

    /// Does one thing after another; returns what the bot newly said to them, once all is done.
    async fn does(&self, who: &Person, inputs: &[Do]) -> Vec<Shown> {
        let before = last(who);
        let ours = who.chat().iter().rev().find(|m| m.from_bot).map_or(0, |m| m.id);
        for input in inputs {
            match input {
                Do::Say(text) => drop(who.says(text)),
                Do::Tap(tap) => who.taps_data(ours, &tap.encode()),
                Do::Photo => drop(who.sends_photo()),
                Do::Sticker => drop(who.sends_sticker()),
                Do::Voice => drop(who.sends_voice()),
                Do::Place => drop(who.sends_location()),
                Do::Wait => self.settled().await,
            }
        }
        self.settled().await;
        who.chat().into_iter().filter(|m| m.from_bot && m.id > before).collect()
    }

    async fn settled(&self) {
        self.world.handled().await;
        self.world.said().await;
    }

    /// Where a person stands.
    async fn state(&self, who: &Person) -> State {
        let subject = Subject { chat: ChatId(who.id()), user: TelegramUserId(who.id()) };
        let row = self.world.db.read().await.unwrap().find_conversation(subject).await.unwrap().unwrap();
        let place = format!("conversations/{}/{}", subject.chat, subject.user);
        serde_json::from_slice(&self.world.door.keyring.open(&place, &row.state).unwrap()).unwrap()
    }

    /// Goes to a step.
    async fn reach(&mut self, way: &Way) -> Person {
        let who = if way.stranger {
            self.strangers += 1;
            self.world.telegram.person(&format!("Eva{}", self.strangers), self.words.tag)
        } else {
            self.member.clone()
        };
        let seen = self.world.door.services.messages.find(AccountId(1), MessageId(1)).await.unwrap().version;
        let leave = (!way.stranger).then(|| say("/cancel"));
        let inputs = leave.iter().chain(&way.inputs).map(|input| match input {
            Do::Say(text) if text == NEW_NAME => say(&format!("new_{}", self.strangers)),
            Do::Tap(Tap::EditPart(id, part, _)) => Do::Tap(Tap::EditPart(*id, *part, seen)),
            input => input.clone(),
        });
        let inputs: Vec<Do> = inputs.collect();
        self.does(&who, &inputs).await;
        let last = who.chat().into_iter().rev().find(|m| m.from_bot).map(|m| m.text);
        assert_eq!(self.state(&who).await.step(), Some(way.step), "{last:?}");
        who
    }

    /// How much there is: leaving a dialogue deletes nothing.
    async fn kept(&self) -> (i64, i64, i64) {
        (
            self.world.count("SELECT COUNT(*) FROM scheduled_messages WHERE status = 'scheduled'").await,
            self.world.count("SELECT COUNT(*) FROM user_instances").await,
            self.world.count("SELECT COUNT(*) FROM users").await,
        )
    }
}

/// The number of the last message of a chat.
fn last(who: &Person) -> i64 {
    who.chat().last().map_or(0, |m| m.id)
}

fn json(state: &State) -> String {
    serde_json::to_string(state).unwrap()
}

/// What the help of a step gives as an example, where it is to be said as it stands.
fn example(step: Step, language: Language) -> Option<String> {
    match step {
        // Nobody's password and key.
        Step::NewPassword | Step::LoginPassword | Step::OldPassword | Step::Key => return None,
        // What there is on the server, or is to be there.
        Step::Name | Step::NewName => return None,
        // Keys are tapped there, or a long text is pasted.
        Step::Summary | Step::More => return None,
        _ => {}
    }
    let help = help::step(step, with_cancel(Screen::default(), language), language);
    let (_, last) = help.html.as_str().rsplit_once("<code>").unwrap();
    Some(last.split_once("</code>").unwrap().0.to_owned())
}

/// Texts that people paste.
fn rough() -> Vec<String> {
    vec![
        "x".repeat(4000),
        "\u{202e}\u{200b}שלום לכולם\u{200f}\u{202c}".to_owned(),
        "<b>oi</b> & </i> { $name } \"'".to_owned(),
        "\u{200b}\u{2060}".to_owned(),
    ]
}

async fn walk(words: Words) {
    let mut walk = Walk::begin(words).await;
    let language = walk.words.language;
    for (n, way) in ways(&walk.words, &walk.world.url).into_iter().enumerate() {
        let step = way.step;
        let mut who = walk.reach(&way).await;
        let stands = json(&walk.state(&who).await);

        // Help tells of this step, in any spelling and by its key. What is no command of ours, and what is no text, is
        // explained, and the step asked again. None of it changes anything.
        let help = [["/ajuda", "/help", "/ayuda", "/HELP@story_bot"].map(say)[n % 4].clone(), Do::Tap(Tap::Help)];
        let unknown = ["/qualquer", "/start_now please", "/x@outro", "/", "/🙂 <b>"];
        let media = [[Do::Photo, Do::Voice][n % 2].clone(), [Do::Sticker, Do::Place][n / 2 % 2].clone()];
        let before = last(&who);
        let said = walk.does(&who, &[&help[..], &unknown.map(say), &media].concat()).await;
        assert_eq!(json(&walk.state(&who).await), stands, "{step:?}");
        assert_eq!(said.len(), 9, "{step:?}: one answer to each: {said:#?}");
        let wanted =
            text_of(help::step(step, with_cancel(Screen::default(), language), language).html.as_str()).unwrap();
        assert_eq!((&said[0].text, &said[1].text), (&wanted, &wanted), "{step:?}");
        for shown in &said[2..7] {
            let asked_again = shown.text.starts_with(walk.words.unknown) && shown.text.contains("\n\n");
            assert!(asked_again && !shown.rows.is_empty(), "{step:?}: {}", shown.text);
        }
        for shown in &said[7..] {
            assert!(shown.text.contains("\n\n") && !shown.rows.is_empty(), "{step:?}: {}", shown.text);
        }
        let secret = walk.state(&who).await.awaits_secret();
        let stay = who.chat().iter().filter(|m| !m.from_bot && m.id > before && unknown.contains(&&*m.text)).count();
        assert_eq!(stay, if secret { 0 } else { 5 }, "{step:?}: what may be a secret stays in no chat");

        // Rough texts are answered; where one can be taken, the dialogue goes on.
        for text in rough() {
            let said = walk.does(&who, &[say(&text)]).await;
            assert!(!said.is_empty(), "{step:?}: {text:?} was not answered");
            if json(&walk.state(&who).await) != stands {
                who = walk.reach(&way).await;
            }
        }

        // The example that help gives is a right one.
        if let Some(example) = example(step, language) {
            let who = walk.reach(&way).await;
            let stood = json(&walk.state(&who).await);
            walk.does(&who, &[say(&example)]).await;
            let state = walk.state(&who).await;
            assert!(
                state.step() != Some(step) || step == Step::Confirm,
                "{step:?}: {example}: {:?}",
                who.chat().last()
            );
            assert_ne!(json(&state), stood, "{step:?}: {example}");
        }

        // Any spelling leaves, says what came of it, and deletes nothing else.
        let kept = walk.kept().await;
        for input in [["/cancelar", "/cancel", "/CANCEL@story_bot"].map(say)[n % 3].clone(), Do::Tap(Tap::Cancel)] {
            let who = walk.reach(&way).await;
            let state = walk.state(&who).await;
            let wanted = text_of(help::left(&state, language).as_str()).unwrap();
            walk.does(&who, &[input]).await;
            let seen = who.chat().into_iter().rev().find(|m| m.from_bot && m.text.starts_with(&wanted));
            assert!(seen.is_some(), "{step:?}: {wanted}: {:#?}", who.chat().last());
            assert_eq!(walk.state(&who).await.step(), None, "{step:?}");
            assert_eq!(walk.kept().await, kept, "{step:?}");
        }
    }
    let people: Vec<Person> =
        (1..=walk.strangers).map(|n| walk.world.telegram.person(&format!("Eva{n}"), walk.words.tag)).collect();
    let mut all: Vec<&Person> = people.iter().collect();
    all.push(&walk.member);
    walk.world.finish(&all).await;
}

/// Longer than other stories: a walk has some hundred turns.
async fn patiently(words: Words) {
    tokio::time::timeout(Duration::from_secs(900), Box::pin(walk(words))).await.expect("the walk hangs");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_in_portuguese() {
    Box::pin(patiently(PORTUGUESE)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_in_english() {
    Box::pin(patiently(ENGLISH)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_in_spanish() {
    Box::pin(patiently(SPANISH)).await;
}
