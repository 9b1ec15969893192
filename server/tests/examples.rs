//! Do the examples run whole, as somebody who has just installed Fletchline would run them?

mod product;

use product::{Data, Served, digits, example};

#[test]
fn files_runs_from_the_command_line_and_ends_by_itself() {
    let data = Data::new();
    let ended = data.run(&["run", example("files").to_str().unwrap(), "--wait"]);
    assert!(ended.status.success(), "{ended:?}");
    let report = data.path().join("results/pipeline/files/report/1/report/report.txt");
    assert_eq!(
        std::fs::read_to_string(report).unwrap(),
        "5 files, 17 lines, 49 words, 312 bytes\nempty: tables/empty.csv\n"
    );
}

#[tokio::test]
async fn digits_runs_from_the_notebook_to_a_model_that_answers() {
    let data = Data::new();
    let served = Served::start(&data).await;
    digits::runs_whole(&served).await;
}
