"""Property 13: nothing of an erased person is left anywhere, also of what comes later (merge-protocol)."""

from __future__ import annotations

import io
import json
import threading
import uuid
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import Text, create_engine, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import make_url

from chassis import migrations
from chassis.settings import SERVICES
from services.kit.erased import Erased
from tests.gateway.conftest import Product
from tests.merge.support import merge, rows_that_say, settled
from tests.support.waiting import wait_until

COMPANY = {
    "legal_name": "Chauffage Morel", "siret": "73282932000074", "vat_number": "FR44732829320", "street": "1 rue du Lac",
    "postal_code": "69003", "city": "Lyon",
}  # fmt: skip
#: What the law keeps in the store.
KEPT_OBJECTS = ("billing/invoice/", "billing/credit-note/")


def marker() -> str:
    """A word that stands nowhere else."""
    return f"zq{uuid.uuid4().hex[:10]}"


def person(product: Product, mark: str) -> dict[str, Any]:
    """A client whose every text, in every service, holds the mark; ids of its rows."""
    post, patch = product.http.post, product.http.patch

    def made(path: str, status: int = 201, **body: Any) -> dict[str, Any]:
        answer = post(path, json=body)
        assert answer.status_code == status, f"{path}: {answer.text}"
        return dict(answer.json())

    field = {"key": f"c_{uuid.uuid4().hex[:10]}", "label": "Surnom", "type": "text"}
    product.http.post("/custom-fields", json=field)
    client = product.new_client(
        kind="individual", company_name="", first_name=f"Jean {mark}", last_name=f"Durand {mark}",
        email=f"{mark}@exemple.example", registration_number=mark, website=f"https://{mark}.example", tags=[mark],
        memo=f"Clé chez {mark}", custom_fields={field["key"]: mark},
    )  # fmt: skip
    ids: dict[str, Any] = {"client": client["id"]}
    base, of = f"/clients/{client['id']}", {"client_id": client["id"]}
    memo = product.http.get(f"{base}/memo")
    put = product.http.put(f"{base}/memo", json={"text": f"Encore {mark}"}, headers={"If-Match": memo.headers["ETag"]})
    assert put.status_code == 200, put.text
    address = made(
        f"{base}/addresses", label=mark, street=f"1 rue {mark}", city="Lyon", postal_code="69003", access_notes=mark
    )  # fmt: skip
    contact = made(f"{base}/contacts", last_name=mark, email=f"c{mark}@exemple.example", role=mark, portal_access=True)
    made(f"{base}/activities", kind="note", subject=mark, body=f"Dit {mark}", contact_id=contact["id"])
    details = product.http.get(f"{base}/billing")
    done = patch(
        f"{base}/billing",
        json={
            "billing_name": f"Durand {mark}",
            "billing_address_id": address["id"],
            "accounting_account": "411ZQ",
            "payment_terms": mark,
        },
        headers={"If-Match": details.headers["ETag"]},
    )
    assert done.status_code == 200, done.text
    picture = io.BytesIO()
    Image.new("RGB", (40, 40), "red").save(picture, "PNG")
    for name, content, folder in (
        (f"{mark}.txt", f"contenu {mark}".encode(), f"Dossier {mark}"),
        (f"{mark}.png", picture.getvalue() + mark.encode(), ""),
    ):
        sent = post("/documents", data={**of, "folder": folder, "description": mark}, files={"file": (name, content)})
        assert sent.status_code == 201, sent.text
        ids["document"] = sent.json()["id"]
        version = post(f"/documents/{ids['document']}/versions", files={"file": (name, content + b"2" + mark.encode())})
        assert version.status_code == 200, version.text
    assert product.http.get(f"/documents/{ids['document']}/thumbnail").status_code == 200
    ids["equipment"] = made(
        "/equipment", **of, name=f"Chaudière {mark}", description=mark, brand=mark, model=mark, serial_number=mark,
        reference=mark, address_id=address["id"], details=[{"label": mark, "value": mark}], photos=[ids["document"]],
    )["id"]  # fmt: skip
    ids["job_site"] = made("/job-sites", **of, title=mark, description=mark)["id"]
    work = made("/interventions", **of, title=mark, description=mark, client_reference=mark, contact_id=contact["id"],
                address_id=address["id"])  # fmt: skip
    ids["intervention"] = work["id"]
    for minutes in (20, 30):
        report = {"work_done": f"Vu {mark}", "minutes": minutes, "signed_by": mark, "parts": [{"label": mark}]}
        assert post(f"/interventions/{work['id']}/report", json=report).status_code == 200
    changed = patch(f"/interventions/{work['id']}", json={"title": f"Autre {mark}"}, headers={"If-Match": _etag(
        product, f"/interventions/{work['id']}")})  # fmt: skip
    assert changed.status_code == 200, changed.text
    ids["plan"] = made(
        "/maintenance-plans", **of, title=mark, contract_reference=mark, description=mark, visits_per_period=1,
        period="year", starts_on="2026-01-01", equipment_ids=[ids["equipment"]],
    )["id"]  # fmt: skip
    said = {"title": mark, "notes": mark, "client_reference": mark,
            "lines": [{"label": mark, "quantity": "1", "unit_price": "100", "vat_rate": "20"}]}  # fmt: skip
    made("/quotes", **of, **said)
    quote = made("/quotes", **of, **said)
    made(f"/quotes/{quote['id']}/finalise", 200)
    draft = made("/invoices", **of, **said)
    for kind, id in (("quotes", quote["id"]), ("invoices", draft["id"])):
        assert product.http.get(f"/{kind}/{id}/pdf").status_code == 200
    ids["quote"], ids["draft"] = quote["id"], draft["id"]
    ids["invoice"] = made("/invoices", **of, **said)["id"]
    made(f"/invoices/{ids['invoice']}/issue", 200)
    ids["credit_note"] = made(f"/invoices/{ids['invoice']}/credit-note", 200)["id"]
    # A feed is a person's, and the tests come with a key.
    product.sql(
        "interventions",
        "INSERT INTO calendar_feed (id, owner_id, label, key_hash, written_client_id, filters, created_by_id, "
        "created_by_name, updated_by_id, updated_by_name) VALUES (gen_random_uuid(), gen_random_uuid(), :mark, "
        "gen_random_uuid()::text, :client, jsonb_build_object('q', CAST(:mark AS text)), 'x', 'x', 'x', 'x')",
        mark=mark,
        client=client["id"],
    )
    return ids


