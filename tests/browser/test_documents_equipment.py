"""Documents and equipment of a client, in a real browser on a desk and on a phone."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.axe import serious
from tests.browser.conftest import heard, kept_back
from tests.gateway.conftest import Product

pytestmark = pytest.mark.browser
#: A large file takes its time on a busy machine.
SLOW = 60_000


def photo(color: str = "teal", turned: bool = False) -> bytes:
    """A real photo, wider than high; `turned`: the camera was held upright."""
    told = Image.Exif()
    if turned:
        told[0x0112] = 6
    held = io.BytesIO()
    Image.new("RGB", (600, 400), color).save(held, "JPEG", exif=told)
    return held.getvalue()


def file(name: str, content: bytes) -> FilePayload:
    """A file as a person would choose it."""
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def pdf(pages: int) -> bytes:
    """A real PDF."""
    held = io.BytesIO()
    sheets = [Image.new("RGB", (400, 560), "white") for _ in range(pages)]
    sheets[0].save(held, "PDF", save_all=True, append_images=sheets[1:])
    return held.getvalue()


@pytest.fixture(scope="module")
def client(product: Product) -> dict[str, Any]:
    """A client with two addresses and nothing else."""
    made = product.new_client(company_name="Clinique des Fontaines")
    for label in ("Bâtiment A", "Bâtiment B"):
        address = {"label": label, "street": "3 rue des Fontaines", "postal_code": "69100", "city": "Villeurbanne"}
        assert product.http.post(f"/clients/{made['id']}/addresses", json=address).status_code == 201
    return made


def open_documents(page: Page, client: dict[str, Any]) -> None:
    """Opens the tab; returns once its script is there."""
    page.goto(f"/clients/{client['id']}/documents")
    expect(page.locator(".drop-sign")).to_be_attached()


def rows(page: Page) -> Any:
    """The documents shown."""
    return page.locator("table.docs tbody tr")


def test_what_is_dropped_on_a_folder_lands_in_it(desk: Page, product: Product, client: dict[str, Any]) -> None:
    whose = {"client_id": client["id"]}
    assert product.http.post("/documents/folders", json={**whose, "folder": "Contrats"}).status_code == 201
    open_documents(desk, client)
    tile = desk.locator("[data-into='Contrats']")
    dropped = desk.evaluate_handle(
        "() => { const held = new DataTransfer(); held.items.add(new File(['bonjour'], 'Avenant.txt')); return held; }"
    )
    for event in ("dragenter", "dragover"):
        tile.dispatch_event(event, {"dataTransfer": dropped})
    expect(desk.locator(".drop-sign")).to_contain_text("Déposez le fichier dans «\u202fContrats\u202f»")
    tile.dispatch_event("drop", {"dataTransfer": dropped})
    expect(tile).to_contain_text("1")
    tile.click()
    expect(rows(desk)).to_contain_text(["Avenant.txt"])


def test_the_pages_of_a_pdf_nobody_looked_at_yet_are_told_with_its_first_picture(
    desk: Page, product: Product, client: dict[str, Any]
) -> None:
    """The list's small pictures make them known as well, often before somebody clicks: here they are slow to come."""
    name = "Plan jamais vu.pdf"
    sent = {"file": (name, pdf(3))}
    assert product.http.post("/documents", data={"client_id": client["id"]}, files=sent).status_code == 201
    desk.route("**/thumbnail?size=small*", lambda route: route.abort())
    open_documents(desk, client)
    desk.get_by_role("link", name=name).click()
    preview = desk.get_by_role("complementary", name=f"Aperçu de {name}")
    expect(preview).to_contain_text("PDF, 3 pages")
    preview.get_by_role("button", name="Page suivante").click()
    expect(preview.get_by_role("status")).to_have_text("Page 2 sur 3")


def test_a_cut_upload_says_so_and_goes_on(desk: Page, client: dict[str, Any]) -> None:
    open_documents(desk, client)
    cut = {"left": 1}

    def once(route: Any) -> None:
        if cut["left"] and route.request.method == "PATCH" and route.request.headers.get("upload-offset") != "0":
            cut["left"] -= 1
            route.abort()
        else:
            route.continue_()

    desk.route("**/api/v1/uploads/*", once)
    with desk.expect_file_chooser() as asked:
        desk.get_by_role("button", name="Ajouter des documents").click()
    asked.value.set_files([file("Plans.bin", b"\x00\x01\x02" * 4_000_000)])
    tray = desk.locator(".upload-tray")
    expect(tray).to_contain_text("Connexion perdue à 70\u202f%. L’envoi reprend là où il s’est arrêté.", timeout=SLOW)
    assert not serious(desk)
    tray.get_by_role("button", name="Reprendre").click()
    expect(tray).to_contain_text("1 terminé", timeout=SLOW)
    expect(rows(desk).filter(has_text="Plans.bin")).to_contain_text("12,0")


def test_a_panel_is_shown_when_its_script_is_there(desk: Page, client: dict[str, Any]) -> None:
    """A photo chosen before would be left out without a word."""
    held = kept_back(desk, "equipment.js")
    desk.goto(f"/clients/{client['id']}/equipements")
    with desk.expect_request("**/equipment.js*"):
        desk.get_by_role("link", name="Nouvel équipement").click()
    panel = desk.locator("dialog.panel[open]")
    expect(panel.get_by_role("status")).to_have_text("Chargement")
    expect(panel.locator("form")).to_have_count(0)
    for asked in held:
        asked.continue_()
    panel.locator(".shot-add input[type=file]").last.set_input_files([file("plaque.jpg", photo("navy"))])
    expect(panel.locator("figure.shot canvas[width]")).to_be_visible()


