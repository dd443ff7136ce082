"""Two records that are one client: found, previewed, merged, watched, gone on with, taken back. On a desk, on a phone.

In order: each test goes on where the one before left the two records of this size.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import heard, patient
from tests.browser.walk.conftest import Walk, walking
from tests.gateway.conftest import Product
from tests.gateway.test_auth import signed_in
from tests.gateway.test_money import COMPANY, LINE

pytestmark = pytest.mark.browser


@dataclass
class Pair:
    """A bakery that was entered twice, with work on both; and quotes of the second that were accepted."""

    kept: dict[str, Any]
    other: dict[str, Any]
    third: dict[str, Any]
    quotes: list[str]


@pytest.fixture(scope="module", params=["desk", "phone"])
def walk(request: pytest.FixtureRequest, chromium: Browser, product: Product) -> Iterator[Walk]:
    """Somebody of the office, before two clients with nothing yet."""
    yield from walking(chromium, product, request.param, product.new_client(), product.new_client())


@pytest.fixture(scope="module")
def pair(walk: Walk) -> Pair:
    """Made by the API, as colleagues would have."""
    make, post, mark = walk.product.new_client, walk.product.http.post, "Desk" if not walk.phone else "Tel"
    phone = f"06 39 98 50 1{int(walk.phone)}"
    both = {"phone": phone}
    kept = make(**both, company_name=f"Boulangerie Martinot {mark}", email="contact@martinot.example", tags=["VIP"])
    other = make(
        **both, company_name=f"Boulangerie Martinot et Fils {mark}", email="fils@martinot.example",
        website="https://martinot.example", tags=["Four à gaz"],
    )  # fmt: skip
    third = make(company_name=f"Martinot Boulanger {mark}", phone=phone)
    for client, memo in ((kept, "Livraison avant 6 h"), (other, "Vanne gaz derrière le pétrin")):
        base = f"/clients/{client['id']}"
        tag = walk.product.http.get(f"{base}/memo").headers["ETag"]
        put = walk.product.http.put(f"{base}/memo", json={"text": memo}, headers={"If-Match": tag})
        assert put.status_code == 200, put.text
        address = {"label": "Fournil", "street": "12 rue Paul-Bert", "postal_code": "69003", "city": "Lyon"}
        for path, body in (
            (f"{base}/addresses", address),
            (f"{base}/activities", {"kind": "call", "subject": "Four froid", "occurred_at": "2026-11-24T09:12:00Z"}),
            ("/interventions", {"client_id": client["id"], "title": f"Four de {client['reference']}"}),
            ("/equipment", {"client_id": client["id"], "name": "Four à sole"}),
        ):
            answer = post(path, json=body)
            assert answer.status_code == 201, answer.text
    company = walk.product.http.get("/company").headers["ETag"]
    assert walk.product.http.patch("/company", json=COMPANY, headers={"If-Match": company}).status_code == 200
    base = f"/clients/{kept['id']}"
    [place] = walk.read(f"{base}/addresses")["items"]
    billed = {"billing_name": kept["display_name"], "billing_address_id": place["id"]}
    etag = walk.product.http.get(f"{base}/billing").headers["ETag"]
    assert walk.product.http.patch(f"{base}/billing", json=billed, headers={"If-Match": etag}).status_code == 200
    quotes = []
    for title in ("Sole neuve", "Brûleur neuf"):
        quotes.append(post("/quotes", json={"client_id": other["id"], "title": title, "lines": [LINE]}).json()["id"])
        for deed in ("finalise", "accept"):
            answer = post(f"/quotes/{quotes[-1]}/{deed}", json={})
            assert answer.status_code == 200, answer.text
    return Pair(*(walk.read(f"/clients/{each['id']}") for each in (kept, other, third)), quotes)


def merges_of(walk: Walk, client: dict[str, Any]) -> list[dict[str, Any]]:
    """Merges that a client took part in, newest first."""
    return list(walk.read("/merges", client_id=client["id"])["items"])


def test_01_the_duplicate_is_found_from_the_actions_and_previewed(walk: Walk, pair: Pair) -> None:
    page = walk.page
    walk.open(pair.kept)
    walk.actions().get_by_role("link", name="Fusionner avec un doublon").click()
    likely = walk.panel.locator(".candidate", has_text=pair.other["reference"])
    expect(likely).to_contain_text("Même téléphone")
    walk.panel.get_by_label("Nom, référence ou téléphone").fill(pair.other["reference"])
    expect(walk.panel.locator(".candidate")).to_have_count(1)
    walk.panel.get_by_role("button", name="Voir l’aperçu").click()
    expect(walk.panel.get_by_text("Choisissez au moins une fiche")).to_be_visible()
    likely.get_by_role("checkbox").check()
    walk.panel.get_by_role("button", name="Voir l’aperçu").click()
    expect(page).to_have_url(re.compile(rf"survivant={pair.kept['id']}&doublon={pair.other['id']}"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Fusionner deux fiches")
    email = page.get_by_role("radiogroup", name="E-mail")
    expect(email.get_by_label("contact@martinot.example")).to_be_checked()
    expect(page.get_by_role("radiogroup", name="Site internet").get_by_label("https://martinot")).to_be_checked()
    expect(page.get_by_role("radiogroup", name="Mémo").get_by_label("Réunir les deux textes")).to_be_checked()
    effects = page.get_by_role("complementary", name="Effets de la fusion")
    for words in ("Interventions1", "Équipements1", "Adresses1", "adresse principale", pair.other["reference"]):
        expect(effects).to_contain_text(words)
    expect(page.locator(".merge-left")).to_contain_text("Les étiquettes des deux fiches sont réunies")
    walk.fits()

    page.get_by_role("link", name="Inverser").click()
    expect(page).to_have_url(re.compile(rf"survivant={pair.other['id']}&doublon={pair.kept['id']}"))
    expect(page.locator(".record").first).to_contain_text(pair.other["display_name"])
    page.get_by_role("link", name="Inverser").click()
    expect(page).to_have_url(re.compile(rf"survivant={pair.kept['id']}"))


def test_02_a_service_that_is_away_is_told_and_not_counted_as_nought(walk: Walk, pair: Pair) -> None:
    page = walk.page
    walk.product.command("stop", "equipment")
    try:
        page.goto(f"/fusions/nouvelle?survivant={pair.kept['id']}&doublon={pair.other['id']}")
        line = page.locator(".moves li.off")
        expect(line).to_contain_text("Équipements")
        expect(line).to_contain_text("Inconnu")
        expect(page.get_by_role("button", name="Fusionner les deux fiches")).to_be_enabled()
    finally:
        walk.product.command("start", "equipment")


def test_03_a_stale_preview_shows_the_new_state_and_keeps_the_choices(walk: Walk, pair: Pair) -> None:
    page = walk.page
    page.goto(f"/fusions/nouvelle?survivant={pair.kept['id']}&doublon={pair.other['id']}")
    page.wait_for_selector("html[data-live=open]")
    button = page.get_by_role("button", name="Fusionner les deux fiches")
    button.click()
    expect(page.get_by_role("alert")).to_contain_text("Pourquoi les fusionner")
    expect(page.get_by_label("Pourquoi les fusionner")).to_have_attribute("aria-invalid", "true")
    page.get_by_role("radiogroup", name="E-mail").get_by_label("fils@martinot.example").check()
    page.get_by_label("Pourquoi les fusionner").fill("Même téléphone, saisie deux fois")
    walk.change(pair.other, website="https://fils.martinot.example")
    button.click()
    expect(page.locator(".conflict")).to_contain_text("vos choix sont gardés")
    expect(page.get_by_role("radiogroup", name="Site internet")).to_contain_text("https://fils.martinot.example")
    expect(page.locator(".choice.changed")).to_have_count(1)
    expect(page.get_by_role("radiogroup", name="E-mail").get_by_label("fils@martinot.example")).to_be_checked()
    expect(page.get_by_label("Pourquoi les fusionner")).to_have_value("Même téléphone, saisie deux fois")
    assert not [each for each in merges_of(walk, pair.kept) if each["status"] != "undone"]


def test_04_the_merge_is_made_and_watched_service_by_service(walk: Walk, pair: Pair) -> None:
    page = walk.page
    expect(page.locator(".conflict")).to_be_visible()
    page.get_by_role("button", name="Fusionner les deux fiches").click()
    page.wait_for_url(re.compile(r"/fusions/[0-9a-f-]{36}$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Fusion terminée", timeout=20_000)
    services = page.locator(".services")
    expect(services.locator("li", has_text="Interventions et chantiers")).to_contain_text("1 intervention")
    expect(services.locator("li", has_text="Équipements")).to_contain_text("À jour")
    facts = page.locator(".merge-right .facts")
    for words in ("Même téléphone, saisie deux fois", "E-mail", "Annulable"):
        expect(facts).to_contain_text(words)
    walk.fits()
    now = walk.read(f"/clients/{pair.kept['id']}")
    assert (now["email"], now["website"]) == ("fils@martinot.example", "https://fils.martinot.example")
    page.goto("/fusions")
    row = page.locator("table.merges tbody tr", has_text=pair.other["reference"])
    expect(row).to_contain_text(pair.kept["display_name"])
    expect(row).to_contain_text("Terminée")
    walk.fits()


def test_05_the_old_address_leads_to_the_fiche_that_says_what_it_is_made_of(walk: Walk, pair: Pair) -> None:
    page = walk.page
    page.goto(f"/clients/{pair.other['id']}/documents")
    expect(page).to_have_url(re.compile(rf"/clients/{pair.kept['id']}/documents\?ancienne={pair.other['id']}$"))
    told = page.locator(".was-merged")
    expect(told).to_contain_text(f"La fiche {pair.other['display_name']} ({pair.other['reference']}) a été fusionnée")
    told.get_by_role("link", name="Fermer ce message").click()
    expect(told).to_have_count(0)
    walk.unfold()
    column = page.locator("aside.column")
    expect(column).to_contain_text("Réunit 2 fiches")
    column.get_by_role("link", name=pair.other["display_name"]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Fusion terminée")
    walk.open(pair.kept)
    page.evaluate("document.querySelector('a[href$=\"/historique\"]').click()")
    history = walk.panel.locator(".history")
    expect(history).to_contain_text(f"{pair.other['display_name']} fusionnée dans {pair.kept['display_name']}")
    expect(history).to_contain_text("Même téléphone, saisie deux fois")
    walk.fits()


def test_06_a_form_that_stayed_open_under_the_old_id_goes_on_with_the_fiche(walk: Walk, pair: Pair) -> None:
    page, http = walk.page, walk.product.http
    page.goto(f"/clients/{pair.third['id']}/modifier")
    page.wait_for_selector("html[data-live=open]")
    page.get_by_label("Site internet").fill("https://boulanger.martinot.example")
    page.get_by_label("Matricule").fill(f"M-{1 + walk.phone}")
    body = {"survivor_id": pair.kept["id"], "duplicate_id": pair.third["id"], "reason": "Troisième saisie"}
    assert http.post("/merges", json=body).status_code == 202
    page.get_by_role("button", name="Enregistrer").click()
    both = page.locator(".conflict")
    expect(both).to_contain_text(f"fusionnée dans {pair.kept['display_name']}")
    expect(both).to_contain_text("https://fils.martinot.example")
    both.get_by_role("button", name="Garder le mien").click()
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_text("dont cette fiche fait partie")).to_be_visible()
    now = walk.read(f"/clients/{pair.kept['id']}")
    assert (now["website"], now["registration_number"]) == ("https://boulanger.martinot.example", f"M-{1 + walk.phone}")


def test_07_archiving_the_old_record_is_refused_in_words(walk: Walk, pair: Pair) -> None:
    page = walk.page
    spare = walk.product.new_client(company_name="Martinot à fermer")
    # The page does not hear of the merge: its menu is still that of the old record.
    page.route("**/live", lambda route: route.abort())
    page.goto(f"/clients/{spare['id']}")
    walk.arrived(spare["display_name"])
    menu = walk.actions()
    body = {"survivor_id": pair.kept["id"], "duplicate_id": spare["id"], "reason": "Quatrième saisie"}
    assert walk.product.http.post("/merges", json=body).status_code == 202
    menu.get_by_role("button", name="Archiver la fiche client").click()
    note = page.locator(".toast").filter(has_text="a été fusionnée")
    page.unroute("**/live")
    note.get_by_role("button", name="Ouvrir la fiche").click()
    expect(page).to_have_url(re.compile(rf"/clients/{pair.kept['id']}$"))
    assert walk.read(f"/clients/{pair.kept['id']}")["status"] == "active"


def test_08_the_undo_says_what_goes_back_and_what_stays_and_offers_what_lies_across(walk: Walk, pair: Pair) -> None:
    page, http = walk.page, walk.product.http
    [made] = [each for each in merges_of(walk, pair.kept) if each["duplicate_id"] == pair.other["id"]]
    [place] = walk.product.sql(
        "clients", "SELECT id FROM address WHERE home_client_id = :home", home=pair.other["id"]
    )  # fmt: skip
    for title, address in (("Brûleur à changer", str(place.id)), ("Thermostat à régler", None)):
        body = {"client_id": pair.kept["id"], "title": title} | ({"address_id": address} if address else {})
        answer = http.post("/interventions", json=body)
        assert answer.status_code == 201, answer.text
    invoices = []
    for quote in pair.quotes:
        invoices.append(http.post(f"/quotes/{quote}/invoice", json={}).json()["id"])
        answer = http.post(f"/invoices/{invoices[-1]}/issue", json={})
        assert answer.status_code == 200, answer.text
    page.goto(f"/fusions/{made['id']}")
    page.get_by_role("link", name="Annuler la fusion").click()
    panel = walk.panel
    expect(panel).to_contain_text(
        f"{pair.other['display_name']} ({pair.other['reference']}) redevient une fiche à part"
    )
    expect(panel).to_contain_text("1 équipement")
    expect(panel).to_contain_text("Champs de")
    across = panel.locator(".crossing li", has_text="Brûleur à changer")
    expect(across).to_contain_text(f"À une adresse de {pair.other['display_name']}")
    expect(panel.locator(".crossing li", has_text="Thermostat à régler")).to_have_count(0)
    across.get_by_role("checkbox").check()
    # Each invoice issued since is decided on by itself; without a word of both nothing happens.
    decisions = panel.locator("fieldset.decide")
    expect(decisions).to_have_count(2)
    expect(decisions.first).to_contain_text(f"Émise depuis la fusion au nom de {pair.kept['display_name']}")
    decisions.nth(0).get_by_label(pair.kept["display_name"], exact=False).first.check()
    panel.get_by_role("button", name="Annuler la fusion").click()
    expect(panel.get_by_role("alert")).to_contain_text("à laquelle des deux fiches va cette pièce")
    panel.get_by_role("alert").get_by_role("link").click()
    expect(decisions.nth(1).get_by_role("radio").first).to_be_focused()
    expect(panel.get_by_role("alert")).to_contain_text("Brûleur neuf\u202f: Dites")
    walk.look("fusion-annuler-pieces")
    decisions.nth(1).get_by_label(f"Reste à {pair.other['display_name']}").check()
    panel.get_by_role("button", name="Annuler la fusion").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Fusion annulée", timeout=20_000)
    expect(page.get_by_role("link", name="Annuler la fusion")).to_have_count(0)
    titles = {
        each["id"]: {row["title"] for row in walk.read("/interventions", client_id=each["id"])["items"]}
        for each in (pair.kept, pair.other)
    }
    assert titles[pair.other["id"]] == {f"Four de {pair.other['reference']}", "Brûleur à changer"}
    assert "Thermostat à régler" in titles[pair.kept["id"]]
    billed = [walk.read(f"/invoices/{each}")["client_id"] for each in invoices]
    assert billed == [pair.kept["id"], pair.other["id"]]
    page.goto(f"/fusions/{made['id']}")
    facts = page.locator(".merge-right .facts")
    expect(facts).to_contain_text(f"1 intervention à {pair.other['display_name']}")
    expect(facts).to_contain_text(f"1 facture à {pair.kept['display_name']}")
    expect(facts).to_contain_text(re.compile("Sans changement\u202f: F-\\d{4}-"))
    walk.look("fusion-annulee")
    walk.open(pair.other)
    page.goto(f"/fusions/{made['id']}/annuler")
    expect(page.locator(".panel-body")).to_contain_text("a déjà été annulée")


def test_09_a_service_that_fails_for_good_is_told_and_heals(walk: Walk) -> None:
    page, product = walk.page, walk.product
    kept, other = (product.new_client(company_name=f"Fournil Sanson {each}") for each in ("Lyon", "Bron"))
    body = {"survivor_id": kept["id"], "duplicate_id": other["id"], "reason": "Deux saisies"}
    product.sql("equipment", f"ALTER TABLE client_alias ADD CONSTRAINT broken CHECK (id <> '{other['id']}')")
    try:
        made = product.http.post("/merges", json=body).json()
        page.goto(f"/fusions/{made['id']}")
        expect(page.locator(".error-summary")).to_contain_text("Équipements", timeout=30_000)
        line = page.locator(".services li.failed")
        expect(line).to_contain_text("Équipements")
        expect(page.get_by_role("heading", level=1)).to_have_text("Fusion en cours")
        expect(page.locator(".services li.running")).to_have_count(0, timeout=20_000)
        walk.look("fusion-en-echec")
        page.goto("/fusions")
        row = page.locator("table.merges tbody tr", has_text=other["reference"])
        expect(row).to_contain_text("En attente d’un administrateur")
        walk.look("fusions-en-echec")
        row.get_by_role("link").click()
        page.get_by_role("link", name="Exploitation").locator("visible=true").first.click()
        walk.arrived("Exploitation")
    finally:
        product.sql("equipment", "ALTER TABLE client_alias DROP CONSTRAINT broken")
    page.get_by_role("button", name="Rejouer").click()
    walk.said("Événements rejoués")
    page.goto(f"/fusions/{made['id']}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Fusion terminée", timeout=20_000)


def test_10_several_duplicates_are_merged_one_after_the_other(walk: Walk) -> None:
    page, mark = walk.page, "ordinateur" if not walk.phone else "mobile"
    kept, *others = (walk.product.new_client(company_name=f"Crêperie Le Goff {mark} {each}") for each in "ABC")
    page.goto(f"/clients/{kept['id']}/fusionner?q=Le Goff {mark}")
    page.wait_for_selector("html[data-live=open]")
    for each in others:
        page.locator(".candidate", has_text=each["reference"]).get_by_role("checkbox").check()
    page.get_by_role("button", name="Voir l’aperçu").click()
    expect(page.locator(".merge-left")).to_contain_text("2 doublons choisis")
    # In the order in which they are listed.
    first, second = page.url.split("doublon=")[1:]
    names = {each["id"]: each["display_name"] for each in others}
    expect(page.locator(".merge-left")).to_contain_text(f"Ensuite\u202f: {names[second]}")
    walk.look("fusion-plusieurs")
    for at, (id, left) in enumerate(((first.rstrip("&"), 1), (second, 0))):
        expect(page.locator(".records")).to_contain_text(names[id])
        heard(page)
        page.get_by_label("Pourquoi les fusionner").fill(f"Saisie {at + 2}")
        page.get_by_role("button", name="Fusionner les deux fiches").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Fusion terminée", timeout=20_000)
        following = page.get_by_role("link", name="Doublon suivant")
        expect(following).to_have_count(left)
        if left:
            walk.look("fusion-suivante")
            following.click()
    reasons = {each["duplicate_id"]: each["reason"] for each in merges_of(walk, kept)}
    assert reasons == {first.rstrip("&"): "Saisie 2", second: "Saisie 3"}


def test_11_without_the_right_nothing_is_offered_and_what_was_done_can_be_read(walk: Walk, pair: Pair) -> None:
    [made] = [each for each in merges_of(walk, pair.kept) if each["duplicate_id"] == pair.third["id"]]
    token = signed_in(walk.product, "salesperson").headers["Authorization"].removeprefix("Bearer ")
    context = walk.page.context.browser.new_context(base_url=walk.product.url, locale="fr-FR")
    context.add_cookies([{"name": "fiche_session", "value": token, "url": walk.product.url}])
    page = patient(context.new_page())
    page.goto(f"/clients/{pair.kept['id']}")
    page.locator(".actions-menu").locator("visible=true").locator("summary").click()
    expect(page.locator(".actions-menu").locator("visible=true")).not_to_contain_text("Fusionner")
    page.goto(f"/fusions/{made['id']}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Fusion terminée")
    expect(page.get_by_role("link", name="Annuler la fusion")).to_have_count(0)
    answer = page.goto(f"/fusions/nouvelle?survivant={pair.kept['id']}&doublon={pair.other['id']}")
    assert answer
    assert answer.status == 403
    context.close()
