//! Does everything that runs survive `kill -9` of the server at any moment?

mod product;

use product::{
    Data,
    kills::{Plan, survives, wished},
};

#[tokio::test]
async fn kills_at_random_moments_neither_lose_nor_double_an_execution() {
    let data = Data::new();
    let team = data.path().with_extension("team");
    std::fs::create_dir_all(&team).unwrap();
    let settings = format!("[volumes.team]\nfolder = {:?}\naccess = \"RW\"\n", team.display().to_string());
    std::fs::write(data.path().join("fletchline.toml"), settings).unwrap();
    // Before it listens, while it folds, while it launches, at rest.
    survives(
        &data,
        &team.join("audit"),
        Plan { layers: 3, jobs: 4, kills: wished("FLETCHLINE_KILLS", 20), longest_life: 1200 },
    )
    .await;
    std::fs::remove_dir_all(team).unwrap();
}
