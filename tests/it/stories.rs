//! What people say and tap, what the chat shows, and what leaves for WhatsApp.

use std::task::Poll;
use std::time::Duration;

use schedulezap::domain::ids::{AccountId, ChatId};
use schedulezap::domain::message::Body;
use schedulezap::domain::recipient::Recipient;
use schedulezap::sandbox::evolution::{EvolutionServer, Faults};
use schedulezap::sandbox::telegram::{Person, Shown};
use schedulezap::services::Refusal;
use schedulezap::services::late::Answer;
use schedulezap::services::messages::Addressee;
use schedulezap::telegram::reports::tell_all;

use crate::harness::{KEY, World, data, within};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_goes_from_the_claim_link_to_a_delivered_message() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        let said: Vec<_> = ana.chat().into_iter().map(|m| m.text).collect();
        assert!(!said.iter().any(|text| text.contains(KEY) || text.contains("cavalo")), "secrets stay in no chat");
        ana.says("/agendar");
        ana.sees("Para quem?").await;
        ana.says("11 98888-7777");
        ana.sees("O que enviar?").await;
        ana.says("Bom dia, <b>Ana</b> & cia");
        ana.sees("Quando?").await;
        ana.says("amanhã 9h");
        let card = ana.sees("Confira e confirme").await;
        assert!(card.text.contains("qui, 12/03/2026 às 09:00"), "{}", card.text);
        ana.taps("Confirmar").unwrap();
        ana.sees("Agendada").await;
        assert!(world.evolution.delivered().is_empty(), "nothing leaves early");
        world.advance(HOUR * 19);
        world.evolution.wait_for(1).await;
        let delivered = world.evolution.delivered();
        assert_eq!(delivered[0].number, "5511988887777");
        assert_eq!(delivered[0].text, "Bom dia, <b>Ana</b> & cia");
        ana.sees("Enviada para").await;
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_line_is_enough() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        ana.says("amanhã 9h para 11 98888-7777: Levar o bolo");
        let card = ana.sees("Confira e confirme").await;
        assert!(card.text.contains("Levar o bolo") && card.text.contains("+55 11 98888-7777"), "{}", card.text);
        ana.taps("Confirmar").unwrap();
        ana.sees("Agendada").await;
        ana.taps("Desfazer").unwrap();
        let card = ana.sees("Cancelada").await;
        assert!(!card.text.contains('⏳'), "{}", card.text);
        // It is enough where only the recipient is asked for, too.
        ana.says("/agendar");
        ana.sees("Para quem?").await;
        ana.says("sexta 9h para 11 97777-6666: Levar o café");
        let card = ana.sees_one(|m| m.text.contains("Confira e confirme") && m.text.contains("Levar o café")).await;
        assert!(card.text.contains("+55 11 97777-6666"), "{}", card.text);
        ana.says("/cancelar");
        ana.sees("O rascunho foi descartado").await;
        world.advance(HOUR * 30);
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_explained_and_nothing_is_lost() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        ana.says("/agendar");
        ana.sees("Para quem?").await;
        ana.says("status@broadcast");
        ana.sees("não é uma pessoa").await;
        ana.says("5511999999999999999");
        ana.sees("8 a 15").await;
        ana.sends_sticker();
        ana.sees("Envie isso como texto").await;
        ana.says("+55 (11) 99999-9999");
        ana.sees("O que enviar?").await;
        ana.says("\u{200b} ");
        ana.sees("vazia").await;
        ana.says("oi");
        ana.sees("Quando?").await;
        ana.says("31/02/2027 10:00");
        ana.sees("não existe").await;
        ana.says("ontem 10h");
        ana.sees("já passou").await;
        ana.says("amanhã");
        ana.sees("a que horas?").await;
        ana.says("9h");
        ana.sees("Confira e confirme").await;
        ana.taps_data(1, "cancel:");
        ana.says("/cancelar");
        ana.sees("Cancelado").await;
        world.said().await;
        assert!(ana.toasts().iter().any(|toast| toast.contains("expirado")), "{:?}", ana.toasts());
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_instance_a_message_is_held_told_once_and_goes_once_mended() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        for (text, card) in [("um", "Agendada #1"), ("dois", "Agendada #2")] {
            ana.says(&format!("em 10 minutos para 11 98888-7777: {text}"));
            ana.sees("Confira e confirme").await;
            ana.taps("Confirmar").unwrap();
            ana.sees(card).await;
        }
        world.advance(Duration::from_secs(660));
        ana.sees("Mensagens em espera").await;
        world.with_instance(&ana).await;
        world.evolution.wait_for(1).await;
        world.advance(Duration::from_secs(10));
        world.evolution.wait_for(2).await;
        let told = ana.chat().iter().filter(|m| m.text.contains("Mensagens em espera")).count();
        assert_eq!(told, 1);
        world.finish(&[&ana]).await;
    })
    .await;
}

/// How many messages of the bot say this.
fn told(person: &Person, what: &str) -> usize {
    person.chat().iter().filter(|m| m.from_bot && m.text.contains(what)).count()
}

/// How many messages of the bot have this key.
fn with_key(person: &Person, label: &str) -> usize {
    let has_key = |m: &Shown| m.rows.iter().flatten().any(|key| key.label.contains(label));
    person.chat().iter().filter(|m| m.from_bot && has_key(m)).count()
}

