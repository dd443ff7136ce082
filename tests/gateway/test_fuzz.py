"""The API answers whatever is asked as its document says (`make faults` asks for longer)."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.gateway.conftest import TOKEN, Product, running
from tests.gateway.fuzz import PHASES, fuzz


@pytest.fixture(scope="module")
def product(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Of its own: what is asked here makes of the company and its settings whatever the document allows."""
    yield from running(postgres_url, tmp_path_factory)


@pytest.mark.parametrize("phases", PHASES)
def test_no_fault_and_no_undocumented_answer_whatever_is_asked(product: Product, phases: str) -> None:
    # The same requests each time: `make faults` looks for others.
    holds, said = fuzz(product.url, TOKEN, seed=1, seconds=8, phases=phases)
    assert holds, said[-8_000:]


@pytest.mark.parametrize("moment", ["2026-12-01T08:00:00-22:40", "2026-12-01T08:00:00%2B23:59"])
def test_an_offset_that_the_database_does_not_know_is_a_moment_all_the_same(product: Product, moment: str) -> None:
    asked = f"technician_ids={'0193f000-0000-7000-8000-000000000001'}&starts_at={moment}"
    answer = product.http.get(f"/interventions/overlaps?{asked}")
    assert answer.status_code == 200, answer.text


def test_a_creation_links_to_what_can_be_done_with_its_row(product: Product) -> None:
    document = httpx.get(f"{product.url}/api/openapi.json", trust_env=False).json()
    links = document["paths"]["/quotes"]["post"]["responses"]["201"]["links"]
    assert links["finalise_quote"] == {"operationId": "finalise_quote", "parameters": {"id": "$response.body#/id"}}
    below = document["paths"]["/clients/{client_id}/contacts"]["post"]["responses"]["201"]["links"]["get_row_contacts"]
    assert below["parameters"] == {"client_id": "$request.path.client_id", "sub_id": "$response.body#/id"}
    client = document["paths"]["/clients"]["post"]["responses"]["201"]["links"]
    assert client["create_quote"]["requestBody"] == {"client_id": "$response.body#/id"}
