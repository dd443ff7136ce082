"""What keeps a client from being deleted, asked of each service that may have a reason (domain, *Side column*)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import orjson
import structlog

from chassis.errors import Conflict, FicheError, Unavailable
from chassis.ids import new_id
from chassis.wire.base import OK
from contracts.base import Query
from contracts.billing import ClientTies
from contracts.clients import Identify, SetStatus
from contracts.interventions import WorkTies
from gateway.rpc import Rpc

log = structlog.get_logger(__name__)

#: Owner's question → what of its answer counts, and how a person says one and several.
_ASKED: tuple[tuple[type[Query], dict[str, tuple[str, str]]], ...] = (
    (
        ClientTies,
        {
            "quotes": ("devis numéroté", "devis numérotés"),
            "invoices": ("facture émise", "factures émises"),
            "credit_notes": ("avoir émis", "avoirs émis"),
            "pays_for": ("fiche dont elle est le payeur", "fiches dont elle est le payeur"),
        },
    ),
    (
        WorkTies,
        {
            "started": ("intervention en cours", "interventions en cours"),
            "done": ("intervention terminée", "interventions terminées"),
        },
    ),
)


def ties_of(rpc: Rpc, tree: Sequence[UUID]) -> dict[str, int]:
    """What depends on the records of a tree: kind → count, nothing for none. Raises `Unavailable`."""
    answers = rpc.ask_all([rpc.call(kind.model_validate({"tree": list(tree)})) for kind, _ in _ASKED])
    found: dict[str, int] = {}
    for (_, kinds), answer in zip(_ASKED, answers, strict=True):
        if answer.status != OK:
            if answer.status != Unavailable.kind:
                raise FicheError.from_json(answer.status, answer.body)
            raise Unavailable("Impossible de savoir ce qui dépend de cette fiche. Réessayez dans un instant.")
        counts = orjson.loads(answer.body)
        found |= {kind: counts[kind] for kind in kinds if counts[kind]}
    return found


def said(ties: dict[str, int]) -> str:
    """`14 factures émises et 31 interventions terminées`."""
    words = {kind: forms for _, kinds in _ASKED for kind, forms in kinds.items()}
    parts = [f"{count} {words[kind][count > 1]}" for kind, count in ties.items()]
    return " et ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def check_free(rpc: Rpc, tree: Sequence[UUID]) -> None:
    """Raises `Conflict` (`client_used`, with the counts) unless the client can be deleted."""
    ties = ties_of(rpc, tree)
    if ties:
        depend = "en dépend" if sum(ties.values()) == 1 else "en dépendent"
        raise Conflict(
            f"Cette fiche ne peut pas être supprimée\u202f: {said(ties)} {depend}. Archivez plutôt la fiche.",
            code="client_used",
            data={"ties": ties},
        )


def delete_client(rpc: Rpc, client_id: UUID, expected_version: int | None) -> None:
    """Deletes a client on which nothing depends. Raises what `check_free` and the owner raise.

    What another service began meanwhile is seen by asking again: whoever is second is refused, so the client comes
    back and the deletion is refused.
    """
    [found] = rpc.ask_json(Identify(ids=[client_id]))["clients"]
    # What is no living record of its own is refused, or is deleted already: its owner says so.
    alone = found["found"] and found["root_id"] == str(client_id) and found["status"] != "deleted"
    if alone:
        check_free(rpc, found["tree"])
    rpc.ask(SetStatus(id=client_id, action="delete", expected_version=expected_version))
    if alone:
        try:
            check_free(rpc, found["tree"])
        except Conflict:
            rpc.ask(SetStatus(id=client_id, action="restore"), key=str(new_id()))
            raise
        except Unavailable:
            log.warning("client.deleted_unchecked", client_id=str(client_id))
