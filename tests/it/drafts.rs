//! Drafts and cards under rough hands: edits, double taps, stale keys, odd texts, two people at once.

use std::time::Duration;

use schedulezap::domain::clock::Clock;
use schedulezap::domain::ids::{AccountId, ChatId};
use schedulezap::domain::message::Body;
use schedulezap::domain::recipient::Recipient;
use schedulezap::sandbox::telegram::{Person, Shown};
use schedulezap::services::Refusal;
use schedulezap::services::messages::Addressee;

use crate::harness::{START, World, amount, data, within};

const HOUR: Duration = Duration::from_secs(3600);

/// Schedules a message in one line; returns the number of what was said.
async fn schedules(person: &Person, line: &str, card: &str) -> i64 {
    let said = person.says(line);
    person.sees_now("Confira e confirme").await;
    person.taps("Confirmar").unwrap();
    person.sees_now(card).await;
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn editing_what_was_said_changes_the_draft_or_what_waits_and_not_what_has_gone() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        // A draft of one line follows as a whole.
        let said = ana.says("amanhã 9h para 11 98888-7777: Bom dia");
        ana.sees_now("Confira e confirme").await;
        ana.edits(said, "amanhã 10h para 11 97777-6666: Boa tarde");
        let card = ana.sees("Boa tarde").await;
        assert!(card.text.contains("às 10:00") && card.text.contains("97777-6666"), "{}", card.text);
        ana.taps("Confirmar").unwrap();
        ana.sees_now("Agendada #1").await;
        // So does what was made of it.
        ana.edits(said, "amanhã 11h30 para 11 98888-7777: Boa noite");
        let card = ana.sees("Mudei conforme a sua edição").await;
        for part in ["às 11:30", "98888-7777", "Boa noite", "#1"] {
            assert!(card.text.contains(part), "{part}: {}", card.text);
        }
        ana.edits(said, "ontem 11h30 para 11 98888-7777: Boa noite");
        ana.sees_now("Não consegui ler o novo horário").await;
        // A text that was said by itself is the whole text.
        ana.says("/agendar");
        ana.sees_now("Para quem?").await;
        ana.says("11 98888-7777");
        ana.sees_now("O que enviar?").await;
        let text = ana.says("Reunião amanhã às 9h");
        ana.sees_now("Quando?").await;
        ana.says("amanhã 8h");
        ana.sees_now("Confira e confirme").await;
        ana.edits(text, "Reunião amanhã às 10h");
        let card = ana.sees("Reunião amanhã às 10h").await;
        assert!(card.text.contains("às 08:00"), "its time stays: {}", card.text);
        ana.taps("Confirmar").unwrap();
        ana.sees_now("Agendada #2").await;
        ana.edits(text, "\u{200b}");
        ana.sees_now("A mensagem está vazia").await;
        ana.edits(text, "Reunião às 11h, <b>sala 2</b>");
        ana.sees_now("sala 2").await;
        world.advance(HOUR * 17 + HOUR * 2 / 3);
        world.evolution.wait_for(1).await;
        ana.sees_one(|m| m.text.contains("Enviada para") && m.text.contains("sala 2")).await;
        world.advance(HOUR * 7 / 2);
        world.evolution.wait_for(2).await;
        let texts: Vec<_> = world.evolution.delivered().into_iter().map(|d| d.text).collect();
        assert_eq!(texts, ["Reunião às 11h, <b>sala 2</b>", "Boa noite"]);
        ana.sees_one(|m| m.text.contains("Enviada para") && m.text.contains("Boa noite")).await;
        ana.edits(said, "amanhã 12h para 11 98888-7777: tarde demais");
        ana.sees_now("já foi enviada").await;
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_reaches_what_was_said_in_its_own_chat_alone() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        let ben = world.member("Ben", "en").await;
        let said = schedules(&ana, "amanhã 9h para 11 98888-7777: da Ana", "Agendada #1").await;
        let mine = ben.says("hello");
        ben.sees_now("To whom?").await;
        ben.says("/cancel");
        ben.sees_now("Cancelled").await;
        assert_ne!(said, mine);
        ben.edits(mine, "tomorrow 9am to +1 415 555 2671: changed");
        ben.edits(said, "changed");
        world.handled().await;
        ana.says("/mensagens");
        ana.sees_now("da Ana").await;
        // Several recipients follow together.
        let both = schedules(&ana, "amanhã 9h para 11 98888-7777, 11 97777-6666: oi", "2 mensagens").await;
        ana.edits(both, "amanhã 10h para 11 98888-7777, 11 97777-6666: olá");
        ana.sees_one(|m| m.text.contains("#2") && m.text.contains("olá") && m.text.contains("às 10:00")).await;
        ana.sees_one(|m| m.text.contains("#3") && m.text.contains("olá") && m.text.contains("às 10:00")).await;
        world.handled().await;
        world.said().await;
        assert!(!ana.chat().iter().any(|m| m.text.contains("Os destinatários não mudaram")));
        // Others in their place are not guessed at, and that is said.
        ana.edits(both, "amanhã 11h para 11 98888-7777, 11 95555-4444: tchau");
        let said = ana.sees("Os destinatários não mudaram").await;
        assert!(said.text.contains("98888-7777, +55 11 97777-6666"), "{}", said.text);
        ana.sees_one(|m| m.text.contains("#3") && m.text.contains("tchau") && m.text.contains("97777-6666")).await;
        let alone = schedules(&ana, "amanhã 9h para 11 98888-7777: só uma", "Agendada #4").await;
        ana.edits(alone, "amanhã 12h para 11 98888-7777, 11 95555-4444: só uma");
        ana.sees("O destinatário não mudou").await;
        assert_eq!(world.count("SELECT COUNT(*) FROM scheduled_messages WHERE recipient LIKE '%5555%'").await, 0);
        world.finish(&[&ana, &ben]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_whose_hour_has_passed_is_asked_about_and_never_sent_in_silence() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        ana.says("em 10 minutos para 11 98888-7777: oi");
        let card = ana.sees_now("Confira e confirme").await;
        world.advance(Duration::from_secs(660));
        ana.taps("Confirmar").unwrap();
        ana.sees_now("já passou").await;
        assert_eq!(world.count("SELECT COUNT(*) FROM scheduled_messages").await, 0);
        // A key of the older card asks again, too.
        ana.taps_data(card.id, "ok");
        ana.says("amanhã 9h");
        ana.sees_now("Confira e confirme").await;
        ana.taps("Confirmar").unwrap();
        ana.sees_now("Agendada #1").await;
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn double_taps_and_stale_keys_do_their_work_once() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        ana.says("amanhã 9h para 11 98888-7777: oi");
        let card = ana.sees_now("Confira e confirme").await.id;
        for _ in 0..3 {
            ana.taps_data(card, "ok");
        }
        ana.sees_now("Agendada #1").await;
        world.handled().await;
        world.said().await;
        assert_eq!(ana.toasts(), ["Não há mais nada a confirmar. Veja /mensagens."; 2]);
        assert_eq!(world.count("SELECT COUNT(*) FROM scheduled_messages").await, 1);
        ana.taps_data(card, "undo:1:0");
        ana.taps_data(card, "undo:1:0");
        ana.sees("Cancelada #1").await;
        world.handled().await;
        world.said().await;
        assert!(ana.toasts().iter().any(|toast| toast.contains("Já cancelada")), "{:?}", ana.toasts());
        // Of an older state of the message: it is drawn anew and nothing is done.
        schedules(&ana, "amanhã 9h para 11 98888-7777: dois", "Agendada #2").await;
        // A card is known to be one a moment after it is seen.
        world.said().await;
        ana.replies(card, "amanhã 10h");
        world.does("UPDATE scheduled_messages SET version = version + 1 WHERE id = 2").await;
        let fresh = ana.sees_one(|m| m.text.contains("Agendada #2")).await.id;
        ana.taps_data(fresh, "msg_now:2:0");
        ana.taps_data(fresh, "msg_cancel:2:0");
        world.handled().await;
        world.said().await;
        assert!(ana.toasts().iter().any(|toast| toast.contains("mudou nesse meio-tempo")), "{:?}", ana.toasts());
        assert!(world.evolution.delivered().is_empty());
        for forged in ["", "cancel:", "msg:x", "ok:1", "\u{0}\u{1}", &"z".repeat(64), "msg:9223372036854775808"] {
            ana.taps_data(fresh, forged);
        }
        // A key under what a person said, which no bot can have put there.
        let mine = ana.says("/menu");
        ana.taps_data(mine, "home");
        world.handled().await;
        world.said().await;
        assert!(
            ana.toasts().iter().filter(|toast| toast.contains("Botão expirado")).count() >= 8,
            "{:?}",
            ana.toasts()
        );
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_that_wants_a_text_says_so_to_anything_else_and_keeps_what_it_has() {
    within(async {
        let world = World::start().await;
        let ana = world.telegram.person("Ana", "pt-br");
        let code = world.door.services.accounts.claim_link_code().await.unwrap().unwrap();
        let anything_else = async |asked: &str| {
            for send in [Person::sends_photo, Person::sends_voice, Person::sends_sticker, Person::sends_location] {
                let said = || ana.chat().iter().filter(|m| m.from_bot).count();
                let before = said();
                send(&ana);
                ana.sees_one(|m| m.text.contains("como texto")).await;
                world.handled().await;
                world.said().await;
                assert_eq!(said() - before, 1, "{asked}: one answer to each");
            }
        };
        ana.opens(&code);
        ana.sees_now("ScheduleZAP").await;
        ana.taps("Criar conta").unwrap();
        ana.sees_now("Escolha um nome").await;
        anything_else("username").await;
        ana.says("ana");
        ana.sees_now("Agora uma senha").await;
        anything_else("password").await;
        ana.shares_contact("+5511988887777", "Bia");
        ana.sees_now("como texto").await;
        ana.says("cavalo bateria grampo certo");
        ana.sees_now("criada").await;
        ana.says("/instancias");
        ana.sees_now("Nenhuma ainda").await;
        ana.taps("Nova instância").unwrap();
        ana.sees_now("Como quer chamar").await;
        anything_else("label").await;
        ana.says("Loja");
        ana.sees_now("Qual é o endereço").await;
        anything_else("address").await;
        ana.says(&world.url);
        ana.sees_now("chave de API").await;
        ana.sends_sticker();
        ana.sees_now("como texto").await;
        ana.says(crate::harness::KEY);
        ana.sees_now("Encontrei estas").await;
        anything_else("name").await;
        ana.taps("loja").unwrap();
        ana.sees_now("WhatsApp conectado").await;
        ana.taps("Salvar").unwrap();
        ana.sees_now("💾").await;
        ana.says("/agendar");
        ana.sees_now("Para quem?").await;
        anything_else("recipient").await;
        ana.shares_contact("+5511988887777", "Bia");
        ana.sees_now("O que enviar?").await;
        anything_else("text").await;
        ana.says("oi");
        ana.sees_now("Quando?").await;
        anything_else("time").await;
        ana.says("amanhã 9h");
        let card = ana.sees_now("Confira e confirme").await;
        assert!(card.text.contains("Bia (+55 11 98888-7777)"), "{}", card.text);
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_texts_are_refused_kindly_or_kept_as_they_are_and_break_no_screen() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        let long = "ã".repeat(4000);
        ana.says("/instancias");
        ana.sees_now("Nenhuma ainda").await;
        ana.taps("Nova instância").unwrap();
        ana.sees_now("Como quer chamar").await;
        for bad in [long.as_str(), "\u{200b}\u{200d}", "\u{202e}ajoL", "   "] {
            ana.says(bad);
            world.handled().await;
            world.said().await;
            ana.sees_now("de 1 a 64 caracteres").await;
        }
        ana.says("<b>Loja</b> & \"cia\" {$name}");
        ana.sees_now("Qual é o endereço").await;
        for (bad, why) in [
            (long.as_str(), "não é um endereço"),
            ("evolution.example.com:8080", "falta http://"),
            ("http://169.254.169.254/latest/", "não permitido"),
            ("https://user:pw-secret@evo.example.com", "usuário e senha"),
            ("file:///etc/passwd", "Só http ou https"),
            ("javascript:alert(1)", "Só http ou https"),
            ("http://a\u{200b}b.example.com", "não é um endereço"),
        ] {
            ana.says(bad);
            world.handled().await;
            world.said().await;
            let shown = ana.sees_now(why).await;
            assert!(!shown.text.contains("pw-secret"), "{}", shown.text);
        }
        ana.says(&world.url);
        ana.sees_now("chave de API").await;
        for bad in ["abc\r\nX: y", "chave 🔑", &long, &"k".repeat(4000)] {
            ana.says(bad);
            world.handled().await;
            world.said().await;
            ana.sees_now("Chave inválida").await;
        }
        ana.says(crate::harness::KEY);
        ana.sees_now("Encontrei estas").await;
        for bad in ["..", ".", &long, "\u{200b}"] {
            ana.says(bad);
            world.handled().await;
            world.said().await;
            ana.sees_now("Esse nome não serve").await;
        }
        ana.says("a/b <i>?x=1#</i>");
        ana.sees_now("O servidor não conhece esse nome").await;
        ana.taps("Salvar assim mesmo").unwrap();
        let card = ana.sees_now("💾").await;
        assert!(card.text.contains("<b>Loja</b> & \"cia\" {$name}"), "{}", card.text);
        // What is to be sent is kept to the letter, marks, directions and all.
        ana.shares_contact("+5511988887777", "مريم <b>\u{202e}M</b> & {$x}");
        ana.sees_now("O que enviar?").await;
        let text = "<b>olá</b> & _x_ [a](tg://user?id=1) שלום {$name} \u{200d}👩\u{200d}👩\u{200d}👧";
        ana.says(text);
        ana.sees_now("Quando?").await;
        for bad in [&long[..400], "<b>amanhã</b>", "\u{202e}h9", "31/02/2027 10:00", "00/00", "29/02/2027"] {
            ana.says(bad);
            world.handled().await;
            world.said().await;
        }
        ana.says("amanhã 9h");
        ana.sees_now("Confira e confirme").await;
        ana.taps("Confirmar").unwrap();
        ana.sees_now("Agendada #1").await;
        world.advance(HOUR * 24);
        ana.sees_now("passou da hora").await;
        ana.says("/conta");
        ana.sees_now("Fuso horário").await;
        ana.taps("Fuso horário").unwrap();
        ana.sees_now("Qual é a sua cidade").await;
        for bad in ["<b>Xyzw</b>", &long, "\u{202e}"] {
            ana.says(bad);
            world.handled().await;
            world.said().await;
            ana.sees_now("Não encontrei").await;
        }
        ana.says("/cancelar");
        ana.sees_now("Cancelado").await;
        let kept =
            world.count("SELECT COUNT(*) FROM scheduled_messages WHERE message LIKE '<b>olá</b> & _x_ [a](tg:%'").await;
        assert_eq!(kept, 1);
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_of_one_account_do_not_undo_each_other() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        let bia = world.telegram.person("Bia", "pt-br");
        bia.says("/start");
        bia.sees_now("ScheduleZAP").await;
        bia.taps("Já tenho conta").unwrap();
        bia.sees_now("seu nome de usuário").await;
        bia.says("ana");
        bia.sees_now("E a senha?").await;
        bia.says("cavalo bateria grampo certo");
        bia.sees_now("Nenhuma mensagem esperando").await;
        schedules(&ana, "amanhã 9h para 11 98888-7777: oi", "Agendada #1").await;
        bia.says("/mensagens");
        bia.sees_now("Esperando: 1").await;
        bia.taps("#1").or_else(|_| bia.taps("98888")).unwrap();
        let hers = bia.sees_now("Agendada #1").await.id;
        // One comes first; the other's key is of an older state, and the card tells.
        bia.taps_data(hers, "msg_cancel:1:0");
        bia.sees_now("Cancelada #1").await;
        ana.taps("Enviar agora").unwrap();
        ana.sees_now("Cancelada #1").await;
        let cancelled =
            world.count("SELECT COUNT(*) FROM scheduled_messages WHERE status = 'cancelled' AND version = 1").await;
        assert_eq!(cancelled, 1);
        // Each has their own draft.
        ana.says("/agendar");
        ana.sees_now("Para quem?").await;
        bia.says("/agendar");
        bia.sees_now("Para quem?").await;
        ana.says("11 98888-7777");
        ana.sees_now("O que enviar?").await;
        bia.says("nada disso");
        bia.sees_now("não é um número").await;
        world.finish(&[&ana, &bia]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_an_older_state_does_nothing_but_show_how_things_stand() {
    within(async {
        let world = World::start_with(Clock::manual(START), |config| config.quotas.updates_per_min = 0).await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        schedules(&ana, "amanhã 9h para 11 98888-7777: oi", "Agendada #1").await;
        let old = ana.sees_now("Agendada #1").await;
        let pins = {
            ana.taps_data(old.id, &data(&old, "Fixar instância"));
            let pins = ana.sees_one(|m| m.text.contains("Por qual instância")).await;
            data(&pins, "Loja")
        };
        ana.taps_data(old.id, "msg:1");
        let card = ana.sees_one(|m| m.id == old.id && m.text.contains("Agendada #1")).await;
        // It changes by another way than this card, once the bot knows which message the card is.
        world.handled().await;
        world.said().await;
        ana.replies(card.id, "amanhã 11h");
        ana.sees_one(|m| m.id != old.id && m.text.contains("às 11:00")).await;
        world.handled().await;
        world.said().await;
        let keys =
            ["Mudar horário", "Mudar texto", "Mudar destinatário", "Fixar instância", "Enviar agora", "Cancelar envio"];
        for key in keys.map(|key| data(&card, key)).into_iter().chain([pins]) {
            let toasts = ana.toasts().len();
            ana.taps_data(old.id, &key);
            world.handled().await;
            world.said().await;
            assert_eq!(ana.toasts()[toasts..], ["Isso mudou nesse meio-tempo."], "{key}");
            let shown = ana.chat().into_iter().find(|m| m.id == old.id).unwrap();
            assert!(shown.text.contains("Agendada #1") && shown.text.contains("às 11:00"), "{}", shown.text);
        }
        let same =
            "SELECT COUNT(*) FROM scheduled_messages WHERE status = 'scheduled' AND pinned = FALSE AND message = 'oi'";
        assert_eq!(world.count(same).await, 1);
        // The card that was drawn anew works.
        let fresh = ana.chat().into_iter().find(|m| m.id == old.id).unwrap();
        ana.taps_data(old.id, &data(&fresh, "Mudar texto"));
        ana.sees("O que enviar?").await;
        ana.says("/cancelar");
        // So it is with a series.
        schedules(&ana, "todo dia às 9h para 11 98888-7777: ola", "Repetição #1").await;
        let old = ana.sees_now("Repetição #1").await;
        world.handled().await;
        world.said().await;
        ana.replies(old.id, "todo dia às 10h");
        ana.sees_one(|m| m.id != old.id && m.text.contains("Repetição #1") && m.text.contains("10:00")).await;
        world.handled().await;
        world.said().await;
        for key in ["Mudar horário", "Mudar texto", "Mudar destinatário", "Fixar instância", "Pular", "Parar"] {
            let toasts = ana.toasts().len();
            ana.taps_data(old.id, &data(&old, key));
            world.handled().await;
            world.said().await;
            assert_eq!(ana.toasts()[toasts..], ["Isso mudou nesse meio-tempo."], "{key}");
        }
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_goes_to_one_person_and_is_not_given_several_in_silence() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        schedules(&ana, "amanhã 9h para 11 98888-7777: oi", "Agendada #1").await;
        schedules(&ana, "toda segunda às 9h para 11 98888-7777: oi", "Repetição #1").await;
        for card in ["Agendada #1", "Repetição #1"] {
            world.said().await;
            let shown = ana.sees_one(|m| m.text.contains(card) && !m.rows.is_empty()).await;
            ana.taps_data(shown.id, &data(&shown, "Mudar destinatário"));
            ana.sees("Escreva um número ou compartilhe").await;
            ana.says("11 97777-6666, 11 96666-5555");
            ana.sees_now("vai para uma pessoa só; aqui há 2").await;
            ana.says("11 97777-6666");
            ana.sees_one(|m| m.text.contains(card) && m.text.contains("97777-6666")).await;
        }
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_all_who_act_on_what_they_saw_one_alone_succeeds() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        let messages = &world.door.services.messages;
        let account = world.door.services.accounts.find_account(AccountId(1)).await.unwrap().unwrap();
        let to = [Addressee { recipient: Recipient::Phone("5511988887777".to_owned()), name: String::new() }];
        let body = Body::parse("oi").unwrap();
        for round in 1..=amount("RACES", 20) {
            let at = world.clock.now().plus(HOUR);
            let made = messages.schedule(&account, ChatId(ana.id()), &to, &body, at, &format!("race-{round}")).await;
            let id = made.unwrap()[0];
            let seen = Some(messages.find(account.id, id).await.unwrap().version);
            let race = (0..12).map(|n| {
                let (messages, account) = (messages.clone(), account.clone());
                tokio::spawn(async move {
                    match n % 3 {
                        0 => messages.cancel_as_seen(account.id, id, seen).await,
                        1 => messages.send_as_seen(&account, id, seen).await,
                        _ => messages.pin_as_seen(account.id, id, None, seen).await,
                    }
                })
            });
            let mut won = 0;
            for one in futures::future::join_all(race).await {
                match one.unwrap() {
                    Ok(_) => won += 1,
                    Err(Refusal::Changed | Refusal::BeingSent | Refusal::AlreadySent) => {}
                    Err(other) => panic!("{other}"),
                }
            }
            assert_eq!(won, 1);
        }
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_to_go_now_goes_when_it_is_confirmed() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        ana.says("agora para 11 98888-7777: numa linha");
        ana.sees_now("Confira e confirme").await;
        world.advance(Duration::from_secs(40));
        ana.taps("Confirmar").unwrap();
        world.evolution.wait_for(1).await;
        ana.sees("Enviada para").await;
        // A waiting message goes at once when its new time is now.
        schedules(&ana, "amanhã 9h para 11 98888-7777: depois", "Agendada #2").await;
        ana.taps("Mudar horário").unwrap();
        ana.sees_now("Quando?").await;
        ana.says("agora mesmo");
        while world.evolution.count() < 2 {
            world.breath().await;
            world.advance(Duration::from_secs(1));
        }
        // What was meant for a moment that has passed meanwhile is asked about still.
        ana.says("em 1 minuto para 11 98888-7777: tarde");
        ana.sees_one(|m| m.text.contains("Confira e confirme") && m.text.contains("tarde")).await;
        world.advance(Duration::from_secs(90));
        ana.taps("Confirmar").unwrap();
        ana.sees("já passou").await;
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_number_in_a_list_is_refused_and_never_sent_as_text() {
    within(async {
        let world = World::start_with(Clock::manual(START), |config| config.quotas.updates_per_min = 0).await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        // In one line: the time and the text are kept.
        ana.says("agora para 11 98888-7777, 12345: promoção");
        let asked = ana.sees_now("“12345” tem 5 dígitos").await;
        assert!(asked.rows.iter().flatten().any(|key| key.label.contains("Cancelar")), "{asked:?}");
        ana.says("11 98888-7777, 11 97777-6666");
        let card = ana.sees_now("Confira e confirme").await;
        assert!(card.text.ends_with("promoção") && !card.text.contains("12345"), "{}", card.text);
        ana.taps("Confirmar").unwrap();
        world.evolution.wait_for(1).await;
        world.until(Duration::from_secs(1), || world.evolution.count() == 2).await;
        assert!(world.evolution.delivered().iter().all(|sent| sent.text == "promoção"));
        ana.says("para 123: oi");
        ana.sees_now("“123” tem 3 dígitos").await;
        ana.says("11 98888-7777");
        ana.sees_now("Quando?").await;
        ana.says("/cancelar");
        ana.sees_now("Cancelado").await;
        world.said().await;
        // At the step, by line: the line is named, and the step asks again.
        ana.says("/agendar");
        ana.sees_now("Para quem?").await;
        for (list, why) in [
            ("11 97000-0001\n11 9700A-0002\n11 97000-0003", "Linha 2: “11 9700A-0002” não é um número"),
            ("11 97000-0001\n11 97000-0002\n12345", "Linha 3: “12345” tem 5 dígitos"),
            ("11 97000-0001, Ana", "“Ana” não é um número"),
            ("11 97000-0001; 11 97000-0002; bom dia para todos", "“bom dia para todos” não é um número"),
            ("11 97000-0001\nOi, tudo bem?", "Linha 2: “Oi” não é um número"),
            ("11 97000-0001\n11 97000-0002\nAviso: fechado", "Linha 3: “Aviso: fechado” não é um número"),
        ] {
            ana.says(list);
            ana.sees_now(why).await;
            world.said().await;
        }
        // A whole request is still as good an answer.
        ana.says("11 98888-7777: oi, tudo bem? Meu número: 11 97777-6666, ramal 12345");
        ana.sees_now("Quando?").await;
        ana.says("amanhã 9h");
        let card = ana.sees_now("Confira e confirme").await;
        assert!(card.text.ends_with("oi, tudo bem? Meu número: 11 97777-6666, ramal 12345"), "{}", card.text);
        ana.says("/cancelar");
        ana.sees_now("Cancelado").await;
        world.said().await;
        ana.says("/agendar");
        ana.sees_now("Para quem?").await;
        ana.says("amanhã 9h para 11 98888-7777\n11 97777-6666: oi, 1, 2");
        let card = ana.sees_now("Confira e confirme").await;
        assert!(card.text.contains("97777-6666") && card.text.ends_with("oi, 1, 2"), "{}", card.text);
        // An edit that spoils the list changes no recipient, and is told.
        ana.taps("Cancelar").unwrap();
        ana.sees_now("Cancelado").await;
        world.said().await;
        let said = ana.says("amanhã 9h para 11 98888-7777: oi");
        ana.sees_now("Confira e confirme").await;
        ana.edits(said, "amanhã 9h para 11 98888-7777, 12345: oi");
        let is_told = |m: &Shown| m.text.contains("“12345” tem 5 dígitos") && m.text.contains("Confira e confirme");
        let card = ana.sees_one(is_told).await;
        assert!(card.text.ends_with("\noi"), "{}", card.text);
        ana.taps("Confirmar").unwrap();
        ana.sees_now("Agendada #3").await;
        ana.edits(said, "amanhã 9h para 11 98888-7777, 12345: oi");
        let stay = ana.sees("O destinatário não mudou").await;
        assert!(stay.text.contains("“12345” tem 5 dígitos"), "{}", stay.text);
        assert_eq!(world.count("SELECT COUNT(*) FROM scheduled_messages WHERE message = 'oi'").await, 1);
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_recipients_are_refused_however_they_are_said_and_in_each_language() {
    within(async {
        let world = World::start_with(Clock::manual(START), |config| config.quotas.updates_per_min = 0).await;
        let numbers: Vec<_> = (10..61).map(|n| format!("+55 11 97000-00{n}")).collect();
        for (tag, name, at, limit, when) in [
            ("pt-br", "Ana", "amanhã 9h para", "No máximo 50 destinatários por vez; aqui há 51", "Confira e confirme"),
            ("en", "Ben", "tomorrow 9am to", "At most 50 recipients at once; here are 51", "Check and confirm"),
            (
                "es",
                "Eva",
                "mañana a las 9 para",
                "Como máximo 50 destinatarios a la vez; aquí hay 51",
                "Revise y confirme",
            ),
        ] {
            let person = world.member(name, tag).await;
            person.says("/agendar");
            person.sees_now("👤").await;
            for by in ["\n", ", ", "; "] {
                person.says(&numbers.join(by));
                person.sees_now(limit).await;
                world.handled().await;
                world.said().await;
            }
            person.says("/cancelar");
            person.sees_now("✖️").await;
            for by in [", ", "\n"] {
                person.says(&format!("{at} {}: lista", numbers.join(by)));
                person.sees_now(limit).await;
                // The time and the text are kept.
                person.says(&numbers[1..].join(by));
                let card = person.sees_now(when).await;
                assert!(card.text.ends_with("lista"), "{}", card.text);
                person.says("/cancelar");
                person.sees_now("✖️").await;
            }
            world.handled().await;
            assert_eq!(world.count("SELECT COUNT(*) FROM scheduled_messages").await, 0);
        }
        world.finish(&[]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_left_draft_can_be_resumed_from_every_screen_and_is_not_dropped_without_a_word() {
    within(async {
        let world = World::start_with(Clock::manual(START), |config| config.quotas.updates_per_min = 0).await;
        for (name, tag, resume, dropped) in [
            ("Ana", "pt-br", "Retomar", "O rascunho que estava aberto foi descartado"),
            ("Ben", "en", "Resume", "The draft that was open was dropped"),
            ("Eva", "es", "Retomar", "El borrador que estaba abierto fue descartado"),
        ] {
            let person = world.member(name, tag).await;
            person.says("/agendar");
            person.sees_now("👤").await;
            person.says("+55 11 98888-7777");
            person.sees_now("✏️").await;
            for command in ["/instancias", "/mensagens", "/conta", "/menu"] {
                person.says(command);
                let has_key = |m: &Shown| m.rows.iter().flatten().filter(|key| key.label.contains(resume)).count() == 1;
                let before = person.chat().last().unwrap().id;
                person.sees_one(|m| m.id >= before && has_key(m)).await;
                world.handled().await;
                world.said().await;
                person.taps(resume).unwrap();
                person.sees_now("✏️").await;
                world.said().await;
            }
            person.says("/conta");
            world.handled().await;
            world.said().await;
            person.says("2026-12-31 10:00 +55 11 97777-6666: oi");
            let card = person.sees_now(dropped).await;
            assert!(card.text.contains("97777-6666"), "{}", card.text);
            // So does a command that begins another one; an empty draft costs nothing.
            person.says("/agendar");
            person.sees_one(|m| m.text.contains(dropped) && m.text.contains("👤") && m.id > card.id).await;
            world.handled().await;
            world.said().await;
            person.says("/agendar");
            world.handled().await;
            world.said().await;
            assert!(!person.chat().last().unwrap().text.contains(dropped));
        }
        world.finish(&[]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_of_what_cannot_be_changed_any_more_is_over_and_what_is_said_next_is_heard() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        // It goes while its text is being thought of.
        schedules(&ana, "em 10 minutos para 11 98888-7777: um", "Agendada #1").await;
        ana.taps("Mudar texto").unwrap();
        ana.sees_now("O que enviar?").await;
        world.advance(Duration::from_secs(601));
        world.evolution.wait_for(1).await;
        world.said().await;
        ana.says("um, mas melhor");
        let is_over = |m: &Shown| m.text.contains("já foi enviada") && m.text.contains("não mudou nada");
        let card = ana.sees_one(is_over).await;
        assert!(card.text.contains("Enviada #1"), "{}", card.text);
        assert!(card.rows.iter().flatten().any(|key| key.label.contains("Duplicar")), "{card:?}");
        // Another card of it cancels it while its recipient or its time is asked for.
        for (key, question, answer, wanted) in [
            ("Mudar destinatário", "Escreva um número ou compartilhe", "11 97777-6666", "Cancelada #2"),
            ("Mudar texto", "O que enviar?", "outro", "Cancelada #3"),
        ] {
            let card = wanted.replace("Cancelada", "Agendada");
            schedules(&ana, "amanhã 9h para 11 98888-7777: depois", &card).await;
            ana.taps(key).unwrap();
            ana.sees_now(question).await;
            world.does("UPDATE scheduled_messages SET status = 'cancelled' WHERE status = 'scheduled'").await;
            ana.says(answer);
            ana.sees_one(|m| m.text.contains("Isso mudou") && m.text.contains(wanted)).await;
        }
        // So it is with a series.
        schedules(&ana, "todo dia às 9h para 11 98888-7777: sempre", "Repetição #1").await;
        ana.taps("Mudar texto").unwrap();
        ana.sees_now("O que enviar?").await;
        world.does("UPDATE series SET status = 'stopped'").await;
        ana.says("nunca");
        ana.sees_one(|m| m.text.contains("Isso mudou") && m.text.contains("não mudou nada")).await;
        // What is said next is a request again.
        world.said().await;
        schedules(&ana, "em 6 segundos para 11 98888-7777: oi", "Agendada #5").await;
        world.finish(&[&ana]).await;
    })
    .await;
}
