//! Which sentences does every runner keep?

/// Calls a macro with all of them.
macro_rules! suite {
    ($each:ident) => {
        $each! {
            ends::an_exit_code_and_a_signal_are_told_as_they_were,
            ends::a_script_ends_at_its_first_failing_command,
            ends::a_command_is_an_argument_list_without_a_shell,
            ends::a_program_that_is_not_there_is_not_started_and_says_so,
            ends::a_stop_asks_first_and_leaves_the_grace_time,
            ends::who_ignores_being_asked_is_killed_after_the_grace_time,
            ends::a_timeout_ends_it_and_says_that_it_was_one,
            ends::stopping_what_never_was_or_has_ended_changes_nothing,
            ends::a_secret_reaches_the_program_and_no_file,
            folders::what_one_writes_the_next_reads_at_its_own_path_and_cannot_change,
            folders::a_mount_can_lie_in_a_system_folder_that_has_no_such_place,
            folders::an_executions_folder_is_made_and_never_found,
            folders::a_number_that_another_launch_has_had_is_skipped,
            folders::a_kept_work_folder_is_found_as_it_was_left_and_filled_only_when_new,
            folders::a_scratch_work_folder_has_the_files_and_is_gone_afterwards,
            folders::a_snapshot_is_a_copy_without_home_and_python,
            folders::copies_lie_in_folders_of_their_own_beside_what_tells_them_apart,
            folders::a_link_that_a_task_left_leads_no_other_task_out_of_its_folder,
            folders::what_is_removed_leaves_nothing_or_its_log_alone_and_all_else_stays,
            folders::what_a_deleted_pipeline_has_left_goes_and_no_other_pipelines,
            watching::a_rule_by_a_file_holds_when_the_file_is_there,
            watching::a_rule_by_time_holds_so_long_after_it_was_ready,
            watching::a_rule_by_a_port_holds_when_that_one_answers_not_the_first,
            watching::ready_is_when_the_port_answers_and_a_dialled_port_is_the_tasks,
            watching::every_line_is_in_the_log_and_stays_there_after_release,
            watching::a_launch_that_is_asked_twice_starts_one_workload,
            watching::a_runner_that_is_made_again_finds_what_runs_and_what_has_ended,
            watching::a_program_inside_the_task_sees_what_the_task_sees,
            watching::a_terminal_has_the_size_that_it_is_given_and_is_given_later,
            watching::nobody_execs_into_what_does_not_run,
        }
    };
}
pub(crate) use suite;
