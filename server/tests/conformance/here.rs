//! What does the runner of this machine keep beyond what both runners do?

use engine::{action::Action, observed::Exit};

use server::runner::local::folder::alive;

use crate::{
    harness::{Harness, script, stay},
    local::Local,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_told_where_a_serving_answers_and_is_not_started_when_it_does_not() {
    let mut asked = Local::asked().await;
    let mut api = stay("api");
    api.ports = vec![34_567];
    asked.launch(&api).await;
    asked.ready(&api.execution).await;
    assert_eq!(asked.harness.runner().address(&api.execution, 34_567).unwrap(), "http://127.0.0.1:34567");
    let mut asks = script("asks", 1, "test $API_URL = http://127.0.0.1:34567");
    asks.addresses = [("API_URL".to_owned(), api.execution.clone())].into();
    asked.succeed(&asks).await;

    asked.stop(&api.execution, 1).await;
    asked.end(&api.execution).await;
    asked.perform(Action::Release { execution: api.execution.clone() }).await;
    assert_eq!(asked.harness.runner().address(&api.execution, 34_567), None);
    asks.execution.n = 2;
    match asked.run(&asks).await {
        engine::observed::Exit::NotStarted { sentence } => assert!(sentence.contains("does not serve"), "{sentence}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_another_launch_still_has_is_skipped_and_that_one_goes_on() {
    let mut asked = Local::asked().await;
    let first = stay("held");
    asked.launch(&first).await;
    asked.ready(&first.execution).await;
    let supervisor = asked.harness.executions().folder(&first.execution).told().supervisor.unwrap();
    let mut other = stay("held");
    other.run = model::RunId::new("run-2").unwrap();
    asked.launch(&other).await;
    assert_eq!(asked.end(&first.execution).await.exit, Exit::Taken { last: 1 });
    // By the next server, too.
    asked.remake().await;
    asked.ready(&first.execution).await;
    asked.launch(&other).await;
    assert_eq!(asked.end(&first.execution).await.exit, Exit::Taken { last: 1 });
    assert!(alive(supervisor).is_some());
}
