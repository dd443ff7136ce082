"""How many rows each value of each filter would leave, all other filters as they are: one statement."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from contracts import interventions as c
from services.interventions.queries.filters import ABOUT_TIME, FLAGS, conditions
from services.interventions.queries.listings import STATUS
from services.interventions.queries.sight import Sight

#: Filters with one value a row → the column of the base that holds it, and how it is worked out.
_SINGLE = {
    "type_id": "x.type_id::text",
    "address_id": "x.address_id::text",
    "status": STATUS,
    "state": "x.state",
    **{name: f"{expression}::text" for name, expression in FLAGS.items()},
}
#: Work with several people counts once for each; `none` where nobody is assigned.
_PEOPLE = (
    "SELECT DISTINCT b.id, p.one FROM b CROSS JOIN LATERAL (SELECT jsonb_array_elements_text(b.technician_ids) AS one "
    "UNION SELECT b.lead_technician_id::text WHERE b.lead_technician_id IS NOT NULL UNION SELECT 'none' "
    "WHERE b.technician_ids = '[]' AND b.lead_technician_id IS NULL) p WHERE {}"
)


def count_interventions(session: Session, request: c.CountInterventions, sight: Sight | None = None) -> bytes:
    """JSON of `InterventionCounts`."""
    found, params = conditions(request)
    base = found.pop("base")
    if sight is not None:
        condition, more = sight.work()
        base = f"{base} AND ({condition})"
        params |= more
    # Each filter is worked out once a row (`m_…`), and so is each value that is counted.
    matches = "".join(f", coalesce(({condition}), false) AS m_{name}" for name, condition in found.items())
    values = "".join(f", {expression} AS {name}" for name, expression in _SINGLE.items())

    def others(*left_out: str) -> str:
        return " AND ".join(f"b.m_{name}" for name in found if name not in left_out) or "true"

    facets = [
        f"'{name}', (SELECT coalesce(json_object_agg(v, n), '{{}}') FROM (SELECT b.{name} AS v, count(*) AS n FROM b "
        f"WHERE {others(name)} AND b.{name} IS NOT NULL GROUP BY 1) g)"
        for name in _SINGLE
    ]
    people = _PEOPLE.format(others("technician_id"))
    facets.append(
        "'technician_id', (SELECT coalesce(json_object_agg(one, n), '{}') FROM "
        f"(SELECT one, count(*) AS n FROM ({people}) q GROUP BY 1) g)"
    )
    row = session.execute(
        text(
            f"WITH b AS MATERIALIZED (SELECT x.id, x.technician_ids, x.lead_technician_id{values}{matches} "
            f"FROM intervention x WHERE {base}) SELECT json_build_object("
            f"'total', (SELECT count(*) FROM b WHERE {others()}), "
            f"'to_plan', (SELECT count(*) FROM b WHERE b.state = 'to_plan' AND {others(*ABOUT_TIME)}), "
            f"{', '.join(facets)})::text"
        ),
        params,
    ).scalar_one()
    return str(row).encode()
