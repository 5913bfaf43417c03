//! Instances: created on the server, switched while messages wait, deleted here and there.

use std::time::Duration;

use schedulezap::sandbox::evolution::Faults;
use schedulezap::sandbox::telegram::Person;

use crate::harness::{KEY, World, within};

/// Schedules a message in one line.
async fn schedules(person: &Person, line: &str, card: &str) {
    person.says(line);
    person.sees("Confira e confirme").await;
    person.taps("Confirmar").unwrap();
    person.sees(card).await;
}

/// Goes as far as the question for the name on the server.
async fn begins(world: &World, person: &Person, label: &str) {
    person.says("/instancias");
    person.sees_now("📱 Instâncias").await;
    person.taps("Nova instância").unwrap();
    person.sees("Como quer chamar").await;
    person.says(label);
    person.sees("Qual é o endereço").await;
    person.says(&world.url);
    person.sees("chave de API").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_instance_is_created_on_the_server_and_keeps_its_own_key() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        begins(&world, &ana, "Loja Matriz ção").await;
        ana.says(KEY);
        ana.sees("Encontrei estas").await;
        ana.taps("Criar uma nova no servidor").unwrap();
        let asked = ana.sees("Que nome a nova instância").await;
        assert!(asked.rows[0][0].label.contains("loja-matriz-cao"), "{:?}", asked.rows);
        for (bad, why) in [("-loja", "não serve para uma instância nova"), ("lo ja", "não serve"), ("..", "não serve")]
        {
            ana.says(bad);
            ana.sees(why).await;
        }
        ana.says("loja");
        ana.sees("já tem uma instância loja").await;
        ana.says("filial");
        let summary = ana.sees("Criada por mim").await;
        assert!(summary.text.contains("É a chave desta instância"), "{}", summary.text);
        assert!(!summary.text.contains(&KEY[KEY.len() - 4..]), "the master key is not kept: {}", summary.text);
        ana.taps("Salvar assim mesmo").unwrap();
        ana.sees("💾").await;
        let (names, may_create) = {
            let loja = &world.door.services.instances;
            let draft = loja
                .draft(schedulezap::domain::ids::AccountId(1), schedulezap::domain::ids::InstanceId(1))
                .await
                .unwrap();
            assert_ne!(draft.key.expose(), KEY);
            loja.offered(&draft.server, &draft.key).await
        };
        assert_eq!((names, may_create), (vec!["filial".to_owned()], false), "the key opens its own instance alone");
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_missing_on_the_server_can_be_created_from_the_test() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        begins(&world, &ana, "Nova").await;
        ana.says(KEY);
        ana.sees("Encontrei estas").await;
        ana.says("ainda-nao");
        ana.sees("O servidor não conhece esse nome").await;
        ana.taps("Criar uma nova no servidor").unwrap();
        ana.sees("Criada por mim").await;
        ana.taps("Salvar assim mesmo").unwrap();
        ana.sees("💾").await;
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_who_create_the_same_name_at_once_do_not_destroy_it() {
    within(async {
        let world = World::start().await;
        let (ana, bia) = (world.member("Ana", "pt-br").await, world.member("Bia", "pt-br").await);
        for person in [&ana, &bia] {
            begins(&world, person, "Nova").await;
            person.says(KEY);
            person.sees("Encontrei estas").await;
            person.taps("Criar uma nova no servidor").unwrap();
            person.sees("Que nome a nova instância").await;
        }
        world.evolution.set_faults(Faults { slow: true, ..Faults::default() });
        world.evolution.set_slowness(Duration::from_millis(200));
        ana.says("juntas");
        bia.says("juntas");
        let made = |m: &schedulezap::sandbox::telegram::Shown| m.text.contains("Criada por mim");
        let not = |m: &schedulezap::sandbox::telegram::Shown| {
            m.text.contains("sendo criada agora") || m.text.contains("já tem uma instância juntas")
        };
        let (one, other) = tokio::join!(ana.sees_one(|m| made(m) || not(m)), bia.sees_one(|m| made(m) || not(m)));
        assert!(made(&one) != made(&other), "one alone makes it: {} / {}", one.text, other.text);
        world.finish(&[&ana, &bia]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instances_own_key_is_not_offered_to_create_others() {
    within(async {
        let world = World::start().await;
        let token = world.evolution.add_evolution_channel("canal");
        let ana = world.member("Ana", "pt-br").await;
        begins(&world, &ana, "Canal").await;
        ana.says(&token);
        let found = ana.sees("Encontrei estas").await;
        assert!(found.rows.iter().flatten().all(|key| !key.label.contains("Criar")), "{:?}", found.rows);
        ana.taps_data(found.id, "draft_create");
        world.handled().await;
        world.said().await;
        assert!(ana.toasts().iter().any(|toast| toast.contains("expirado")), "{:?}", ana.toasts());
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn switching_says_how_many_now_go_another_way_and_can_leave_them_where_they_were() {
    within(async {
        let world = World::start().await;
        world.evolution.add_instance("suporte", "5511987654321", true);
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        schedules(&ana, "em 1 hora para 11 98888-7777: um", "Agendada #1").await;
        schedules(&ana, "em 2 horas para 11 98888-7777: dois", "Agendada #2").await;
        begins(&world, &ana, "Suporte").await;
        ana.says(KEY);
        ana.sees("Encontrei estas").await;
        ana.taps("suporte").unwrap();
        ana.sees("WhatsApp conectado").await;
        ana.taps("Salvar").unwrap();
        ana.sees("Suporte salva").await;
        ana.taps("Ativar").unwrap();
        let card = ana.sees("Suporte agora é a ativa").await;
        assert!(card.text.contains("2 mensagens saem agora por ela"), "{}", card.text);
        world.advance(Duration::from_secs(5));
        schedules(&ana, "em 3 horas para 11 98888-7777: três", "Agendada #3").await;
        ana.taps("Manter essas em Loja").unwrap();
        ana.sees("2 mensagens continuam em Loja").await;
        for (n, hours) in [(1, 1), (2, 2), (3, 3)] {
            world.advance(Duration::from_secs(3600));
            world.evolution.wait_for(n).await;
            let through = if hours < 3 { "loja" } else { "suporte" };
            assert_eq!(world.evolution.delivered()[n - 1].instance, through, "message {n}");
        }
        ana.sees_one(|m| m.text.contains("Enviada para") && m.text.contains("três")).await;
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_on_the_server_is_a_choice_of_its_own() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        schedules(&ana, "em 1 hora para 11 98888-7777: um", "Agendada #1").await;
        ana.says("/instancias");
        ana.sees_now("1 número").await;
        ana.taps("Loja · +55 11 91234-5678").unwrap();
        ana.sees_now("As mensagens saem por ela").await;
        ana.taps("Excluir").unwrap();
        let asked = ana.sees_now("Excluir Loja?").await;
        assert!(asked.text.contains("1 mensagem esperando por ela"), "{}", asked.text);
        ana.taps("Excluir também no servidor").unwrap();
        ana.sees_now("Isso não tem volta").await;
        ana.taps("Voltar").unwrap();
        ana.sees_now("Excluir Loja?").await;
        world.evolution.set_faults(Faults { wrong_key: true, ..Faults::default() });
        ana.taps("Excluir também no servidor").unwrap();
        ana.sees_now("Isso não tem volta").await;
        ana.taps("Excluir também no servidor").unwrap();
        ana.sees_now("O servidor não excluiu loja").await;
        world.evolution.set_faults(Faults::default());
        ana.taps("Voltar").unwrap();
        ana.sees_now("As mensagens saem por ela").await;
        ana.taps("Excluir").unwrap();
        ana.sees_now("Excluir Loja?").await;
        ana.taps("Excluir também no servidor").unwrap();
        ana.sees_now("Isso não tem volta").await;
        ana.taps("Excluir também no servidor").unwrap();
        ana.sees_now("loja foi excluída do servidor").await;
        ana.taps("Cancelar as mensagens").unwrap();
        let list = ana.sees_now("Loja excluída").await;
        assert!(list.text.contains("Nenhuma ainda"), "{}", list.text);
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_without_whatsapp_is_warned_of_and_never_blocked() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        world.evolution.forget_number("5511977776666");
        ana.says("amanhã 9h para 11 98888-7777, 11 97777-6666: oi");
        let warned = ana.sees("não tem WhatsApp").await;
        assert!(warned.text.contains("97777-6666") && !warned.text.contains("98888"), "{}", warned.text);
        ana.taps("Mudar destinatário").unwrap();
        ana.sees("Para quem?").await;
        ana.says("11 97777-6666");
        ana.sees("Confira e confirme").await;
        ana.taps("Confirmar").unwrap();
        ana.sees("Agendada #1").await;
        world.handled().await;
        let warnings = ana.chat().iter().filter(|m| m.text.contains("não tem WhatsApp")).count();
        assert!(warnings <= 1, "one warning is enough");
        // A server that does not answer holds nobody up.
        world.evolution.set_faults(Faults { down: true, ..Faults::default() });
        schedules(&ana, "amanhã 9h para 11 96666-5555: oi", "Agendada #2").await;
        world.finish(&[&ana]).await;
    })
    .await;
}
