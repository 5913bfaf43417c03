//! Conversations: `(state, input) → turn`. Global inputs first, then the state's own dialogue.

mod account;
mod edited;
mod instance_draft;
mod instances;
mod late;
mod message_draft;
mod messages;
mod series;
mod sign_up;
mod steps;
mod when_reply;

use anyhow::Result;

use super::command::Command;
use super::effects::{Effect, Finding};
use super::event::{Event, Input};
use super::screen::{Html, Key, KeyAction, Outgoing, Screen};
use super::screens;
use super::session::{Session, Turn};
use super::state::State;
use super::tap::Tap;
use crate::domain::account::Account;
use crate::domain::clock::Moment;
use crate::domain::language::Language;
use crate::domain::report::Live;
use crate::locale::{plain, t};
use crate::services::{Refusal, Services};
use crate::storage::StorageError;

/// What the dialogues work with.
pub(super) struct Talk<'a> {
    services: &'a Services,
    session: &'a Session,
    event: &'a Event,
    now: Moment,
    language: Language,
}

/// Takes one turn of a conversation.
pub async fn turn(services: &Services, session: &Session, event: &Event) -> Result<Turn> {
    let moved = moved(session, event);
    let event = moved.as_ref().unwrap_or(event);
    let talk = Talk { services, session, event, now: services.messages.clock.now(), language: session.language };
    if !event.private {
        return Ok(talk.in_group());
    }
    let outcome = match &session.account {
        Some(account) if account.disabled_at.is_some() => Err(Refusal::Disabled),
        Some(account) if account.force_password_change => account::forced(&talk, account).await,
        Some(account) => talk.known(account).await,
        None => sign_up::turn(&talk).await,
    };
    match outcome {
        Ok(turn) => Ok(turn),
        // The store is away: the update is tried again, nothing is lost.
        Err(Refusal::Storage(error)) => Err(error.into()),
        Err(refusal) => Ok(talk.refuse(&refusal).await?),
    }
}

/// What a turn says anew is the place of a finding.
fn begun(mut turn: Turn) -> Turn {
    for shown in &mut turn.show {
        if let Outgoing::Send(screen) = shown {
            *shown = Outgoing::Begin(std::mem::take(screen));
        }
    }
    turn
}

/// A finding of a draft whose question was told anew below since: it belongs there, and not to the older message.
fn moved(session: &Session, event: &Event) -> Option<Event> {
    let State::Instance(draft) = &session.state else { return None };
    let is_its = match &event.input {
        Input::Found(Finding::Draft { run, .. } | Finding::Names { run, .. } | Finding::Created { run, .. }) => {
            *run == draft.run
        }
        _ => false,
    };
    (is_its && draft.told_below == Some(draft.run)).then(|| Event { message: None, ..event.clone() })
}

/// What a chat is told when something went wrong inside.
pub fn apology(language: Language) -> Screen {
    screens::home::apology(language)
}

