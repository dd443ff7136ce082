"""Conventions of the API, over HTTP, on the real services."""

from __future__ import annotations

import uuid
from http.client import HTTPConnection

import httpx
import pytest

from chassis.settings import Settings
from tests.gateway.conftest import Product

UNKNOWN = "0193f000-0000-7000-8000-00000000ffff"


def is_problem(answer: httpx.Response, status: int) -> dict[str, object]:
    """The body of a problem document of this status."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    body: dict[str, object] = answer.json()
    assert {"type", "title", "status", "detail"} <= set(body)
    assert body["status"] == status
    return body


def test_every_refusal_is_a_problem(product: Product) -> None:
    http = product.http
    is_problem(http.get("/nothing"), 404)
    is_problem(http.get(f"/clients/{UNKNOWN}"), 404)
    is_problem(http.get("/clients-of-the-moon"), 404)
    answer = http.put("/clients")
    is_problem(answer, 405)
    assert "POST" in answer.headers["Allow"]
    is_problem(http.post("/clients", content=b'{"kind": '), 400)
    is_problem(http.post("/clients", content=b"\xff"), 400)
    is_problem(http.post("/clients", content=b'{"kind": NaN}'), 400)
    is_problem(http.post("/clients", json=[1]), 422)
    is_problem(http.post("/clients", content=b'{"memo": "' + b"a" * 3_000_000 + b'"}'), 413)
    is_problem(product.anonymous.get("/clients"), 401)
    assert product.anonymous.get("/clients").headers["WWW-Authenticate"] == "Bearer"


def test_fields_at_fault_are_named(product: Product) -> None:
    body = is_problem(product.http.post("/clients", json={"kind": "company", "email": "non"}), 422)
    fields = {error["field"] for error in body["errors"]}  # type: ignore[attr-defined]
    assert "email" in fields
    body = is_problem(product.http.post("/equipment", json={"name": "x"}), 422)
    assert body["errors"][0]["field"] == "client_id"  # type: ignore[index]


@pytest.mark.parametrize("value", [0, 1, "true", "", None])
def test_what_only_resembles_true_or_false_is_refused(product: Product, value: object) -> None:
    body = {"label": "Contrat signé", "type": "text", "required": value}
    refused = is_problem(product.http.post("/custom-fields", json=body), 422)
    assert [error["field"] for error in refused["errors"]] == ["required"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "path", ["/clients", "/equipment", "/interventions", "/job-sites", "/quotes", "/invoices", "/credit-notes",
             "/documents", "/users", "/api-keys", "/imports", "/custom-fields", "/intervention-types", "/technicians",
             "/maintenance-plans", "/maintenance-visits"],
)  # fmt: skip
def test_lists(product: Product, path: str) -> None:
    answer = product.http.get(path)
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"items", "next"}
    for bad in ({"limit": "201"}, {"limit": "0"}, {"limit": "x"}, {"cursor": "nonsense"}):
        is_problem(product.http.get(path, params=bad), 422)


def test_pages_join_up(product: Product) -> None:
    client = product.new_client()
    for number in range(5):
        body = {"client_id": client["id"], "name": f"Chaudière {number}"}
        assert product.http.post("/equipment", json=body).status_code == 201
    seen, cursor = [], None
    while True:
        params = {"client_id": client["id"], "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = product.http.get("/equipment", params=params).json()
        seen += [item["name"] for item in page["items"]]
        cursor = page["next"]
        if not cursor:
            break
    assert sorted(seen) == [f"Chaudière {number}" for number in range(5)]


def test_etag_and_if_match(product: Product) -> None:
    client = product.new_client()
    path = f"/clients/{client['id']}"
    answer = product.http.get(path)
    etag = answer.headers["ETag"]
    assert etag == f'"{answer.json()["version"]}"'
    is_problem(product.http.patch(path, json={"website": "https://exemple.fr"}), 428)
    for stale in ('"99"', "*", f"W/{etag}", etag.strip('"'), "", "nonsense"):
        is_problem(product.http.patch(path, json={"website": ""}, headers={"If-Match": stale}), 412)
    changed = product.http.patch(path, json={"website": "https://exemple.fr"}, headers={"If-Match": etag})
    assert changed.status_code == 200, changed.text
    assert changed.headers["ETag"] != etag
    is_problem(product.http.patch(path, json={"website": ""}, headers={"If-Match": etag}), 412)


def test_memo_has_an_etag_before_it_was_written_and_after_a_long_text(product: Product) -> None:
    path = f"/clients/{product.new_client()['id']}/memo"
    answer = product.http.get(path)
    assert (answer.status_code, answer.json()["text"]) == (200, "")
    is_problem(product.http.put(path, json={"text": "x"}), 428)
    long = 'Digicode "version": 12 ' * 100
    written = product.http.put(path, json={"text": long}, headers={"If-Match": answer.headers["ETag"]})
    assert written.status_code == 200, written.text
    assert written.headers["ETag"] == f'"{written.json()["version"]}"'
    is_problem(product.http.put(path, json={"text": "y"}, headers={"If-Match": answer.headers["ETag"]}), 412)
    assert product.http.get(path).json()["text"] == long


def test_idempotency_key(product: Product) -> None:
    client = product.new_client()
    key = {"Idempotency-Key": str(uuid.uuid4())}
    body = {"client_id": client["id"], "name": "Ballon"}
    first = product.http.post("/equipment", json=body, headers=key)
    again = product.http.post("/equipment", json=body, headers=key)
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    is_problem(product.http.post("/equipment", json=body | {"name": "Autre"}, headers=key), 422)
    is_problem(product.http.post("/equipment", json=body, headers={"Idempotency-Key": "k" * 201}), 422)
    assert product.http.post("/equipment", json=body).json()["id"] != first.json()["id"]


def test_request_id_comes_back_and_marks_events(product: Product) -> None:
    name = f"essai-{uuid.uuid4()}"
    answer = product.http.post("/clients", json={"kind": "company", "company_name": name},
                               headers={"X-Request-Id": name})  # fmt: skip
    assert answer.headers["X-Request-Id"] == name
    assert product.http.get("/me", headers={"X-Request-Id": "a b<c>"}).headers["X-Request-Id"] != "a b<c>"
    seen, after = [], ""
    while True:
        page = product.http.get("/events", params={"after": after, "limit": 200}).json()
        seen += page["items"]
        if not page["items"]:
            break
        after = page["next"]
    mine = [event for event in seen if event["correlationid"] == name]
    assert [event["type"] for event in mine] == ["fiche.clients.client.created.v1"]
    assert mine[0]["subject"] == answer.json()["id"]
    assert len({event["id"] for event in seen}) == len(seen)


def test_events_one_by_one_are_the_same_and_types_filter(product: Product) -> None:
    product.new_client()
    whole = product.http.get("/events", params={"limit": 200}).json()["items"]
    one_by_one, after = [], ""
    while len(one_by_one) < len(whole):
        page = product.http.get("/events", params={"after": after, "limit": 1}).json()
        assert len(page["items"]) == 1
        one_by_one += page["items"]
        after = page["next"]
    assert {event["id"] for event in one_by_one} == {event["id"] for event in whole}
    only = product.http.get("/events", params={"types": "fiche.clients.client.created.v1"}).json()["items"]
    assert {event["type"] for event in only} == {"fiche.clients.client.created.v1"}
    is_problem(product.http.get("/events", params={"after": "nonsense"}), 422)
    is_problem(product.http.get("/events", params={"limit": "201"}), 422)


def test_headers_of_every_answer(product: Product) -> None:
    for answer in (product.http.get("/me"), product.anonymous.get("/me"), product.http.get("/nothing")):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Request-Id"]


def test_operations_need_no_key_and_tell_no_secret(product: Product) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        answer = httpx.get(product.url + path, trust_env=False)
        assert answer.status_code == 200, answer.text
        assert "postgresql://" not in answer.text
    assert "fiche_http_seconds" in answer.text


@pytest.mark.parametrize("header", ["X-Forwarded-For", "x-forwarded-for", "Forwarded"])
def test_the_world_is_told_that_the_gateway_lives_and_no_more(product: Product, header: str) -> None:
    """The proxy in front hands every address on, and says for whom."""
    for path, status in (("/healthz", 200), ("/readyz", 404), ("/metrics", 404)):
        answer = httpx.get(product.url + path, headers={header: "for=192.0.2.1"}, trust_env=False)
        assert answer.status_code == status, path
        assert "fiche_" not in answer.text


def test_a_parameter_given_twice_is_refused_unless_it_may_be(product: Product) -> None:
    for path in ("/clients?q=a&q=b", "/job-sites?limit=1&limit=2", "/documents?cursor=&cursor="):
        body = is_problem(product.http.get(path), 422)
        assert body["errors"][0]["field"] in ("q", "limit", "cursor")  # type: ignore[index]
    assert product.http.get("/interventions?status=done&status=late").status_code == 200


def test_an_empty_client_and_a_number_for_a_day_are_refused(product: Product) -> None:
    """Neither everybody's rows nor those of January 1970 are what was meant."""
    for params in ({"client_id": ""}, {"from": "0"}, {"to": "1767225600"}):
        answer = product.http.get("/interventions", params=params)
        assert answer.status_code == 422, params
        assert [error["field"] for error in answer.json()["errors"]] == list(params)
    client = product.new_client()
    answer = product.http.post("/interventions", json={"client_id": client["id"], "title": "Fuite", "starts_at": 0})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "starts_at")


