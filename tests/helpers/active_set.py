"""A Crammer-Singer machine solved by its optimality conditions, given which bounds hold.

Linear equations are all that is left then, so that complex numbers go through: the imaginary part
of a step of 1e-30 i is the derivative, without a difference that would lose digits.
"""

import numpy as np

STEP = 1e-30


def solve(kernel, hot, cost, near):
    """Solves for a `[way, n]`.

    Args:
        kernel: K `[n, n]`, real or complex.
        hot: one-hot labels `[way, n]`.
        cost: C.
        near: a solution to a few digits, which tells the bounds that hold.
    """
    (way, n), bounds = hot.shape, cost * hot
    free = bounds - near > 1e-4 * np.abs(near).max()
    held = np.where(free, 0, bounds).astype(kernel.dtype)
    # The unknowns are all entries of a, and a level for each example.
    equations = np.zeros((way * n + n, way * n + n), kernel.dtype)
    right = np.concatenate([np.where(free, hot, bounds).ravel(), np.zeros(n)])
    for m in range(way):
        rows = slice(m * n, (m + 1) * n)
        equations[rows, rows] = np.where(free[m][:, None], kernel, np.eye(n))
        equations[rows, way * n :] = np.diag(free[m])
        equations[way * n :, rows] = np.eye(n)
    unknowns = np.linalg.solve(equations, right.astype(kernel.dtype))
    solution, levels = unknowns[: way * n].reshape(way, n), unknowns[way * n :]
    solution = np.where(free, solution, held)
    # What the bounds push with must push inwards, and free entries must be within them.
    assert np.where(free, 0, hot - solution @ kernel - levels).real.min() > -1e-9
    assert np.where(free, bounds - solution, 1).real.min() > 0
    return solution
