"""Erasing a person: what goes and what stays, asked once more; and the list of those done, for the audit."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request

from chassis.service import invalid_from
from contracts.clients import erasures as e
from contracts.forest import PreviewErasure
from gateway.api.erasures import LAW
from gateway.web.backend import Backend

#: Kind of row → one, several.
_WORDS = {
    "client_tag": ("étiquette", "étiquettes"),
    "contact": ("contact", "contacts"),
    "address": ("adresse", "adresses"),
    "relation": ("relation", "relations"),
    "activity": ("activité", "activités"),
    "portal_grant": ("accès au portail", "accès au portail"),
    "intervention": ("intervention", "interventions"),
    "job_site": ("chantier", "chantiers"),
    "equipment": ("équipement", "équipements"),
    "plan": ("plan d’entretien", "plans d’entretien"),
    "document": ("document, avec ses versions", "documents, avec leurs versions"),
    "folder": ("dossier", "dossiers"),
    "quote": ("devis", "devis"),
    "invoice": ("facture", "factures"),
    "credit_note": ("avoir", "avoirs"),
}
_DRAFTS = {"invoice": ("facture en brouillon", "factures en brouillon"),
           "credit_note": ("avoir en brouillon", "avoirs en brouillon")}  # fmt: skip
_ISSUED = {"invoice": ("facture émise", "factures émises"), "credit_note": ("avoir émis", "avoirs émis"),
           "quote": ("devis facturé", "devis facturés")}  # fmt: skip


def register(web: Blueprint, backend: Backend) -> None:
    """Adds these pages."""

    @web.get("/clients/<uuid:client_id>/effacer")
    def erase_client(client_id: UUID) -> str:
        found = backend.ask(e.PreviewErase(id=client_id))
        services = backend.ask_each(PreviewErasure.model_validate({"tree": found["tree"]}))
        goes, stays = _sums(services, "blanked"), _sums(services, "kept")
        return render_template(
            "clients/erase.html",
            client=found["records"][0],
            merged=found["records"][1:],
            merges=found["merges"],
            goes=_told(goes, _WORDS | _DRAFTS),
            stays=_told(stays, _WORDS | _ISSUED),
            away=any(counts is None for counts in services.values()),
            law=LAW,
        )

    @web.get("/reglages/effacements")
    def erasures() -> str:
        try:
            asked = e.ListErasures.model_validate({"cursor": request.args.get("cursor")})
        except ValueError as error:
            raise invalid_from(error) from None  # type: ignore[arg-type]
        return render_template("clients/erasures.html", page=backend.ask(asked))


def _sums(services: dict[str, Any], side: str) -> dict[str, int]:
    return {kind: n for counts in services.values() if counts is not None for kind, n in counts[side].items()}


def _told(counts: dict[str, int], words: dict[str, tuple[str, str]]) -> list[tuple[int, str]]:
    """Counts in words, in the order in which a person thinks of them."""
    return [(counts[kind], words[kind][counts[kind] > 1]) for kind in _WORDS if kind in counts]