def _etag(product: Product, path: str) -> str:
    return str(product.http.get(path).headers["ETag"])


def left(product: Product, mark: str) -> list[str]:
    """Where the mark still stands: tables of every service, objects of the store; not what the law keeps."""
    found = rows_that_say(product.sql, [mark])
    store = product.data_dir / "objects"
    for path in store.rglob("*"):
        key = path.relative_to(store).as_posix()
        if path.is_file() and not key.startswith(KEPT_OBJECTS) and mark.encode() in path.read_bytes().lower():
            found.append(key)
    return found


def gone(product: Product, mark: str) -> None:
    """Waits until the mark stands nowhere; tells where it does."""
    try:
        wait_until(lambda: not left(product, mark), "nothing left")
    except AssertionError:
        raise AssertionError("\n".join(left(product, mark))) from None


def erase(product: Product, identifier: str, reason: str = "Demande de la personne") -> dict[str, Any]:
    """Erases a person."""
    answer = product.http.post(f"/clients/{identifier}/erase", json={"reason": reason})
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def erased(product: Product, made: dict[str, Any]) -> dict[str, Any]:
    """The erasure once every service has blanked its rows."""
    found: dict[str, Any] = {}

    def look() -> bool:
        found.update(product.http.get(f"/erasures/{made['id']}").json())
        return found["status"] == "done"

    wait_until(look, "every service to have blanked its rows")
    return found


