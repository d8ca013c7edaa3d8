"""Half widths of 95 % intervals, by Student's t."""

import functools
import math
from collections.abc import Collection
from typing import Any

CONFIDENCE = 0.95


def half_width(standard_error: Any, number: Any) -> Any:
    """Half the width of the 95 % interval of a mean, where the spread is estimated too.

    `t * standard_error` with the 97.5 % quantile t of Student's distribution of `number - 1`
    degrees of freedom: 12.7 for two values, 4.30 for three, 2.78 for five. It falls to the normal
    distribution's 1.96 as the number grows: for 600 test episodes it is 1.9639, 0.2 % above the
    papers' 1.96.

    Args:
        standard_error: of the mean, the standard deviation (divided by n - 1) over the root of n:
            a number or an array.
        number: int >= 1, n: the values that both were estimated from. One value alone has no
            interval.

    Returns:
        A number or an array like `standard_error`; NaN if `number` is 1.

    Example:
        >>> accuracies = np.array([0.52, 0.55, 0.53])
        >>> half_width(accuracies.std(ddof=1) / 3**0.5, 3)
        0.0379...

    Reference:
        Student, The probable error of a mean, 1908, https://doi.org/10.1093/biomet/6.1.1.
    """
    return _quantile(number - 1) * standard_error


def described(number: int | Collection[int], what: str) -> str:
    """Describes a bar or a band of `half_width` in words, for a legend.

    Args:
        number: int, or several where bars are over different numbers of them.
        what: what they are over, in the plural: "runs", "tasks".

    Returns:
        A phrase, as "95 % interval over 3 runs, Student's t".
    """
    numbers = sorted({number} if isinstance(number, int) else set(number))
    counted = str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"
    return f"95 % interval over {counted} {what}, Student's t"


@functools.cache
def _quantile(degrees):
    from scipy import special  # which takes a fifth of a second to import

    return float(special.stdtrit(degrees, (1 + CONFIDENCE) / 2)) if degrees > 0 else math.nan
