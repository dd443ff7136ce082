"""Who may read and write what: each role on each route of the OpenAPI document."""

from __future__ import annotations

import re
import uuid
from typing import Any

import httpx
import pytest

from tests.gateway.conftest import Product
from tests.gateway.test_auth import PASSWORD, new_user, signed_in

BILL = {"admin", "manager", "office", "accountant"}
#: Word of the table below → roles that may (issue of the fiche, point 13; domain, Rights and law).
MAY = {
    "anyone": {"admin", "manager", "office", "accountant", "salesperson", "lead_technician", "technician"},
    "edit": {"admin", "manager", "office", "salesperson", "lead_technician"},
    "office": {*BILL, "salesperson", "lead_technician"},
    #: A job site of a quote is for who may see the quote.
    "site": {"admin", "manager", "office", "salesperson"},
    "quote": {*BILL, "salesperson"},
    "prices": {*BILL, "salesperson"},
    "bill": BILL,
    "merge": {"admin", "manager", "office"},
    "admin": {"admin"},
}
ROLES = sorted(MAY["anyone"])
#: Who tries what he may: those who may little else.
LEAST = {"anyone": "technician", "office": "lead_technician", "edit": "lead_technician", "site": "salesperson",
         "quote": "salesperson", "prices": "accountant", "bill": "accountant", "merge": "office",
         "admin": "admin"}  # fmt: skip
