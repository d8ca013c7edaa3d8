"""Estimates of how long runs will take, from finished runs of the same recipes."""

import statistics

from launch.progress import duration


class Forecast:
    """Seconds that runs took, by their recipes: seeds of one recipe take equally long.

    Args:
        runs: finished `Run`s.
        at_once: int >= 1, how many are trained at the same time, each as fast as alone.
    """

    def __init__(self, runs=(), at_once=1):
        self._seconds = {}
        self._at_once = at_once
        for run in runs:
            self.note(run, run.report["seconds"])

    def note(self, run, seconds):
        """Adds the time of a run that was trained from its beginning to its end."""
        self._seconds.setdefault(run.recipe.name, []).append(seconds)

    def of(self, run):
        """Returns the seconds that are left of a run, or None if none like it was measured."""
        if run.recipe.name not in self._seconds:
            return None
        epochs = run.planned["epochs"]
        share = (epochs - run.epochs_done) / epochs
        return share * statistics.fmean(self._seconds[run.recipe.name])

    def left(self, runs):
        """Describes how long runs will take together.

        Args:
            runs: list of `Run`.

        Returns:
            A text such as "about 3 min left".
        """
        known = [seconds for seconds in map(self.of, runs) if seconds is not None]
        if not known:
            return "time left not known yet"
        only = "about" if len(known) == len(runs) else "more than"
        # None ends before the longest of them.
        seconds = max(sum(known) / self._at_once, *known)
        return f"{only} {duration(seconds)} left"
