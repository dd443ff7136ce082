"""Who changed what of how a client is billed."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.page import Listing
from contracts import billing as c


def _named(value: str) -> str:
    """SQL: the name behind an id, as a person reads it; null for what is readable by itself."""
    return (
        f"CASE WHEN {value} IS NULL THEN NULL "
        f"WHEN w.field = 'payer_id' THEN (SELECT k.display_name FROM known_client k WHERE k.id = ({value})::uuid) "
        "WHEN w.field = 'billing_address_id' THEN (SELECT coalesce(nullif(a.label, ''), concat_ws(' ', a.street, "
        f"a.city)) FROM known_address a WHERE a.id = ({value})::uuid) END"
    )


_VALUE, _PREVIOUS = _named("w.value#>>'{}'"), _named("p.value#>>'{}'")
DETAILS_HISTORY = Listing(
    source=(
        "billing_field_write w LEFT JOIN LATERAL (SELECT b.value FROM billing_field_write b WHERE b.home_client_id = "
        "w.home_client_id AND b.field = w.field AND b.seq < w.seq ORDER BY b.seq DESC LIMIT 1) p ON true"
    ),
    item=(
        "json_build_object('seq', w.seq, 'field', 'billing.' || w.field, 'row_id', NULL, 'row_name', NULL, "
        "'op', w.op, 'value', w.value, 'previous', p.value, "
        f"'value_name', {_VALUE}, 'previous_name', {_PREVIOUS}, 'merge', NULL, "
        "'at', w.written_at, 'by', json_build_object('id', w.actor_id, 'name', w.actor_name))"
    ),
    # The list's key is a uuid everywhere; here the sequence itself orders, so a constant serves as tie-break.
    key="w.home_client_id",
    sorts={"-at": ("w.seq", "bigint")},
    default="-at",
    told_by=("w.seq", "bigint"),
)


def details_history(session: Session, request: c.DetailsHistory) -> bytes:
    """A page of changes, newest first, of a tree."""
    # What a merge chose or filled is told by the merge itself.
    where, params = ["w.home_client_id = ANY(:tree)", "w.op = 'set'"], {"tree": request.tree}
    if request.before is not None:
        return DETAILS_HISTORY.page(session, [*where, "w.seq < :before"], params | {"before": request.before}, request)
    return DETAILS_HISTORY.page(session, where, params, request)