def test_nothing_of_an_erased_person_is_left_but_what_the_law_keeps(product: Product) -> None:
    """Property 13."""
    product.http.patch("/company", json=COMPANY, headers={"If-Match": _etag(product, "/company")})
    mark = marker()
    one, two = person(product, mark), person(product, mark)
    other = product.new_client()
    tie = product.http.post(
        f"/clients/{one['client']}/relations", json={"type": "branch", "other_client_id": other["id"]}
    )
    assert tie.status_code == 201, tie.text
    joined = settled(
        product, merge(product, {"id": one["client"]}, {"id": two["client"]}, reason=f"Doublon {mark}"), "done"
    )
    preview = product.http.post(f"/clients/{one['client']}/erase", params={"dry_run": "true"}, json={}).json()
    assert {each["id"] for each in preview["records"]} == {one["client"], two["client"]}
    assert {each["status"] for each in preview["services"].values()} == {"ok"}
    assert preview["services"]["billing"]["kept"] == {"invoice": 2, "credit_note": 2}
    assert preview["services"]["interventions"]["blanked"] == {"intervention": 2, "job_site": 2}
    assert preview["merges"] == 1
    assert left(product, mark), "the mark stands everywhere before"
    invoice = product.http.get(f"/invoices/{one['invoice']}/pdf").content

    wrong = product.http.post(f"/clients/{one['client']}/erase", json={"reason": "Demande", "name": "Quelqu’un"})
    assert wrong.status_code == 422
    assert (
        product.http.post(f"/clients/{two['client']}/erase", json={"reason": "Demande"})
        .json()["type"]
        .endswith("client_merged")
    )
    made = erase(product, one["client"])
    assert product.http.get(f"/clients/{one['client']}").status_code == 410
    erased(product, made)
    gone(product, mark)
    # What the law keeps, and the ids.
    kept = product.sql("billing", "SELECT frozen::text FROM invoice WHERE id = :id", id=one["invoice"])
    assert mark in kept[0][0]
    files = list((product.data_dir / "objects" / "billing" / "invoice" / one["invoice"]).iterdir())
    assert [file.read_bytes() for file in files] == [invoice]
    rows = product.sql("interventions", "SELECT title FROM intervention WHERE id = :id", id=one["intervention"])
    assert rows[0][0] == "Données effacées"
    # Gone for good, and undone never.
    for method, path in (("GET", ""), ("GET", "/fiche"), ("POST", "/restore"), ("POST", "/erase")):
        answer = product.http.request(method, f"/clients/{one['client']}{path}", json={"reason": "Encore"})
        assert (answer.status_code, answer.json()["code"]) == (410, "client_erased"), (
            path,
            answer.text,
        )
    undo = product.http.post(f"/merges/{joined['id']}/undo", json={})
    assert (undo.status_code, undo.json()["code"]) == (409, "merge_sealed"), undo.text
    assert product.http.get("/clients", params={"q": mark}).json()["items"] == []
    assert product.http.get("/clients", params={"q": mark, "status": "deleted"}).json()["items"] == []
    assert product.http.get(f"/clients/{other['id']}/relations").json()["items"] == []
    audit = product.http.get("/erasures").json()["items"][0]
    assert (audit["id"], audit["reason"], audit["erased_by"]["id"] != "") == (
        made["id"],
        "Demande de la personne",
        True,
    )
    # Partners are told, and what they read again says nothing.
    events = product.http.get("/events", params={"types": "fiche.clients.client.erased.v1", "limit": 200}).json()[
        "items"
    ]
    assert sorted(events[-1]["data"]["tree"]) == sorted((one["client"], two["client"]))


def _copies(service: str) -> list[tuple[str, Erased, list[str], list[str]]]:
    """Tables of a service that hold something of clients: name, spec, columns that are written, texts among them."""
    found = []
    for name, table in migrations.metadata(service).tables.items():
        spec = table.info.get("erased")
        if isinstance(spec, Erased) and not spec.drop:
            columns = [each.name for each in table.columns if each.identity is None]
            words = [
                each.name for each in table.columns if isinstance(each.type, Text | JSONB) and each.name in spec.blanks
            ]
            found.append((name, spec, columns, words))
    return found