def test_a_file_over_the_limit_is_refused_before_it_is_read(product: Product) -> None:
    limit = Settings().max_upload_bytes
    head = {"Tus-Resumable": "1.0.0", "Upload-Length": str(limit + 1)}
    assert is_problem(product.http.post("/uploads", headers=head), 413)["data"] == {"limit": limit}
    connection = HTTPConnection(product.url.removeprefix("http://"), timeout=20)
    connection.putrequest("POST", "/api/v1/imports")
    connection.putheader("Authorization", product.http.headers["Authorization"])
    connection.putheader("Content-Type", "multipart/form-data; boundary=x")
    connection.putheader("Content-Length", str(limit + 1))
    connection.endheaders()
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Content-Type"]) == (413, "application/problem+json")
    connection.close()


#: Bodies that no operation can make sense of, whatever it asks for.
NONSENSE: tuple[bytes, ...] = (
    b"[]",
    b'{"client_id": {"a": 1}, "body": [], "lines": "x", "equipment_ids": {"a": []}, "kind": 7, "client_ids": [[]]}',
    b'{"client_id": "\\u0000", "name": "\\u0000", "title": "\\ud800", "number": 1e999, "file": null}',
    b'{"a": ' + b"[" * 5000,
)


def test_nothing_malformed_meets_a_fault(product: Product) -> None:
    document = httpx.get(f"{product.url}/api/openapi.json", trust_env=False).json()
    faults = []
    for path, operations in document["paths"].items():
        url = path.removeprefix("/api/v1")
        for name in ("id", "client_id", "sub_id", "version_id"):
            url = url.replace(f"{{{name}}}", UNKNOWN)
        for method in operations.keys() & {"get", "post", "put", "patch"}:
            asked: list[dict[str, object]] = [
                {"params": {"limit": "9" * 30, "cursor": "\x00", "sort": "é", "q": "\x00", "from": "0000-00-00"}},
            ]
            if method != "get":
                asked = [{"content": body, "headers": {"If-Match": '"1"'}} for body in NONSENSE]
            for given in asked:
                answer = product.http.request(method, url, **given)  # type: ignore[arg-type]
                if answer.status_code >= 500 and path != "/api/v1/sessions":
                    faults.append((method, path, given, answer.status_code, answer.text[:200]))
    assert not faults
