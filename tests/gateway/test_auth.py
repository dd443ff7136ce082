"""Who comes in, by what, and what each may do."""

from __future__ import annotations

import re
import uuid

import httpx

from gateway.auth import COOKIE, PUBLIC
from tests.gateway.conftest import Product

PASSWORD = "une phrase assez longue"


def new_user(product: Product, *roles: str) -> dict[str, str]:
    """A member of staff, as `{"email", "id"}`."""
    email = f"{uuid.uuid4().hex[:8]}@exemple.fr"
    body = {"name": "Alex Martin", "email": email, "roles": list(roles), "password": PASSWORD}
    answer = product.http.post("/users", json=body)
    assert answer.status_code == 201, answer.text
    assert PASSWORD not in answer.text
    return {"email": email, "id": answer.json()["id"]}


def signed_in(product: Product, *roles: str) -> httpx.Client:
    """A client with the session of a new member of staff."""
    user = new_user(product, *roles)
    answer = product.anonymous.post("/sessions", json={"email": user["email"].upper(), "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    return product.client({"Authorization": f"Bearer {answer.json()['token']}"})


def browser(product: Product) -> httpx.Client:
    """A browser: keeps cookies, follows redirects."""
    return httpx.Client(base_url=product.url, follow_redirects=True, timeout=20, trust_env=False)


def csrf_of(page: httpx.Response) -> str:
    """The token a page's forms carry."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found, page.text[:500]
    return found[1]


def test_a_key_is_shown_once_and_ends_when_revoked(product: Product) -> None:
    made = product.http.post("/api-keys", json={"name": "Partenaire", "scopes": ["read"]}).json()
    listed = product.http.get("/api-keys").text
    assert made["key"] not in listed
    assert made["prefix"] in listed
    assert product.http.delete(f"/api-keys/{made['id']}").status_code == 204
    stranger = product.client({"Authorization": f"Bearer {made['key']}"})
    assert stranger.get("/clients").status_code == 401


def test_scopes(product: Product) -> None:
    reader, writer = product.as_key("read"), product.as_key("read", "write")
    assert reader.get("/clients").status_code == 200
    assert reader.post("/clients", json={"kind": "company", "company_name": "x"}).status_code == 403
    assert writer.post("/clients", json={"kind": "company", "company_name": "x"}).status_code == 201
    for path in ("/users", "/api-keys"):
        assert writer.get(path).status_code == 403
    assert writer.patch("/company", json={}, headers={"If-Match": '"1"'}).status_code == 403


def test_a_technician_sees_his_work_and_fills_reports_and_no_more(product: Product) -> None:
    technician = signed_in(product, "technician")
    client = product.new_client()
    for path in ("/clients", f"/clients/{client['id']}", f"/clients/{client['id']}/fiche", "/events", "/users",
                 f"/clients/{client['id']}/contacts", "/equipment", "/documents", "/maintenance-visits"):  # fmt: skip
        assert technician.get(path).status_code == 403, path
    assert technician.post("/clients", json={"kind": "company", "company_name": "x"}).status_code == 403
    mine = {"client_id": client["id"], "title": "Panne", "technician_ids": [technician.get("/me").json()["id"]]}
    work = product.http.post("/interventions", json=mine).json()
    assert technician.delete(f"/interventions/{work['id']}").status_code == 403
    assert technician.post(f"/interventions/{work['id']}/start", json={}).status_code == 200
    done = technician.post(f"/interventions/{work['id']}/report", json={"work_done": "Joint changé"})
    assert done.status_code == 200, done.text


def test_each_role_does_its_own_in_api_and_pages_alike(product: Product) -> None:
    client = product.new_client()
    contacts, page = f"/clients/{client['id']}/contacts", f"{product.url}/clients/{client['id']}"
    people = {role: signed_in(product, role) for role in ("office", "manager", "accountant", "technician")}
    added = {role: http.post(contacts, json={"last_name": role}).status_code for role, http in people.items()}
    assert added == {"office": 201, "manager": 201, "accountant": 403, "technician": 403}
    field = {"key": f"k{uuid.uuid4().hex[:6]}", "label": "Énergie", "type": "text"}
    assert {http.post("/custom-fields", json=field).status_code for http in people.values()} == {403}
    seen = {role: http.get(page, headers={"Accept": "text/html"}).status_code for role, http in people.items()}
    assert seen == {"office": 200, "manager": 200, "accountant": 200, "technician": 403}


def test_a_session_ends_when_asked(product: Product) -> None:
    session = signed_in(product, "office")
    assert session.get("/me").json()["roles"] == ["office"]
    assert session.delete("/sessions").status_code == 204
    assert session.get("/me").status_code == 401


def test_wrong_passwords_and_throttling(product: Product) -> None:
    user = new_user(product, "office")
    body = {"email": user["email"], "password": "pas la bonne phrase"}
    statuses = [product.anonymous.post("/sessions", json=body).status_code for _ in range(9)]
    assert statuses[:8] == [401] * 8
    assert statuses[8] == 429
    answer = product.anonymous.post("/sessions", json=body | {"password": PASSWORD})
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0


def test_the_link_opens_one_session_and_pages_need_csrf(product: Product) -> None:
    with browser(product) as first, browser(product) as second:
        assert first.get("/clients").url.path == "/connexion"
        page = first.get(product.link)
        assert page.status_code == 200
        assert first.post(product.link).status_code == 403
        answer = first.post(product.link, data={"csrf_token": csrf_of(page)})
        assert (answer.status_code, answer.url.path) == (200, "/clients")
        cookie = next(c for c in first.cookies.jar if c.name == COOKIE)
        assert cookie.has_nonstandard_attr("HttpOnly")
        assert cookie.get_nonstandard_attr("SameSite") == "Lax"
        assert first.post("/import/demo", data={"clients": "1"}).status_code == 403
        # The API takes the cookie too, and then asks for the token as well.
        body = {"kind": "company", "company_name": "Par la page"}
        assert first.post("/api/v1/clients", json=body).status_code == 403
        token = first.cookies["fiche_csrf"]
        assert first.post("/api/v1/clients", json=body, headers={"X-CSRF-Token": token}).status_code == 201
        page = second.get(product.link)
        assert second.post(product.link, data={"csrf_token": csrf_of(page)}).status_code == 401
        page = first.get("/clients")
        answer = first.post("/deconnexion", data={"csrf_token": csrf_of(page)})
        assert answer.url.path == "/connexion"
        assert first.get("/clients").url.path == "/connexion"


def test_every_route_asks_who_you_are_or_is_on_the_list(product: Product) -> None:
    routes = httpx.get(f"{product.url}/api/openapi.json", trust_env=False).json()["paths"]
    assert len(routes) > 60
    for path, operations in routes.items():
        for method, operation in operations.items():
            url = re.sub(r"\{\w+\}", "0193f000-0000-7000-8000-00000000ffff", path)
            answer = product.anonymous.request(method.upper(), url)
            # A calendar's address is its own key: without one nobody is known, with one nobody has to sign in.
            by_address = operation["operationId"] == "calendar_feed"
            public = f"api.{operation['operationId']}" in PUBLIC and not by_address
            assert (answer.status_code == 401) != public, (method, path, answer.status_code)


def test_the_list_of_public_routes_is_short(routes: dict[str, str]) -> None:
    assert set(routes) >= PUBLIC
    assert sorted(PUBLIC) == [
        "api.begin_session", "api.calendar_feed", "asyncapi", "docs", "event_schema", "events_docs", "healthz",
        "metrics", "openapi", "readyz", "web.home", "web.link_page", "web.sign_in", "web.sign_in_by_link",
        "web.sign_in_page", "web.sign_out", "web.static",
    ]  # fmt: skip
