import pytest


@pytest.fixture(autouse=True, scope="module")
def graphs_are_traced_as_they_are(unoptimized_graphs):
    """All these tests run each graph a few times."""
