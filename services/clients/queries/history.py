"""What was: the history of a record and of its rows."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.page import Listing
from contracts import clients as c
from services.clients import fields
from services.clients.queries.merges import MERGES
from services.clients.queries.records import refuse
from services.kit.homes import tree_of


def _named(value: str) -> str:
    """SQL: the name behind an id, as a person reads it; null for what is readable by itself."""
    return (
        f"CASE WHEN {value} IS NULL THEN NULL "
        f"WHEN w.field = 'sales_rep_id' THEN (SELECT u.name FROM known_user u WHERE u.id = ({value})::uuid) "
        "WHEN w.field = 'main_address_id' THEN (SELECT coalesce(nullif(a.label, ''), concat_ws(' ', a.street, a.city)) "
        f"FROM address a WHERE a.id = ({value})::uuid) "
        "WHEN w.field = 'activities.contact_id' THEN (SELECT trim(k.first_name || ' ' || k.last_name) "
        f"FROM contact k WHERE k.id = ({value})::uuid) "
        # By its id, since that client may be erased one day; as text, since a name was kept here once.
        f"WHEN w.field LIKE '%.reassigned' THEN (SELECT o.display_name FROM client o WHERE o.id::text = {value}) END"
    )


#: SQL: what a row is called now.
_ROW = (
    "CASE WHEN w.field LIKE 'addresses.%' THEN (SELECT coalesce(nullif(a.label, ''), concat_ws(' ', a.street, a.city)) "
    "FROM address a WHERE a.id = w.row_id) WHEN w.field LIKE 'activities.%' THEN "
    "(SELECT coalesce(nullif(v.subject, ''), left(v.body, 120)) FROM activity v WHERE v.id = w.row_id) "
    "WHEN w.field LIKE 'contacts.%' THEN (SELECT coalesce(nullif(trim(k.first_name || ' ' || k.last_name), ''), "
    "nullif(k.email, ''), k.phone) FROM contact k WHERE k.id = w.row_id) END"
)


# A line tells by itself what was before; of some written long ago the write before does.
_BEFORE = "CASE WHEN w.value ? 'p' THEN w.value->'p' ELSE p.value->'v' END"
#: SQL: the merge that a line tells of, with who, why and what each service counted.
_MERGE = (
    f"CASE WHEN w.field IN ('{fields.MERGED}', '{fields.UNDONE}') THEN "
    f"(SELECT {MERGES.item} FROM merge g WHERE g.id = (w.value->>'v')::uuid) END"
)
#: Of a merge within the tree one line tells; both records have one, for when they stand apart.
_ONCE = (
    f"w.field NOT IN ('{fields.MERGED}', '{fields.UNDONE}') OR NOT EXISTS (SELECT 1 FROM merge g "
    "WHERE g.id = (w.value->>'v')::uuid AND g.duplicate_id = w.client_id AND g.survivor_id = ANY(:tree))"
)
#: What a merge took over is told by the merge itself.
_WRITTEN = "w.op = 'set'"
_VALUE, _PREVIOUS = _named("w.value->>'v'"), _named(f"(({_BEFORE})#>>'{{}}')")
HISTORY = Listing(
    source=(
        "client_field_write w LEFT JOIN LATERAL (SELECT b.value FROM client_field_write b WHERE b.client_id = "
        "w.client_id AND b.field = w.field AND b.row_id IS NOT DISTINCT FROM w.row_id AND b.seq < w.seq "
        "ORDER BY b.seq DESC LIMIT 1) p ON true"
    ),
    item=(
        "json_build_object('seq', w.seq, "
        "'field', CASE w.field WHEN 'own_name' THEN 'display_name' ELSE w.field END, "
        f"'row_id', w.row_id, 'row_name', {_ROW}, "
        "'op', w.op, 'value', w.value->'v', 'previous', "
        f"{_BEFORE}, "
        f"'value_name', {_VALUE}, 'previous_name', {_PREVIOUS}, 'merge', {_MERGE}, "
        "'at', w.at, 'by', json_build_object('id', w.actor_id, 'name', w.actor_name))"
    ),
    # The list's key is a uuid everywhere; here the sequence itself orders, so a constant serves as tie-break.
    key="w.client_id",
    sorts={"-at": ("w.seq", "bigint")},
    default="-at",
    told_by=("w.seq", "bigint"),
)


def history(session: Session, request: c.History) -> bytes:
    """Who changed what and when, field by field, newest first, of the whole tree."""
    refuse(session, request.client_id)
    tree = tree_of(session, request.client_id)
    where, params = ["w.client_id = ANY(:tree)", _ONCE, _WRITTEN], {"tree": tree}
    if request.before is not None:
        return HISTORY.page(session, [*where, "w.seq < :before"], params | {"before": request.before}, request)
    return HISTORY.page(session, where, params, request)