def test_whatever_is_written_of_an_erased_person_afterwards_is_blanked_as_it_comes(product: Product) -> None:
    """Property 13, for each table that has rows of clients: written again, and written anew."""
    product.http.patch("/company", json=COMPANY, headers={"If-Match": _etag(product, "/company")})
    ids = person(product, marker())
    erased(product, erase(product, ids["client"]))
    mark, tried = marker(), 0
    for service in SERVICES:
        keys = {
            name: [each.name for each in table.primary_key]
            for name, table in migrations.metadata(service).tables.items()
        }
        for table, spec, columns, words in _copies(service):
            if not words:
                continue
            whose = " OR ".join(f"x.{home} = :client" for home in spec.homes)
            if spec.parents and not spec.homes:
                whose = " OR ".join(
                    f"EXISTS (SELECT 1 FROM {parent} p WHERE {by.format(x='x') if '{x}' in by else f'p.id = x.{by}'} "
                    "AND p.home_client_id = :client)"
                    for parent, by in spec.parents
                    if parent != "outside_ref"
                    and "home_client_id" in migrations.metadata(service).tables[parent].columns
                )
            if not whose:
                continue
            unless = f" AND NOT ({spec.unless.format(x='x')})" if spec.unless else ""
            json_words = {
                each.name for each in migrations.metadata(service).tables[table].columns if isinstance(each.type, JSONB)
            }
            given = {word: json.dumps({"v": mark}) if word in json_words else mark for word in words}
            sets = ", ".join(f"{word} = CAST(:{word} AS {'jsonb' if word in json_words else 'text'})" for word in given)
            product.sql(
                service, f"UPDATE {table} x SET {sets} WHERE ({whose}){unless}", client=ids["client"], **given
            )  # fmt: skip
            tried += 1
            # A copy under a new key, as a late event or an import brings it.
            fresh = (
                {key: "gen_random_uuid()" for key in keys[table] if key in columns and key.endswith("id")}
                if "id" in keys[table] and spec.homes != ("id",)
                else {}
            )
            if not fresh:
                continue
            unique = {"number": f"'{uuid.uuid4().hex}'", "source_event": "NULL", "quote_id": "NULL", "visit_id": "NULL",
                      "home_client_id": "x.home_client_id", "key_hash": f"'{uuid.uuid4().hex}'"}  # fmt: skip
            values = [
                fresh.get(name)
                or (f"CAST(:{name} AS {'jsonb' if name in json_words else 'text'})" if name in given else None)
                or (unique[name] if name in unique and name in columns else None)
                or f"x.{name}"
                for name in columns
            ]
            if table in ("billing_details", "quote", "invoice", "credit_note"):
                continue  # one a client; or numbered without a hole
            product.sql(
                service,
                f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {table} x "
                f"WHERE ({whose}){unless} LIMIT 1",
                client=ids["client"],
                **given,
            )
    assert tried > 15
    assert left(product, mark) == []


def test_a_row_that_is_being_written_while_its_person_is_erased_is_blanked_all_the_same(product: Product) -> None:
    mark = marker()
    client = product.new_client(kind="individual", company_name="", last_name="Petit")
    product.http.post(f"/clients/{client['id']}/activities", json={"kind": "note", "subject": "Noté", "body": "Noté"})
    url = make_url(f"{product.database_url}_clients").set(drivername="postgresql+psycopg2")
    engine = create_engine(url)
    answers: list[dict[str, Any]] = []
    with engine.connect() as connection:
        connection.execute(
            text("UPDATE activity SET body = :mark, subject = :mark WHERE home_client_id = :id"),
            {"mark": mark, "id": client["id"]},
        )
        deed = threading.Thread(target=lambda: answers.append(erase(product, client["id"])))
        deed.start()
        wait_until(
            lambda: product.sql("clients", "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"),
            "the erasure to wait for who writes",
        )
        connection.commit()
    engine.dispose()
    deed.join(10)
    assert answers
    assert left(product, mark) == []


