"""Which tests are not in the default tier, though they are not marked `slow`.

By file below `tests/`: those that take long together leave the default tier but for a few, and of
others some tests do. A name stands for a test with all its cases; `name[pattern]` for some of them,
`*` for anything.
"""

import dataclasses
import fnmatch


@dataclasses.dataclass(frozen=True)
class Selection:
    """Some tests of a file: those of these names, or all others."""

    names: tuple[str, ...]
    others: bool

    def __contains__(self, test: str) -> bool:
        return any(_matches(test, name) for name in self.names) != self.others


def only(*names: str) -> Selection:
    """Returns the tests of these names."""
    return Selection(names, others=False)


def everything_but(*names: str) -> Selection:
    """Returns the tests of all other names."""
    return Selection(names, others=True)


def _matches(test: str, name: str) -> bool:
    function, _, case = test.partition("[")
    expected, _, pattern = name.partition("[")
    return function == expected and (not pattern or fnmatch.fnmatchcase(case, pattern))


def is_integration(file: str, test: str) -> bool:
    """Whether a test belongs to the integration tier.

    Args:
        file: its file, below `tests/`.
        test: its name, with its case in brackets.
    """
    return test in INTEGRATION.get(file, ())


INTEGRATION = {
    "analysis/attention_test.py": only(
        "test_conv4_is_explained_at_its_last_stage_with_several_positions"
    ),
    "analysis/curvature_test.py": only(
        "test_the_norm_at_adapted_weights_is_that_of_the_full_hessian",
        "test_it_is_the_curvature_of_the_exact_normalization_and_not_of_kerass",
    ),
    "analysis/fine_tuning_test.py": only(
        "test_known_networks_go_on_where_the_hat_graph_ends",
        "test_random_initializations_are_shared_out_in_turn",
    ),
    "analysis/gradient_check_test.py": everything_but(
        "test_a_ticket_in_float64_keeps_its_thresholds", "test_what_cannot_be_checked_is_refused"
    ),
    "analysis/landscape_test.py": everything_but(
        "test_coherence_is_the_mean_over_all_pairs_of_tasks",
        "test_one_coherence_alone_is_the_same_number",
        "test_the_report_is_read_and_written",
        "test_the_interval_of_a_mean_over_pairs_is_the_jackknifes",
        "test_bad_learners_and_arguments_are_refused",
    ),
    "analysis/memorization_test.py": only(
        "test_the_full_network_is_what_evaluation_reports",
        "test_catfish_subnetworks_are_what_numpy_prunes_and_adapts",
        "test_a_mask_that_serves_another_learner_is_left_alone",
        "test_memory_shows_before_adaptation_where_labels_are_fixed_and_only_there",
    ),
    "analysis/representation_test.py": everything_but("test_cka_is_that_of_numpy_features"),
    "analysis/suite_test.py": everything_but("test_every_analysis_of_the_package_has_a_row"),
    "analysis/task_gradients_test.py": only(
        "test_gradients_are_those_of_numpy_whatever_the_inner_loop_adapts"
    ),
    "augmentation/mgaug_test.py": only(
        "test_one_graph_serves_all_resolutions",
        "test_nothing_in_a_step_makes_tasks_wait_for_each_other",
        "test_fit_counts_the_steps",
        "test_subnetworks_join_in_at_the_start_step_without_a_new_trace",
        "test_gradients_of_subnetworks_add_to_the_full_networks",
    ),
    "backbones/exactness_test.py": only(
        "test_what_is_refused_is_wrong_at_second_order_or_raises",
        "test_what_is_taken_is_right_at_second_order",
    ),
    "backbones/residual_test.py": only(
        "test_kinks_are_exact_at_second_order", "test_meta_gradients_equal_finite_differences"
    ),
    "backbones/resnet12_test.py": only("test_it_trains_with_subnetworks_at_a_lower_resolution"),
    "backbones/resnet_test.py": only("test_it_trains_with_subnetworks_at_lower_resolutions"),
    "backbones/stages_test.py": only(
        "test_our_backbones_are_divided_after_their_blocks",
        "test_second_order_gradients_flow_through_the_stages",
    ),
    "backbones/tracing_test.py": only("test_what_draws_or_changes_a_state_is_refused_by_name"),
    "backbones/wide_resnet_test.py": only(
        "test_it_trains_with_thinner_subnetworks_at_a_lower_resolution"
    ),
    "callbacks/checkpoint_test.py": only(
        "test_a_resumed_run_ends_with_the_same_weights_bit_for_bit"
    ),
    "callbacks/finite_test.py": everything_but("test_training_that_converges_is_left_alone"),
    "callbacks/gap_test.py": everything_but(),
    "callbacks/gradient_norms_test.py": only(
        "test_every_so_many_epochs_the_history_has_a_value_for_each_weight",
        "test_measuring_changes_nothing_and_a_resumed_run_measures_the_same",
    ),
    "callbacks/iterand_test.py": only(
        "test_pruned_weights_alone_are_drawn_anew_with_their_probability",
        "test_a_redraw_depends_on_its_number_and_the_seed_alone",
        "test_a_resumed_run_ends_with_the_same_weights_bit_for_bit",
        "test_redrawn_weights_go_through_a_keras_file",
    ),
    "callbacks/landscape_test.py": everything_but("test_bad_arguments_are_refused"),
    "callbacks/progress_test.py": only("test_it_works_in_a_real_run"),
    "callbacks/pruning_test.py": everything_but("test_the_phase_follows_from_the_step"),
    "callbacks/tensorboard_test.py": only(
        "test_training_and_validation_share_tags_over_outer_steps",
        "test_validation_has_a_curve_for_each_inner_step",
    ),
    "data/image_groups_test.py": only("test_no_group_is_on_both_sides_of_an_episode"),
    "data/test_catalog.py": only(
        "test_omniglot_has_the_drawings_and_the_split_of_vinyals",
        "test_glyphs_are_split_by_script_and_rendered_once",
    ),
    "data/test_episodes.py": only(
        "test_augmented_episodes_depend_on_the_seed_and_the_index_alone",
        "test_the_interpreter_exits_while_episodes_are_being_drawn",
    ),
    "data/test_glyphs.py": only("test_a_class_is_twenty_white_drawings_on_black"),
    "data/test_published.py": only("test_folders_of_classes_are_split_by_the_published_lists"),
    "distribution_test.py": everything_but(),
    "docs_test.py": only("test_complete_examples_run", "test_commands_are_understood"),
    "engine/task_test.py": only("test_the_loss_of_subnetworks_is_that_of_the_network_that_is_cut"),
    "engine/tree_sum_test.py": only("test_a_loop_of_unknown_length_gives_the_same_bits"),
    "evaluation/evaluator_test.py": only(
        "test_evaluated_learners_are_not_kept_alive", "test_other_episodes_have_another_fingerprint"
    ),
    "examples_test.py": only(
        "test_channel_masks_prune_whole_channels_and_differ_between_subnetworks"
    ),
    "export_test.py": everything_but(
        "test_support_and_queries_may_have_any_size",
        "test_an_export_that_holds_other_files_is_not_replaced",
        "test_a_folder_that_is_no_saved_model_is_never_removed",
        "test_a_failing_export_leaves_nothing",
        "test_bad_options_are_refused",
    ),
    "heads/svm_test.py": only(
        "test_solution_and_gradient_are_exact_down_to_rounding",
        "test_the_solution_is_that_of_a_generic_solver",
    ),
    "keras_objects_test.py": only(
        "test_a_loss_on_labels_is_that_of_keras_and_has_an_accuracy",
        "test_an_outer_step_is_that_of_the_optimizer",
        "test_callbacks_change_the_rate_of_the_next_epoch",
        "test_callbacks_know_which_way_is_better",
        "test_a_global_policy_changes_no_step_of_a_network_built_before",
        "test_a_layer_that_asks_for_what_learners_do_not_do_is_refused",
    ),
    "launch/analyze_test.py": only(
        "test_the_command_writes_and_refuses_in_one_line_what_it_would_pass_over",
        "test_runs_of_one_name_share_a_panel",
        "test_a_runs_gradients_are_checked_in_float64",
        "test_the_landscape_of_trained_runs_is_that_of_their_tasks",
        "test_the_hat_graph_is_of_the_tasks_of_evaluation",
    ),
    "launch/benchmark_test.py": only(
        "test_the_command_measures_us_without_any_peer",
        "test_given_masks_reach_their_task_and_subnetwork",
        "test_ctrl_c_ends_the_children",
    ),
    "launch/idle_flags_test.py": only("test_what_is_built_reads_all_flags_that_are_accepted"),
    "launch/papers/mgaug_test.py": only("test_every_row_builds_the_learner_it_names"),
    "launch/reproduce_test.py": only(
        "test_a_cell_is_run_and_printed_beside_the_paper_s",
        "test_an_interruption_ends_the_child_too",
    ),
    "launch/train_test.py": only(
        "test_a_run_that_met_a_full_disk_and_a_kill_while_it_wrote_resumes_exactly",
        "test_a_killed_run_resumes_to_the_same_weights",
        "test_the_main_job_writes_all_it_promises",
        "test_two_runs_are_compared_on_the_same_episodes",
        "test_a_finished_run_says_that_it_is_and_goes_on_at_no_epoch",
        "test_a_run_is_evaluated_on_several_data_sets",
        "test_all_classes_of_a_small_foreign_folder_are_tested",
        "test_a_finished_run_without_checkpoints_is_not_deleted",
        "test_other_flags_are_refused_on_resume",
        "test_an_existing_run_is_not_overwritten",
        "test_a_run_is_exported_with_another_statistics_mode",
        "test_bad_input_is_refused_in_one_line_before_training",
    ),
    "layers/pooled_normalization_test.py": only(
        "test_the_fused_form_equals_the_plain_one_to_second_order",
        "test_eager_and_graph_mode_agree",
    ),
    "learners/absent_classes_test.py": only(
        "test_training_equals_that_of_a_cut_head",
        "test_closed_form_heads_do_not_care_for_gaps_in_the_labels",
        "test_evaluate_is_as_accurate_as_adapt_and_predict",
        "test_worst_augmentations_are_of_classes_with_support",
    ),
    "learners/adapted_test.py": only("test_images_may_be_integers_or_floats"),
    "learners/checked_data_test.py": only(
        "test_any_data_trains_as_a_dataset_does",
        "test_train_on_batch_takes_the_step_that_fit_takes",
        "test_test_on_batch_gives_what_evaluate_gives",
        "test_a_sampler_without_an_index_is_evaluated",
        "test_predict_on_batch_gives_what_predict_gives",
    ),
    "learners/fine_tuning_test.py": only("test_it_learns_classes_and_new_tasks_gain_from_it"),
    "learners/gradients_test.py": everything_but(
        "test_masked_meta_gradients_equal_finite_differences[MAML-*]",
        "test_meta_gradients_of_convolutions_equal_finite_differences",
    ),
    "learners/inference_test.py": everything_but(
        "test_fine_tuning_trains_in_training_and_adapts_in_inference"
    ),
    "learners/labels_test.py": only(
        "test_queries_of_a_class_without_support_are_refused",
        "test_labels_beyond_the_way_are_refused",
        "test_labels_are_bounded_without_a_way_too",
        "test_eight_ways_on_five_outputs_are_refused_in_one_line",
    ),
    "learners/maml_test.py": only(
        "test_fomaml_equals_maml_at_inner_rate_zero_and_differs_otherwise",
        "test_computing_the_body_once_changes_nothing",
        "test_learned_rates_are_learned_by_fit",
    ),
    "learners/memory_test.py": everything_but(
        "test_nothing_is_left_of_a_learner_that_is_gone[a score mask]"
    ),
    "learners/meta_learner_test.py": only(
        "test_permuted_tasks_permute_outcomes_and_keep_the_gradient",
        "test_a_batch_of_four_is_the_mean_of_four_batches_of_one",
        "test_the_graph_adds_four_tasks_in_pairwise_order",
        "test_memory_does_not_grow_with_the_number_of_tasks",
        "test_fit_applies_the_meta_gradients",
        "test_fit_learns",
        "test_evaluate_reports_every_inner_step",
        "test_mixed_bfloat16_trains_float32_weights",
        "test_no_statistic_moves_in_other_modes",
        "test_queries_are_independent_unless_statistics_are_transductive",
    ),
    "learners/meta_ticket_test.py": only(
        "test_score_gradients_of_equation_3_equal_finite_differences_of_the_mask",
        "test_score_gradients_equal_finite_differences_of_a_relaxed_mask",
        "test_graphs_compute_what_eager_steps_do_and_order_nothing",
        "test_scores_follow_their_gradient",
        "test_boil_leaves_the_head_at_its_random_start",
        "test_learned_inner_rates_are_learned_beside_the_scores",
        "test_a_fixed_sparsity_stays_in_training",
        "test_masks_of_mgaug_come_after_the_score_mask",
        "test_regularizers_act_on_it",
        "test_all_of_it_goes_through_a_file",
    ),
    "learners/metaoptnet_test.py": everything_but(
        "test_logits_are_scaled_kernels_times_coefficients", "test_impossible_arguments_are_refused"
    ),
    "learners/penalties_test.py": only(
        "test_a_penalty_adds_twice_the_weights_to_the_meta_gradient_once",
        "test_finite_differences_agree_with_a_penalty",
        "test_the_inner_loop_does_not_see_a_penalty",
        "test_a_constraint_holds_after_each_outer_step_and_not_in_the_inner_loop",
    ),
    "learners/reptile_test.py": only(
        "test_outer_steps_equal_those_by_hand",
        "test_carried_slots_make_a_difference_that_reaches_evaluation",
        "test_each_task_has_batches_of_its_own_that_its_place_does_not_change",
        "test_evaluation_has_its_own_steps_and_batch",
        "test_one_by_one_appends_each_query_to_the_support_set",
        "test_what_a_subnetwork_lacks_does_not_move_even_by_carried_momentum",
        "test_what_does_not_fit_is_refused",
    ),
    "learners/saving_test.py": everything_but(
        "test_no_weight_is_counted_twice", "test_no_weight_is_saved_twice"
    ),
    "learners/settings_test.py": everything_but(
        "test_second_order_is_refused_where_it_would_be_inexact",
        "test_the_parts_of_a_learner_stay_as_it_was_built_with",
    ),
    "learners/users_layers_test.py": everything_but(
        "test_fine_tuning_learns_embeddings",
        "test_width_masks_and_cutting_know_normalization_without_weights",
        "test_adapted_normalization_stands_in_front_and_is_saved",
        "test_generators_and_adapted_statistics_are_no_part_of_a_state",
    ),
    "learners/wrapped_test.py": everything_but(
        "test_fine_tuning_and_contexts_find_what_is_wrapped"
    ),
    "masks/cutting_test.py": only(
        "test_the_cut_network_equals_the_masked_one",
        "test_cut_embeddings_are_the_masked_ones_without_zeros",
        "test_the_cut_network_is_as_one_built_smaller",
        "test_nothing_is_cut_at_rate_zero_and_one_channel_stays_at_the_highest",
        "test_what_cannot_be_cut_is_named",
    ),
    "masks/magnitude_test.py": only("test_no_learner_moves_what_is_pruned_in_no_loop"),
    "masks/width_test.py": only(
        "test_the_masked_network_equals_the_network_physically_cut",
        "test_meta_gradients_equal_those_of_the_cut_network_and_vanish_outside",
    ),
    "optimizers_test.py": only(
        "test_what_a_magnitude_mask_prunes_stays_zero_and_what_it_keeps_decays",
        "test_the_scores_of_a_ticket_decay_and_its_weights_stay",
    ),
    "randomness_test.py": only(
        "test_beta_draws_have_the_distribution_of_their_name",
        "test_every_order_is_as_likely_as_the_others",
    ),
    "regularizers/activation_information_test.py": only(
        "test_without_weight_and_deviation_it_is_the_plain_learner",
        "test_meta_gradients_equal_finite_differences",
    ),
    "regularizers/channel_shuffle_test.py": only(
        "test_as_many_channels_stay_and_tasks_are_shuffled_as_asked_for",
        "test_where_nothing_is_shuffled_it_is_the_plain_learner",
        "test_meta_gradients_equal_finite_differences",
        "test_with_nothing_mixed_in_metamix_shuffles_alone",
        "test_it_shuffles_convolutions",
    ),
    "regularizers/drop_block_test.py": only(
        "test_rate_zero_is_the_plain_learner_bit_for_bit",
        "test_it_is_off_in_evaluation",
        "test_meta_gradients_equal_finite_differences",
    ),
    "regularizers/gradient_dropout_test.py": only(
        "test_every_weight_inner_step_task_and_outer_step_has_noise_of_its_own",
        "test_rate_zero_is_the_plain_learner",
        "test_a_ramp_begins_with_the_plain_learner_and_ends_with_the_constant_rate",
        "test_meta_gradients_through_the_noise_equal_finite_differences",
    ),
    "regularizers/hooks_test.py": only(
        "test_hooks_that_change_nothing_change_no_bit",
        "test_every_forward_pass_and_inner_step_has_a_key_of_its_own",
        "test_keys_repeat_for_the_same_seed_step_and_episode_alone",
        "test_all_regularizers_together_have_exact_gradients",
        "test_variables_of_regularizers_are_learned_by_fit_and_named_once",
        "test_regularizers_act_on_subnetworks_if_they_are_told_to",
        "test_a_regularizer_that_couples_tasks_tells_each_what_it_must_know",
        "test_no_hook_is_called_in_evaluation",
        "test_graphs_draw_what_eager_steps_draw",
    ),
    "regularizers/maxup_test.py": only(
        "test_the_worst_of_the_augmented_tasks_is_trained_on",
        "test_each_query_can_take_its_own_worst",
        "test_one_task_that_nothing_is_done_to_is_the_plain_learner_bit_for_bit",
        "test_the_worst_is_no_better_than_a_single_one",
        "test_meta_gradients_equal_finite_differences",
        "test_the_graph_of_a_batch_gives_the_same_and_orders_nothing",
    ),
    "regularizers/metamix_test.py": everything_but(
        "test_regression_mixes_targets",
        "test_convolutions_with_nothing_mixed_in_are_those_of_the_plain_learner",
        "test_partners_are_support_examples_each_equally_often",
        "test_running_statistics_come_from_plain_queries",
        "test_bad_arguments_are_refused",
    ),
    "regularizers/suite_test.py": everything_but("test_it_trains_or_says_why_not[*-FOMAML]"),
    "regularizers/taml_test.py": only(
        "test_meta_gradients_equal_finite_differences",
        "test_without_weight_it_is_the_plain_learner_bit_for_bit",
        "test_reported_measures_are_those_without_it",
        "test_a_batch_of_equal_tasks_is_not_pushed",
        "test_the_first_pass_makes_the_draws_of_the_second",
    ),
    "regularizers/trajectory_coherence_test.py": everything_but(
        "test_the_first_order_meta_gradient_is_the_query_gradient_at_the_corrected_weights",
        "test_support_statistics_are_those_of_the_corrected_weights",
        "test_regressions_have_trajectories_too",
        "test_bad_arguments_and_learners_are_refused",
    ),
    "regularizers/weight_information_test.py": only(
        "test_the_weight_multiplies_what_the_penalty_adds_to_the_gradient",
        "test_meta_gradients_of_means_and_variances_equal_finite_differences",
    ),
    "suite_test.py": everything_but(
        "test_it_trains_saves_loads_evaluates_and_exports[MAML-parameter-running]",
        "test_it_trains_saves_loads_evaluates_and_exports[FOMAML-no mask-support]",
        "test_it_trains_saves_loads_evaluates_and_exports[ANIL-catfish-support]",
        "test_it_trains_saves_loads_evaluates_and_exports[BOIL-no mask-one_by_one]",
        "test_it_trains_saves_loads_evaluates_and_exports[CAVIA-width-support]",
        "test_it_trains_saves_loads_evaluates_and_exports[FineTuning-no mask-transductive]",
        "test_it_trains_saves_loads_evaluates_and_exports[MetaOptNet, ridge-no mask-transductive]",
        "test_it_trains_saves_loads_evaluates_and_exports[MetaTicket-no mask-transductive]",
        "test_it_trains_saves_loads_evaluates_and_exports[ProtoNet, cosine-width-support]",
        "test_it_trains_saves_loads_evaluates_and_exports[Reptile, slots*-no mask-transductive]",
        "test_the_covering_set_lets_every_two_values_meet",
    ),
    "tickets_test.py": only(
        "test_a_loaded_ticket_predicts_the_same_bits",
        "test_a_ticket_of_a_ticket_is_the_same",
        "test_masks_are_the_same_and_scores_tell_no_more",
        "test_what_the_seed_gives_is_not_in_the_file",
    ),
}
