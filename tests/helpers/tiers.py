"""The tests of the integration tier: outside the default tier, and not marked `slow`.

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
    "learners/task_heads_test.py": everything_but(
        "test_heads_have_the_spread_of_glorot_and_biases_of_zero",
        "test_a_digest_is_that_of_a_set_of_values_in_any_order_and_type",
        "test_another_set_has_another_digest",
    ),
    "data/published_layouts_test.py": everything_but(
        "test_a_pickle_that_would_run_code_is_refused_and_runs_nothing",
        "test_a_damaged_or_other_pickle_is_refused",
        "test_pickles_with_labels_are_read",
    ),
    "data/photo_crops_test.py": only(
        "test_crops_are_those_of_torchvision_and_pillow",
        "test_an_episode_of_photos_is_the_same_in_any_batch",
        "test_photos_are_turned_once_they_are_cropped",
        "test_a_sampler_crops_each_photo_by_its_own_size",
    ),
    "backbones/starts_test.py": everything_but(
        "test_an_mlp_starts_kaiming_normal_whatever_the_method",
        "test_unknown_distributions_are_refused",
    ),
    "backbones/epsilon_test.py": only(
        "test_a_saved_learner_keeps_its_epsilon", "test_outputs_are_those_of_the_epsilon"
    ),
    "data/image_fit_test.py": only(
        "test_a_center_crop_of_a_large_jpeg_has_its_detail",
        "test_cars_are_cut_out_by_their_boxes_where_asked_for",
        "test_boxes_may_keep_their_aspect_ratio",
        "test_birds_of_tensorflow_datasets_are_cropped_to_their_centers",
    ),
    "extensions_test.py": everything_but(
        "test_a_learner_is_saved_by_its_arguments",
        "test_a_mask_is_saved_by_its_arguments",
        "test_an_argument_that_is_kept_nowhere_is_refused_when_saved",
        "test_a_method_that_must_be_written_is_asked_for_at_once",
        "test_a_bare_mask_is_no_augmentation",
        "test_places_that_are_no_layers_are_refused",
    ),
    "analysis/attention_maps/grad_cam_test.py": only(
        "test_maps_of_a_linear_network_are_those_of_hand",
        "test_conv4_is_explained_at_its_last_stage_with_several_positions",
    ),
    "analysis/loss_landscape/curvature_test.py": only(
        "test_the_residual_bounds_the_error_and_iterations_are_counted",
        "test_the_norm_at_adapted_weights_is_that_of_the_full_hessian",
        "test_it_is_the_curvature_of_the_exact_normalization_and_not_of_kerass",
    ),
    "analysis/fine_tuning_curves_test.py": only(
        "test_known_networks_go_on_where_the_hat_graph_ends",
        "test_random_initializations_are_shared_out_in_turn",
    ),
    "analysis/gradient_check_test.py": everything_but(
        "test_a_ticket_in_float64_keeps_its_thresholds", "test_what_cannot_be_checked_is_refused"
    ),
    "analysis/importance_histogram/mmca_test.py": only(
        "test_scores_and_marks_are_those_of_numpy",
        "test_a_context_in_front_of_the_kernels_shifts_nothing",
    ),
    "analysis/loss_landscape/meter_test.py": everything_but(
        "test_trajectories_are_as_long_as_from_the_initial_to_the_adapted_weights",
        "test_coherence_is_the_mean_over_all_pairs_of_tasks",
        "test_one_coherence_alone_is_the_same_number",
        "test_the_report_is_read_and_written",
        "test_the_interval_of_a_mean_over_pairs_is_the_jackknifes",
        "test_bad_learners_and_arguments_are_refused",
    ),
    "analysis/memorized_accuracy_test.py": everything_but(
        "test_higher_rates_prune_what_lower_ones_prune_and_tasks_differ",
        "test_bad_arguments_are_refused",
    ),
    "analysis/representation_test.py": everything_but("test_cka_is_that_of_numpy_features"),
    "analysis/suite_test.py": everything_but(
        "test_it_is_right_or_refused_with_the_reason[*-FOMAML]",
        "test_every_analysis_of_the_package_has_a_row",
    ),
    "analysis/task_gradients_test.py": everything_but(
        "test_the_last_feature_weight_stands_in_front_of_the_classifier",
        "test_learners_without_an_inner_loop_and_single_tasks_are_refused",
    ),
    "augmentation/mgaug_test.py": everything_but(
        "test_pruned_entries_do_not_move_in_the_inner_loop",
        "test_subnetworks_see_lower_resolutions",
        "test_subnetworks_have_given_sizes_of_images_and_given_rates",
        "test_backbones_of_fixed_size_refuse_resolutions_by_name",
        "test_sparsity_is_that_of_the_highest_rate",
        "test_configuration_goes_round",
        "test_impossible_arguments_are_refused",
        "test_what_is_no_mask_is_refused",
        "test_an_augmentation_serves_one_learner",
    ),
    "backbones/exactness_test.py": only(
        "test_what_is_refused_is_wrong_at_second_order_or_raises",
        "test_what_is_taken_is_right_at_second_order",
        "test_inexact_operations_are_found_in_a_lambda",
        "test_exact_operations_and_straight_through_estimators_are_taken",
    ),
    "backbones/preparation_test.py": only("test_a_sequential_model_learns"),
    "backbones/reptile_network_test.py": everything_but("test_what_does_not_fit_is_refused"),
    "backbones/residual_test.py": everything_but("test_convolutions_start_he_normal_over_fan_out"),
    "backbones/resnet12_test.py": only(
        "test_it_has_as_many_weights_as_in_the_literature",
        "test_outputs_equal_those_of_the_literature_in_numpy",
        "test_it_trains_with_subnetworks_at_a_lower_resolution",
    ),
    "backbones/resnet_test.py": only(
        "test_resnet18_has_as_many_weights_as_in_the_literature",
        "test_it_trains_with_subnetworks_at_lower_resolutions",
    ),
    "backbones/stages_test.py": only(
        "test_our_backbones_are_divided_after_their_blocks",
        "test_the_stages_one_after_the_other_are_the_backbone",
        "test_second_order_gradients_flow_through_the_stages",
    ),
    "backbones/tracing_test.py": only("test_what_draws_or_changes_a_state_is_refused_by_name"),
    "backbones/wide_resnet_test.py": everything_but(
        "test_embeddings_are_means_of_the_last_maps_at_any_size",
        "test_arguments_out_of_range_are_refused",
    ),
    "callbacks/checkpoint_test.py": only(
        "test_a_resumed_run_ends_with_the_same_weights_bit_for_bit"
    ),
    "callbacks/finite_test.py": everything_but("test_training_that_converges_is_left_alone"),
    "callbacks/gap_test.py": everything_but(),
    "figures/layout_test.py": only("test_texts_neither_overlap_nor_leave_the_canvas"),
    "callbacks/gradient_norms_test.py": everything_but(
        "test_learners_without_an_inner_loop_and_empty_intervals_are_refused"
    ),
    "callbacks/iterand_test.py": everything_but(
        "test_new_weights_come_from_the_old_distribution",
        "test_the_last_number_is_remembered",
        "test_weights_are_redrawn_every_so_many_steps",
        "test_impossible_arguments_are_refused",
    ),
    "callbacks/landscape_test.py": everything_but("test_bad_arguments_are_refused"),
    "callbacks/mask_sparsity_test.py": only(
        "test_history_and_tensorboard_have_a_tickets_sparsity_of_every_epoch"
    ),
    "callbacks/progress_test.py": only("test_it_works_in_a_real_run"),
    "callbacks/pruning_test.py": everything_but("test_the_phase_follows_from_the_step"),
    "callbacks/tensorboard_test.py": everything_but(
        "test_events_that_cannot_be_written_are_named_with_a_remedy"
    ),
    "data/image_groups_test.py": only(
        "test_no_group_is_on_both_sides_of_an_episode",
        "test_images_that_are_their_own_groups_are_drawn_as_without_groups",
        "test_an_episode_with_groups_depends_on_its_index_alone",
    ),
    "data/test_catalog.py": only(
        "test_glyphs_are_split_by_script_and_rendered_once",
        "test_omniglot_has_the_drawings_and_the_split_of_vinyals",
        "test_training_and_test_images_of_cifar100_are_one_class",
        "test_ink_is_bright_on_black",
        "test_the_background_split_tests_on_the_evaluation_alphabets",
        "test_rotations_are_extra_classes_of_every_split",
        "test_a_second_start_takes_less_than_two_seconds",
    ),
    "data/test_episodes.py": only(
        "test_batching_does_not_change_episodes",
        "test_a_start_skips_episodes",
        "test_episode_equals_the_dataset_at_its_index",
        "test_augmented_episodes_depend_on_the_seed_and_the_index_alone",
        "test_a_batch_is_drawn_without_a_loop_and_without_asking_the_device",
        "test_a_transform_may_declare_another_size",
        "test_a_transform_that_changes_the_shape_is_refused",
        "test_memory_mapped_images_are_read_where_they_are",
        "test_the_interpreter_exits_while_episodes_are_being_drawn",
    ),
    "data/test_glyphs.py": only("test_a_class_is_twenty_white_drawings_on_black"),
    "data/test_published.py": only(
        "test_folders_of_classes_are_split_by_the_published_lists",
        "test_birds_of_tensorflow_datasets_get_the_names_of_the_lists",
        "test_records_get_the_names_of_the_lists",
    ),
    "data/test_rotated_classes.py": only(
        "test_a_class_is_a_new_one_with_the_probability",
        "test_the_probability_rises_along_the_ramp_and_stays",
        "test_batching_does_not_change_episodes",
    ),
    "data/test_sinusoids.py": only(
        "test_targets_are_sinusoids_of_the_ranges",
        "test_noise_is_on_the_support_targets_alone",
        "test_the_seed_and_the_index_determine_an_episode",
    ),
    "data/test_sources.py": only("test_a_real_image_folder_is_read_and_starts_fast_again"),
    "data/test_transforms.py": only(
        "test_the_seed_determines_the_result",
        "test_an_image_is_changed_alike_alone_and_among_others",
        "test_a_crop_covers_the_share_of_the_area_that_was_drawn",
    ),
    "distribution_test.py": everything_but(),
    "docs_test.py": only(
        "test_complete_examples_run",
        "test_commands_are_understood",
        "test_flags_that_are_mentioned_exist",
    ),
    "engine/task_test.py": only(
        "test_the_loss_of_subnetworks_is_that_of_the_network_that_is_cut",
        "test_there_is_no_loss_of_subnetworks_before_they_take_part",
    ),
    "engine/tree_sum_test.py": only("test_a_loop_of_unknown_length_gives_the_same_bits"),
    "evaluation/evaluator_test.py": everything_but(
        "test_regression_has_losses_only", "test_progress_is_told", "test_bad_arguments_are_refused"
    ),
    "evaluation/floor_test.py": everything_but(
        "test_nearest_centroid_of_points_on_a_line",
        "test_floor_equals_an_independent_loop_over_episodes",
    ),
    "examples_test.py": only(
        "test_sign_descent_trains_with_masks_and_regularizers_and_is_saved",
        "test_matching_networks_train_and_are_saved",
        "test_channel_masks_prune_whole_channels_and_differ_between_subnetworks",
    ),
    "export_test.py": everything_but(
        "test_an_export_that_holds_other_files_is_not_replaced",
        "test_a_folder_that_is_no_saved_model_is_never_removed",
        "test_a_failing_export_leaves_nothing",
        "test_bad_options_are_refused",
    ),
    "analysis/loss_landscape/figure_test.py": only(
        "test_there_is_a_panel_for_each_metric_and_a_curve_for_each_name",
        "test_each_panel_says_how_a_property_goes_with_accuracy_for_each_name",
    ),
    "heads/svm_test.py": only(
        "test_the_solution_is_that_of_a_generic_solver",
        "test_the_conditions_of_optimality_hold_for_the_shots_of_the_paper",
        "test_the_gradient_equals_finite_differences",
        "test_solution_and_gradient_are_exact_down_to_rounding",
        "test_it_ends_where_rounding_does",
    ),
    "keras_backend_test.py": only(
        "test_another_backend_is_refused_in_one_line_whether_it_is_installed_or_not[torch*",
        "test_another_backend_is_refused_in_one_line_whether_it_is_installed_or_not[numpy*",
        "test_another_backend_is_refused_in_one_line_whether_it_is_installed_or_not[jqx*",
        "test_the_backend_of_the_configuration_file_is_refused_too",
        "test_commands_refuse_another_backend_in_one_line",
    ),
    "keras_objects_test.py": only(
        "test_a_loss_on_labels_is_that_of_keras_and_has_an_accuracy",
        "test_an_outer_step_is_that_of_the_optimizer",
        "test_callbacks_change_the_rate_of_the_next_epoch",
        "test_callbacks_know_which_way_is_better",
        "test_a_global_policy_changes_no_step_of_a_network_built_before",
        "test_losses_and_gradients_of_mixed_bfloat16_are_float32",
        "test_a_layer_that_asks_for_what_learners_do_not_do_is_refused",
    ),
    "launch/analyze_test.py": everything_but(
        "test_the_landscape_over_epochs_is_what_was_measured_in_training",
        "test_curves_are_of_all_epochs_and_mark_where_mgaug_began",
        "test_flags_override_the_runs_own_and_other_data_leaves_its_place_behind",
        "test_a_run_on_fixed_labels_is_looked_at_with_them",
        "test_what_does_not_fit_or_exist_is_refused",
    ),
    "launch/benchmark_test.py": everything_but(
        "test_a_child_that_cannot_start_says_its_last_words",
        "test_memory_of_a_child_does_not_count_the_parent",
        "test_names_choose_workloads_and_families",
        "test_names_choose_implementations_and_ours_is_among_them",
        "test_unknown_precisions_are_refused_in_one_line",
        "test_the_floor_counts_every_product_once",
        "test_the_floor_of_subnetworks_and_of_their_score",
        "test_the_floor_of_a_residual_network_counts_both_layers_on_the_images_and_all_shortcuts",
        "test_masks_have_the_rates_of_the_workload",
        "test_peers_compute_what_we_compute",
    ),
    "launch/command_test.py": everything_but(
        "test_a_wrong_flag_is_answered_without_tensorflow[evaluate*--overwrite]"
    ),
    "launch/experiment_test.py": only(
        "test_the_same_learner_is_built_from_json_alone[[!f]*",
        "test_the_same_learner_is_built_from_json_alone[fomaml1*",
    ),
    "launch/idle_flags_test.py": only("test_what_is_built_reads_all_flags_that_are_accepted"),
    "launch/analyses/meta_ticket_test.py": only(
        "test_gradients_are_of_history_and_of_the_trained_learner",
        "test_gradients_without_history_are_those_of_the_trained_learner_alone",
        "test_representations_are_compared_stage_by_stage",
        "test_input_masks_are_those_of_one_ticket",
    ),
    "launch/new_data_set_test.py": only("test_its_images_are_loaded"),
    "launch/new_learner_test.py": only("test_it_is_built_and_rebuilt_from_json"),
    "launch/papers/mgaug_test.py": only("test_every_row_builds_the_learner_it_names"),
    "launch/papers/network_pruning_test.py": only("test_every_row_is_trained_as_it_says"),
    "launch/reproduce_test.py": only(
        "test_an_interruption_ends_the_child_too",
        "test_a_cell_is_run_and_printed_beside_the_paper_s",
    ),
    "launch/reproduction/jobs_test.py": only(
        "test_an_error_of_one_job_ends_the_others",
        "test_an_interruption_ends_all_jobs_which_go_on_from_their_checkpoints",
        "test_two_tiny_runs_are_trained_at_once",
        "test_what_is_started_ends_with_all",
    ),
    "launch/settings_test.py": only(
        "test_filters_are_a_blocks_of_conv4_and_the_first_groups_of_a_resnet",
        "test_flags_that_one_backbone_alone_has_reach_it",
    ),
    "launch/tasks_test.py": only(
        "test_training_tasks_have_fixed_labels_and_test_tasks_ordinary_ones",
        "test_tests_of_training_classes_ask_for_the_labels_of_training",
        "test_photos_are_loaded_larger_and_tested_on_their_center",
        "test_training_tasks_are_scaled_at_random_and_others_are_not",
        "test_the_fine_tuning_baseline_trains_on_labeled_images_and_is_tested_on_tasks",
    ),
    "launch/train_test.py": everything_but("test_the_help_of_evaluation_lists_the_flags_of_data"),
    "layers/pooled_normalization_test.py": only(
        "test_the_fused_form_equals_the_plain_one_to_second_order",
        "test_eager_and_graph_mode_agree",
        "test_the_gradient_equals_finite_differences",
        "test_of_equal_entries_the_first_gets_the_gradient_as_in_max_pooling",
    ),
    "learners/absent_classes_test.py": everything_but(
        "test_analyses_see_the_support_loss_of_a_cut_head",
        "test_logits_without_support_are_no_features",
        "test_a_single_class_with_support_is_certain",
        "test_where_all_classes_have_support_nothing_changes",
    ),
    "learners/adapted_test.py": only("test_images_may_be_integers_or_floats"),
    "learners/checked_data_test.py": only(
        "test_any_data_trains_as_a_dataset_does",
        "test_train_on_batch_takes_the_step_that_fit_takes",
        "test_test_on_batch_gives_what_evaluate_gives",
        "test_predict_on_batch_gives_what_predict_gives",
        "test_a_sampler_without_an_index_is_evaluated",
    ),
    "learners/closed_form_test.py": only(
        "test_logits_are_those_of_float64", "test_gradients_are_those_of_float64"
    ),
    "learners/examples_test.py": only(
        "test_the_export_keeps_the_shape_of_targets",
        "test_images_of_another_size_are_resized_as_the_export_does",
        "test_an_export_refuses_numbers_that_are_not_finite",
    ),
    "learners/fine_tuning_test.py": only(
        "test_it_is_measured_on_tasks_in_validation_alone",
        "test_it_learns_classes_and_new_tasks_gain_from_it",
    ),
    "learners/gradients_test.py": everything_but(
        "test_classification_meta_gradients_equal_finite_differences[*-transductive]",
        "test_masked_meta_gradients_equal_finite_differences[MAML-*]",
        "test_meta_gradients_of_convolutions_equal_finite_differences",
    ),
    "learners/inference_test.py": everything_but(
        "test_fine_tuning_trains_in_training_and_adapts_in_inference"
    ),
    "learners/labels_test.py": everything_but(
        "test_labels_up_to_the_bound_will_do",
        "test_wide_labels_never_wrap",
        "test_fine_tuning_refuses_labels_beyond_its_classes",
    ),
    "learners/maml_test.py": only(
        "test_fomaml_equals_maml_at_inner_rate_zero_and_differs_otherwise",
        "test_computing_the_body_once_changes_nothing",
        "test_learned_rates_are_learned_by_fit",
    ),
    "learners/memory_test.py": everything_but(),
    "learners/meta_learner_test.py": everything_but(
        "test_regression_has_losses_and_no_accuracy",
        "test_compile_refuses_what_it_would_ignore",
        "test_xla_stays_off",
        "test_statistics_of_query_batches_are_those_at_adapted_weights",
        "test_evaluation_moves_no_running_statistic",
        "test_running_statistics_that_were_never_averaged_are_refused",
        "test_running_statistics_leave_frozen_weights_alone",
        "test_labels_that_are_no_integers_are_refused",
        "test_what_is_no_batch_of_tasks_is_refused",
        "test_tasks_without_an_index_are_numbered",
        "test_the_state_before_adaptation_is_the_start",
        "test_steps_one_by_one_equal_steps_at_once",
    ),
    "learners/meta_ticket_test.py": everything_but(
        "test_first_order_score_gradients_hold_the_adapted_weights",
        "test_the_mask_is_applied_in_every_forward_pass",
        "test_inner_steps_that_run_again_give_the_same_meta_gradients",
        "test_training_changes_scores_and_nothing_else",
        "test_what_keras_calls_trainable_are_the_scores",
        "test_constants_are_a_start_too",
        "test_sparsity_has_a_curve_for_each_layer",
        "test_what_needs_learned_weights_is_refused",
        "test_impossible_arguments_are_refused",
        "test_other_learners_are_as_they_were",
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
    "learners/reptile_test.py": everything_but(
        "test_one_step_at_a_time_is_the_same_as_all_at_once",
        "test_catfish_scores_come_from_the_first_inner_batch",
        "test_another_optimizer_is_refused",
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
        "test_activations_are_drawn_around_their_means",
        "test_without_weight_and_deviation_it_is_the_plain_learner",
        "test_meta_gradients_equal_finite_differences",
        "test_meta_gradients_behind_a_convolution_equal_finite_differences",
        "test_steps_that_run_again_draw_the_same_activations",
    ),
    "regularizers/channel_shuffle_test.py": only(
        "test_as_many_channels_stay_and_tasks_are_shuffled_as_asked_for",
        "test_where_nothing_is_shuffled_it_is_the_plain_learner",
        "test_all_passes_over_a_task_are_shuffled_with_its_key",
        "test_meta_gradients_equal_finite_differences",
        "test_with_nothing_mixed_in_metamix_shuffles_alone",
        "test_it_shuffles_convolutions",
    ),
    "regularizers/drop_block_test.py": only(
        "test_the_share_dropped_is_that_of_the_formula",
        "test_rate_zero_is_the_plain_learner_bit_for_bit",
        "test_it_is_off_in_evaluation",
        "test_meta_gradients_equal_finite_differences",
        "test_the_default_is_for_the_stages_of_resnet12",
    ),
    "regularizers/gradient_dropout_test.py": only(
        "test_every_weight_inner_step_task_and_outer_step_has_noise_of_its_own",
        "test_the_same_seed_step_and_episode_give_the_same_noise",
        "test_rate_zero_is_the_plain_learner",
        "test_a_ramp_begins_with_the_plain_learner_and_ends_with_the_constant_rate",
        "test_meta_gradients_through_the_noise_equal_finite_differences",
    ),
    "regularizers/hooks_test.py": everything_but(
        "test_noise_comes_before_masks_and_revives_no_pruned_entry",
        "test_activations_are_changed_behind_their_layer_on_support_and_queries",
        "test_a_penalty_adds_to_the_gradient_and_not_to_the_outcome",
        "test_what_replaces_the_outcome_is_what_is_learned",
        "test_a_variable_without_a_part_in_the_loss_is_refused_by_name",
        "test_neither_noise_nor_penalties_reach_the_score_of_a_catfish_mask",
        "test_a_regularizer_with_variables_serves_one_learner",
        "test_what_can_not_act_together_is_refused",
    ),
    "regularizers/maxup_test.py": everything_but(
        "test_penalties_see_the_worst_task",
        "test_what_is_no_image_is_refused",
        "test_images_that_are_not_square_cannot_be_turned",
        "test_a_second_one_is_refused",
        "test_a_regression_has_no_classes_to_turn",
        "test_bad_arguments_are_refused",
    ),
    "regularizers/metamix_test.py": everything_but(
        "test_regression_mixes_targets", "test_bad_arguments_are_refused"
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
        "test_support_statistics_are_those_of_the_corrected_weights",
        "test_regressions_have_trajectories_too",
        "test_bad_arguments_and_learners_are_refused",
    ),
    "regularizers/weight_information_test.py": only(
        "test_without_weight_and_deviation_it_is_the_plain_learner",
        "test_the_weight_multiplies_what_the_penalty_adds_to_the_gradient",
        "test_meta_gradients_of_means_and_variances_equal_finite_differences",
    ),
    "suite_test.py": everything_but(
        "test_it_trains_saves_loads_evaluates_and_exports[FOMAML-no mask-support]",
        "test_it_trains_saves_loads_evaluates_and_exports[ANIL-catfish-support]",
        "test_it_trains_saves_loads_evaluates_and_exports[CAVIA-width-support]",
        "test_it_trains_saves_loads_evaluates_and_exports[FineTuning-no mask-transductive]",
        "test_it_trains_saves_loads_evaluates_and_exports[MetaOptNet, ridge-no mask-transductive]",
        "test_it_trains_saves_loads_evaluates_and_exports[MetaTicket-no mask-transductive]",
        "test_it_trains_saves_loads_evaluates_and_exports[ProtoNet, cosine-width-support]",
        "test_the_covering_set_lets_every_two_values_meet",
    ),
    "tickets_test.py": only(
        "test_a_loaded_ticket_predicts_the_same_bits",
        "test_a_ticket_of_a_ticket_is_the_same",
        "test_masks_are_the_same_and_scores_tell_no_more",
        "test_weights_that_came_from_no_draw_are_stored",
        "test_what_the_seed_gives_is_not_in_the_file",
    ),
}
