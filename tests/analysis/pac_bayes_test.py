import math

import numpy as np
import pytest

from tfmgaug.analysis import pac_bayes_bound

ERRORS, SAMPLES, NORMS = [0.1, 0.3, 0.25], [20, 75, 50], [4.0, 9.0, 1.0]
OTHERS = {"rate": 0.2, "divergence": 3.0, "delta": 0.1}


def equation_8(errors, samples, norms, rate, divergence, delta):
    """The three terms, one task at a time."""
    tasks = len(errors)
    environment = math.sqrt((divergence + math.log(2 * tasks / delta)) / (2 * (tasks - 1)))
    complexity = 0.0
    for m, norm in zip(samples, norms):
        inside = divergence + math.log(2 * tasks * m / delta) + (1 - rate) / 2 * norm
        complexity += math.sqrt(inside / (2 * (m - 1))) / tasks
    return sum(errors) / tasks, environment, complexity


def test_terms_are_those_of_equation_8():
    bound = pac_bayes_bound(ERRORS, SAMPLES, NORMS, **OTHERS)
    terms = equation_8(ERRORS, SAMPLES, NORMS, **OTHERS)
    assert (bound.empirical, bound.environment, bound.task) == pytest.approx(terms, rel=1e-12)
    assert bound.bound == pytest.approx(sum(terms), rel=1e-12)
    assert bound.tasks.mean() == pytest.approx(bound.task)


def test_pruning_lowers_the_bound_and_the_task_term_alone():
    bounds = [
        pac_bayes_bound(ERRORS, SAMPLES, NORMS, **{**OTHERS, "rate": rate})
        for rate in np.linspace(0, 1, 11)
    ]
    assert (np.diff([bound.task for bound in bounds]) < 0).all()
    assert (np.diff([bound.bound for bound in bounds]) < 0).all()
    assert len({(bound.empirical, bound.environment) for bound in bounds}) == 1


def test_of_a_network_all_pruned_the_weights_cost_nothing():
    everything = {**OTHERS, "rate": 1.0}
    small, large = (pac_bayes_bound(ERRORS, 30, norm, **everything).bound for norm in (0.0, 1e9))
    assert small == large


def test_many_samples_and_many_tasks_take_the_complexities_away():
    def bound(tasks, samples):
        return pac_bayes_bound(np.full(tasks, 0.2), samples, 10.0, **OTHERS)

    assert bound(10, 1e12).task < 1e-5
    assert bound(10, 1e12).environment == bound(10, 10).environment
    assert bound(10**6, 1e12).environment < 5e-3
    assert bound(10**6, 1e12).bound == pytest.approx(0.2, abs=6e-3)


def test_certainty_has_its_price():
    bounds = [
        pac_bayes_bound(ERRORS, SAMPLES, NORMS, **{**OTHERS, "delta": delta}).bound
        for delta in (1e-6, 0.05, 1.0)
    ]
    assert bounds == sorted(bounds, reverse=True)


def test_all_arguments_are_told():
    bound = pac_bayes_bound(ERRORS, 30, 4.0, **OTHERS)
    for part in ("T = 3", "m = 30", "rate 0.2", "|w|^2 = 4", "D(Q||P) = 3", "delta = 0.1"):
        assert part in str(bound)
    assert bound.to_json()["arguments"] == {
        "tasks": 3, "samples": 30.0, "squared_norms": 4.0, "rate": 0.2, "divergence": 3.0,
        "delta": 0.1,
    }  # fmt: skip
    assert bound.vacuous == (bound.bound >= 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"errors": [0.5]}, "at least 2 tasks"),
        ({"errors": [0.5, 1.5]}, "0-1"),
        ({"errors": [0.5, np.nan]}, "0-1"),
        ({"samples": 1}, "`samples`"),
        ({"samples": [5, 5, 5]}, "one for each task"),
        ({"squared_norms": -1.0}, "`squared_norms`"),
        ({"rate": 1.1}, "`rate`"),
        ({"divergence": -1.0}, "`divergence`"),
        ({"delta": 0.0}, "`delta`"),
    ],
)
def test_arguments_out_of_range_are_refused(change, message):
    arguments = {"errors": [0.1, 0.2], "samples": 10, "squared_norms": 1.0, **OTHERS}
    with pytest.raises(ValueError, match=message):
        pac_bayes_bound(**{**arguments, **change})
