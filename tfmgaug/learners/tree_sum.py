"""A sum whose rounding does not depend on how the terms are shared out."""

import tensorflow as tf


class TreeSum:
    """Adds up lists of tensors in pairwise order, holding one partial sum per level of the tree.

    After the terms 0, 1, 2, 3 the sum is `(t0 + t1) + (t2 + t3)`, so that two replicas of two tasks
    and one of four agree bit for bit; a running sum's rounding grew to 0.09 in the weights after
    20 outer steps. It works like a binary counter: term `n` is carried through one level for each
    trailing one in the binary form of `n`.

    Args:
        like: list of tensors shaped like a term.
        terms: number of terms, or None if it is known at run time only (then up to 65536).

    Example:
        >>> tree = TreeSum(like=[tf.zeros(3)], terms=4)
        >>> levels = tree.start()
        >>> for n in range(4):
        ...     levels = tree.add(levels, n, [tf.ones(3)])
        >>> tree.total(levels)  # [4., 4., 4.]
    """

    def __init__(self, like, terms=None):
        self._zeros = [tf.zeros_like(tensor) for tensor in like]
        self._levels = 17 if terms is None else max(terms, 1).bit_length()

    def start(self):
        """Returns the empty partial sums, a list of lists."""
        return [list(self._zeros) for _ in range(self._levels)]

    def add(self, levels, count, term):
        """Adds one term.

        Args:
            levels: partial sums.
            count: int32 scalar, the number of terms added before.
            term: list of tensors.

        Returns:
            The new partial sums.
        """

        def put(height, total):
            if height == self._levels - 1:
                return [total]

            def carry():
                carried = [left + right for left, right in zip(levels[height], total)]
                return [self._zeros] + put(height + 1, carried)

            occupied = tf.bitwise.bitwise_and(count, 2**height) > 0
            return tf.cond(occupied, carry, lambda: [total] + levels[height + 1 :])

        # A branch to each addition: TensorFlow rewrites chains of additions in another order.
        return put(0, term)

    def total(self, levels):
        """Returns the sum of all terms, smallest part first."""
        total = levels[0]
        for level in levels[1:]:
            total = [left + right for left, right in zip(level, total)]
        return total
