"""What axe-core says of every page and state, on a desk and on a phone, in light and in dark: each page in one of the
four here, in all of them by `make axe`."""

from __future__ import annotations

import itertools
import os
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from werkzeug.routing import Map, Rule

from tests.browser.axe import AXE
from tests.browser.conftest import patient
from tests.browser.walk.conftest import SIZES
from tests.gateway.conftest import Product

pytestmark = pytest.mark.browser
#: What is no page: a redirection, a deed, a part of a page for a script, a file.
NO_PAGES = {
    "web.home", "web.static", "web.client_actions", "web.client_neighbours", "web.form_token", "web.link_page",
    "web.sign_in_by_link", "web.equipment_of_any", "web.import_progress", "web.sign_in", "web.sign_out",
    "web.start_import", "web.start_demo", "web.duplicates_progress",
    # Only while something is parked: tests/browser/test_operations.py looks at them.
    "web.parked_event", "web.drop_parked_event", "web.operations_state",
}  # fmt: skip


@pytest.fixture(scope="module")
def ids(product: Product, company: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Something of each kind at one client, with every section filled."""
    client = company["firms"][0]
    base, found = f"/clients/{client['id']}", {"client_id": client["id"]}

    def make(name: str, path: str, body: dict[str, Any], status: int = 201) -> None:
        answer = product.http.post(path, json=body)
        assert answer.status_code == status, f"{path}: {answer.text}"
        found.setdefault(name, answer.json().get("id"))

    def first(name: str, path: str, **params: Any) -> None:
        rows = product.http.get(path, params=params).json()["items"]
        assert rows, f"nothing at {path} {params}"
        found[name] = rows[0]["id"]

    memo = product.http.get(f"{base}/memo")
    product.http.put(f"{base}/memo", json={"text": "- Code 48B12"}, headers={"If-Match": memo.headers["ETag"]})
    moment = {"occurred_at": "2026-11-24T09:12:00+01:00"}
    make("activity", f"{base}/activities", {"kind": "call", "direction": "in", "subject": "Fuite"} | moment)
    make("contact", f"{base}/contacts", {"last_name": "Blanc", "email": "blanc@exemple.example", "portal_access": True})
    other = product.new_client(company_name="Groupe lié")
    make("relation", f"{base}/relations", {"type": "head_office", "other_client_id": other["id"]})
    make("address", f"{base}/addresses", {"label": "Annexe", "city": "Lyon", "access_notes": "Clé au gardien"})
    make("equipment", "/equipment", {"client_id": client["id"], "name": "Chaudière 1", "address_id": found["address"]})
    make("site", "/job-sites", {"client_id": client["id"], "title": "Chaufferie"})
    plan = {"title": "Chaufferie A", "period": "year", "starts_on": "2026-01-01", "equipment_ids": [found["equipment"]]}
    make("plan", "/maintenance-plans", {"client_id": client["id"], **plan})
    first("visit", "/maintenance-visits", client_id=client["id"], colour="red")
    work = {"starts_at": "2031-05-06T08:00:00Z", "description": "Purge des colonnes"}
    make("work", "/interventions", {"client_id": client["id"], "title": "Purge", **work})
    make("waiting", "/interventions", {"client_id": client["id"], "title": "À planifier"})
    line = {"label": "Circulateur", "quantity": "1", "unit_price": "2905.00", "vat_rate": "20"}
    body = {"client_id": client["id"], "title": "Circulateur", "lines": [line]}
    make("draft", "/quotes", body)
    make("quote", "/quotes", body)
    for deed in ("finalise", "accept"):
        make("", f"/quotes/{found['quote']}/{deed}", {}, 200)
    make("invoice_draft", "/invoices", body)
    make("invoice", "/invoices", body)
    make("", f"/invoices/{found['invoice']}/issue", {}, 200)
    make("credited", "/invoices", body)
    make("", f"/invoices/{found['credited']}/issue", {}, 200)
    make("", f"/invoices/{found['credited']}/payments", {"amount": "3486"}, 200)
    answer = product.http.post(f"/invoices/{found['credited']}/credit-note", json={})
    assert answer.status_code in (200, 201), answer.text
    found["credit_note"] = answer.json()["id"]
    for name, content in (("Contrat P2.txt", b"contrat"), ("Notice.bin", b"\0\1\2")):
        sent = product.http.post(
            "/documents", data={"client_id": client["id"], "folder": "Contrats"}, files={"file": (name, content)}
        )
        found["document"] = sent.json()["id"]
    first("field", "/custom-fields")
    first("job", "/imports")
    double, fused = (
        product.new_client(company_name=name, website=site) for name, site in (("Double", ""), ("Fondu", "x.example"))
    )
    found |= {"double": double["id"], "fused": fused["id"]}
    make("merge", "/merges", {"survivor_id": client["id"], "duplicate_id": fused["id"], "reason": "Essai"}, 202)
    erased = product.new_client(company_name="Effacé")["id"]
    make("erasure", f"/clients/{erased}/erase", {"reason": "Essai"}, 202)
    found["archived"] = product.new_client(company_name="Fermé")["id"]
    make("", f"/clients/{found['archived']}/archive", {}, 200)
    found["empty"] = product.new_client(company_name="Tout neuf")["id"]
    found["deleted"] = product.new_client(company_name="Jeté")["id"]
    product.http.delete(f"/clients/{found['deleted']}")
    return found


def values(ids: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """What pages with more in their address than a client are opened with."""
    documents = [("devis", ids["draft"]), ("factures", ids["invoice_draft"])]
    shown = [*documents, ("devis", ids["quote"]), ("factures", ids["invoice"]), ("factures", ids["credited"]),
             ("avoirs", ids["credit_note"])]  # fmt: skip
    one = {
        "edit_activity": "activity", "edit_address": "address", "document_edit": "document",
        "document_versions": "document", "equipment_page": "equipment", "equipment_move": "equipment",
        "equipment_edit": "equipment", "equipment_reassign": "equipment",
        "refund_form": "credit_note", "job_site": "site", "edit_job_site": "site",
        "invoice_form": "quote", "credit_form": "invoice", "payment_form": "invoice", "report": "work",
        "move_intervention": "work", "edit_intervention": "work", "intervention": "work",
    }  # fmt: skip
    return {
        **{name: [{"id": ids[kind]}] for name, kind in one.items()},
        "document": [{"word": word, "id": id} for word, id in shown],
        "edit_document": [{"word": word, "id": id} for word, id in documents],
        "new_document": [{"word": "devis"}, {"word": "factures"}],
        "merge_page": [{"id": ids["merge"]}],
        "merge_undo": [{"id": ids["merge"]}],
        "erasure": [{"id": ids["erasure"]}],
        "edit_contact": [{"row_id": ids["contact"]}],
        "edit_relation": [{"row_id": ids["relation"]}],
        "edit_custom_field": [{"field_id": ids["field"]}],
        "import_job": [{"job_id": ids["job"]}],
        "plan_panel": [{"plan_id": ids["plan"]}],
        "visit_panel": [{"visit_id": ids["visit"]}],
        "section_rest": [
            {"section": word} for word in ("interventions", "devis", "factures", "avoirs", "chantiers", "maintenances")
        ],
    }


def pages(routes: dict[str, str], ids: dict[str, Any]) -> list[str]:
    """The address of every page that the application has. One whose address nobody gave fails."""
    known = values(ids)
    found: list[str] = []
    wanting: list[str] = []
    for endpoint, rule in routes.items():
        if not endpoint.startswith("web.") or endpoint in NO_PAGES:
            continue
        addresses = Map([Rule(rule, endpoint=endpoint)]).bind("")
        for given in known.get(endpoint.removeprefix("web."), [{}]):
            try:
                found.append(addresses.build(endpoint, {"client_id": ids["client_id"], **given}).partition("?")[0])
            except Exception:
                wanting.append(f"{endpoint} {rule}")
    assert not wanting, f"pages that nobody looks at: {wanting}"
    return found


def press(selector: str) -> Callable[[Page], None]:
    """Presses the first such thing in sight."""
    return lambda page: page.locator(selector).locator("visible=true").first.click()


def panel(selector: str) -> Callable[[Page], None]:
    """Opens a side panel."""

    def act(page: Page) -> None:
        press(selector)(page)
        expect(page.locator("dialog.panel[open] form")).to_be_visible()

    return act


def refused(page: Page) -> None:
    """A panel that was sent with nothing in it."""
    panel("[data-consign]")(page)
    page.locator("dialog.panel[open] .panel-foot .primary").click()
    expect(page.locator("dialog.panel[open] .error-summary")).to_be_visible()


def joined(page: Page) -> None:
    """A panel with files joined."""
    panel("[data-consign]")(page)
    box = page.locator("dialog.panel[open] [data-joins]")
    box.locator("input[type=file]").set_input_files(
        [{"name": "Relevé.txt", "mimeType": "text/plain", "buffer": b"12 bar"}]
    )
    expect(box.locator("li")).to_have_count(1)


def shortcuts(page: Page) -> None:
    """The help of the keyboard."""
    page.keyboard.press("?")
    expect(page.locator("#raccourcis")).to_be_visible()


FICHE = "/clients/{client_id}"
WORK = FICHE + "/interventions"
#: States beside the first of each page: address (ids in braces), what is done there.
STATES: tuple[tuple[str, Callable[[Page], None] | None], ...] = (
    ("/clients?q=zzzzzzzz", None),
    ("/clients?status=deleted", None),
    ("/clients?status=archived", press("form.filters details.chip summary")),
    ("/clients?q=copropriete", None),
    ("/clients/{archived}", None),
    ("/clients/{empty}", None),
    *(
        (f"/clients/{{empty}}/{tab}", None)
        for tab in ("documents", "interventions", "devis-factures", "equipements", "chantiers", "maintenances")
    ),
    (FICHE, press(".identity .menu summary")),
    (FICHE, refused),
    (FICHE, joined),
    (FICHE, shortcuts),
    (FICHE + "?kind=sms&from=2001-01-01&to=2001-01-02", None),
    (FICHE + "?kind=fax", None),
    ("/clients/{fused}", None),
    (FICHE + "/fusionner?q=zzzzzzzz", None),
    (FICHE + "/fusionner?doublon={double}", None),
    ("/fusions/nouvelle?survivant={client_id}&doublon={double}&doublon={empty}", press(".merge-foot .primary")),
    ("/fusions?status=undoing", None),
    ("/fusions/{merge}?doublon={double}", None),
    (FICHE + "/documents?corbeille=1", None),
    (FICHE + "/documents?dossier=Contrats&document={document}", None),
    (FICHE + "/documents?q=zzzz", None),
    (WORK + "?vue=calendrier&date=2031-05-06", None),
    (WORK + "?vue=calendrier&periode=mois&date=2031-05-06", None),
    (WORK + "?vue=calendrier&periode=jour&date=2031-05-06", None),
    (WORK + "?vue=timeline&date=2031-05-06", None),
    (WORK + "?q=zzzz", None),
    ("/interventions/{waiting}", None),
    (FICHE + "/equipements?vue=vignettes", None),
    (FICHE + "/maintenances?etat=red", None),
    ("/factures/{invoice}", press(".deeds details.menu summary")),
)
#: Who is no longer there, or never was: the page says so.
GONE = (("/clients/{deleted}", 410), ("/clients/00000000-0000-7000-8000-000000000000", 404), ("/nulle-part", 404))


@pytest.fixture(scope="module")
def session(product: Product) -> str:
    """A session of an administrator: some pages are for people, not for keys."""
    email, password = f"{uuid.uuid4().hex[:8]}@exemple.example", "une phrase de passe assez longue"
    person = {"name": "Hugo Lefèvre", "email": email, "roles": ["admin"], "password": password}
    assert product.http.post("/users", json=person).status_code == 201
    answer = product.anonymous.post("/sessions", json={"email": email, "password": password})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


@pytest.fixture(scope="module")
def page(chromium: Browser, product: Product, session: str) -> Iterator[Page]:
    """A page with axe in it, wherever it goes. Without motion: a colour on its way to another mode is neither's."""
    context = chromium.new_context(locale="fr-FR", base_url=product.url, reduced_motion="reduce")
    context.add_cookies([{"name": "fiche_session", "value": session, "url": product.url}])
    context.add_init_script(path=str(AXE))
    made = patient(context.new_page())
    yield made
    context.close()


def faults(page: Page, where: str, turn: int) -> list[str]:
    """What axe finds serious or worse on this page as it stands.

    One look a page, the widths and colour schemes by turns; `FICHE_AXE_ALL` asks for all four of every page.
    """
    found = []
    looks = list(itertools.product(SIZES, ("light", "dark")))
    if not os.environ.get("FICHE_AXE_ALL"):
        looks = [looks[turn % len(looks)]]
    for size, scheme in looks:
        width, height = SIZES[size]
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        said = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
        found += [
            f"{where} {size} {scheme} {rule['id']}: {node['target']} {node['failureSummary']}"
            for rule in said["violations"]
            if rule["impact"] in ("serious", "critical")
            for node in rule["nodes"][:2]
        ]
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            found.append(f"{where} {size}: {wide} px too wide")
    return found


@pytest.mark.parametrize("part", range(4))
def test_every_page_is_open_to_everyone(page: Page, routes: dict[str, str], ids: dict[str, Any], part: int) -> None:
    found: list[str] = []
    for turn, path in enumerate(pages(routes, ids)[part::4]):
        answer = page.goto(path)
        assert answer
        assert answer.status == 200, f"{path}: {answer.status}"
        found += faults(page, path, turn)
    assert not found, "\n".join(found)


def test_every_state_of_a_page_is_open_to_everyone(page: Page, ids: dict[str, Any]) -> None:
    found: list[str] = []
    for turn, (template, act) in enumerate(STATES):
        page.set_viewport_size({"width": 1440, "height": 900})
        path = template.format_map(ids)
        answer = page.goto(path)
        assert answer
        assert answer.status == 200, f"{path}: {answer.status}"
        if act:
            act(page)
        found += faults(page, path, turn)
    for turn, (template, status) in enumerate(GONE):
        path = template.format_map(ids)
        answer = page.goto(path)
        assert answer
        assert answer.status == status, path
        found += faults(page, path, turn)
    assert not found, "\n".join(found)


def test_every_page_says_in_its_place_that_a_service_is_away(page: Page, product: Product, ids: dict[str, Any]) -> None:
    tabs = {"documents": "documents", "interventions": "interventions", "billing": "devis-factures",
            "equipment": "equipements", "maintenance": "maintenances"}  # fmt: skip
    found: list[str] = []
    for service in tabs:
        product.command("stop", service)
    try:
        for turn, path in enumerate((FICHE, *(f"{FICHE}/{tab}" for tab in tabs.values()))):
            path = path.format_map(ids)
            answer = page.goto(path)
            assert answer
            assert answer.status == 200, path
            if not path.endswith(ids["client_id"]):
                expect(page.locator(".away").first).to_contain_text("pour le moment")
            found += faults(page, path, turn)
    finally:
        for service in tabs:
            product.command("start", service)
    assert not found, "\n".join(found)
