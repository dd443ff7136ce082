"""The fiche, every button of it, in the order of the work of an office: on a desk, then on a phone.

Each number is a story of its own on the same company; what an area does in its corners is in its own tests.
"""

from __future__ import annotations

import io
import re
import unicodedata
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote_plus

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Locator, expect
from playwright.sync_api import TimeoutError as TooLate

from tests.browser.conftest import heard, uncounted
from tests.browser.walk.conftest import Walk
from tests.gateway.conftest import TOKEN
from tests.support.waiting import wait_until

pytestmark = pytest.mark.browser
NARROW = "\u202f"


def photo(name: str, color: str = "teal", turned: bool = False) -> FilePayload:
    """A real photo, wider than high; `turned`: the camera was held upright."""
    told, held = Image.Exif(), io.BytesIO()
    if turned:
        told[0x0112] = 6
    Image.new("RGB", (600, 400), color).save(held, "JPEG", exif=told)
    return {"name": name, "mimeType": "application/octet-stream", "buffer": held.getvalue()}


def pdf(name: str, pages: int) -> FilePayload:
    """A real PDF."""
    held = io.BytesIO()
    sheets = [Image.new("RGB", (400, 560), "white") for _ in range(pages)]
    sheets[0].save(held, "PDF", save_all=True, append_images=sheets[1:])
    return {"name": name, "mimeType": "application/pdf", "buffer": held.getvalue()}


