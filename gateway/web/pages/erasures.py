"""Erasing a person: what goes and what stays, asked once more; and the list of those done, for the audit."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request

from chassis.service import invalid_from
from contracts.clients import erasures as e
from gateway.api.erasures import LAW
from gateway.web import formatting
from gateway.web.backend import Backend
from gateway.web.merge_words import KINDS, SERVICES

#: Kind of row → one, several: as a merge says it, but for what is said of more here, or told nowhere else.
_WORDS = (
    {"client_tag": ("étiquette", "étiquettes")}
    | {kind: (one, several) for kind, (_, _, one, several, _) in KINDS.items()}
    | {"document": ("document avec ses versions", "documents avec leurs versions")}
)
#: What imports said of single rows is kept there.
_KEEPERS = SERVICES | {"imports": ("Imports", "upload")}
_DRAFTS = {"invoice": ("facture en brouillon", "factures en brouillon"),
           "credit_note": ("avoir en brouillon", "avoirs en brouillon")}  # fmt: skip
_ISSUED = {"invoice": ("facture émise", "factures émises"), "credit_note": ("avoir émis", "avoirs émis"),
           "quote": ("devis facturé", "devis facturés")}  # fmt: skip


def register(web: Blueprint, backend: Backend) -> None:
    """Adds these pages."""

    @web.get("/clients/<uuid:client_id>/effacer")
    def erase_client(client_id: UUID) -> str:
        found = backend.erase_preview(client_id)
        services = found["services"]
        goes, stays = _sums(services, "blanked"), _sums(services, "kept")
        return render_template(
            "clients/erase.html",
            client=found["records"][0],
            merged=found["records"][1:],
            merges=found["merges"],
            goes=_told(goes, _WORDS | _DRAFTS),
            stays=_told(stays, _WORDS | _ISSUED),
            away=[SERVICES[name][0] for name, each in services.items() if each["status"] != "ok"],
            law=found["law"],
        )

    @web.get("/effacements/<uuid:id>")
    def erasure(id: UUID) -> str:
        found = backend.ask(e.GetErasure(id=id))
        services = [(word, "running" if name in found["waits_for"] else "done") for name, (word, _) in _KEEPERS.items()]
        finished = sum(state == "done" for _, state in services)
        return render_template("clients/erasure.html", erasure=found, services=services, finished=finished, law=LAW)

    @web.get("/reglages/effacements")
    def erasures() -> str:
        try:
            asked = e.ListErasures.model_validate({"cursor": request.args.get("cursor")})
        except ValueError as error:
            raise invalid_from(error) from None  # type: ignore[arg-type]
        return render_template("clients/erasures.html", page=backend.ask(asked))


def _sums(services: dict[str, Any], side: str) -> dict[str, int]:
    return {kind: n for each in services.values() for kind, n in (each[side] or {}).items()}


def _told(counts: dict[str, int], words: dict[str, tuple[str, str]]) -> str:
    """Counts in words, in the order in which a person thinks of them; empty for nothing."""
    said = [f"{formatting.count(counts[kind])} {words[kind][counts[kind] > 1]}" for kind in words if kind in counts]
    return " et ".join(part for part in (", ".join(said[:-1]), *said[-1:]) if part)
