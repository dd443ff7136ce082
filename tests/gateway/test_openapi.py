"""The OpenAPI document: valid, and true of the routes."""

from __future__ import annotations

import httpx
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.gateway.conftest import Product


def test_the_document_is_valid_and_whole(product: Product, routes: dict[str, str]) -> None:
    document = httpx.get(f"{product.url}/api/openapi.json", trust_env=False).json()
    assert document["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(document).validate()
    told = {
        f"api.{operation['operationId']}"
        for operations in document["paths"].values()
        for operation in operations.values()
    }
    silent = {"api.dead_letter", "api.dead_letter_act", "api.prune_log", "api.rebuild_projections"}
    assert {name for name in routes if name.startswith("api.")} - silent == told


def test_the_docs_page_is_served_by_us_alone(product: Product) -> None:
    page = httpx.get(f"{product.url}/api/docs", trust_env=False)
    assert page.status_code == 200
    assert "https://" not in page.text
    for source in ("swagger-ui.css", "swagger-ui-bundle.js", "api-docs.js"):
        assert source in page.text
        path = page.text.split(source)[0].rsplit('"', 1)[1]
        assert httpx.get(f"{product.url}{path}{source}", trust_env=False).status_code == 200
