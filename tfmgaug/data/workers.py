"""Parallel work on many files, in order and with bounded memory."""

import concurrent.futures
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_AT_ONCE = 16  # items that a thread takes on: small images decode faster than threads change
_WAITING = 16  # such groups held in memory


def map_in_order(function: Callable[[_Item], _Result], items: Iterable[_Item]) -> Iterator[_Result]:
    """Yields `function(item)` in the order of the items, computed by a few threads.

    Args:
        function: called from several threads; reading and decoding release Python's lock.
        items: its arguments.

    Yields:
        The results.
    """
    groups = _grouped(iter(items), _AT_ONCE)
    pool = concurrent.futures.ThreadPoolExecutor(min(8, os.cpu_count() or 1))
    try:
        for waiting in _grouped(groups, _WAITING):
            for results in pool.map(lambda group: [function(item) for item in group], waiting):
                yield from results
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _grouped(items: Iterator[_Item], size: int) -> Iterator[list[_Item]]:
    while group := list(itertools.islice(items, size)):
        yield group
