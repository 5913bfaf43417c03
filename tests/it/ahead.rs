//! What is claimed ahead of its moment, so that a disk that stands still does not make it late, can be changed until then.

use std::time::Duration;

use schedulezap::domain::clock::Moment;
use schedulezap::domain::ids::{AccountId, InstanceId};
use schedulezap::domain::instance::{InstanceName, Label};
use schedulezap::sandbox::telegram::Person;

use crate::harness::{World, within};

/// A little before the moment: it is claimed, and has not left.
const BEFORE: Duration = Duration::from_millis(300);

/// Ana's message of `in ten minutes` to one number, just before it leaves.
async fn about_to_leave() -> (World, Person) {
    let world = World::start().await;
    let ana = world.member("Ana", "pt-br").await;
    world.with_instance(&ana).await;
    ana.says("em 10 minutos para 11 98888-7777: o almoço está pronto");
    ana.sees("Confira e confirme").await;
    ana.taps("Confirmar").unwrap();
    ana.sees("Agendada #1").await;
    comes_close(&world).await;
    (world, ana)
}

/// Goes to just before the first message is due, until it is claimed.
async fn comes_close(world: &World) {
    world.said().await;
    let claimed = "SELECT COUNT(*) FROM scheduled_messages WHERE id = 1 AND status = 'sending'";
    let due = Moment(world.count("SELECT due_at FROM scheduled_messages WHERE id = 1").await);
    world.advance(due.minus(BEFORE).since(world.clock.now()));
    while world.count(claimed).await == 0 {
        world.breath().await;
    }
    assert_eq!(world.evolution.count(), 0, "it is not its moment");
}

/// Lets a minute pass; nothing leaves in it.
async fn nothing_leaves(world: &World) {
    for _ in 0..12 {
        world.advance(Duration::from_secs(5));
        world.breath().await;
    }
    world.said().await;
    assert_eq!(world.evolution.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_cancelled_and_does_not_leave() {
    within(async {
        let (world, ana) = about_to_leave().await;
        ana.taps("Cancelar envio").unwrap();
        ana.sees_one(|m| m.text.contains("Cancelada") && m.text.contains("almoço")).await;
        nothing_leaves(&world).await;
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn its_new_text_and_its_new_moment_count() {
    within(async {
        let (world, ana) = about_to_leave().await;
        ana.taps("Mudar texto").unwrap();
        ana.sees("O que enviar?").await;
        ana.says("o jantar está pronto");
        ana.sees_one(|m| m.text.contains("Agendada #1") && m.text.contains("jantar")).await;
        ana.taps("Mudar horário").unwrap();
        ana.sees("Quando?").await;
        ana.says("em 20 minutos");
        ana.sees_one(|m| m.text.contains("Agendada #1") && m.text.contains("em 20 min")).await;
        nothing_leaves(&world).await;
        world.advance(Duration::from_secs(20 * 60));
        world.evolution.wait_for(1).await;
        assert_eq!(world.evolution.delivered()[0].text, "o jantar está pronto");
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_sent_at_once_and_once() {
    within(async {
        let (world, ana) = about_to_leave().await;
        ana.taps("Enviar agora").unwrap();
        world.evolution.wait_for(1).await;
        for _ in 0..6 {
            world.advance(Duration::from_secs(5));
            world.breath().await;
        }
        ana.sees("Enviada para").await;
        assert_eq!(world.evolution.count(), 1);
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_message_of_the_number_goes_before_it() {
    within(async {
        let (world, ana) = about_to_leave().await;
        ana.says("agora para 11 97777-6666: primeiro esta");
        ana.sees_one(|m| m.text.contains("Confira e confirme") && m.text.contains("primeiro")).await;
        ana.taps("Confirmar").unwrap();
        // Time stands still: it does not wait for the other's moment.
        world.evolution.wait_for(1).await;
        world.said().await;
        while world.evolution.count() < 2 {
            world.advance(Duration::from_secs(1));
            world.breath().await;
        }
        let texts: Vec<String> = world.evolution.delivered().into_iter().map(|one| one.text).collect();
        assert_eq!(texts, ["primeiro esta", "o almoço está pronto"]);
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_goes_through_the_instance_that_is_active_at_its_moment() {
    within(async {
        let (world, ana) = about_to_leave().await;
        world.evolution.add_instance("filial", "5511955554444", true);
        let account = world.door.services.accounts.find_account(AccountId(1)).await.unwrap();
        let (owner, instances) = (account.unwrap().id, &world.door.services.instances);
        let mut draft = instances.draft(owner, InstanceId(1)).await.unwrap();
        draft.label = Label::parse("Filial").unwrap();
        draft.name = InstanceName::parse("filial").unwrap();
        instances.add(owner, &draft, true, None).await.unwrap();
        world.advance(Duration::from_secs(5));
        world.evolution.wait_for(1).await;
        assert_eq!(world.evolution.delivered()[0].instance, "filial");
        ana.sees("Enviada para").await;
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_occurrence_of_a_series_that_is_paused_does_not_leave() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        ana.says("todo dia às 18h para 11 98888-7777: Remédio");
        ana.sees("Confira e confirme").await;
        ana.taps("Confirmar").unwrap();
        ana.sees("Repetição #1").await;
        comes_close(&world).await;
        ana.taps("Pausar").unwrap();
        ana.sees("pausada").await;
        nothing_leaves(&world).await;
        world.finish(&[&ana]).await;
    })
    .await;
}
