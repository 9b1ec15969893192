//! Does the runner of a cluster keep what every pipeline relies on?
//!
//! The sentences of `tests/conformance`, on the cluster that KUBECONFIG names, in a namespace of their own with Pod Security
//! `restricted` enforced, on claims whose root belongs to root, with an image that does not run as root. Without a cluster
//! they are counted as ignored.

mod accepted;
mod check;
mod chromium;
mod claims;
mod cluster;
#[path = "../conformance/ends.rs"]
mod ends;
mod examples;
#[path = "../conformance/folders.rs"]
mod folders;
#[path = "../conformance/harness.rs"]
mod harness;
mod install;
mod kinds;
mod loading;
mod many;
mod placing;
#[path = "../product/mod.rs"]
mod product;
mod removal;
mod secrets;
#[path = "../conformance/suite.rs"]
mod suite;
mod survival;
mod users;
mod waiting;
#[path = "../conformance/watching.rs"]
mod watching;
mod work;

use std::process::ExitCode;

use cluster::{Cluster, Kube};
use libtest_mimic::{Arguments, Trial};

/// Of functions that are given what `$given` makes of the cluster.
macro_rules! trials_with {
    ($given:expr; $($module:ident::$name:ident),* $(,)?) => {
        |cluster: &Cluster| vec![$({
            let cluster = cluster.clone();
            let test = move || {
                runtime().block_on(async { $module::$name($given(&cluster).await).await });
                Ok(())
            };
            Trial::test(concat!(stringify!($module), "::", stringify!($name)), test)
        }),*]
    };
}

macro_rules! trials {
    ($($all:tt)*) => { trials_with!(Kube::asked; $($all)*) };
}

async fn alone(cluster: &Cluster) -> Cluster {
    cluster.clone()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().unwrap()
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let is_there = std::env::var_os("KUBECONFIG").is_some();
    if !is_there {
        println!("No cluster: set KUBECONFIG to test the runner of Kubernetes.");
    }
    let cluster = Cluster::new();
    let mut all = suite::suite!(trials)(&cluster);
    all.extend(trials_with!(alone;
        accepted::a_restricted_namespace_takes_every_manifest_with_strict_validation,
        claims::the_rights_of_the_server_inside_are_enough_to_prepare_and_check_a_claim_that_is_there,
        chromium::the_manifests_of_a_task_stand_beside_it,
        claims::a_claim_is_prepared_once_as_root_or_it_is_said_who_has_to_do_what,
        check::claims_and_images_that_tasks_would_fail_by_are_told_until_they_are_mended,
        check::a_check_that_no_node_takes_is_said_and_stops_nothing,
        check::claims_for_one_node_that_lie_on_different_ones_are_told_before_a_run,
        check::run_is_refused_until_the_claim_is_prepared,
        secrets::a_secret_is_stored_on_the_cluster_and_given_to_the_tasks_that_name_it,
        work::work_folders_go_along_with_a_copy_and_an_export_and_their_texts_can_be_read,
        check::a_claim_that_is_named_in_the_page_is_looked_for_and_mounted_without_a_new_start,
        claims::missing_claims_are_made_as_the_settings_say_and_those_that_are_there_are_left,
        examples::a_version_is_made_live_without_a_request_that_is_not_answered,
        examples::bentoml_1_1_packs_and_serves_a_scikit_learn_model_in_the_image_of_ours,
        examples::digits_runs_whole_in_the_image_of_ours,
        loading::a_dropped_file_is_sent_into_its_pod_and_a_download_tells_how_far_it_is,
        many::of_many_copies_each_ends_as_its_pod_did_though_no_log_can_be_read,
        placing::tasks_that_share_a_claim_for_one_node_land_on_one,
        placing::a_gpu_that_no_node_has_is_said_within_five_seconds_with_what_there_is,
        placing::what_ran_on_a_node_that_went_away_is_lost,
        placing::what_takes_more_memory_than_its_limit_ends_so,
        removal::a_deleted_run_takes_its_results_from_the_claim_along_but_no_others,
        removal::a_deleted_pipeline_leaves_nothing_on_the_claim_or_is_still_there_to_be_deleted,
        removal::results_of_many_executions_go_by_one_pod_as_soon_as_the_namespace_takes_it,
        survival::kills_of_the_server_neither_lose_nor_double_a_pod,
        survival::a_pod_that_somebody_deletes_is_replaced_by_a_new_execution,
        survival::a_log_of_100_000_lines_has_each_once_though_the_server_is_killed_five_times,
        survival::what_an_installation_has_is_counted_and_ended_by_the_command_line,
        survival::a_run_goes_on_when_the_api_server_was_away_for_a_while,
        survival::what_a_node_rotated_away_while_nobody_read_is_said_in_the_log,
        users::tasks_of_several_users_share_results_by_the_group_and_nothing_of_theirs_stays,
        waiting::every_reason_is_said_within_five_seconds_where_nodes_may_be_read,
        waiting::every_reason_is_said_within_five_seconds_by_who_has_the_servers_rights_alone,
        waiting::what_is_evicted_is_lost_and_not_at_fault,
        waiting::what_the_namespace_does_not_take_says_so_and_begins_when_it_does,
        install::what_is_applied_runs_the_example_to_its_end_across_a_restart_of_the_server,
    )(&cluster));
    let all = all.into_iter().map(|trial| trial.with_ignored_flag(!is_there)).collect();
    let conclusion = libtest_mimic::run(&arguments, all);
    runtime().block_on(cluster.remove());
    conclusion.exit_code()
}
