"""Paired comparison of two learners on the same episodes."""

import dataclasses
import warnings

import numpy as np

from tfmgaug.evaluation.report import Report
from tfmgaug.evaluation.summary import summarize


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A paired comparison of two reports.

    Attributes:
        names: names of the two reports.
        metric: `"accuracy"` or `"loss"`.
        statistics: the statistics mode of each.
        difference: mean over episodes of the first minus the second.
        interval: half width of the 95 % interval of that mean (Student's t, as the paired t-test).
        p_value: of the paired t-test that the mean difference is zero.
        wilcoxon_p_value: of Wilcoxon's signed-rank test, which assumes no normal distribution.
        episodes: number of episodes.
    """

    names: tuple[str, str]
    metric: str
    statistics: tuple[str, str]
    difference: float
    interval: float
    p_value: float
    wilcoxon_p_value: float
    episodes: int

    def to_json(self) -> dict:
        """The comparison as a dictionary that `json.dumps` takes."""
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in dataclasses.asdict(self).items()
        }

    def __str__(self) -> str:
        scale, unit = (100, " points") if self.metric == "accuracy" else (1, "")
        first, second = (
            f"{name} ({mode})" for name, mode in zip(self.names, self.statistics, strict=True)
        )
        return (
            f"{first} minus {second}: {scale * self.difference:+.4g} ± "
            f"{scale * self.interval:.2g}{unit} of {self.metric} over {self.episodes} episodes, "
            f"p = {self.p_value:.2g} (paired t-test), {self.wilcoxon_p_value:.2g} (Wilcoxon)"
        )


def compare(
    report_a: Report,
    report_b: Report,
    statistics: str | tuple[str, str] | None = None,
    step: int | tuple[int, int] = -1,
) -> Comparison:
    """Compares two reports episode by episode, which is far sharper than two intervals.

    Args:
        report_a: the first report.
        report_b: the second, on the same episodes.
        statistics: statistics mode of both, or one of each. By default each report's first.
        step: inner step of both, or one of each; the last by default.

    Returns:
        A `Comparison`: first minus second.

    Raises:
        ValueError: if the reports are not of the same episodes, or have different metrics.

    Example:
        >>> print(compare(with_pruning, without_pruning, statistics="support"))
    """
    _check_same_episodes(report_a, report_b)
    modes: tuple = statistics if isinstance(statistics, tuple) else (statistics, statistics)
    modes = tuple(
        mode or report.statistics[0]
        for mode, report in zip(modes, (report_a, report_b), strict=True)
    )
    steps = step if isinstance(step, tuple) else (step, step)
    differences = (
        report_a.values(modes[0])[:, steps[0]] - report_b.values(modes[1])[:, steps[1]]
    ).astype(np.float64)
    mean, _, interval, episodes = summarize(differences)
    return Comparison(
        (report_a.name, report_b.name),
        report_a.metric,
        modes,
        mean,
        interval,
        *_p_values(differences),
        episodes,
    )


def _check_same_episodes(report_a: Report, report_b: Report) -> None:
    if report_a.metric != report_b.metric:
        raise ValueError(
            f"Expected one metric in both reports. Received: {report_a.metric} of "
            f"{report_a.name} and {report_b.metric} of {report_b.name}."
        )
    if (report_a.fingerprint, report_a.episodes) != (report_b.fingerprint, report_b.episodes):
        described = " and ".join(
            f"{report.episodes} episodes of {report.dataset} ({report.way}-way "
            f"{report.shot}-shot, seed {report.seed}, fingerprint {report.fingerprint})"
            for report in (report_a, report_b)
        )
        raise ValueError(
            "A paired comparison needs reports of the same episodes: evaluate both with the same "
            f"data, way, shot, query, episodes and seed. Received: {described}."
        )


def _p_values(differences: np.ndarray) -> tuple[float, float]:
    if np.all(differences == differences[0]):
        # Without spread neither test is defined: equal learners are equal, others are not.
        p = 1.0 if differences[0] == 0 else 0.0
        return p, p
    from scipy import stats  # which takes a second to import

    with warnings.catch_warnings():
        # Accuracies have ties and zero differences; SciPy's normal approximation says so.
        warnings.simplefilter("ignore")
        t_test = stats.ttest_1samp(differences, 0.0)
        wilcoxon = stats.wilcoxon(differences, zero_method="zsplit", method="approx")
    return float(t_test.pvalue), float(wilcoxon.pvalue)