def mistyped(name: str) -> str:
    """The name as somebody in a hurry types it: no accent, no capital, its words turned about, a letter left out."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z]+", plain)
    longest = max(words, key=len)
    return " ".join([longest[:3] + longest[4:], *(word for word in words if word != longest)])


def chip(walk: Walk, form: str, word: str) -> Locator:
    """A filter of a list, opened; on a phone the filters may stand in a sheet."""
    opened = walk.page.locator(f"{form} [data-filters-sheet]")
    if opened.count() and opened.is_visible() and opened.get_attribute("aria-expanded") == "false":
        opened.click()
    found = walk.page.locator(f"{form} details.chip", has_text=word)
    if found.get_attribute("open") is None:
        found.locator("summary").click()
    return found


def row_menu(walk: Walk, row: str, deed: str) -> None:
    """A deed of a row’s menu; pressed again, as anybody would, where the list was brought up to date meanwhile."""
    link = walk.page.get_by_role("link", name=deed).locator("visible=true")
    for _ in range(3):
        if not link.count():
            walk.page.locator("table.docs tbody tr", has_text=row).locator("summary").click()
        link.first.click()
        try:
            walk.panel.wait_for(timeout=5_000)
        except TooLate:
            continue
        return
    raise AssertionError(f"{deed} does nothing")


def test_01_the_crm_opens_on_the_clients_who_are_found_filtered_opened_and_come_back_to(walk: Walk) -> None:
    page, firm = walk.page, walk.firm
    page.goto("/")
    expect(page).to_have_url(re.compile(r"/clients$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Clients")
    row = page.locator("table.clients tbody tr", has_text=firm["reference"])
    for asked in (firm["reference"], mistyped(firm["display_name"])):
        page.get_by_label("Nom, référence ou téléphone").fill(asked)
        expect(page).to_have_url(re.compile(rf"/clients\?q={re.escape(quote_plus(asked))}(&|$)"))
        expect(row).to_have_count(1)
    chip(walk, "form.filters", "Type").get_by_label("Particulier").check()
    expect(page).to_have_url(re.compile(r"kind=individual"))
    expect(row).to_have_count(0)
    page.get_by_role("button", name="Enlever le filtre Type").click()
    expect(row).to_have_count(1)
    rep = firm["sales_rep"]["name"]
    chip(walk, "form.filters", "Commercial").get_by_label(rep).check()
    expect(page).to_have_url(re.compile(r"sales_rep_id="))
    expect(row).to_have_count(1)
    walk.fits()
    shown = page.url
    row.get_by_role("link", name=firm["display_name"]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(firm["display_name"])
    page.go_back()
    expect(page).to_have_url(shown)
    expect(row.get_by_role("link", name=firm["display_name"])).to_be_focused()
    page.get_by_role("link", name="Réinitialiser").locator("visible=true").first.click()
    expect(page).to_have_url(re.compile(r"/clients$"))


def test_02_the_side_column_tells_who_it_is_and_each_section_is_edited_in_place(
    walk: Walk, company: dict[str, list[dict[str, Any]]]
) -> None:
    page, firm = walk.page, walk.firm
    # The least busy: it pays from here on, and has an address for that, as other tests' clients may not.
    other = company["firms"][-1 - walk.phone]
    field = "Date d’inscription"
    walk.open(firm)
    walk.unfold()
    column = page.locator("aside.column")
    for words in (firm["registration_number"], firm["reference"], "Créée le", "Mise à jour"):
        expect(column).to_contain_text(words)

    page.get_by_role("link", name="Modifier les informations").click()
    walk.panel.get_by_label(field).fill("2019-03-12")
    walk.panel.get_by_label("Matricule").fill(f"WM-{1 + walk.phone}")
    walk.panel.get_by_role("button", name="Enregistrer").click()
    walk.said("Fiche enregistrée")
    expect(walk.section("informations")).to_contain_text("12 mars 2019")

    contacts = walk.section("contacts")
    page.get_by_role("link", name="Ajouter un contact").click()
    walk.panel.get_by_label("Nom", exact=True).fill("Blanc-Marchand")
    walk.panel.get_by_label("Téléphone").fill("06 39 98 41 07")
    walk.panel.get_by_label("E-mail").fill(f"blanc{int(walk.phone)}@exemple.example")
    walk.panel.get_by_role("button", name="Ajouter le contact").click()
    person = contacts.locator(".person", has_text="Blanc-Marchand")
    expect(person).to_contain_text("06 39 98 41 07")
    person.locator(".switch").click()
    walk.said("Accès au portail donné")
    portal = walk.section("portail")
    expect(portal).to_contain_text("Le portail client n’est pas encore ouvert")
    expect(portal).to_contain_text("Blanc-Marchand")
    person.locator(".menu summary").click()
    person.get_by_role("button", name="Retirer le contact").click()
    expect(person).to_have_count(0)
    walk.undo("Contact retiré")
    expect(person).to_contain_text("06 39 98 41 07")

    relations = walk.section("relations")
    page.get_by_role("link", name="Ajouter une relation").click()
    walk.panel.get_by_role("combobox", name="Autre fiche", exact=True).fill(other["reference"])
    walk.panel.get_by_role("option", name=other["display_name"]).first.click()
    walk.panel.get_by_label("l’autre fiche est").select_option(label="Siège")
    walk.panel.get_by_role("button", name="Lier les deux fiches").click()
    tie = relations.locator(".tie", has_text=other["display_name"])
    expect(tie).to_contain_text("Siège")
    [made] = [
        row for row in walk.read(f"/clients/{other['id']}/relations")["items"] if row["other"]["id"] == firm["id"]
    ]
    assert made["label"] == "Succursale"

    billing = walk.section("facturation")
    page.get_by_role("link", name="Modifier la facturation").click()
    walk.panel.get_by_label("IBAN").fill("FR00")
    walk.panel.get_by_label("Qui paie").select_option(value=other["id"])
    walk.panel.get_by_role("button", name="Enregistrer").click()
    expect(walk.panel.locator(".error-summary")).to_contain_text("IBAN")
    walk.panel.get_by_label("IBAN").fill("FR76 3000 6000 0112 3456 7890 189")
    walk.panel.get_by_role("button", name="Enregistrer").click()
    walk.said("Facturation enregistrée")
    expect(billing.locator("dd", has_text=other["display_name"])).to_be_visible()
    expect(billing).to_contain_text("FR76")
    expect(billing).to_contain_text("Solde dû")

    page.get_by_role("link", name="historique").locator("visible=true").click()
    for words in ("Matricule", field, "Relation ajoutée", "IBAN"):
        expect(walk.panel.locator(".history")).to_contain_text(words)
    walk.leave_panel()
    tie.locator(".menu summary").click()
    tie.get_by_role("button", name="Retirer la relation").click()
    walk.undo("Relation retirée")
    expect(tie).to_contain_text("Siège")
    walk.fits()


def test_03_the_actions_configure_convert_archive_and_delete_and_each_can_be_undone(walk: Walk) -> None:
    page, person = walk.page, walk.person
    walk.open(person)
    menu = walk.actions()
    expect(menu).to_contain_text("Fusionner avec un doublon")
    menu.get_by_role("link", name="Configurer").click()
    walk.panel.get_by_role("checkbox", name="Chantiers").uncheck()
    walk.panel.get_by_role("button", name="Descendre Informations").click()
    walk.panel.get_by_role("button", name="Enregistrer").click()
    tab, first = page.locator(".tabs a[data-tab=job_sites]"), page.locator(".column details.section").first
    expect(tab).to_have_count(0)
    expect(first).to_have_attribute("data-section", "contacts")
    walk.undo("Fiche configurée")
    expect(tab).to_have_count(1)
    expect(first).to_have_attribute("data-section", "informations")

    walk.actions().get_by_role("link", name="Convertir en professionnel").click()
    walk.panel.get_by_label("Nom de la société").fill("Marchand Services")
    walk.panel.get_by_role("button", name="Convertir la fiche").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Marchand Services")
    contacts = walk.read(f"/clients/{person['id']}/contacts")["items"]
    assert person["last_name"] in {row["last_name"] for row in contacts}
    walk.undo("Fiche convertie")
    expect(page.get_by_role("heading", level=1)).to_have_text(person["display_name"])

    walk.actions().get_by_role("button", name="Archiver").click()
    expect(page.locator(".identity")).to_contain_text("Archivé")
    walk.undo("Fiche archivée")
    expect(page.locator(".identity .pill")).to_have_count(0)

    walk.open(walk.firm)
    expect(walk.actions().locator(".item.off")).to_contain_text(
        re.compile("en dépend(ent)?. Archivez plutôt la fiche.")
    )
    spare = walk.product.new_client(company_name=f"Doublon de saisie {int(walk.phone)}")
    walk.open(spare)
    menu = walk.actions()
    expect(menu.get_by_role("button", name="Supprimer")).to_contain_text("Restaurable pendant 30 jours")
    menu.get_by_role("button", name="Supprimer").click()
    expect(page).to_have_url(re.compile("/clients$"))
    walk.undo("Fiche supprimée")
    assert walk.product.http.delete(f"/clients/{spare['id']}").status_code == 204
    page.goto(f"/clients/{spare['id']}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Fiche supprimée")
    page.get_by_role("button", name="Restaurer la fiche").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(spare["display_name"])
    assert walk.product.http.delete(f"/clients/{spare['id']}").status_code == 204
    page.goto("/clients?status=deleted")
    gone = page.locator("table.clients tbody tr", has_text=spare["display_name"])
    gone.get_by_role("button", name="Restaurer").click()
    expect(gone).to_have_count(0)
    walk.open(spare)


def test_04_exchanges_are_consigned_found_by_kind_and_stand_beside_what_the_system_did(walk: Walk) -> None:
    page = walk.page
    planned = {"client_id": walk.firm["id"], "title": "Purge des colonnes", "starts_at": "2031-02-03T08:00:00Z"}
    assert walk.product.http.post("/interventions", json=planned).status_code == 201
    who = {"first_name": "Moussa", "last_name": "Diallo"}
    assert walk.product.http.post(f"/clients/{walk.firm['id']}/contacts", json=who).status_code == 201
    walk.open(walk.firm)
    block = page.locator("#bloc-activites")
    block.get_by_role("link", name="Consigner").click()
    walk.panel.get_by_role("radio", name="E-mail").check()
    walk.panel.get_by_role("radio", name="Émis").check()
    walk.panel.get_by_label("Contact").select_option(label="Moussa Diallo")
    walk.panel.get_by_label("Objet").fill("Devis du circulateur")
    walk.panel.get_by_label("Détails").fill("Parti à 16 h, réponse promise vendredi.")
    files = [pdf("Devis signé.pdf", 1), photo("Circulateur.jpg")]
    walk.panel.locator("[data-joins] input[type=file]").set_input_files(files)
    expect(walk.panel.locator("[data-joins] li")).to_have_count(2)
    walk.panel.get_by_role("button", name="Consigner").click()
    walk.said("Activité consignée")
    row = block.locator("article", has_text="Devis du circulateur").first
    expect(row).to_contain_text("E-mail envoyé à Moussa Diallo")
    expect(row.locator(".file")).to_contain_text(["Devis signé.pdf", "Circulateur.jpg"])
    held = row.get_by_role("link", name="Devis signé.pdf").get_attribute("href") or ""
    assert "Pi%C3%A8ces%20jointes" in held, held
    row.hover()
    row.locator("summary").click()
    row.get_by_role("link", name="Modifier").click()
    expect(walk.panel.locator("[data-joins] li")).to_have_count(2)
    walk.panel.get_by_role("button", name="Enlever Circulateur.jpg").click()
    walk.panel.get_by_label("Détails").fill("Parti à 17 h.")
    walk.panel.get_by_role("button", name="Enregistrer").click()
    expect(row).to_contain_text("Parti à 17 h.")
    expect(row.locator(".file")).to_have_count(1)
    row.hover()
    row.locator("summary").click()
    row.get_by_role("button", name="Supprimer").click()
    expect(row).to_have_count(0)
    walk.undo("Activité supprimée")
    expect(row).to_contain_text("Parti à 17 h.")
    block.get_by_role("link", name="Automatiques").click()
    expect(page).to_have_url(re.compile(r"\?kind=automatic$"))
    expect(block.locator("article.auto").first).to_be_visible()
    expect(block.locator("article:not(.auto)")).to_have_count(0)
    block.locator(".period-in summary").click()
    block.get_by_label("Du", exact=True).fill("2001-01-01")
    block.get_by_label("Au", exact=True).fill("2001-12-31")
    block.get_by_role("button", name="Appliquer").click()
    expect(block.get_by_role("heading", name="Aucune activité pour ces filtres")).to_be_visible()
    block.locator(".empty").get_by_role("link", name="Réinitialiser").click()
    expect(page).to_have_url(re.compile(rf"/clients/{walk.firm['id']}$"))
    walk.fits()


def test_05_the_memo_is_written_and_two_who_write_at_once_lose_no_word(walk: Walk) -> None:
    page, base = walk.page, f"/clients/{walk.firm['id']}"
    first = walk.note("- Code 48B12\n- Couper l’alarme")
    walk.open(walk.firm)
    page.get_by_role("link", name="Modifier le mémo").click()
    text = walk.panel.get_by_label("Ce qu’il faut savoir")
    text.fill("- Code 48B12\n- Couper l’alarme gaz")
    theirs = {"text": "- Code 99Z\n- Couper l’alarme"}
    walk.product.http.put(f"{base}/memo", json=theirs, headers={"If-Match": first}).raise_for_status()
    walk.panel.get_by_role("button", name="Enregistrer").click()
    both = walk.panel.get_by_role("alert")
    expect(both).to_contain_text("Code 99Z")
    expect(both).to_contain_text("Couper l’alarme gaz")
    both.get_by_role("button", name="Joindre les deux textes").click()
    walk.panel.get_by_role("button", name="Enregistrer").click()
    expect(page.locator(".memo li")).to_have_text(["Code 99Z", "Couper l’alarme gaz"])
    page.get_by_role("link", name="Textes passés du mémo").click()
    past = page.get_by_role("dialog", name="Textes passés du mémo")
    past.get_by_role("link", name="Reprendre ce texte").nth(1).click()
    walk.panel.get_by_role("button", name="Enregistrer").click()
    expect(page.locator(".memo li")).to_have_text(["Code 48B12", "Couper l’alarme"])


def test_06_an_address_is_added_made_the_main_one_in_a_click_and_retired_when_it_is_used(walk: Walk) -> None:
    page, base = walk.page, f"/clients/{walk.firm['id']}"
    walk.open(walk.firm)
    page.get_by_role("link", name="Ajouter une adresse").click()
    walk.panel.get_by_label("Nom de l’adresse").fill("Loge du gardien")
    walk.panel.get_by_role("button", name="Ajouter l’adresse").click()
    expect(walk.panel.get_by_role("alert")).to_contain_text("Donnez une rue, un code postal ou une ville")
    walk.panel.get_by_label("Ville").fill("Villeurbanne")
    walk.panel.get_by_role("button", name="Ajouter l’adresse").click()
    walk.said("Adresse ajoutée")
    loge = page.locator(".address", has_text="Loge du gardien")
    loge.get_by_role("button", name="Définir comme principale").click()
    expect(page.locator(".address").first).to_contain_text("Loge du gardien")
    assert [row["label"] for row in walk.read(f"{base}/addresses")["items"] if row["is_main"]] == ["Loge du gardien"]
    walk.undo("principale")
    expect(page.locator(".address").first).not_to_contain_text("Loge du gardien")
    [made] = [row for row in walk.read(f"{base}/addresses")["items"] if row["label"] == "Loge du gardien"]
    body = {"client_id": walk.firm["id"], "address_id": made["id"], "title": "Clé à refaire"}
    assert walk.product.http.post("/interventions", json=body).status_code == 201
    expect(loge).to_contain_text("1 intervention", timeout=15_000)
    loge.locator("summary").first.click()
    expect(loge.get_by_role("note")).to_contain_text("Retirez-la plutôt")
    loge.get_by_role("button", name="Retirer").click()
    expect(loge).to_be_hidden()
    expect(page.locator(".retired > summary")).to_have_text("1 adresse retirée")
    walk.undo("Adresse retirée")
    expect(loge).to_be_visible()
    walk.fits()


def test_07_documents_are_added_looked_at_put_in_a_folder_replaced_thrown_away_and_taken_back(walk: Walk) -> None:
    page = walk.page
    client = walk.product.new_client(company_name=f"Clinique des Fontaines {int(walk.phone)}")
    walk.open(client, "/documents")
    expect(page.locator(".drop-sign")).to_be_attached()
    rows = page.locator("table.docs tbody tr")
    with page.expect_file_chooser() as asked:
        page.get_by_role("button", name="Ajouter", exact=True).click()
    asked.value.set_files([pdf("Contrat P2.pdf", 3), photo("photo.jpg"), photo("photo.jpg", "red")])
    expect(page.locator(".upload-tray")).to_contain_text("3 terminés")
    expect(rows).to_contain_text(["Contrat P2.pdf", "photo.jpg", "photo (2).jpg"])
    page.get_by_role("button", name="Fermer les envois").click()
    expect(page.get_by_role("button", name="Ajouter des documents")).to_be_visible()
    page.get_by_role("link", name="Contrat P2.pdf").click()
    preview = page.get_by_role("complementary", name="Aperçu de Contrat P2.pdf")
    expect(preview).to_contain_text("PDF, 3 pages")
    preview.get_by_role("button", name="Page suivante").click()
    expect(preview.get_by_role("status")).to_have_text("Page 2 sur 3")
    walk.fits()
    preview.get_by_role("link", name="Fermer l’aperçu").click()

    expect(preview).to_have_count(0)
    row_menu(walk, "photo (2).jpg", "Renommer, ranger")
    walk.panel.get_by_label("Nom", exact=True).fill("")
    walk.panel.get_by_role("button", name="Enregistrer").click()
    expect(walk.panel.get_by_role("alert")).to_contain_text("Un point à corriger")
    walk.panel.get_by_label("Nom", exact=True).fill("Façade.jpg")
    walk.panel.get_by_role("combobox", name="Dossier").fill("Photos/2026")
    walk.panel.get_by_role("button", name="Enregistrer").click()
    walk.said("Document enregistré")
    page.get_by_role("link", name="Photos").click()
    page.get_by_role("link", name="2026").click()
    expect(rows).to_contain_text(["Façade.jpg"])
    heard(page)
    rows.first.locator("summary").click()
    with page.expect_file_chooser() as asked:
        rows.first.get_by_role("button", name="Remplacer par un autre fichier").click()
    asked.value.set_files([photo("autre.jpg", "green")])
    expect(page.locator(".upload-tray")).to_contain_text("1 terminé")
    page.get_by_role("button", name="Fermer les envois").click()
    rows.first.locator("summary").click()
    rows.first.get_by_role("link", name="Versions et historique").click()
    expect(walk.panel.locator(".versions li")).to_have_count(2)
    walk.leave_panel()
    rows.first.locator("summary").click()
    rows.first.get_by_role("button", name="Mettre à la corbeille").click()
    expect(page.get_by_text("Ce dossier est vide")).to_be_visible()
    page.goto(f"/clients/{client['id']}/documents?corbeille=1")
    rows.filter(has_text="Façade.jpg").get_by_role("button", name="Restaurer").click()
    walk.said("est de nouveau dans")
    expect(page.get_by_text("La corbeille est vide")).to_be_visible()
    page.goto(f"/clients/{client['id']}/documents")
    page.get_by_label("Rechercher un document").fill("facade")
    expect(page).to_have_url(re.compile(r"\?q=facade$"))
    expect(rows).to_contain_text(["Façade.jpg"])


def test_08_work_is_created_filtered_seen_three_ways_planned_done_and_reported(walk: Walk) -> None:
    page, firm = walk.page, walk.firm
    title = f"Fuite au sous-sol {int(walk.phone)}"
    walk.note("- Code 48B12\n- Couper l’alarme")
    walk.open(firm, "/interventions")
    page.get_by_role("link", name="Nouvelle intervention").first.click()
    walk.panel.get_by_label("Titre").fill(title)
    walk.panel.get_by_role("button", name="Créer l’intervention").click()
    walk.said("créée")
    chip(walk, "form.planning-filters", "Archivage").get_by_role("radio", name="Toutes").check()
    expect(page).to_have_url(re.compile("archived=all"))
    page.get_by_role("link", name="Réinitialiser").locator("visible=true").first.click()
    expect(page).to_have_url(re.compile(rf"{firm['id']}/interventions$"))
    heard(page)
    page.get_by_label("Titre ou numéro").fill("fuite au sous")
    expect(page).to_have_url(re.compile("q=fuite"))
    expect(page.locator("table.work tbody tr")).to_have_count(1)
    page.get_by_role("link", name=title).first.click()
    walk.arrived(title)
    made = page.url.rsplit("/", 1)[-1]
    expect(page.get_by_text("Couper l’alarme").first).to_be_visible()
    page.get_by_text("Actions", exact=True).locator("visible=true").click()
    page.get_by_role("link", name="Planifier…").click()
    walk.panel.get_by_label("Début").fill("2031-03-06T09:30")
    walk.panel.get_by_role("button", name="Planifier").click()
    expect(page.locator(".work-head")).to_contain_text("À venir")
    for view in ("calendrier&periode=mois", "calendrier", "timeline"):
        page.goto(f"/clients/{firm['id']}/interventions?vue={view}&date=2031-03-06")
        expect(page.get_by_role("link", name=re.compile(title)).locator("visible=true").first).to_be_visible()
        walk.fits()
    page.goto(f"/interventions/{made}")
    page.get_by_role("button", name="Commencer").click()
    expect(page.locator(".work-head")).to_contain_text("En cours")
    page.get_by_role("link", name="Remplir le bon").click()
    expect(walk.panel.get_by_text("Couper l’alarme").first).to_be_visible()
    walk.panel.get_by_label("Travail effectué").fill("Joint changé, circuit remis en eau.")
    walk.panel.get_by_label("Temps passé, en minutes").fill("75")
    walk.panel.get_by_role("button", name="Enregistrer le bon").click()
    expect(page.locator("#bon")).to_contain_text("1 h 15")
    page.get_by_role("button", name="Terminer").first.click()
    expect(page.locator(".work-head")).to_contain_text("Terminée")
    expect(page.locator(".work-head")).to_contain_text("À facturer")
    walk.undo("Intervention terminée")
    expect(page.locator(".work-head")).to_contain_text("En cours")


def type_line(walk: Walk, label: str, quantity: str, price: str, vat: str) -> None:
    """Fills the last row of the lines."""
    row = walk.page.locator("[data-row]").last
    row.get_by_label("Désignation").fill(label)
    row.get_by_label("Quantité").fill(quantity)
    row.get_by_label("Prix unitaire HT").fill(price)
    row.get_by_label("TVA").select_option(vat)


def test_09_a_quote_becomes_an_invoice_that_is_issued_paid_in_part_and_credited(walk: Walk) -> None:
    page, firm = walk.page, walk.firm
    walk.open(firm, "/devis-factures")
    page.get_by_role("link", name="Nouveau devis").first.click()
    walk.panel.get_by_label("Objet").fill("Remplacement du circulateur")
    type_line(walk, "Circulateur", "3", "33,33", "20")
    page.get_by_role("button", name="Ajouter une ligne").click()
    type_line(walk, "Main-d’œuvre", "1,25", "47,90", "10")
    expect(page.locator("[data-totals]")).to_contain_text(f"185,86{NARROW}€")
    page.get_by_role("button", name="Enregistrer le brouillon").click()
    walk.arrived("Devis sans numéro")
    page.get_by_role("button", name="Finaliser").click()
    expect(page.locator("h1")).to_contain_text("Devis D-")
    page.get_by_role("button", name=re.compile(r"^Marquer.* envoyé$")).click()
    expect(page.locator(".doc-head .pill")).to_have_text("Envoyé")
    page.get_by_role("button", name=re.compile("accepté$", re.IGNORECASE)).click()
    page.get_by_role("link", name="Facturer", exact=True).click()
    walk.panel.get_by_role("button", name="Préparer la facture").click()
    walk.arrived("Facture sans numéro")
    walk.fits()
    page.get_by_role("button", name="Émettre la facture").click()
    page.get_by_role("dialog").get_by_role("button", name="Émettre la facture").click()
    expect(page.locator("h1")).to_contain_text("Facture F-")
    invoice = page.url
    pdf_of = page.get_by_role("link", name="PDF").first.get_attribute("href") or ""
    assert page.request.get(pdf_of).body().startswith(b"%PDF-")
    page.get_by_role("link", name="Enregistrer un règlement").click()
    walk.panel.get_by_label("Montant").fill("85,86")
    walk.panel.get_by_role("button", name="Enregistrer le règlement").click()
    expect(page.locator(".doc-head .pill")).to_have_text("Réglée en partie")
    page.locator(".deeds details.menu summary").click()
    page.get_by_role("link", name="Faire un avoir").click()
    walk.panel.get_by_label("Une partie", exact=True).check()
    walk.panel.get_by_label("Circulateur").check()
    walk.panel.get_by_label("Quantité annulée").first.fill("1")
    walk.panel.get_by_role("button", name="Émettre l’avoir").click()
    expect(page.locator("h1")).to_contain_text("Avoir A-")
    page.goto(invoice)
    expect(page.locator(".sums .left")).to_contain_text(f"60,00{NARROW}€")


def test_10_an_equipment_is_added_with_the_photo_of_its_plate_and_its_page_tells_its_past(walk: Walk) -> None:
    page, firm = walk.page, walk.firm
    name, serial = f"Circulateur départ {'BC'[walk.phone]}", f"97924473-0{int(walk.phone)}"
    walk.open(firm, "/equipements")
    page.get_by_role("link", name="Nouvel équipement").first.click()
    walk.panel.get_by_label("Nom de l’équipement").fill(name)
    walk.panel.get_by_label("Marque").fill("Grundfos")
    walk.panel.get_by_label("N° de série").fill(serial)
    walk.panel.locator(".shot-add input[type=file]").last.set_input_files([photo("plaque.jpg", "gray", turned=True)])
    expect(walk.panel.locator("figure.shot canvas[width]")).to_be_visible(timeout=20_000)
    walk.panel.get_by_role("button", name="Ajouter l’équipement").click()
    walk.said("Équipement ajouté")
    [made] = walk.read("/equipment", client_id=firm["id"], q=serial)["items"]
    kept = Image.open(io.BytesIO(walk.product.http.get(f"/documents/{made['photos'][0]}/content").content))
    assert (kept.size, dict(kept.getexif())) == ((400, 600), {})
    page.get_by_label("Rechercher un équipement").fill(serial.replace("-", ""))
    expect(page).to_have_url(re.compile(r"\?q="))
    walk.fits()
    page.get_by_role("link", name=name).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page.get_by_role("img", name="plaque.jpg").first).to_be_visible()
    expect(page.get_by_role("region", name="Ce qui s’est passé")).to_contain_text("Équipement ajouté")
    walk.fits()

    page.locator(".equip-head .menu summary").click()
    page.get_by_role("link", name="Passer à un autre client").click()
    walk.panel.get_by_role("combobox", name="À quel client").fill(walk.person["reference"])
    walk.panel.get_by_role("option", name=walk.person["display_name"]).click()
    passed = page.locator("[data-panel-content]", has=page.get_by_role("button", name="Passer l’équipement"))
    expect(passed).to_contain_text(f"passe de {firm['display_name']} à {walk.person['display_name']}")
    walk.fits()
    passed.get_by_role("button", name="Passer l’équipement").click()
    expect(page).to_have_url(re.compile(f"/clients/{walk.person['id']}/equipements/{made['id']}"))
    expect(page.get_by_role("region", name="Ce qui s’est passé")).to_contain_text("Équipement ajouté")
    walk.undo("Équipement passé à")
    assert walk.read(f"/equipment/{made['id']}")["client_id"] == firm["id"]


def test_11_a_job_site_is_opened_here_begun_and_lists_what_belongs_to_it(walk: Walk) -> None:
    page, firm = walk.page, walk.firm
    title = f"Rénovation de la chaufferie {int(walk.phone)}"
    walk.open(firm, "/chantiers")
    page.get_by_role("link", name="Nouveau chantier").first.click()
    walk.panel.get_by_label("Titre").fill(title)
    walk.panel.get_by_role("button", name="Créer le chantier").click()
    walk.arrived(title)
    expect(page.locator(".work-head")).to_contain_text("Planifié")
    site = page.url.rsplit("/", 1)[-1]
    page.get_by_role("button", name="Commencer").click()
    expect(page.locator(".work-head")).to_contain_text("En cours")
    body = {"client_id": firm["id"], "job_site_id": site, "title": "Dépose de la chaudière"}
    assert walk.product.http.post("/interventions", json=body).status_code == 201
    page.reload()
    expect(page.get_by_role("link", name="Dépose de la chaudière")).to_be_visible()
    walk.fits()
    page.goto(f"/clients/{firm['id']}/chantiers?status=in_progress")
    expect(page.get_by_role("link", name=title).first).to_be_visible()
    page.goto(f"/clients/{firm['id']}/chantiers?status=done")
    expect(page.get_by_role("link", name=title)).to_have_count(0)


def test_12_a_plan_is_told_in_months_and_its_visit_goes_from_red_to_blue_to_green(walk: Walk) -> None:
    page = walk.page
    client = walk.product.new_client(company_name=f"Résidence du Parc {int(walk.phone)}")
    walk.open(client, "/maintenances")
    page.get_by_role("link", name="Nouvelle maintenance").first.click()
    walk.panel.get_by_label("Nom").fill("Chaufferie A")
    for month in ("mars", "septembre"):
        walk.panel.get_by_label(month, exact=True).check()
    walk.panel.get_by_role("button", name="Créer la maintenance").click()
    walk.said("Maintenance créée")
    [plan] = walk.read("/maintenance-plans", client_id=client["id"])["items"]
    assert (plan["period"], plan["months"]) == ("year", [3, 9])
    page.goto(f"/clients/{client['id']}/maintenances?du={date.today().year + 1}-01&mois=12")
    walk.fits()
    if walk.phone:
        page.get_by_role("link", name="Chaufferie A").locator("visible=true").first.click()
    else:
        expect(page.get_by_text("2 fois par an, en mars et septembre")).to_be_visible()
        page.locator(".visit.red").first.click()
    page.get_by_role("button", name="Planifier la visite").locator("visible=true").click()
    walk.said("Visite planifiée")
    colours = lambda: [row["colour"] for row in walk.read("/maintenance-visits", client_id=client["id"])["items"]]  # noqa: E731
    assert colours().count("blue") == 1
    # The intervention follows by event, and so does the end of the visit.
    found: list[dict[str, Any]] = wait_until(
        lambda: walk.read("/interventions", client_id=client["id"])["items"], "the intervention is made"
    )
    page.goto(f"/interventions/{found[0]['id']}")
    page.get_by_role("button", name="Commencer").click()
    page.get_by_role("button", name="Terminer").first.click()
    expect(page.locator(".work-head")).to_contain_text("Terminée")
    wait_until(lambda: "green" in colours(), "the visit turns green")
    page.goto(f"/clients/{client['id']}/maintenances?du={date.today().year + 1}-01&mois=12&etat=green")
    expect(page.get_by_text("Effectuée").locator("visible=true").first).to_be_visible()


def test_13_a_colleagues_change_appears_nothing_typed_is_lost_and_a_service_away_leaves_the_rest(walk: Walk) -> None:
    page, firm, product = walk.page, walk.firm, walk.product
    walk.open(firm)
    # Now: generated work moves with the day, and what is older may be on a later page.
    body = {"kind": "note", "subject": "Arrivé entre-temps", "occurred_at": datetime.now(UTC).isoformat()}
    assert product.http.post(f"/clients/{firm['id']}/activities", json=body).status_code == 201
    expect(page.locator("#bloc-activites")).to_contain_text("Arrivé entre-temps", timeout=15_000)

    # The session ends while one writes.
    page.get_by_role("link", name="Consigner").click()
    walk.panel.get_by_label("Objet").fill("Rappeler le gardien")
    page.context.clear_cookies()
    walk.panel.get_by_role("button", name="Consigner").click()
    expect(walk.panel.get_by_role("alert")).to_contain_text("Votre session a pris fin")
    page.context.add_cookies([{"name": "fiche_session", "value": TOKEN, "url": product.url}])
    # Closed without saving, it is a draft that comes back.
    walk.panel.get_by_role("button", name="Fermer").first.click()
    walk.said("Brouillon gardé")
    page.get_by_role("link", name="Consigner").click()
    expect(walk.panel.get_by_label("Objet")).to_have_value("Rappeler le gardien")
    walk.panel.get_by_role("button", name="Consigner").click()
    expect(page.locator("#bloc-activites article", has_text="Rappeler le gardien")).to_have_count(1)

    # A colleague changes the same field.
    page.goto(f"/clients/{firm['id']}/modifier")
    page.get_by_label("Site internet").fill("https://le-mien.example")
    now = product.http.get(f"/clients/{firm['id']}")
    theirs = {"website": "https://le-leur.example"}
    etag = {"If-Match": now.headers["ETag"]}
    assert product.http.patch(f"/clients/{firm['id']}", json=theirs, headers=etag).status_code == 200
    page.get_by_role("button", name="Enregistrer").click()
    both = page.get_by_role("alert")
    expect(both).to_contain_text("https://le-mien.example")
    expect(both).to_contain_text("https://le-leur.example")
    both.get_by_role("button", name="Garder le mien").click()
    page.get_by_role("button", name="Enregistrer").click()
    walk.said("Fiche enregistrée")

    uncounted(page)
    product.command("stop", "equipment")
    try:
        walk.open(firm, "/equipements")
        expect(page.get_by_role("heading", name="Équipements indisponibles pour le moment")).to_be_visible()
        expect(page.get_by_text("Rien n’est perdu").first).to_be_visible()
        walk.fits()
    finally:
        product.command("start", "equipment")
    page.get_by_role("link", name="Réessayer").click()
    expect(page.get_by_role("heading", name="Équipements indisponibles pour le moment")).to_have_count(0)
