"""The running product, as the gateway's tests have it; and one that goes step by step."""

from collections.abc import Iterator

import pytest

from tests.gateway.conftest import product
from tests.merge.world import World

__all__ = ["product"]


@pytest.fixture(scope="module")
def world(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The product in this thread."""
    made = World(postgres_url, tmp_path_factory.mktemp("data"))
    yield made
    made.close()