@pytest.mark.parametrize(
    ("script", "page", "field", "shown"),
    [
        ("equipment.js", "equipements/nouveau", ".shot-add input[type=file] >> nth=-1", "figure.shot canvas[width]"),
        ("exchanges.js", "activites/nouvelle", "[data-joins] input[type=file]", "[data-joins] li"),
    ],
)
def test_a_file_chosen_before_the_page_s_script_is_there_is_taken(
    desk: Page, client: dict[str, Any], script: str, page: str, field: str, shown: str
) -> None:
    held = kept_back(desk, script)
    with desk.expect_request(f"**/{script}*"):
        desk.goto(f"/clients/{client['id']}/{page}", wait_until="commit")
    desk.locator(field).set_input_files([file("plaque.jpg", photo("navy"))])
    expect(desk.locator(shown)).to_have_count(0)
    for asked in held:
        asked.continue_()
    expect(desk.locator(shown)).to_have_count(1)


def test_details_of_a_draft_taken_up_again_are_saved(desk: Page, product: Product) -> None:
    client = product.new_client(company_name="Clinique du Parc")
    desk.goto(f"/clients/{client['id']}/equipements")
    desk.get_by_role("link", name="Nouvel équipement").click()
    panel = desk.locator("dialog.panel")
    panel.get_by_label("Nom de l’équipement").fill("Brûleur")
    panel.get_by_role("button", name="Ajouter un détail").click()
    panel.get_by_label("Détail", exact=True).fill("Puissance")
    panel.get_by_label("Valeur", exact=True).fill("70 kW")
    desk.keyboard.press("Escape")
    expect(desk.locator("#panneau:empty")).to_have_count(1)
    desk.get_by_role("link", name="Nouvel équipement").click()
    expect(panel).to_contain_text("Votre brouillon a été repris")
    panel.get_by_role("button", name="Ajouter l’équipement").click()
    expect(desk.locator(".toast").last).to_contain_text("Équipement ajouté")
    [made] = product.http.get("/equipment", params={"client_id": client["id"]}).json()["items"]
    assert made["details"] == [{"label": "Puissance", "value": "70 kW"}]


def test_equipment_is_added_with_its_photo_found_moved_and_its_past_is_told(
    desk: Page, product: Product, client: dict[str, Any]
) -> None:
    base = f"/clients/{client['id']}/equipements"
    desk.goto(base)
    desk.get_by_role("link", name="Nouvel équipement").click()
    panel = desk.locator("dialog.panel")
    panel.get_by_role("button", name="Ajouter l’équipement").click()
    expect(panel.get_by_role("alert")).to_contain_text("Nom de l’équipement")
    panel.get_by_label("Nom de l’équipement").fill("Circulateur départ B")
    panel.get_by_label("Adresse du client").select_option(label="Bâtiment B, 3 rue des Fontaines, Villeurbanne")
    panel.get_by_label("Marque").fill("Grundfos")
    panel.get_by_label("N° de série").fill("97924473-0621")
    panel.get_by_role("button", name="Ajouter un détail").click()
    panel.get_by_label("Détail", exact=True).fill("Puissance")
    panel.get_by_label("Valeur", exact=True).fill("563 W")
    panel.locator(".shot-add input[type=file]").last.set_input_files([file("plaque.jpg", photo("gray", turned=True))])
    expect(panel.locator("figure.shot canvas[width]")).to_be_visible()
    assert not serious(desk)
    panel.get_by_role("button", name="Ajouter l’équipement").click()
    expect(desk.locator(".toast")).to_contain_text("Équipement ajouté")
    row = desk.locator("table.equip tbody tr")
    expect(row).to_contain_text("Bâtiment B")
    [made] = product.http.get("/equipment", params={"client_id": client["id"]}).json()["items"]
    assert made["details"] == [{"label": "Puissance", "value": "563 W"}]
    kept = Image.open(io.BytesIO(product.http.get(f"/documents/{made['photos'][0]}/content").content))
    assert (kept.size, dict(kept.getexif())) == ((400, 600), {})

    desk.get_by_label("Rechercher un équipement").fill("979244730621")
    expect(desk).to_have_url(f"{product.url}{base}?q=979244730621")
    expect(row).to_have_count(1)
    desk.get_by_role("link", name="Vignettes").click()
    expect(desk.locator(".equip-cards li")).to_contain_text("Circulateur départ B")
    assert not serious(desk)

    body = {"client_id": client["id"], "title": "Remplacement du joint", "equipment_ids": [made["id"]]}
    work = product.http.post("/interventions", json=body).json()
    assert product.http.post(f"/interventions/{work['id']}/finish", json={}).status_code == 200
    desk.get_by_role("link", name="Circulateur départ B").click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Circulateur départ B")
    heard(desk)
    desk.get_by_text("Actions").click()
    desk.get_by_role("link", name="Déplacer").click()
    desk.get_by_label("Nouvelle adresse").select_option(label="Bâtiment A, 3 rue des Fontaines, Villeurbanne")
    desk.get_by_role("button", name="Déplacer").click()
    expect(desk.locator(".toast")).to_contain_text("Équipement déplacé")
    past = desk.get_by_role("region", name="Ce qui s’est passé")
    expect(past).to_contain_text("Déplacé vers Bâtiment A, venu de Bâtiment B")
    expect(past).to_contain_text("Remplacement du joint")
    with desk.expect_file_chooser() as asked:
        desk.get_by_role("button", name="Ajouter un document").click()
    asked.value.set_files([file("Notice.pdf", pdf(1))])
    expect(past).to_contain_text("Notice.pdf")
    assert not serious(desk)