LINES = [{"label": "Entretien", "quantity": "1", "unit_price": "100", "vat_rate": "20"}]
OF = {"client_id": "{client}"}
#: Routes told by what they end with → who may, and a body that gets past the door. `{client}` and the like are ids.
RULES: tuple[tuple[str, str, Any], ...] = (
    # Clients.
    ("POST /clients", "edit", {"kind": "company", "company_name": "Essai"}),
    ("PATCH /clients/{client_id}", "edit", {}),
    ("DELETE /clients/{client_id}", "edit", None),
    ("POST /clients/{client_id}/(archive|unarchive|restore)", "edit", {}),
    ("POST /clients/{client_id}/convert", "edit", {"to": "individual", "last_name": "Blanc"}),
    ("POST /clients/{client_id}/contacts", "edit", {"last_name": "Blanc"}),
    ("POST /clients/{client_id}/addresses", "edit", {"street": "1 rue Haute", "city": "Lyon"}),
    ("POST /clients/{client_id}/relations", "edit", {"type": "branch", "other_client_id": "{other}"}),
    ("POST /clients/{client_id}/activities", "edit", {"kind": "note", "subject": "Essai"}),
    ("(PATCH|DELETE) /clients/{client_id}/(contacts|addresses|activities)/{sub_id}", "edit", {}),
    ("(PATCH|DELETE) /clients/{client_id}/relations/{sub_id}", "edit", {"type": "branch"}),
    ("POST /clients/{client_id}/(contacts|addresses|relations|activities)/{sub_id}/(restore|promote)", "edit", {}),
    ("PUT /clients/{client_id}/memo", "edit", {"text": "Clé chez le gardien"}),
    ("PATCH /clients/{client_id}/billing", "bill", {}),
    ("POST /clients/{client_id}/distinct", "merge", {"other_client_id": "{other}"}),
    ("DELETE /clients/{client_id}/distinct/{other_client_id}", "merge", None),
    ("POST /duplicates/scan", "merge", {}),
    ("POST /merges", "merge", {"survivor_id": "{client}", "duplicate_id": "{other}", "reason": "Essai"}),
    ("POST /merges/{id}/.*", "merge", {}),
    ("POST /(interventions|job-sites|maintenance-plans|documents)/{id}/reassign", "edit", {"client_id": "{other}"}),
    ("POST /clients/{client_id}/(contacts|addresses|activities)/{sub_id}/reassign", "edit", {"client_id": "{other}"}),
    ("POST /quotes/{id}/reassign", "quote", {"client_id": "{other}"}),
    ("POST /(invoices|credit-notes)/{id}/reassign", "bill", {"client_id": "{other}"}),
    ("POST /clients/{client_id}/erase", "admin", {}),
    # Settings.
    ("POST /custom-fields", "admin", {"key": "essai", "label": "Essai", "type": "text"}),
    ("(PATCH|DELETE) /custom-fields/{field_id}", "admin", {}),
    ("POST /custom-fields/{field_id}/restore", "admin", {}),
    ("PUT /fiche-layout", "admin", {"sections": []}),
    ("PATCH /company", "admin", {}),
    ("POST /intervention-types", "admin", {"name": "Essai"}),
    ("PATCH /intervention-types/{id}", "admin", {}),
    ("POST /users", "admin", {"name": "E", "email": "essai@morel.example", "roles": ["office"]}),
    ("PATCH /users/{id}", "admin", {}),
    ("POST /api-keys", "admin", {"name": "Essai", "scopes": ["read"]}),
    ("DELETE /api-keys/{id}", "admin", None),
    # Work.
    ("POST /interventions", "edit", {**OF, "title": "Panne"}),
    ("(PATCH|DELETE) /interventions/{id}", "edit", {}),
    ("POST /interventions/{id}/(archive|unarchive|cancel|reopen|restore)", "edit", {}),
    ("POST /interventions/{id}/(start|finish)", "anyone", {}),
    ("POST /interventions/{id}/report", "anyone", {"work_done": "Joint changé"}),
    ("POST /interventions/{id}/invoice", "bill", {}),
    ("POST /job-sites", "edit", {**OF, "title": "Chaufferie"}),
    ("PATCH /job-sites/{id}", "edit", {}),
    ("POST /calendar-feeds", "anyone", {"label": "Mon planning", "filters": {}}),
    ("DELETE /calendar-feeds/{id}", "anyone", None),
    # Money.
    ("POST /quotes", "quote", {**OF, "lines": LINES}),
    ("(PATCH|DELETE) /quotes/{id}", "quote", {}),
    ("POST /quotes/{id}/(finalise|send|accept|refuse|cancel|reopen)", "quote", {}),
    ("POST /quotes/{id}/invoice", "bill", {}),
    ("POST /quotes/{id}/job-site", "site", {}),
    ("POST /(invoices|credit-notes)", "bill", {**OF, "lines": LINES}),
    ("PATCH /(invoices|credit-notes)/{id}", "bill", {}),
    ("DELETE /(invoices|credit-notes)/{id}", "bill", None),
    ("POST /(invoices|credit-notes)/{id}/(issue|send)", "bill", {}),
    ("POST /invoices/{id}/payments", "bill", {"amount": "10"}),
    ("POST /invoices/{id}/payments/{payment_id}/cancel", "bill", {}),
    ("POST /invoices/{id}/credit-note", "bill", {}),
    ("POST /credit-notes/{id}/refund", "bill", {"amount": "10"}),
    ("POST /totals", "prices", {"lines": LINES}),
    # What stands there, its care, files.
    ("POST /equipment", "edit", {**OF, "name": "Chaudière"}),
    ("(PATCH|DELETE) /equipment/{id}", "edit", {}),
    ("POST /equipment/{id}/reassign", "edit", {"client_id": "{other}"}),
    ("POST /equipment/{id}/restore", "edit", {}),
    ("POST /maintenance-plans", "edit", {**OF, "equipment_ids": [], "visits_per_period": 1, "period": "year",
                                         "starts_on": "2026-01-01"}),
    ("(PATCH|DELETE) /maintenance-(plans|visits)/{id}", "edit", {}),
    ("POST /maintenance-(plans|visits)/{id}/(?!reassign).*", "edit", {"starts_at": "2026-12-01T08:00:00Z",
                                                          "ends_at": "2026-12-01T09:00:00Z"}),
    ("(PATCH|DELETE) /documents/{id}", "edit", {}),
    ("POST /documents/{id}/(restore|versions/{version_id}/restore)", "edit", {}),
    ("POST /documents/folders(/delete)?", "edit", {**OF, "folder": "Plans"}),
    ("POST /documents/folders/rename", "edit", {**OF, "folder": "Plans", "to": "Dessins"}),
    ("POST /imports/{id}/cancel", "edit", {}),
)  # fmt: skip
#: Bodies of these are no JSON, or they end the very session; each is tried by the tests of its own area.
ELSEWHERE = {
    "POST /sessions", "DELETE /sessions", "POST /uploads", "PATCH /uploads/{id}", "DELETE /uploads/{id}",
    "POST /documents", "POST /documents/{id}/versions", "POST /imports",
}  # fmt: skip