def test_an_erasure_is_done_when_the_files_are_gone_too(product: Product) -> None:
    client = product.new_client(kind="individual", company_name="", last_name="Petit")
    content = marker().encode()
    sent = product.http.post("/documents", data={"client_id": client["id"]}, files={"file": ("Plan.txt", content)})
    assert sent.status_code == 201, sent.text
    sha256 = sent.json()["sha256"]

    def kept() -> bool:
        return any(path.name == sha256 for path in (product.data_dir / "objects").rglob("*"))

    assert kept()
    engine = create_engine(make_url(f"{product.database_url}_documents").set(drivername="postgresql+psycopg2"))
    with engine.connect() as connection:
        # As somebody does who stores the same bytes: nobody takes them away meanwhile.
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 17))"), {"key": sha256})
        made = erase(product, client["id"])
        assert set(made["waits_for"]) >= {"clients", "documents", "imports"}
        wait_until(
            lambda: product.http.get(f"/erasures/{made['id']}").json()["waits_for"] == ["documents"],
            "all but the files to be gone",
        )
        file = "SELECT sha256 FROM document WHERE home_client_id = :id"
        wait_until(
            lambda: [row.sha256 for row in product.sql("documents", file, id=client["id"])] == [None],
            "the row to be blank",
        )
        assert product.http.get(f"/erasures/{made['id']}").json()["status"] == "running"
        assert kept()
    engine.dispose()
    erased(product, made)
    assert not kept()


def test_what_a_service_hears_late_of_an_erased_person_is_blanked_as_it_comes(product: Product) -> None:
    mark = marker()
    client = product.new_client(kind="individual", company_name="", last_name=mark)
    plan = product.http.post(
        "/maintenance-plans",
        json={"client_id": client["id"], "title": mark, "visits_per_period": 1, "period": "year",
              "starts_on": "2026-01-01"},
    )  # fmt: skip
    assert plan.status_code == 201, plan.text
    visit = product.http.get("/maintenance-visits", params={"client_id": client["id"]}).json()["items"][0]
    product.command("stop", "interventions")
    try:
        planned = product.http.post(
            f"/maintenance-visits/{visit['id']}/schedule", json={"starts_at": f"{visit['due_on']}T08:00:00Z"}
        )
        assert planned.status_code == 200, planned.text
        made = erase(product, client["id"])
        assert product.http.get(f"/erasures/{made['id']}").json()["status"] == "running"
    finally:
        product.command("start", "interventions")
    erased(product, made)
    wait_until(
        lambda: product.sql("interventions", "SELECT 1 FROM intervention WHERE home_client_id = :id", id=client["id"]),
        "the visit's intervention",
    )
    gone(product, mark)


def test_only_an_administrator_erases(product: Product) -> None:
    client = product.new_client()
    writer = product.as_key("read", "write")
    assert writer.post(f"/clients/{client['id']}/erase", json={"reason": "Demande"}).status_code == 403
    assert writer.get("/erasures").status_code == 403


@pytest.mark.parametrize("days", [31])
def test_what_was_deleted_a_month_ago_is_erased(product: Product, days: int) -> None:
    mark = marker()
    client = product.new_client(kind="individual", company_name="", last_name=mark)
    assert product.http.delete(f"/clients/{client['id']}").status_code == 204
    product.sql(
        "clients",
        "UPDATE client SET deleted_at = now() - make_interval(days => :days) WHERE id = :id",
        days=days,
        id=client["id"],
    )
    product.command("stop", "clients")
    product.command("start", "clients")  # which purges as it starts, and each hour
    wait_until(lambda: product.http.get("/erasures", params={"client_id": client["id"]}).json()["items"], "the purge")
    gone(product, mark)
