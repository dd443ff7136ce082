"""The assembled fiche: every service asked at once under one deadline; the client is required, the rest optional."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import orjson
import structlog

from chassis.errors import FicheError, Unavailable
from chassis.wire.base import OK, Answer, Call
from contracts.accounts import AccountsFiche
from contracts.base import Query
from contracts.billing import BillingFiche
from contracts.clients import ClientFiche
from contracts.documents import DocumentsFiche
from contracts.equipment import EquipmentFiche
from contracts.interventions import InterventionFiche
from contracts.maintenance import MaintenanceFiche
from gateway import rights
from gateway.rpc import Rpc

log = structlog.get_logger(__name__)

#: Who feeds the fiche beside `clients`, and the sections that are missing without it.
FEEDERS: tuple[tuple[type[Query], tuple[str, ...]], ...] = (
    (InterventionFiche, ("interventions", "job_sites")),
    (BillingFiche, ("quotes", "invoices", "credit_notes", "billing")),
    (EquipmentFiche, ("equipment",)),
    (MaintenanceFiche, ("maintenance",)),
    (DocumentsFiche, ("documents",)),
    (AccountsFiche, ("portal",)),
)
#: Feeders whose rows the pages list by themselves, by the filters of their tab: of these a fiche's page needs counts.
LISTED = frozenset({InterventionFiche, BillingFiche, EquipmentFiche, MaintenanceFiche, DocumentsFiche})
#: What `services.kit.homes.fiche_answer` puts between its parts; within a text its quotes would be escaped.
_CLIENT, _MARK = b',"client":', b',"sections":{'


class _Parts(NamedTuple):
    head: bytes
    sections: bytes


class Composed(NamedTuple):
    """JSON of a fiche, the records of its tree, and the answers to what was asked beside it."""

    body: bytes
    tree: list[str]
    also: list[Answer]


def compose(rpc: Rpc, client_id: UUID, *, paged: bool = False, also: Sequence[Query] = ()) -> Composed:
    """The fiche. `paged`: of sections whose rows a page asks for by itself (`LISTED`), counts and a row at most.

    Raises what `clients` refuses (`NotFound`, `Moved`, `Gone`) or `Unavailable`.

    Sections are spliced as the services made them. A service whose tree differs from the true one (a merge of
    seconds ago) is asked again with the tree given, so that no half-merged fiche exists; one deadline holds for both.
    """
    deadline = time.monotonic() + rpc.timeout
    feeders = [feeder for feeder in FEEDERS if rights.allowed(rpc.user, feeder[0])]
    short = LISTED if paged else frozenset()
    calls = [rpc.call(ClientFiche(client_id=client_id))]
    calls += [_call(rpc, kind, client_id, None, kind in short) for kind, _ in feeders]
    whole = rpc.ask_all([*calls, *map(rpc.call, also)])
    answers, others = whole[: len(calls)], whole[len(calls) :]
    rpc.unwrap(answers[0])
    own, *found = [_split(answer) for answer in answers]
    if own is None:
        raise Unavailable("La réponse du service clients est illisible.", code="bad_answer")
    records = _tree(own.head)
    tree = set(records)
    late = [n for n, part in enumerate(found) if part is not None and set(_tree(part.head)) != tree]
    if late:
        again = [_call(rpc, feeders[n][0], client_id, records, feeders[n][0] in short) for n in late]
        for n, answer in zip(late, rpc.ask_all(again, max(0.0, deadline - time.monotonic())), strict=True):
            answers[n + 1], found[n] = answer, _split(answer)
    parts = [own.sections]
    for (kind, names), answer, part in zip(feeders, answers[1:], found, strict=True):
        if part is not None and set(_tree(part.head)) == tree:
            parts.append(part.sections)
        else:
            code = FicheError.from_json(answer.status, answer.body).code if answer.status != OK else "bad_answer"
            log.warning("fiche.section_unavailable", service=kind.rpc, code=code)
            parts += [b'"%b":{"status":"unavailable"}' % name.encode() for name in names]
    hidden = [name for feeder in FEEDERS if feeder not in feeders for name in feeder[1]]
    # Not for this role: the rest of the page is, and the pages leave these out.
    parts += [b'"%b":{"status":"unavailable","reason":"role"}' % name.encode() for name in hidden]
    body = b'{"client":' + own.head.partition(_CLIENT)[2] + b',"sections":{' + b",".join(parts) + b"}}"
    return Composed(body, records, others)


def _call(rpc: Rpc, kind: type[Query], client_id: UUID, tree: list[str] | None, short: bool) -> Call:
    values: dict[str, Any] = {"client_id": client_id}
    if tree is not None:
        values["tree"] = tree
    if short:
        values["limit"] = 1
    return rpc.call(kind.model_validate(values))


def _split(answer: Answer) -> _Parts | None:
    """An answer in two, unread; None for a refusal or an answer of another shape."""
    head, mark, rest = answer.body.partition(_MARK)
    if answer.status != OK or not mark or not rest.endswith(b"}}"):
        return None
    return _Parts(head, rest[:-2])


def _tree(head: bytes) -> list[str]:
    """The records that a service answered for."""
    records: list[str] = orjson.loads(head.partition(b"]")[0].partition(b":")[2] + b"]")
    return records