#: Routes that only tell → who may, and the query that gets past the door.
READS: tuple[tuple[str, str, str], ...] = (
    ("/me", "anyone", ""),
    # Clients.
    ("/clients", "office", ""),
    ("/clients/duplicates", "office", "company_name=Essai"),
    ("/clients/{client_id}", "office", ""),
    ("/clients/{client_id}/(fiche|ties|history|duplicates)", "office", ""),
    ("/clients/{client_id}/(contacts|addresses|relations|activities)", "office", ""),
    # A bon d’intervention names these, each by its id.
    ("/clients/{client_id}/(contacts|addresses|relations|activities)/{sub_id}", "anyone", ""),
    ("/clients/{client_id}/addresses/uses", "office", ""),
    ("/clients/{client_id}/memo", "anyone", ""),
    ("/clients/{client_id}/memo/versions", "office", ""),
    ("/clients/{client_id}/billing", "prices", ""),
    ("/merges(/{id})?", "office", ""),
    ("/duplicates(/scan)?", "merge", ""),
    ("/erasures(/{id})?", "admin", ""),
    # Settings, operations.
    ("/(custom-fields(/{field_id})?|fiche-layout)", "office", ""),
    ("/company", "anyone", ""),
    ("/company/chain", "admin", ""),
    ("/(users|api-keys)", "admin", ""),
    ("/users/{id}", "admin", ""),
    ("/operations/(services|dead-letters)", "admin", ""),
    ("/imports(/{id}(/lines)?)?", "office", ""),
    ("/events", "prices", ""),
    # Work: each is answered with what he may see of it.
    ("/interventions", "anyone", ""),
    ("/interventions/(counts|calendar.ics)", "anyone", ""),
    ("/interventions/overlaps", "office", "technician_ids={other}&starts_at=2026-12-01T08:00:00Z"),
    ("/interventions/{id}(/history|/report/versions)?", "anyone", ""),
    ("/(intervention-types(/{id})?|technicians|calendar-feeds)", "anyone", ""),
    ("/job-sites(/counts|/{id}|/{id}/history)?", "anyone", ""),
    # Money.
    ("/(quotes|invoices|credit-notes)(/{id}(/pdf)?)?", "prices", ""),
    # What stands there, its care, files.
    ("/equipment", "office", ""),
    ("/equipment/{id}", "anyone", ""),
    ("/equipment/{id}/history", "office", ""),
    ("/maintenance-(plans|visits)(/{id})?", "office", ""),
    ("/documents", "office", "client_id={client}"),
    ("/documents/folders", "office", "client_id={client}"),
    ("/documents/{id}(/content|/thumbnail|/versions/{version_id}/content)?", "anyone", ""),
    ("/documents/{id}/(history|versions)", "office", ""),
)  # fmt: skip


@pytest.fixture(scope="module")
def operations(product: Product) -> list[str]:
    """Every operation, as the document tells them."""
    paths = httpx.get(f"{product.url}/api/openapi.json", trust_env=False).json()["paths"]
    return sorted(f"{method.upper()} {path}" for path, operations in paths.items() for method in operations)


@pytest.fixture(scope="module")
def writes(operations: list[str]) -> list[str]:
    """Every operation that changes something."""
    return [operation for operation in operations if not operation.startswith(("GET ", "HEAD "))]


@pytest.fixture(scope="module")
def reads(operations: list[str]) -> list[str]:
    """Paths of every operation that only tells."""
    return [operation.removeprefix("GET ") for operation in operations if operation.startswith("GET ")]


@pytest.fixture(scope="module")
def people(product: Product) -> dict[str, httpx.Client]:
    """A member of staff of each role, signed in."""
    return {role: signed_in(product, role) for role in ROLES}


