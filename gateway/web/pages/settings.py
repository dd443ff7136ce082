"""Settings: one page that leads to each."""

from __future__ import annotations

from flask import Blueprint, render_template

from gateway.web.backend import Backend

#: (address, title, what it is for, icon, right it asks for). An area adds its own line.
PARTS: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "/reglages/entreprise",
        "Votre entreprise",
        "Identité légale, conditions de règlement, mentions des factures.",
        "building-2",
        "prices",
    ),
    ("/reglages/fiche", "Fiche client", "Sections et champs affichés, dans quel ordre.", "sliders-horizontal", "admin"),
    (
        "/reglages/champs",
        "Champs personnalisés",
        "Ce que votre entreprise note de plus sur chaque client.",
        "list",
        "admin",
    ),
    (
        "/reglages/integrite",
        "Pièces émises",
        "Vérifiez qu’aucune facture ni aucun avoir n’a été altéré depuis son émission.",
        "file-check",
        "admin",
    ),
    (
        "/reglages/effacements",
        "Données effacées",
        "Qui a fait effacer les données d’une personne, quand et pourquoi.",
        "trash-2",
        "erase",
    ),
    ("/import", "Importer des données", "Clients, travaux et pièces d’un autre logiciel.", "upload", "edit"),
    (
        "/exploitation",
        "Exploitation",
        "Services en marche, journaux, événements rangés à part.",
        "life-buoy",
        "admin",
    ),
    ("/api/docs", "API", "Ce que les logiciels partenaires peuvent lire et écrire.", "link", "read"),
)


def register(web: Blueprint, backend: Backend) -> None:
    """Adds these pages."""

    @web.get("/reglages")
    def settings() -> str:
        return render_template("settings.html", parts=PARTS)