/// Lets time pass, in longer steps while nothing is on its way: a claim would be over before its request has left.
async fn pass(world: &World) {
    let under_way = "SELECT COUNT(*) FROM scheduled_messages WHERE status IN ('scheduled', 'sending')";
    let step = if world.count(under_way).await > 0 { 1 } else { 20 };
    world.advance(Duration::from_secs(step));
    world.breath().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_says_it_is_open_and_takes_nothing_is_told_of_once_and_tried_by_one_message() {
    within(async {
        let world = World::start_with(schedulezap::domain::clock::Clock::manual(crate::harness::START), |config| {
            config.late_grace = Duration::from_secs(4 * 3600);
        })
        .await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        for text in ["um", "dois", "três"] {
            ana.says(&format!("em 10 minutos para 11 98888-7777: {text}"));
            ana.sees_one(|m| m.text.contains(text) && m.text.contains("Confira")).await;
            ana.taps("Confirmar").unwrap();
            ana.sees_one(|m| m.text.contains(text) && m.text.contains("Agendada")).await;
        }
        world.evolution.set_dead(true);
        world.advance(Duration::from_secs(601));
        ana.sees("Mensagens em espera").await;
        let held = "SELECT COUNT(*) FROM scheduled_messages WHERE status = 'held'";
        while world.count(held).await < 3 {
            world.breath().await;
        }
        let before = world.evolution.calls();
        let hour = world.clock.now().plus(Duration::from_secs(3600));
        while world.clock.now() < hour {
            pass(&world).await;
        }
        assert_eq!((told(&ana, "Mensagens em espera"), told(&ana, "voltou")), (1, 0));
        let asked = world.evolution.calls() - before;
        assert!((4..40).contains(&asked), "tried ever more slowly in an hour: {asked}");
        world.evolution.set_dead(false);
        while world.evolution.count() < 3 || told(&ana, "voltou: 2 mensagens saem agora") == 0 {
            pass(&world).await;
        }
        assert_eq!((told(&ana, "Mensagens em espera"), told(&ana, "voltou")), (1, 1));
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_as_its_instance_is_deleted_goes_through_the_one_that_is_made_active() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        for text in ["fixada", "livre", "falha"] {
            ana.says(&format!("em 10 minutos para 11 98888-7777: {text}"));
            ana.sees_one(|m| m.text.contains(text) && m.text.contains("Confira")).await;
            ana.taps("Confirmar").unwrap();
            ana.sees_one(|m| m.text.contains(text) && m.text.contains("Agendada")).await;
        }
        world
            .does("UPDATE scheduled_messages SET pinned = TRUE, instance_id = 1 WHERE message IN ('fixada', 'falha')")
            .await;
        world.does("UPDATE scheduled_messages SET status = 'failed', reason = 'invalid' WHERE message = 'falha'").await;
        let instances = &world.door.services.instances;
        let (owner, first) = (AccountId(1), schedulezap::domain::ids::InstanceId(1));
        instances.delete(owner, first, schedulezap::services::instances::Pending::Hold).await.unwrap();
        // Their cards say so.
        ana.sees_one(|m| m.text.contains("fixada") && m.text.contains("Em espera")).await;
        ana.sees_one(|m| m.text.contains("livre") && m.text.contains("Em espera")).await;
        // What failed goes through another, should it be sent again.
        let failed = ana.sees_one(|m| m.text.contains("falha") && m.text.contains("Falhou")).await;
        assert!(!failed.text.contains("Fixada"), "{}", failed.text);
        world.advance(Duration::from_secs(660));
        world.evolution.add_instance("outra", "5511912345679", true);
        world.with_instance_named(&ana, "outra").await;
        ana.taps_data(failed.id, &data(&failed, "Enviar de novo"));
        while world.evolution.count() < 3 {
            pass(&world).await;
        }
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_looked_for_in_the_history_and_found() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        world.evolution.set_faults(Faults { answer_lost: true, ..Faults::default() });
        ana.says("em 10 minutos para 11 98888-7777: uma vez só");
        ana.sees("Confira e confirme").await;
        ana.taps("Confirmar").unwrap();
        ana.sees("Agendada").await;
        world.advance(Duration::from_secs(601));
        ana.sees("Verificando se chegou").await;
        world.evolution.set_faults(Faults::default());
        world.advance(Duration::from_secs(121));
        ana.sees("Enviada para").await;
        assert_eq!(world.evolution.delivered().len(), 1);
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cancelled_while_it_is_looked_for_is_found_out_all_the_same() {
    within(async {
        for arrived in [true, false] {
            let spoil = |server: &EvolutionServer| {
                if arrived { server.lose_next_answers(1) } else { server.swallow_next(1) }
            };
            let (world, ana) = in_doubt("uma vez só.", spoil).await;
            ana.taps("Cancelar envio").unwrap();
            let dropped = ana.sees("não será enviada de novo").await;
            assert!(!dropped.rows.iter().flatten().any(|key| key.label.contains("Cancelar")), "{dropped:?}");
            let end = if arrived { "Enviada #2" } else { "Cancelada #2" };
            until(&world, || ana.chat().iter().any(|m| m.text.contains(end))).await;
            assert_eq!(world.evolution.count(), if arrived { 2 } else { 1 });
            world.finish(&[&ana]).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_arrived_is_not_given_another_time_by_an_older_question() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        world.evolution.set_faults(Faults { answer_lost: true, ..Faults::default() });
        ana.says("em 10 minutos para 11 98888-7777: uma vez só");
        ana.sees("Confira e confirme").await;
        ana.taps("Confirmar").unwrap();
        ana.sees("Agendada #1").await;
        ana.taps("Mudar horário").unwrap();
        ana.sees("Quando?").await;
        world.advance(Duration::from_secs(601));
        while world.count("SELECT COUNT(*) FROM scheduled_messages WHERE status = 'unknown'").await < 1 {
            world.breath().await;
            world.advance(Duration::from_secs(1));
        }
        ana.says("amanhã 9h");
        ana.sees("Isso mudou").await;
        world.evolution.set_faults(Faults::default());
        until(&world, || ana.chat().iter().any(|m| m.text.contains("Enviada para"))).await;
        assert_eq!(world.evolution.count(), 1);
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_message_may_have_left_in_the_history_is_no_proof() {
    within(async {
        // The same to the same, twice: the answer of the first is lost, the second is never sent.
        let (world, ana) = many(&["bom dia"]).await;
        let asked = "SELECT COUNT(*) FROM scheduled_messages WHERE status = 'unknown' AND look_at IS NULL";
        world.evolution.lose_next_answers(1);
        world.evolution.set_searchable(false);
        world.advance(Duration::from_secs(600));
        while world.count("SELECT COUNT(*) FROM scheduled_messages WHERE status = 'unknown'").await < 1 {
            world.breath().await;
            world.advance(Duration::from_secs(1));
        }
        world.evolution.swallow_next(1);
        plan(&world, &ana, "bom dia", Duration::from_secs(100)).await;
        while world.count(asked).await < 1 {
            world.breath().await;
            world.advance(Duration::from_secs(1));
        }
        ana.sees("Não sei se a mensagem").await;
        ana.taps("Já chegou").unwrap();
        world.handled().await;
        world.evolution.set_searchable(true);
        while world.count(asked).await < 1 {
            world.breath().await;
            world.advance(Duration::from_secs(1));
        }
        assert_eq!(world.count("SELECT COUNT(*) FROM scheduled_messages WHERE status = 'sent'").await, 1);
        world.finish(&[&ana]).await;
    })
    .await;
}

/// Ana's message that the server neither sent nor refused, at the moment when it is to be looked for.
async fn unclear(text: &str, answers: usize) -> (World, Person) {
    in_doubt(text, |server| server.swallow_next(answers)).await
}

/// Ana's message, of which nobody knows what a server that was spoilt so has made of it, when it is to be looked for.
async fn in_doubt(text: &str, spoil: impl Fn(&EvolutionServer)) -> (World, Person) {
    let world = World::start().await;
    let ana = world.member("Ana", "pt-br").await;
    world.with_instance(&ana).await;
    ana.says("em 5 minutos para 11 98888-7777: antes disso.");
    ana.sees("Confira e confirme").await;
    ana.taps("Confirmar").unwrap();
    ana.sees("Agendada").await;
    world.advance(Duration::from_secs(301));
    ana.sees("Enviada para").await;
    spoil(&world.evolution);
    ana.says(&format!("em 10 minutos para 11 98888-7777: {text}"));
    ana.sees_one(|m| m.text.contains("Confira e confirme") && m.text.contains(text)).await;
    ana.taps("Confirmar").unwrap();
    ana.sees_one(|m| m.text.contains("Agendada") && m.text.contains(text)).await;
    world.advance(Duration::from_secs(601));
    ana.sees("Verificando se chegou").await;
    (world, ana)
}

/// The attempts at one of the person's messages, as the chat shows them.
async fn history(person: &Person, id: i64) -> String {
    let shown = person.chat().into_iter().rfind(|m| m.from_bot).unwrap();
    person.taps_data(shown.id, &format!("msg:{id}"));
    person.sees_now(&format!("#{id}")).await;
    person.taps("Histórico").unwrap();
    person.sees_now(&format!("da mensagem #{id}")).await.text
}

/// Lets time pass until it is so.
async fn until(world: &World, so: impl Fn() -> bool) {
    world.until(Duration::from_secs(5), so).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_twice_absent_in_the_history_is_sent_again() {
    within(async {
        let (world, ana) = unclear("de novo.", 1).await;
        let begun = world.clock.now();
        until(&world, || world.evolution.count() == 2).await;
        assert!(world.clock.now().since(begun) >= Duration::from_secs(145), "after the settle time, and twice");
        until(&world, || ana.chat().iter().any(|m| m.text.contains("Enviada para") && m.text.contains("de novo")))
            .await;
        assert_eq!(world.evolution.count(), 2);
        world.said().await;
        let told = history(&ana, 2).await;
        let lines: Vec<&str> = told.lines().filter(|line| line.starts_with('•')).collect();
        assert_eq!(lines.len(), 2, "{told}");
        assert!(lines[0].ends_with("Loja: entregue ao servidor"), "{told}");
        assert!(lines[1].ends_with("Loja: resposta perdida; não estava no histórico, enviada de novo"), "{told}");
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_three_rounds_the_chat_is_asked_and_its_word_counts() {
    within(async {
        let (world, ana) = unclear("três vezes.", 4).await;
        let asked = |text: &'static str| {
            let ana = ana.clone();
            move || ana.chat().iter().any(|m| m.from_bot && m.text.contains(text) && m.text.contains("três vezes"))
        };
        until(&world, asked("Não sei se a mensagem")).await;
        assert_eq!(world.count("SELECT resends FROM scheduled_messages WHERE id = 2").await, 3);
        assert_eq!(world.count("SELECT COUNT(*) FROM message_attempts WHERE message_id = 2").await, 4);
        assert_eq!(world.evolution.count(), 1);
        world.said().await;
        assert_eq!(with_key(&ana, "Já chegou"), 2, "its card asks, and a new message");
        ana.taps("Enviar de novo").unwrap();
        until(&world, asked("Enviada para")).await;
        assert_eq!(world.evolution.count(), 2);
        // Neither goes on asking, and both tell the outcome.
        world.said().await;
        assert_eq!((with_key(&ana, "Já chegou"), told(&ana, "Enviada #2")), (0, 2));
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_that_was_away_lacks_is_asked_about() {
    within(async {
        let (world, ana) = unclear("talvez.", 1).await;
        world.evolution.set_faults(Faults { down: true, ..Faults::default() });
        let calls = world.evolution.calls();
        until(&world, || world.evolution.calls() > calls + 1).await;
        world.evolution.set_faults(Faults::default());
        until(&world, || ana.chat().iter().any(|m| m.text.contains("Não sei se a mensagem"))).await;
        ana.taps("Já chegou").unwrap();
        world.handled().await;
        world.said().await;
        assert_eq!(world.evolution.count(), 1);
        assert_eq!(world.count("SELECT COUNT(*) FROM scheduled_messages WHERE status = 'sent'").await, 2);
        assert_eq!((with_key(&ana, "Já chegou"), told(&ana, "Enviada #2")), (0, 2));
        let told = history(&ana, 2).await;
        assert!(told.contains("Loja: você disse que chegou") && !told.contains("resposta perdida"), "{told}");
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_history_that_is_not_kept_lacks_is_asked_about() {
    within(async {
        let world = World::start().await;
        world.evolution.set_storing(false);
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        for (text, swallowed) in [("primeira.", 0), ("segunda.", 1)] {
            world.evolution.swallow_next(swallowed);
            ana.says(&format!("em 10 minutos para 11 98888-7777: {text}"));
            ana.sees_one(|m| m.text.contains("Confira e confirme") && m.text.contains(text)).await;
            ana.taps("Confirmar").unwrap();
            ana.sees_one(|m| m.text.contains("Agendada") && m.text.contains(text)).await;
            world.advance(Duration::from_secs(601));
            ana.sees_one(|m| m.text.contains(text) && !m.text.contains("Agendada") && !m.text.contains("Confira"))
                .await;
        }
        until(&world, || ana.chat().iter().any(|m| m.text.contains("Não sei se a mensagem"))).await;
        world.said().await;
        // A reply to the one that asks is heard by both.
        let asks = ana.sees("Não sei se a mensagem").await;
        ana.replies(asks.id, "cancelar");
        ana.sees_one(|m| m.id > asks.id && m.text.contains("Cancelada #2")).await;
        world.handled().await;
        world.said().await;
        assert_eq!((with_key(&ana, "Já chegou"), told(&ana, "Cancelada #2")), (0, 3));
        assert_eq!(world.evolution.count(), 1);
        assert_eq!(world.count("SELECT COUNT(*) FROM scheduled_messages WHERE status = 'cancelled'").await, 1);
        world.finish(&[&ana]).await;
    })
    .await;
}

/// Messages of Ana's to one recipient, due together in ten minutes; no pace keeps them apart.
async fn many<T: AsRef<str>>(texts: &[T]) -> (World, Person) {
    let world = World::start_with(schedulezap::domain::clock::Clock::manual(crate::harness::START), |config| {
        config.send_gap = Duration::ZERO;
    })
    .await;
    let ana = world.member("Ana", "pt-br").await;
    world.with_instance(&ana).await;
    world.handled().await;
    world.advance(Duration::from_secs(60));
    for text in texts {
        plan(&world, &ana, text.as_ref(), Duration::from_secs(600)).await;
    }
    (world, ana)
}

/// Schedules a message of Ana's to the one recipient.
async fn plan(world: &World, ana: &Person, text: &str, wait: Duration) {
    let account = world.door.services.accounts.find_account(AccountId(1)).await.unwrap().unwrap();
    let to = [Addressee { recipient: Recipient::Phone("5511988887777".to_owned()), name: String::new() }];
    let (due, body) = (world.clock.now().plus(wait), Body::parse(text).unwrap());
    let origin = format!("plan-{}", world.count("SELECT COUNT(*) FROM scheduled_messages").await);
    world.door.services.messages.schedule(&account, ChatId(ana.id()), &to, &body, due, &origin).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_texts_are_counted_one_by_one() {
    within(async {
        // The same to the same, three times; the answers of two are lost, the third was never sent.
        let (world, ana) = many(&["bom dia"; 3]).await;
        world.evolution.lose_next_answers(2);
        world.advance(Duration::from_secs(600));
        while world.evolution.count() < 2 {
            world.breath().await;
            world.advance(Duration::from_secs(1));
        }
        let open = "SELECT COUNT(*) FROM scheduled_messages WHERE status <> 'sent'";
        while world.count(open).await > 0 {
            // Time goes no faster than the machine: a claim would be over before its request has left.
            world.breath().await;
            world.advance(Duration::from_secs(5));
        }
        let ids = "SELECT COUNT(DISTINCT remote_id) FROM scheduled_messages";
        assert_eq!((world.evolution.count(), world.count(ids).await), (3, 3));
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn for_many_in_doubt_of_one_number_its_history_is_read_once() {
    within(async {
        let texts: Vec<String> = (0..30).map(|n| format!("aviso {n}")).collect();
        let (world, ana) = many(&texts).await;
        // No answer comes back, though all were sent.
        world.evolution.lose_next_answers(30);
        world.advance(Duration::from_secs(600));
        let unknown = "SELECT COUNT(*) FROM scheduled_messages WHERE status = 'unknown'";
        while world.count(unknown).await < 30 {
            world.breath().await;
            world.advance(Duration::from_secs(1));
        }
        let before = world.evolution.calls();
        let sent = "SELECT COUNT(*) FROM scheduled_messages WHERE status = 'sent'";
        world.advance(Duration::from_secs(120));
        while world.count(sent).await < 30 {
            world.breath().await;
            world.advance(Duration::from_secs(5));
        }
        let asked = world.evolution.calls() - before;
        assert!(asked < 30, "{asked} requests for 30 messages");
        assert_eq!(world.evolution.count(), 30);
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_without_whatsapp_fails_once_with_a_plain_reason() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        world.evolution.forget_number("5511977776666");
        ana.says("em 10 minutos para 11 97777-6666: oi");
        ana.sees("Confira e confirme").await;
        ana.taps("Confirmar").unwrap();
        ana.sees("Agendada").await;
        world.advance(Duration::from_secs(601));
        ana.sees("não tem WhatsApp").await;
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dialogue_survives_a_restart() {
    within(async {
        let mut world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        ana.says("/agendar");
        ana.sees("Para quem?").await;
        ana.says("11 98888-7777");
        ana.sees("O que enviar?").await;
        world.restart().await;
        ana.says("ainda aqui");
        ana.sees("Quando?").await;
        ana.says("amanhã 9h");
        assert!(ana.sees("Confira e confirme").await.text.contains("ainda aqui"));
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_language_is_spoken_from_the_door() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        let ben = world.member("Ben", "en").await;
        let carmen = world.member("Carmen", "es").await;
        ben.says("/schedule");
        ben.sees("To whom?").await;
        carmen.says("/programar");
        carmen.sees("¿Para quién?").await;
        world.finish(&[&ana, &ben, &carmen]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn late_messages_are_dropped_when_the_account_wants_that_and_attempts_can_be_read_again() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        ana.says("em 10 minutos para 11 98888-7777: primeira");
        ana.sees("Confira e confirme").await;
        ana.taps("Confirmar").unwrap();
        ana.sees("Agendada").await;
        world.advance(Duration::from_secs(600));
        ana.sees("Enviada para").await;
        ana.taps("Ver mensagem").unwrap();
        ana.sees("Enviada #1").await;
        ana.taps("Histórico").unwrap();
        ana.sees("entregue ao servidor").await;
        ana.says("/conta");
        ana.sees("Atrasadas (mais de 30 min): Perguntar").await;
        ana.taps("Mensagens atrasadas").unwrap();
        ana.sees("O que fazer com o que não pôde sair").await;
        ana.taps("Descartar sempre").unwrap();
        ana.sees("Atrasadas (mais de 30 min): Descartar sempre").await;
        world.finish(&[&ana]).await;
    })
    .await;
}

/// Chooses that what is more than five minutes late is late.
async fn is_soon_late(person: &Person) {
    person.says("/conta");
    person.sees_now("Atrasadas (mais de 30 min): Perguntar").await;
    person.taps("Mensagens atrasadas").unwrap();
    person.sees_now("Com até 30 min de atraso a mensagem sai sozinha").await;
    person.taps("Até 5 min").unwrap();
    person.sees_now("Atrasadas (mais de 5 min): Perguntar").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_late_is_told_by_the_grace_of_its_account_which_holds_for_what_waits_already() {
    within(async {
        let mut world = World::start_with(schedulezap::domain::clock::Clock::manual(crate::harness::START), |config| {
            config.send_gap = Duration::from_mins(20);
        })
        .await;
        let mut people = Vec::new();
        for (name, instance) in [("Ana", "loja"), ("Bia", "filial"), ("Caio", "matriz")] {
            if name != "Ana" {
                world.evolution.add_instance(instance, "5511912345670", true);
            }
            let person = world.member(name, "pt-br").await;
            world.with_instance_named(&person, instance).await;
            people.push(person);
        }
        let [ana, bia, caio] = people.as_slice() else { unreachable!("three were added") };
        is_soon_late(ana).await;
        for person in [ana, caio] {
            person.says(&format!("em 10 minutos para 11 98888-7777: de {}.", person.id()));
            person.sees_now("Confira e confirme").await;
            person.taps("Confirmar").unwrap();
            person.sees_now("Agendada").await;
        }
        world.handled().await;
        world.said().await;
        // Nothing can be sent for ten minutes.
        world.end().await;
        world.advance(Duration::from_mins(20));
        world.restart().await;
        let is_asked = |person: &Person| person.chat().iter().any(|m| m.text.contains("1 mensagem passou da hora"));
        until(&world, || is_asked(ana) && caio.chat().iter().any(|m| m.text.contains("com 10 min de atraso"))).await;
        assert!(!is_asked(caio));
        let delivered: Vec<String> = world.evolution.delivered().into_iter().map(|one| one.text).collect();
        assert_eq!(delivered, [format!("de {}.", caio.id())]);

        bia.says("em 10 minutos para 11 98888-7777, 11 97777-6666: oi");
        bia.sees_now("Confira e confirme").await;
        bia.taps("Confirmar").unwrap();
        bia.sees_now("2 mensagens agendadas").await;
        let asked = world.clock.now();
        // The second waits for the pace of the number, in memory.
        until(&world, || world.evolution.count() == 2).await;
        until(&world, || world.clock.now().since(asked) >= Duration::from_mins(18)).await;
        world.said().await;
        let late = "SELECT COUNT(*) FROM scheduled_messages WHERE status = 'late'";
        assert_eq!(world.count(late).await, 1);
        is_soon_late(bia).await;
        // Nothing but the choice itself has it read anew: time stands still.
        while world.count(late).await < 2 {
            world.breath().await;
        }
        until(&world, || is_asked(bia)).await;
        world.advance(Duration::from_mins(30));
        world.said().await;
        assert_eq!(world.evolution.count(), 2);
        world.finish(&[ana, bia, caio]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_outcomes_at_once_are_one_digest_that_is_drawn_anew_as_it_goes_on() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        let people: Vec<String> = (1..=6).map(|n| format!("11 98888-000{n}")).collect();
        ana.says(&format!("em 10 minutos para {}: Promoção", people.join(", ")));
        ana.sees("Confira e confirme").await;
        ana.taps("Confirmar").unwrap();
        ana.sees("6 mensagens agendadas").await;
        world.advance(Duration::from_secs(600));
        let card = ana.sees("Enviando: 1 de 6").await;
        until(&world, || ana.chat().iter().any(|m| m.text.contains("6 mensagens enviadas"))).await;
        let done = ana.sees("6 mensagens enviadas").await;
        assert_eq!(done.id, card.id, "the same message");
        assert!(done.text.contains("98888-0006") && done.text.contains("Promoção"), "{}", done.text);
        assert!(!ana.chat().iter().any(|m| m.text.contains("Enviada para")));
        world.finish(&[&ana]).await;
    })
    .await;
}

/// Two messages of Ana's were sent, one ten minutes after the other.
async fn two_sent() -> (World, Person) {
    let world = World::start().await;
    let ana = world.member("Ana", "pt-br").await;
    world.with_instance(&ana).await;
    for text in ["primeira.", "segunda."] {
        ana.says(&format!("em 10 minutos para 11 98888-7777: {text}"));
        ana.sees_one(|m| m.text.contains("Confira e confirme") && m.text.contains(text)).await;
        ana.taps("Confirmar").unwrap();
        ana.sees_one(|m| m.text.contains("Agendada") && m.text.contains(text)).await;
        world.advance(Duration::from_secs(601));
        ana.sees_one(|m| m.text.contains("Enviada para") && m.text.contains(text)).await;
    }
    world.said().await;
    (world, ana)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_of_a_message_outlives_its_instance_and_a_restored_copy() {
    within(async {
        let (mut world, ana) = two_sent().await;
        // As in a copy from before either was sent; of the first an attempt is known that came to nothing.
        world
            .does(
                "UPDATE scheduled_messages SET status = 'scheduled', attempt = 2 - id, tries = 0, claimed_for = NULL,
                     started_at = NULL, sent_at = NULL, sent_through = NULL, remote_id = NULL;
                 UPDATE message_attempts SET outcome = 'again', reason = 'unreachable', remote_id = NULL WHERE message_id = 1;
                 DELETE FROM message_attempts WHERE message_id = 2;
                 INSERT INTO meta (name, value) VALUES ('doubt_before', '1773253200000')
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            )
            .await;
        world.end().await;
        world.advance(Duration::from_secs(120));
        world.restart().await;
        let open = "SELECT COUNT(*) FROM scheduled_messages WHERE status <> 'sent'";
        while world.count(open).await > 0 {
            world.breath().await;
            world.advance(Duration::from_secs(5));
        }
        world.said().await;
        let found = "Loja: encontrada no histórico do WhatsApp: saiu";
        let told = history(&ana, 1).await;
        let lines: Vec<&str> = told.lines().filter(|line| line.starts_with('•')).collect();
        assert!(lines.len() == 2 && lines[0].ends_with(found), "{told}");
        assert!(lines[1].ends_with("Loja: não saiu, tentada de novo (o servidor não respondeu)"), "{told}");
        let told = history(&ana, 2).await;
        let lines: Vec<&str> = told.lines().filter(|line| line.starts_with('•')).collect();
        assert!(lines.len() == 1 && lines[0].ends_with(found), "{told}");
        // The instance goes; where its id is given anew, that is another.
        let services = &world.door.services;
        let account = services.accounts.find_account(AccountId(1)).await.unwrap().unwrap();
        let instance = services.instances.active(account.id).await.unwrap().unwrap().id;
        let hold = schedulezap::services::instances::Pending::Hold;
        services.instances.delete(account.id, instance, hold).await.unwrap();
        world.advance(Duration::from_secs(60));
        world.with_instance(&ana).await;
        world
            .does(
                "WITH RECURSIVE n(n) AS (SELECT 3 UNION ALL SELECT n + 1 FROM n WHERE n < 26)
                 INSERT INTO message_attempts (message_id, attempt, instance_id, started_at, finished_at, outcome)
                 SELECT 1, n, 99, 1773249600000 + n, 1773249600000 + n, 'again' FROM n",
            )
            .await;
        let told = history(&ana, 2).await;
        assert!(told.contains("Loja (apagada): encontrada"), "{told}");
        let told = history(&ana, 1).await;
        assert_eq!(told.lines().filter(|line| line.contains("instância apagada: não saiu")).count(), 20, "{told}");
        assert!(told.contains("… e mais 6 antes dessas."), "{told}");
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_been_sent_before_a_restored_copy_was_made_is_not_called_merely_late() {
    within(async {
        let (mut world, ana) = two_sent().await;
        // As in a copy from before either was sent.
        world
            .does(
                "UPDATE scheduled_messages SET status = 'scheduled', attempt = 0, tries = 0, claimed_for = NULL,
                     started_at = NULL, sent_at = NULL, sent_through = NULL, remote_id = NULL;
                 DELETE FROM message_attempts;
                 INSERT INTO meta (name, value) VALUES ('doubt_before', '1773253200000')
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            )
            .await;
        world.end().await;
        world.evolution.set_searchable(false);
        world.advance(Duration::from_secs(120));
        world.restart().await;
        let late = "SELECT COUNT(*) FROM scheduled_messages WHERE status = 'late'";
        while world.count(late).await < 2 {
            world.breath().await;
            world.advance(Duration::from_secs(5));
        }
        world.said().await;
        let card = ana.sees("2 mensagens passaram da hora").await;
        let marked = card.text.lines().filter(|line| line.starts_with("• ❓")).count();
        assert!(card.text.contains("2 podem já ter sido enviadas") && marked == 2, "{}", card.text);
        ana.taps_data(card.id, &data(&card, "Escolher"));
        let list = ana.sees_one(|m| m.text.contains("⏰❓") && m.text.contains("2 podem já ter sido enviadas")).await;
        ana.taps_data(list.id, "msg:1");
        let card = ana.sees_one(|m| m.id == list.id && m.text.contains("Ela pode já ter sido enviada")).await;
        // Another time is its owner's word: of that nothing is in doubt.
        ana.replies(card.id, "amanhã 9h");
        let card = ana.sees_one(|m| m.id > list.id && m.text.contains("Agendada #1")).await;
        assert!(!card.text.contains("pode já ter sido"), "{}", card.text);
        let account = world.door.services.accounts.find_account(AccountId(1)).await.unwrap().unwrap();
        let messages = &world.door.services.messages;
        let shown = messages.late(account.id).await.unwrap();
        assert_eq!((shown.count, shown.doubted), (1, 1));
        messages.answer_late(&account, ChatId(ana.id()), shown.which, Answer::Drop).await.unwrap();
        assert_eq!(world.count("SELECT COUNT(*) FROM scheduled_messages WHERE reason IS NOT NULL").await, 0);
        assert_eq!(world.evolution.count(), 2);
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_late_card_counts_all_that_are_late_and_its_keys_mean_all_of_them() {
    within(async {
        let world = World::start_with(schedulezap::domain::clock::Clock::manual(crate::harness::START), |config| {
            (config.send_gap, config.send_per_hour, config.send_per_day) = (Duration::ZERO, 0, 0);
        })
        .await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        world.handled().await;
        // 600 for each key; what has a later number was to go earlier.
        for (key, done) in [
            ("Descartar", "600 mensagens descartadas"),
            ("Amanhã, mesmo horário", "600 mensagens ficam para amanhã"),
            ("Enviar todas", "600 mensagens saem agora"),
        ] {
            let (now, chat) = (world.clock.now().0, ana.id());
            let sql = format!(
                "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 600)
                 INSERT INTO scheduled_messages (user_id, recipient, message, scheduled_time, time_zone, due_at, status, chat_id,
                     created_at, updated_at)
                 SELECT 1, '5511988887777', 'nr. ' || n || ' ' || '{key}', {now} - 7200000 - n, 'America/Sao_Paulo',
                     {now} - 7200000 - n, 'scheduled', {chat}, {now}, {now} FROM n"
            );
            world.does(sql.leak()).await;
            world.door.services.messages.wake.notify_anew();
            until(&world, || ana.chat().iter().any(|m| m.text.contains("600 mensagens passaram da hora"))).await;
            world.said().await;
            let card = ana.sees_now("600 mensagens passaram da hora").await;
            assert!(card.text.contains("… e mais 590.") && card.text.contains("nr. 600 "), "{}", card.text);
            // A key that was drawn for others does nothing.
            let services = &world.door.services;
            let account = services.accounts.find_account(AccountId(1)).await.unwrap().unwrap();
            let stale = services.messages.answer_late(&account, ChatId(chat), 7, Answer::Drop).await;
            assert!(matches!(stale, Err(Refusal::Changed)));
            ana.taps(key).unwrap();
            ana.sees(done).await;
        }
        // On PostgreSQL a number's turns are some milliseconds apart.
        world.until(Duration::from_millis(100), || world.evolution.count() == 600).await;
        world.said().await;
        let delivered: Vec<String> = world.evolution.delivered().into_iter().map(|one| one.text).collect();
        assert_eq!(delivered, (1..=600).rev().map(|n| format!("nr. {n} Enviar todas")).collect::<Vec<_>>());
        assert_eq!(world.count("SELECT COUNT(*) FROM scheduled_messages WHERE status = 'cancelled'").await, 600);
        // Two hours before the beginning, a day later.
        let tomorrow = "SELECT COUNT(*) FROM scheduled_messages WHERE status = 'scheduled' AND due_at = scheduled_time
             AND wall_time LIKE '2026-03-12T12:%' AND due_at BETWEEN 1773249600000 + 79200000 - 1000 AND 1773249600000 + 80200000";
        assert_eq!(world.count(tomorrow).await, 600);
        assert_eq!(world.count("SELECT COUNT(*) FROM scheduled_messages WHERE status = 'late'").await, 0);
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_card_of_each_message_follows_what_is_done_with_many_at_once() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        let texts = ["um.", "dois.", "três."];
        let schedules = async |when: &str| {
            for text in texts {
                ana.says(&format!("{when} para 11 98888-7777: {text}"));
                ana.sees_one(|m| m.text.contains(text) && m.text.contains("Confira")).await;
                ana.taps("Confirmar").unwrap();
                ana.sees_one(|m| m.text.contains(text) && m.text.contains("Agendada")).await;
            }
        };
        let status = |id: usize, status: &str| {
            ana.chat()
                .iter()
                .any(|m| m.text.contains(&format!("{status} #{id}")) && m.text.contains(texts[(id - 1) % 3]))
        };
        // Only the first of them was tried.
        schedules("em 10 minutos").await;
        world.evolution.set_faults(Faults { disconnected: true, ..Faults::default() });
        world.advance(Duration::from_secs(601));
        until(&world, || (1..=3).all(|id| status(id, "Em espera"))).await;
        // They are late by now, and go tomorrow.
        world.advance(HOUR);
        world.evolution.set_faults(Faults::default());
        until(&world, || (1..=3).all(|id| status(id, "Atrasada"))).await;
        ana.sees("3 mensagens passaram da hora").await;
        ana.taps("Amanhã, mesmo horário").unwrap();
        until(&world, || (1..=3).all(|id| status(id, "Agendada"))).await;
        // Their instance goes, and another takes its place.
        let (owner, first) = (AccountId(1), schedulezap::domain::ids::InstanceId(1));
        let hold = schedulezap::services::instances::Pending::Hold;
        world.door.services.instances.delete(owner, first, hold).await.unwrap();
        until(&world, || (1..=3).all(|id| status(id, "Em espera"))).await;
        world.with_instance(&ana).await;
        until(&world, || (1..=3).all(|id| status(id, "Agendada"))).await;
        // They miss that hour too, and the account wants them dropped: first by hand, then by itself.
        let misses = async || {
            world.does("UPDATE user_instances SET next_send_at = 9000000000000").await;
            world.advance(HOUR * 24);
        };
        misses().await;
        until(&world, || (1..=3).all(|id| status(id, "Atrasada"))).await;
        ana.sees_now("3 mensagens passaram da hora").await;
        ana.taps("Descartar").unwrap();
        until(&world, || (1..=3).all(|id| status(id, "Cancelada"))).await;
        world.does("UPDATE users SET late_policy = 'never'").await;
        schedules("amanhã 9h").await;
        misses().await;
        until(&world, || (4..=6).all(|id| status(id, "Cancelada"))).await;
        assert_eq!(told(&ana, "3 mensagens passaram da hora e foram descartadas"), 1);
        world.said().await;
        assert_eq!(world.evolution.count(), 0);
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_the_server_finds_malformed_names_the_field() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        ana.says("em 10 minutos para 11 98888-7777: oi");
        ana.sees("Confira e confirme").await;
        ana.taps("Confirmar").unwrap();
        ana.sees("Agendada").await;
        // We let nothing blank in.
        world.does("UPDATE scheduled_messages SET message = ' '").await;
        world.advance(Duration::from_secs(601));
        ana.sees_one(|m| m.text.contains("Não consegui enviar") && m.text.contains("malformada: campo text")).await;
        ana.sees_one(|m| m.text.contains("Falhou #1") && m.text.contains("malformada: campo text")).await;
        let told = history(&ana, 1).await;
        assert!(told.contains("(mensagem malformada, campo text)"), "{told}");
        world.finish(&[&ana]).await;
    })
    .await;
}

/// Does some of this work and then dies: after so many steps. Says whether the work came to its end.
async fn dies_after(steps: usize, work: impl Future) -> bool {
    let (mut work, mut left) = (std::pin::pin!(work), steps);
    std::future::poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        work.as_mut().poll(context).map(|_| true)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_death_at_any_step_of_a_digest_leaves_no_outcome_out_of_it() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        let people: Vec<String> = (1..=6).map(|n| format!("11 98888-000{n}")).collect();
        ana.says(&format!("em 10 minutos para {}: Promoção", people.join(", ")));
        ana.sees("Confira e confirme").await;
        ana.taps("Confirmar").unwrap();
        ana.sees("6 mensagens agendadas").await;
        world.advance(Duration::from_secs(600));
        until(&world, || ana.chat().iter().any(|m| m.text.contains("6 mensagens enviadas"))).await;
        world.said().await;
        // They went a second apart.
        world.does("UPDATE scheduled_messages SET updated_at = updated_at + id * 1000").await;
        world.does("UPDATE scheduled_messages SET sent_at = updated_at").await;
        world.advance(Duration::from_secs(10));
        let digests = || ana.chat().iter().filter(|m| m.text.contains("mensagens enviadas")).count();
        for steps in 0.. {
            world.said().await;
            let before = digests();
            world.does("DELETE FROM live_cards").await;
            world
                .does(
                    "INSERT INTO reports (account_id, chat_id, payload, created_at)
                     SELECT user_id, chat_id, '{\"what\":\"sent\",\"message\":' || id || ',\"late_ms\":0}', updated_at
                     FROM scheduled_messages ORDER BY id",
                )
                .await;
            let is_done = dies_after(steps, Box::pin(tell_all(&world.door))).await;
            Box::pin(tell_all(&world.door)).await.unwrap();
            world.said().await;
            let told = ana.chat().into_iter().rfind(|m| m.text.contains("enviada")).unwrap();
            assert!(told.text.contains("6 mensagens enviadas"), "after {steps} steps: {}", told.text);
            assert_eq!(digests(), before + 1, "after {steps} steps");
            if is_done {
                break;
            }
        }
        world.finish(&[&ana]).await;
    })
    .await;
}