@pytest.fixture(scope="module")
def ids(product: Product) -> dict[str, str]:
    """A row of each kind that somebody who may would find."""
    client, other = product.new_client()["id"], product.new_client()["id"]

    def below(kind: str, body: dict[str, Any]) -> str:
        answer = product.http.post(f"/clients/{client}/{kind}", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def made(path: str, body: dict[str, Any]) -> str:
        answer = product.http.post(path, json={"client_id": client, **body})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    return {
        "client": client,
        "other": other,
        "interventions": made("/interventions", {"title": "Panne"}),
        "job-sites": made("/job-sites", {"title": "Chaufferie"}),
        "quotes": made("/quotes", {"lines": LINES}),
        "invoices": made("/invoices", {"lines": LINES}),
        "credit-notes": made("/credit-notes", {"lines": LINES}),
        "equipment": made("/equipment", {"name": "Chaudière"}),
        "contacts": below("contacts", {"last_name": "Blanc"}),
        "addresses": below("addresses", {"street": "1 rue Haute", "city": "Lyon"}),
        "activities": below("activities", {"kind": "note", "subject": "Essai", "occurred_at": "2026-11-24T09:00:00Z"}),
        "relations": below("relations", {"type": "branch", "other_client_id": other}),
    }


def rule(write: str) -> tuple[str, Any]:
    """Who may, and the body to try with."""
    found = [(who, body) for pattern, who, body in RULES if re.fullmatch(_literal(pattern), write)]
    assert len(found) == 1, f"{write}: {len(found)} rules of roles"
    return found[0]


def _literal(pattern: str) -> str:
    return re.sub(r"\{(\w+)\}", r"\\{\1\\}", pattern)


def _with_ids(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _with_ids(one, ids) for name, one in value.items()}
    return ids[value[1:-1]] if isinstance(value, str) and value.startswith("{") else value


def _address(path: str, ids: dict[str, str]) -> str:
    parts = path.split("/")
    row = ids.get(parts[1], str(uuid.uuid4()))
    below = ids.get(parts[3], str(uuid.uuid4())) if len(parts) > 3 else ""
    path = path.replace("{client_id}", ids["client"]).replace("{id}", row).replace("{sub_id}", below)
    return re.sub(r"\{\w+\}", str(uuid.uuid4()), path)


def test_every_route_that_writes_has_one_rule_of_roles(writes: list[str]) -> None:
    assert len(writes) > 80
    tried = [write for write in writes if write not in ELSEWHERE]
    assert {rule(write)[0] for write in tried} == set(MAY) - {"office"}
    assert set(writes) >= ELSEWHERE
    for pattern, _, _ in RULES:
        assert any(re.fullmatch(_literal(pattern), write) for write in writes), pattern


def test_who_may_not_write_is_refused_and_nobody_else(
    product: Product, writes: list[str], people: dict[str, httpx.Client], ids: dict[str, str]
) -> None:
    wrong: list[str] = []
    turns = [(write, *rule(write)) for write in writes if write not in ELSEWHERE]

    def tried(role: str, write: str, body: Any) -> httpx.Response:
        method, path = write.split(" ")
        sent = _with_ids(body, ids) if body is not None else None
        return people[role].request(method, _address(path, ids), json=sent, headers={"If-Match": '"1"'})

    # Those who may not come first: nothing they ask for happens, so each meets the same rows.
    for write, who, body in turns:
        for role in sorted(set(ROLES) - MAY[who]):
            answer = tried(role, write, body)
            if answer.status_code != 403:
                wrong.append(f"{role} may {write}: {answer.status_code} {answer.text[:200]}")
    for write, who, body in turns:
        answer = tried(LEAST[who], write, body)
        # A technician may, on work of his own.
        refused = answer.status_code == 403 and answer.json()["code"] != "not_yours"
        if refused or answer.status_code >= 500:
            wrong.append(f"{LEAST[who]} may not {write}: {answer.status_code} {answer.text[:200]}")
    assert not wrong, "\n".join(wrong)


def test_every_route_is_read_by_those_who_may_and_nobody_else(
    reads: list[str], people: dict[str, httpx.Client], ids: dict[str, str]
) -> None:
    assert len(reads) > 60
    wrong: list[str] = []
    rules: dict[str, list[tuple[str, str, str]]] = {path: [] for path in reads}
    for found in READS:
        matching = [path for path in reads if re.fullmatch(_literal(found[0]), path)]
        assert matching, f"{found[0]}: no route"
        for path in matching:
            rules[path].append(found)
    for path, told in rules.items():
        assert len(told) == 1, f"{path}: {len(told)} rules of roles"
        [(_, who, query)] = told
        for role in ROLES:
            answer = people[role].get(f"{_address(path, ids)}?{query.format(**ids)}")
            # A technician may, of work of his own.
            refused = answer.status_code == 403 and answer.json()["code"] != "not_yours"
            if refused == (role in MAY[who]) or answer.status_code in (400, 422) or answer.status_code >= 500:
                wrong.append(f"{role} on {path}: {answer.status_code} {answer.text[:160]}")
    assert not wrong, "\n".join(wrong)


def test_a_technician_reads_what_his_work_names_and_nothing_of_clients_to_whom_he_is_not_sent(product: Product) -> None:
    technician = new_user(product, "technician")
    signed = product.anonymous.post("/sessions", json={"email": technician["email"], "password": PASSWORD}).json()
    his = product.client({"Authorization": f"Bearer {signed['token']}"})

    def named_by(client: str) -> list[str]:
        def made(path: str, **sent: Any) -> str:
            answer = product.http.post(path, **sent)
            assert answer.status_code == 201, answer.text
            return str(answer.json()["id"])

        file = {"data": {"client_id": client}, "files": {"file": ("plan.txt", b"plan")}}
        document = made("/documents", **file)
        return [
            f"/clients/{client}/memo",
            f"/clients/{client}/contacts/{made(f'/clients/{client}/contacts', json={'last_name': 'Blanc'})}",
            f"/equipment/{made('/equipment', json={'client_id': client, 'name': 'Chaudière'})}",
            f"/documents/{document}",
            f"/documents/{document}/content",
        ]

    sent, elsewhere = product.new_client()["id"], product.new_client()["id"]
    body = {"client_id": sent, "title": "Panne", "technician_ids": [technician["id"]]}
    assert product.http.post("/interventions", json=body).status_code == 201
    for path in named_by(sent):
        assert his.get(path).status_code == 200, path
    for path in named_by(elsewhere):
        answer = his.get(path)
        assert (answer.status_code, answer.json().get("code")) == (403, "not_yours"), path