impl Talk<'_> {
    /// The state as it was.
    fn state(&self) -> State {
        self.session.state.clone()
    }

    /// Goes to `next`, showing a screen: in place of the tapped message, or as a new one.
    fn go(&self, next: State, screen: Screen) -> Turn {
        let show = match (&self.event.query, self.event.message) {
            (Some(query), Some(message)) => vec![answer(query), Outgoing::Edit(message, screen)],
            (Some(query), None) => vec![answer(query), Outgoing::Send(screen)],
            // What was found out takes the place of what was shown meanwhile.
            (None, Some(message)) if matches!(self.event.input, Input::Found(_)) => {
                vec![Outgoing::Edit(message, screen)]
            }
            (None, None) if matches!(self.event.input, Input::Found(_)) => vec![Outgoing::Live(Live::Work, screen)],
            _ => vec![Outgoing::Send(screen)],
        };
        Turn::new(next, show)
    }

    /// Shows a screen and stays where it is.
    fn stay(&self, screen: Screen) -> Turn {
        self.go(self.state(), screen)
    }

    /// Goes to `next` and lets something be found out; the finding takes the place of what is shown meanwhile.
    fn work(&self, next: State, screen: Screen, effect: Effect) -> Turn {
        begun(self.go(next, screen)).effect(effect)
    }

    /// Says something new below, and answers the tap if there was one.
    fn say(&self, next: State, screen: Screen) -> Turn {
        let mut show: Vec<_> = self.event.query.iter().map(|query| answer(query)).collect();
        show.push(Outgoing::Send(screen));
        Turn::new(next, show)
    }

    /// Says below how the message of a card stands that was replied to; the card that it was said to follows.
    fn say_changed(&self, next: State, card: Screen) -> Turn {
        let mut turn = self.say(next, card.clone());
        turn.show.insert(0, Outgoing::Redraw(card));
        turn
    }

    /// Says what is asked again, below; where something is being found out, the finding takes the place of this.
    fn repeat(&self, next: State, screen: Screen) -> Turn {
        let mut turn = self.say(next, screen);
        let State::Instance(draft) = &mut turn.next else { return turn };
        if draft.awaits_finding() {
            draft.told_below = Some(draft.run);
            return begun(turn);
        }
        turn
    }

    /// Only a toast.
    fn toast(&self, text: String) -> Turn {
        let show = match &self.event.query {
            Some(query) => vec![Outgoing::Answer { query: query.clone(), toast: Some(text), alert: false }],
            None => vec![Outgoing::Send(Screen::new(Html::escape(&text)))],
        };
        Turn::new(self.state(), show)
    }

    /// Deletes what the user said; when Telegram refuses, says so.
    fn forget(&self, mut turn: Turn) -> Turn {
        if let Some(message) = self.event.message.filter(|_| self.event.query.is_none()) {
            let otherwise = Some(Screen::new(t!(self.language, "delete-yourself")));
            turn.show.insert(0, Outgoing::Delete { message, otherwise });
        }
        turn
    }

    /// A wish that could not be met; the dialogue stays, and asks again what it asked.
    async fn refuse(&self, refusal: &Refusal) -> Result<Turn, StorageError> {
        Ok(match &self.event.query {
            Some(query)
                if matches!(
                    refusal,
                    Refusal::Changed | Refusal::BeingSent | Refusal::AlreadySent | Refusal::NotFound
                ) =>
            {
                let toast = Some(screens::refusal::toast(refusal, self.language));
                Turn::new(self.state(), vec![Outgoing::Answer { query: query.clone(), toast, alert: true }])
            }
            _ => {
                let why = screens::refusal::refusal(refusal, self.now, self.language);
                let asked = match steps::question(self, self.session.account.as_ref()).await {
                    Err(Refusal::Storage(error)) => return Err(error),
                    asked => asked.unwrap_or_default(),
                };
                let screen = match asked {
                    Some(question) => question.because(why),
                    None if matches!(refusal, Refusal::Disabled) => Screen::new(why),
                    None => screens::with_home(Screen::new(why), self.language),
                };
                self.repeat(self.state(), screen)
            }
        })
    }

    /// In a group only a way to the private chat is offered: keys and numbers do not belong there. What may be the
    /// password or key that the private chat awaits is deleted where that is allowed.
    fn in_group(&self) -> Turn {
        let said = match &self.event.input {
            Input::Tap(_) | Input::StaleTap => return self.toast(plain!(self.language, "toast-expired")),
            Input::Found(_) | Input::Edited { .. } => return Turn::new(self.state(), Vec::new()),
            Input::Command { .. } => false,
            Input::Text { .. } | Input::Contact { .. } | Input::Other | Input::Overheard => true,
        };
        let is_secret = said && self.session.awaits_secret;
        if matches!(self.event.input, Input::Overheard) && !is_secret {
            return Turn::new(self.state(), Vec::new());
        }
        let label = plain!(self.language, "open-private");
        let url = format!("https://t.me/{}", self.session.bot_username);
        let words = if is_secret { t!(self.language, "secret-in-group") } else { t!(self.language, "in-group") };
        let mut screen = Screen::new(words);
        screen.rows.push(vec![Key { label, does: KeyAction::Url(url) }]);
        let turn = Turn::new(self.state(), vec![Outgoing::Send(screen)]);
        if is_secret { self.forget(turn) } else { turn }
    }

    async fn known(&self, account: &Account) -> Result<Turn, Refusal> {
        let turn = match &self.event.input {
            Input::Command { name, args } => self.resumable(self.command(account, name, args).await?),
            Input::Tap(tap) => self.tap(account, tap).await?,
            Input::StaleTap => self.toast(plain!(self.language, "toast-expired")),
            Input::Found(finding) => instances::found(self, account, finding).await?,
            Input::Edited { plain, marked } => edited::turn(self, account, plain, marked).await?,
            input => self.answer(account, input).await?,
        };
        Ok(self.with_dropped(turn))
    }

    /// What a command opens while a draft is left offers to go on with it.
    fn resumable(&self, mut turn: Turn) -> Turn {
        if let (State::Left { .. }, Some(screen)) = (&turn.next, last_screen(&mut turn.show)) {
            *screen = screens::with_resume(std::mem::take(screen), self.language);
        }
        turn
    }

    /// Says that a draft gave way to another one.
    fn with_dropped(&self, mut turn: Turn) -> Turn {
        let resumed = matches!(self.event.input, Input::Tap(Tap::Resume));
        let gives_way = match (&self.session.state, &turn.next) {
            (State::Left { draft }, next) if next.is_draft() && !resumed => Some(&**draft),
            (draft, next) if draft.gives_way_to(next) => Some(draft),
            _ => None,
        };
        if gives_way.is_some_and(State::holds_something)
            && let Some(screen) = last_screen(&mut turn.show)
        {
            *screen = std::mem::take(screen).below(t!(self.language, "draft-dropped"));
        }
        turn
    }

    async fn command(&self, account: &Account, name: &str, args: &str) -> Result<Turn, Refusal> {
        match Command::read(name) {
            Some(Command::Home) => self.home(account).await,
            Some(Command::Schedule) => message_draft::start(self, account, args).await,
            Some(Command::Messages) => messages::list(self, account, false, 0).await,
            Some(Command::Instances) => instances::list(self, account, 0).await,
            Some(Command::Account) => account::card(self, account).await,
            Some(Command::Invite) => account::invite(self, account).await,
            Some(Command::Help) => steps::help(self, Some(account)).await,
            Some(Command::Cancel) => self.cancel(account).await,
            None => steps::unknown(self, Some(account)).await,
        }
    }

    /// Home; what was going on is kept as a draft.
    async fn home(&self, account: &Account) -> Result<Turn, Refusal> {
        let next = self.left();
        let draft = matches!(next, State::Left { .. });
        Ok(self.go(next, self.home_screen(account, draft).await?))
    }

    async fn home_screen(&self, account: &Account, draft: bool) -> Result<Screen, Refusal> {
        let active = self.services.instances.active(account.id).await?;
        let (_, waiting, _) = self.services.messages.page(account.id, false, 0).await?;
        Ok(screens::home::home(account, active.as_ref(), waiting, draft, self.language))
    }

    /// The state after leaving what is going on: a draft is kept.
    fn left(&self) -> State {
        match self.state() {
            draft if draft.is_draft() => State::Left { draft: Box::new(draft) },
            State::Left { draft } => State::Left { draft },
            _ => State::Idle,
        }
    }

    /// Leaves what is going on and drops it.
    async fn cancel(&self, account: &Account) -> Result<Turn, Refusal> {
        let home = self.home_screen(account, false).await?;
        Ok(self.go(State::Idle, home.below(screens::help::left(&self.session.state, self.language))))
    }

    async fn tap(&self, account: &Account, tap: &Tap) -> Result<Turn, Refusal> {
        match tap {
            Tap::Home => self.home(account).await,
            Tap::Cancel => self.cancel(account).await,
            Tap::Help => steps::help(self, Some(account)).await,
            Tap::Resume => self.resume(account).await,
            Tap::CreateAccount | Tap::HaveAccount | Tap::UseName | Tap::Back => {
                Ok(self.toast(plain!(self.language, "toast-expired")))
            }
            Tap::Instances(page) => instances::list(self, account, *page).await,
            Tap::NewInstance => Ok(instance_draft::start(self)),
            Tap::Instance(id) => instances::card(self, account, *id).await,
            Tap::TestInstance(id) => instances::test(self, account, *id).await,
            Tap::ActivateInstance(id) => instances::activate(self, account, *id).await,
            Tap::EditInstance(id) => instances::choose_field(self, account, *id).await,
            Tap::EditField(id, field) => instance_draft::edit_saved(self, account, *id, *field).await,
            Tap::DeleteInstance(id) => instances::ask_delete(self, account, *id).await,
            Tap::DeleteMove(_) | Tap::DeleteCancel(_) | Tap::DeleteHold(_) => {
                instances::delete(self, account, tap).await
            }
            Tap::DeleteOnServer(id) => instances::ask_wipe(self, account, *id).await,
            Tap::DeleteOnServerYes(id) => instances::wipe(self, account, *id).await,
            Tap::KeepOn(id, since) => instances::keep_on(self, account, *id, *since).await,
            Tap::TestAgain
            | Tap::DraftField(_)
            | Tap::DraftEdit
            | Tap::CreateOnServer
            | Tap::Save
            | Tap::SaveActivate
            | Tap::SaveAnyway => instance_draft::tap(self, account, tap).await,
            Tap::Take(index) => self.take(account, *index).await,
            Tap::NewMessage => message_draft::start(self, account, "").await,
            Tap::Messages(past, page) => messages::list(self, account, *past, *page).await,
            Tap::Message(id) => messages::card(self, account, *id).await,
            Tap::Confirm | Tap::DraftPart(_) | Tap::Finished | Tap::Pick(_) | Tap::PickEvery(_) => {
                message_draft::tap(self, account, tap).await
            }
            Tap::Undo(id, version) | Tap::CancelMessage(id, version) => {
                messages::cancel(self, account, *id, *version).await
            }
            Tap::EditPart(id, part, version) => messages::edit(self, account, *id, *part, *version).await,
            Tap::SendNow(id, version) | Tap::SendAgain(id, version) => {
                messages::send_now(self, account, *id, *version).await
            }
            Tap::PinMessage(id, version) => messages::ask_pin(self, account, *id, *version).await,
            Tap::PinTo(id, instance, version) => messages::pin(self, account, *id, *instance, *version).await,
            Tap::History(id) => messages::history(self, account, *id).await,
            Tap::Duplicate(id) => message_draft::duplicate(self, account, *id).await,
            Tap::SeriesList(page) => series::list(self, account, *page).await,
            Tap::Series(id) => series::card(self, account, *id).await,
            Tap::Repeat(_)
            | Tap::EditSeries(..)
            | Tap::SkipNext(..)
            | Tap::PauseSeries(..)
            | Tap::ResumeSeries(..)
            | Tap::StopSeries(..)
            | Tap::PinSeries(..)
            | Tap::PinSeriesTo(..) => series::tap(self, account, tap).await,
            Tap::Arrived(id, version) => messages::arrived(self, account, *id, *version).await,
            Tap::LateSend(_) | Tap::LateChoose | Tap::LateTomorrow(_) | Tap::LateDrop(_) => {
                late::tap(self, account, tap).await
            }
            Tap::Account
            | Tap::Languages
            | Tap::Language(_)
            | Tap::Zone
            | Tap::Region
            | Tap::LatePolicies
            | Tap::LatePolicy(_)
            | Tap::LateGrace(_)
            | Tap::Password
            | Tap::Chats
            | Tap::Unlink(_)
            | Tap::UnlinkYes(_)
            | Tap::TakeZone(..)
            | Tap::FirstZone
            | Tap::KeepZone
            | Tap::Invite => account::tap(self, account, tap).await,
        }
    }

    /// Takes the n-th offered text of whatever is being asked.
    async fn take(&self, account: &Account, index: i64) -> Result<Turn, Refusal> {
        match self.state() {
            State::Instance(draft) => instance_draft::take(self, account, draft, index).await,
            State::Message(draft) => message_draft::take(self, account, draft, index).await,
            _ => Ok(self.toast(plain!(self.language, "toast-expired"))),
        }
    }

    /// Goes on with the draft that was left.
    async fn resume(&self, account: &Account) -> Result<Turn, Refusal> {
        match self.state() {
            State::Left { draft } => match *draft {
                State::Instance(draft) => Ok(instance_draft::show(self, draft)),
                State::Message(draft) => message_draft::next(self, account, draft).await,
                _ => self.home(account).await,
            },
            _ => Ok(self.toast(plain!(self.language, "toast-expired"))),
        }
    }

    /// Anything said that is no command and no key: the state's own dialogue takes it.
    async fn answer(&self, account: &Account, input: &Input) -> Result<Turn, Refusal> {
        match self.state() {
            State::Instance(draft) => instance_draft::answer(self, account, draft, input).await,
            State::Message(draft) => message_draft::answer(self, account, draft, input).await,
            State::Settings(setting) => account::answer(self, account, setting, input).await,
            // The account was made or joined by a turn that was cut off: what was said is a password.
            State::SignUp { .. } => Ok(self.forget(account::welcome(self, account).await?)),
            State::LogIn { .. } => {
                let screen = self.home_screen(account, false).await?;
                Ok(self.forget(self.go(State::Idle, screen)))
            }
            State::Idle | State::Left { .. } => match input {
                Input::Text { plain, marked } if self.event.reply_to.is_some() => {
                    messages::reply(self, account, plain, marked).await
                }
                Input::Text { plain, marked } => message_draft::one_line(self, account, plain, marked).await,
                Input::Contact { phone, name } => message_draft::with_contact(self, account, phone, name).await,
                Input::Edited { .. } | Input::Overheard => Ok(Turn::new(self.state(), Vec::new())),
                _ => Ok(self.stay(Screen::new(t!(self.language, "not-understood")))),
            },
        }
    }
}

/// The last screen that a turn shows.
fn last_screen(show: &mut [Outgoing]) -> Option<&mut Screen> {
    show.iter_mut().rev().find_map(|shown| match shown {
        Outgoing::Send(screen) | Outgoing::Edit(_, screen) | Outgoing::Begin(screen) => Some(screen),
        _ => None,
    })
}

fn answer(query: &str) -> Outgoing {
    Outgoing::Answer { query: query.to_owned(), toast: None, alert: false }
}

impl Talk<'_> {
    /// The scheduled message whose card was replied to. Whose it is, is looked up under the account.
    async fn replied_card(&self) -> Result<Option<crate::domain::ids::MessageId>, Refusal> {
        match self.event.reply_to {
            Some(shown) => self.services.messages.of_card(self.event.subject.chat, shown).await,
            None => Ok(None),
        }
    }

    /// The series whose card was replied to. Whose it is, is looked up under the account.
    async fn replied_series(&self) -> Result<Option<crate::domain::ids::SeriesId>, Refusal> {
        match self.event.reply_to {
            Some(shown) => self.services.series.of_card(self.event.subject.chat, shown).await,
            None => Ok(None),
        }
    }
}
