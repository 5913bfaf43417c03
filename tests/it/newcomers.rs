//! The first minutes: wrong answers at every door, where one is, and what a number's card tells.

use std::time::Duration;

use schedulezap::sandbox::evolution::{EvolutionServer, Faults};
use schedulezap::sandbox::telegram::{Person, Shown};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::{KEY, World, within};

fn keys(shown: &Shown) -> Vec<&str> {
    shown.rows.iter().flatten().map(|key| key.label.as_str()).collect()
}

/// Says what cannot be taken: it is explained with one right example at most, and every key of the question is there.
async fn is_refused(person: &Person, said: &str, why: &str, key: &str) {
    person.says(said);
    let shown = person.sees_now(why).await;
    assert!(keys(&shown).iter().any(|label| label.contains(key)), "{said}: no {key:?} under {shown:#?}");
    let examples = shown.text.matches("xemplo:").count() + shown.text.matches("or exemplo").count();
    assert!(examples <= 1, "{said}: {}", shown.text);
}

/// Adds an instance, as far as the question for its key.
async fn up_to_the_key(world: &World, person: &Person) {
    person.says("/instancias");
    person.sees("Nenhuma ainda").await;
    person.taps("Nova instância").unwrap();
    person.sees("Como quer chamar").await;
    person.says("Loja");
    person.sees("Qual é o endereço").await;
    person.says(&world.url);
    person.sees("chave de API").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_asks_again_keeps_its_keys() {
    within(async {
        let world = World::start_with(schedulezap::domain::clock::Clock::manual(crate::harness::START), |config| {
            config.signup = schedulezap::config::SignUp::Open;
            config.allow_hosts = Some("loopback".to_owned());
        })
        .await;
        let ana = world.member("Ana", "pt-br").await;
        let eva = world.telegram.person("Eva", "pt-br");
        eva.says("/start");
        eva.sees("ScheduleZAP").await;
        eva.taps("Criar conta").unwrap();
        eva.sees("Escolha um nome").await;
        is_refused(&eva, "ab", "de 3 a 32 caracteres", "Cancelar").await;
        is_refused(&eva, "eva souza", "Use só letras", "Cancelar").await;
        is_refused(&eva, "ana", "já existe", "Cancelar").await;
        eva.says("eva");
        eva.sees("Agora uma senha").await;
        is_refused(&eva, "curta", "curta demais", "Cancelar").await;
        is_refused(&eva, "senha123", "fácil de adivinhar", "Cancelar").await;
        eva.taps("Cancelar").unwrap();
        eva.sees_now("Nenhuma conta foi criada").await;
        world.advance(Duration::from_secs(60));
        eva.taps("Já tenho conta").unwrap();
        eva.sees_now("Qual é o seu nome").await;
        for _ in 0..5 {
            eva.says("ana");
            eva.sees_now("E a senha?").await;
            is_refused(&eva, "não é esta", "Usuário ou senha incorretos", "Cancelar").await;
        }
        eva.says("ana");
        eva.sees_now("E a senha?").await;
        is_refused(&eva, "nem esta", "Tentativas demais", "Cancelar").await;
        eva.taps("Cancelar").unwrap();
        eva.sees_now("Você não entrou").await;

        // Within an account it is no other.
        ana.says("/conta");
        ana.sees("Fuso horário: São Paulo (UTC−3)").await;
        ana.taps("Fuso horário").unwrap();
        ana.sees_now("Qual é a sua cidade").await;
        is_refused(&ana, "xyzzy", "Não encontrei", "Lisboa").await;
        is_refused(&ana, "xyzzy", "Não encontrei", "Cancelar").await;
        ana.says("/conta");
        ana.sees_now("Chats ligados").await;
        ana.taps("Senha").unwrap();
        ana.sees_now("senha atual").await;
        ana.says("não é a minha");
        ana.sees_now("E a nova senha").await;
        is_refused(&ana, "cavalo bateria grampo novo", "não é a senha atual", "Cancelar").await;
        world.advance(Duration::from_secs(60));
        ana.says("/instancias");
        ana.sees("Nenhuma ainda").await;
        ana.taps("Nova instância").unwrap();
        ana.sees("Como quer chamar").await;
        is_refused(&ana, "\u{200b}", "caracteres visíveis", "Cancelar").await;
        ana.says("Loja");
        ana.sees("Qual é o endereço").await;
        is_refused(&ana, "evolution.example.com:8080", "falta http://", "https://evolution.example.com:8080").await;
        is_refused(&ana, "ftp://x", "Só http ou https", "Cancelar").await;
        is_refused(&ana, "http://a:b@example.com", "usuário e senha", "Cancelar").await;
        is_refused(&ana, "http://example.com:22", "porta não é permitida", "Cancelar").await;
        is_refused(&ana, "http://169.254.169.254/latest/", "não permitido", "Cancelar").await;
        ana.says(&world.url);
        ana.sees("chave de API").await;
        is_refused(&ana, "chave com espaço", "Chave inválida", "Cancelar").await;
        world.advance(Duration::from_secs(60));
        ana.says("/agendar");
        ana.sees("Para quem?").await;
        is_refused(&ana, "status@broadcast", "não é uma pessoa", "Cancelar").await;
        ana.says("11 98888-7777");
        ana.sees("O que enviar?").await;
        is_refused(&ana, "\u{200b}", "vazia", "Cancelar").await;
        ana.says("oi");
        ana.sees("Quando?").await;
        is_refused(&ana, "qualquer dia desses", "Não entendi esse horário", "Cancelar").await;
        world.finish(&[&ana, &eva]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_out_takes_the_place_of_what_was_shown_meanwhile() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        up_to_the_key(&world, &ana).await;
        ana.says(KEY);
        ana.sees("Encontrei estas").await;
        let said = |text: &str| ana.chat().iter().filter(|m| m.from_bot && m.text.contains(text)).count();
        assert_eq!(said("Qual é o nome da instância"), 0, "the names stand where they were asked for");
        ana.says("nenhuma");
        ana.sees("não conhece esse nome").await;
        assert_eq!(said("Testando"), 0);
        ana.taps("Editar um campo").unwrap();
        ana.sees_now("O que você quer mudar").await;
        ana.taps("Nome no servidor").unwrap();
        ana.sees_now("Qual é o nome da instância").await;
        world.evolution.set_faults(Faults { slow: true, ..Faults::default() });
        ana.says("loja");
        // While it runs it can be left, and says so to whoever is impatient.
        let testing = ana.sees_now("Testando").await;
        assert_eq!(keys(&testing), ["✖️ Cancelar"]);
        ana.says("e então?");
        ana.sees_now("Use os botões").await;
        world.evolution.set_faults(Faults::default());
        let found = ana.sees_now("WhatsApp conectado").await;
        assert!(found.text.contains("+55 11 91234-5678"), "{}", found.text);
        ana.taps("Salvar").unwrap();
        let card = ana.sees_now("salva").await;
        assert!(card.text.contains("+55 11 91234-5678"), "{}", card.text);
        ana.taps("Testar").unwrap();
        ana.sees_now("Teste de Loja").await;
        assert_eq!(said("Testando Loja…"), 1, "only what was overtaken by a later word stays");
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_out_comes_to_the_newest_message_whatever_was_said_meanwhile() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        let slow = |slow| world.evolution.set_faults(Faults { slow, ..Faults::default() });
        up_to_the_key(&world, &ana).await;
        // A name that cannot be one, while the names are on their way.
        slow(true);
        ana.says(KEY);
        ana.sees_now("Qual é o nome da instância").await;
        ana.says("..");
        ana.sees_now("Esse nome não serve").await;
        slow(false);
        ana.sees_now("Encontrei estas").await;
        // A test that a key began.
        slow(true);
        ana.taps("loja").unwrap();
        for (impatience, answer) in [("e então?", "Use os botões"), ("/ajuda", "Testando"), ("/nada", "Não conheço")]
        {
            ana.sees_now("Testando").await;
            let before = ana.chat().len();
            ana.says(impatience);
            ana.sees_one(|m| m.text.contains(answer) && ana.chat().len() > before + 1).await;
            slow(false);
            ana.sees_now("WhatsApp conectado").await;
            world.handled().await;
            assert_eq!(ana.chat().len(), before + 2, "{impatience}: {:#?}", ana.chat());
            slow(true);
            ana.taps("Testar de novo").unwrap();
        }
        slow(false);
        ana.sees_now("WhatsApp conectado").await;
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_is_opened_again_and_again_is_looked_at_once() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        let looks = async |times: usize| {
            world.advance(Duration::from_secs(3600));
            world.evolution.set_faults(Faults { slow: true, ..Faults::default() });
            let before = world.evolution.calls();
            for _ in 0..times {
                ana.says("/instancias");
                ana.sees_now("1 número").await;
                ana.taps("+55 11 91234-5678").unwrap();
                ana.sees_now("vista há 1 h").await;
            }
            world.evolution.set_faults(Faults::default());
            ana.sees_now("vista agora").await;
            world.handled().await;
            world.evolution.calls() - before
        };
        let once = looks(1).await;
        assert_eq!(looks(5).await, once);
        world.finish(&[&ana]).await;
    })
    .await;
}

/// Joins by an invitation, as far as what comes after the password.
async fn joins(world: &World, name: &str, language: &str) -> Person {
    let accounts = &world.door.services.accounts;
    let owner = accounts.find_account(schedulezap::domain::ids::AccountId(1)).await.unwrap().unwrap();
    let person = world.telegram.person(name, language);
    person.opens(&accounts.make_invite(&owner).await.unwrap());
    let words = match language {
        "en" => ["Create account", "Choose a username", "Now a password"],
        _ => ["Crear cuenta", "Elija un nombre", "Ahora una contraseña"],
    };
    person.sees("ScheduleZAP").await;
    person.taps(words[0]).unwrap();
    person.sees(words[1]).await;
    person.says(&name.to_lowercase());
    person.sees(words[2]).await;
    person.says("cavalo bateria grampo certo");
    person
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_question_that_was_left_aside_still_answers_and_costs_no_draft() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        // The beginning of a name is not taken for it: a region would follow.
        let eva = joins(&world, "Eva", "es").await;
        eva.sees("¿Dónde está usted?").await;
        eva.says("simf");
        eva.sees_one(|m| keys(m).iter().any(|key| key.contains("Simfer"))).await;
        eva.says("lima");
        let home = eva.sees("Lima (UTC−5)").await;
        assert!(home.text.contains("PE (+51)"), "{}", home.text);
        let dora = joins(&world, "Dora", "en").await;
        dora.sees("Where are you?").await;
        dora.says("tomorrow 9am to +1 415 555 2671: Hello!");
        dora.sees("Check and confirm").await;
        // The keys of what was left aside still answer, and what goes on below goes on.
        dora.taps("Chicago").unwrap();
        let home = dora.sees("Chicago (UTC−5)").await;
        assert!(home.text.contains("US (+1)"), "{}", home.text);
        dora.taps("Confirm").unwrap();
        dora.sees_now("#1").await;
        let finn = joins(&world, "Finn", "en").await;
        finn.sees("Where are you?").await;
        finn.says("tomorrow 9am to +1 415 555 2671: Hello!");
        finn.sees("Check and confirm").await;
        finn.taps("Keep São Paulo").unwrap();
        finn.sees("I understand times as São Paulo").await;
        finn.taps("Confirm").unwrap();
        finn.sees_now("#2").await;
        let gil = world.member("Gil", "pt-br").await;
        gil.says("amanhã 9h para 11 98888-7777: oi");
        gil.sees("Confira e confirme").await;
        gil.taps("Estou em outro fuso").unwrap();
        gil.sees("Onde você está?").await;
        gil.taps("Manaus").unwrap();
        gil.sees("Manaus (UTC−4)").await;
        gil.taps("Confirmar").unwrap();
        gil.sees_now("#3").await;
        world.finish(&[&ana, &eva, &dora, &finn, &gil]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_speaks_another_language_is_asked_for_their_zone_once() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        let home = ana.sees("criada").await;
        assert!(home.text.contains("São Paulo (UTC−3)") && home.text.contains("BR (+55)"), "{}", home.text);
        ana.taps("Estou em outro fuso").unwrap();
        ana.sees("Onde você está?").await;
        ana.says("lisboa");
        let home = ana.sees("Lisboa (UTC+0)").await;
        assert!(home.text.contains("PT (+351)"), "{}", home.text);

        // By a key.
        let ben = joins(&world, "Ben", "en").await;
        let asked = ben.sees("Where are you?").await;
        assert!(asked.text.contains("created"), "{}", asked.text);
        assert!(keys(&asked).last().unwrap().contains("Keep São Paulo (UTC−3)"), "{asked:#?}");
        ben.taps("New York").unwrap();
        let home = ben.sees("New York (UTC−4)").await;
        assert!(home.text.contains("US (+1)"), "{}", home.text);
        ben.says("/account");
        let card = ben.sees("Time zone: New York (UTC−4)").await;
        assert!(card.text.contains("US (+1)"), "{}", card.text);
        // In words; what is no place is asked again with the keys.
        let carmen = joins(&world, "Carmen", "es").await;
        carmen.sees("¿Dónde está usted?").await;
        carmen.says("xyzzy");
        let again = carmen.sees("No encontré").await;
        assert!(keys(&again).iter().any(|key| key.contains("Seguir con")), "{again:#?}");
        carmen.says("bogotá");
        let home = carmen.sees("Bogotá (UTC−5)").await;
        assert!(home.text.contains("CO (+57)"), "{}", home.text);
        // Left aside by whoever begins at once: a request is no place.
        let dora = joins(&world, "Dora", "en").await;
        dora.sees("Where are you?").await;
        dora.says("tomorrow 9am to +1 415 555 2671: Hello!");
        let card = dora.sees("Check and confirm").await;
        assert!(card.text.contains("São Paulo (UTC−3)"), "{}", card.text);
        world.finish(&[&ana, &ben, &carmen, &dora]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_is_opened_is_looked_at_anew() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        world.advance(Duration::from_secs(3600));
        world.evolution.set_connected("loja", false);
        ana.says("/instancias");
        ana.sees_now("1 número").await;
        ana.taps("+55 11 91234-5678").unwrap();
        let card = ana.sees_now("desconectada").await;
        assert!(card.text.contains("vista agora"), "{}", card.text);
        // What was opened since is not overwritten.
        world.advance(Duration::from_secs(3600));
        world.evolution.set_connected("loja", true);
        world.evolution.set_faults(Faults { slow: true, ..Faults::default() });
        ana.says("/instancias");
        ana.sees_now("1 número").await;
        ana.taps("+55 11 91234-5678").unwrap();
        ana.sees_now("vista há 1 h").await;
        ana.taps("Editar").unwrap();
        ana.sees_now("O que você quer mudar").await;
        world.handled().await;
        ana.sees_now("O que você quer mudar").await;
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_down_refuses_to_be_called() {
    within(async {
        let server = EvolutionServer::new(KEY);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(server.clone().serve(listener));
        let reached = async |wanted: bool| {
            while TcpStream::connect(address).await.is_ok() != wanted {
                tokio::task::yield_now().await;
            }
        };
        for _ in 0..3 {
            reached(true).await;
            server.set_faults(Faults { down: true, ..Faults::default() });
            reached(false).await;
            server.set_faults(Faults::default());
        }
        reached(true).await;
    })
    .await;
}
