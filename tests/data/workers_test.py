"""Parallel work on many files."""

import threading

from tfmgaug.data.workers import map_in_order


def test_results_are_in_the_order_of_the_items():
    assert list(map_in_order(lambda item: -item, range(1000))) == [-item for item in range(1000)]


def test_who_leaves_off_waits_for_no_thread():
    """Garbage collection may close the generator within a thread that starts, which then hung."""
    goes_on = threading.Event()

    def work(item):
        return item if item < 16 else goes_on.wait(300)

    results = map_in_order(work, range(64))
    assert next(results) == 0
    closing = threading.Thread(target=results.close)
    closing.start()
    closing.join(60)
    try:
        assert not closing.is_alive()
    finally:
        goes_on.set()
