"""What is pictured: a name, an address, and what is done on the page before. Names are those of the design."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

DESK, PHONE = "1440", "390"
BOTH = (DESK, PHONE)


@dataclass(frozen=True)
class Shot:
    """One state of one page.

    `path` may name ids of the company in braces. `sizes`: widths. `dark`: the dark mode too. `away`: the service that
    is taken away meanwhile. `who`: whose session, `nobody` for none.
    """

    name: str
    path: str
    sizes: tuple[str, ...] = BOTH
    dark: tuple[str, ...] = ()
    act: Callable[[Page], None] | None = None
    away: str = ""
    who: str = "camille"
    whole: bool = False


def press(selector: str) -> Callable[[Page], None]:
    """Presses the first such element in sight."""

    def act(page: Page) -> None:
        page.locator(selector).locator("visible=true").first.click()
        page.wait_for_load_state("networkidle")

    return act


def panel(selector: str) -> Callable[[Page], None]:
    """Opens a side panel and waits for its form."""

    def act(page: Page) -> None:
        press(selector)(page)
        page.locator("dialog[open] form").first.wait_for()

    return act


def consign(page: Page) -> None:
    """The panel of an exchange, being filled."""
    panel("[data-consign]")(page)
    page.locator("dialog[open] [name=subject]").fill("Fuite au vase d’expansion, bâtiment B")
    body = page.locator("dialog[open] [name=body]")
    body.fill("Pression tombée à 0,6 bar cette nuit, radiateurs froids aux 4e et 5e étages.")


def unsure(page: Page) -> None:
    """A memo that a colleague changed while it was being written."""
    panel("[data-memo]")(page)
    field = page.locator("dialog[open] [name=text]")
    field.fill(re.sub(r"code \w+", "code 52C07", field.input_value()))
    # Another window of the same person: what both changed is asked, not guessed.
    page.evaluate(
        """async () => {
          const at = `/api/v1${location.pathname.replace(/\\/$/, "")}/memo`;
          const had = await fetch(at); const { text } = await had.json();
          const token = document.querySelector('meta[name="csrf-token"]').content;
          const said = text.replace(/code \\w+/, `code ${Date.now() % 90000}`);
          await fetch(at, { method: "PUT", body: JSON.stringify({ text: said }),
            headers: { "Content-Type": "application/json", "If-Match": had.headers.get("ETag"),
                       "X-CSRF-Token": token } });
        }"""
    )
    press("dialog[open] .panel-foot .primary")(page)
    page.locator("dialog[open] .conflict").first.wait_for()


def held(page: Page) -> None:
    """The skeleton: the next page is asked for and does not come."""
    # The click is heard, and the way to the next page is barred: nothing is asked for, so the skeleton stays.
    page.evaluate(
        """() => {
          addEventListener("click", (event) => event.preventDefault(), { once: true });
          document.querySelectorAll(".tabs a")[2].click();
        }"""
    )
    page.locator(".skeleton").first.wait_for()


def folded(page: Page) -> None:
    """The side column folded to a strip, for what needs the width."""
    button = page.locator("[data-column]")
    if button.is_visible():
        button.click()
        page.mouse.move(720, 880)


def menu(page: Page) -> None:
    """The first menu of Actions in sight, opened."""
    press("summary:has-text('Actions'), button:has-text('Actions')")(page)


def choose(page: Page) -> None:
    """Whom to merge with: the likely ones."""
    menu(page)
    press(".item[href$=fusionner]")(page)
    page.locator("dialog[open] .candidate").first.wait_for()


def merge(page: Page) -> None:
    """Merges the two bakeries, taken apart first where an earlier picture left them merged."""
    apart = page.evaluate(
        """async () => {
          const token = document.querySelector('meta[name="csrf-token"]').content;
          const headers = { "Content-Type": "application/json", "X-CSRF-Token": token };
          let apart = "";
          for (const status of ["running", "done"]) {
            const { items } = await (await fetch(`/api/v1/merges?status=${status}`)).json();
            for (const each of items.filter((one) => one.survivor.display_name.startsWith("Boulangerie"))) {
              await fetch(`/api/v1/merges/${each.id}/undo`, { method: "POST", body: "{}", headers: {
                ...headers, "Idempotency-Key": crypto.randomUUID() } });
              apart = `${location.origin}/fusions/nouvelle?survivant=${each.survivor.id}&doublon=${each.duplicate.id}`;
            }
          }
          return apart;
        }"""
    )
    if apart:
        page.goto(apart)
    page.get_by_label("Pourquoi les fusionner").fill("Même téléphone, client saisi deux fois")
    press(".merge-foot .primary")(page)
    page.locator(".services").wait_for()


FICHE = "/clients/{tilleuls}"
TWO = "/fusions/nouvelle?survivant={Boulangerie Martin}&doublon={Boulangerie Martin & Fils}"
WORK = FICHE + "/interventions"

SHOTS = (
    Shot("clients-vide", "/clients"),
    Shot("connexion", "/connexion", who="nobody"),
    Shot("clients", "/clients", dark=BOTH),
    Shot("clients-recherche", "/clients?q=tileuls"),
    Shot("client-nouveau", "/clients", act=panel("[data-new]")),
    Shot("fiche", FICHE, dark=BOTH),
    Shot("fiche-entiere", FICHE, sizes=(PHONE,), whole=True),
    Shot("fiche-actions", FICHE, act=menu),
    Shot("fiche-consigner", FICHE, act=consign),
    Shot("fiche-entete", FICHE, sizes=(PHONE,), act=press("[data-fold]")),
    Shot("fiche-memo", FICHE, act=panel("[data-memo]")),
    Shot("historique", FICHE + "/historique"),
    Shot("fusion-choisir", "/clients/{Boulangerie Martin}", act=choose),
    Shot("fusion", TWO, dark=BOTH),
    Shot("fusion-indisponible", TWO, away="equipment"),
    Shot("fusion-en-cours", TWO, away="documents", dark=(DESK,), act=merge),
    Shot("fusion-terminee", "/fusions/{garage_merge}"),
    Shot("fusion-annuler", "/fusions/{garage_merge}", act=panel("[href$=annuler]")),
    Shot("fusions", "/fusions"),
    Shot("fiche-fusionnee", "/clients/{Morel Automobiles}"),
    Shot("documents", FICHE + "/documents", dark=(DESK,)),
    Shot("documents-vide", "/clients/{Hôtel du Beffroi}/documents"),
    Shot("interventions-liste", WORK, dark=(DESK,)),
    Shot("interventions-mois", WORK + "?vue=calendrier&periode=mois"),
    Shot("interventions-semaine", WORK + "?vue=calendrier&periode=semaine", act=folded),
    Shot("interventions-timeline", WORK + "?vue=timeline", dark=(DESK,), act=folded),
    Shot("interventions-filtres", WORK, sizes=(PHONE,), act=press("[data-filters-sheet]")),
    Shot("intervention", "/interventions/{leak}"),
    Shot("intervention-nouvelle", WORK, act=panel("[data-new]")),
    Shot("bon", "/interventions/{leak}/bon"),
    Shot("devis-factures", FICHE + "/devis-factures", dark=BOTH),
    Shot("devis", "/devis/{quote}"),
    Shot("devis-nouveau", FICHE + "/devis/nouveau"),
    Shot("facture", "/factures/{Remise en chauffe}", dark=(DESK,)),
    Shot("equipements", FICHE + "/equipements"),
    Shot("equipements-vignettes", FICHE + "/equipements?vue=vignettes"),
    Shot("equipements-nouveau", FICHE + "/equipements", act=panel("[data-new]")),
    Shot("chantiers", FICHE + "/chantiers"),
    Shot("chantier", "/chantiers/{site}"),
    Shot("maintenances", FICHE + "/maintenances", dark=(DESK,)),
    Shot("planning", "/interventions"),
    Shot("liste-devis-factures", "/devis-factures"),
    Shot("liste-equipements", "/equipements"),
    Shot("liste-chantiers", "/chantiers"),
    Shot("liste-maintenances", "/maintenances"),
    Shot("reglages", "/reglages", who="hugo"),
    Shot("reglages-entreprise", "/reglages/entreprise", who="hugo"),
    Shot("reglages-champs", "/reglages/champs", who="hugo"),
    Shot("exploitation", "/exploitation", who="hugo"),
    Shot("import", "/import", who="hugo"),
    Shot("composants", "/composants", dark=(DESK,), whole=True),
    Shot("introuvable", "/clients/00000000-0000-7000-8000-000000000000"),
    Shot("chargement", FICHE + "/equipements", sizes=(DESK,), act=held),
    Shot("devis-factures-indisponible", FICHE + "/devis-factures", away="billing"),
    Shot("indisponible", FICHE, away="interventions"),
    Shot("memo-conflit", FICHE, act=unsure),
)
