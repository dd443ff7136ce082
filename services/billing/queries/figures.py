"""What the documents of a client, or of all, come to."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.billing.queries.parties import TODAY
from services.kit.homes import in_tree

_OPEN = "status IN ('issued', 'sent', 'partly_paid') AND total_incl_tax > paid"


def _kind(condition: str = "true") -> str:
    return (
        "json_build_object("
        f"'count', count(*) FILTER (WHERE {condition}), "
        f"'total_excl_tax', coalesce(sum(total_excl_tax) FILTER (WHERE {condition}), 0.00)::text, "
        f"'total_incl_tax', coalesce(sum(total_incl_tax) FILTER (WHERE {condition}), 0.00)::text)"
    )


def figures(session: Session, tree: Sequence[uuid.UUID] | None) -> bytes:
    """JSON of a `FiguresAnswer`."""
    conditions, params = in_tree("e", tree)
    where = " AND ".join(conditions) or "true"
    late = f"{_OPEN} AND due_on < {TODAY}"
    this_year = f"issued_on >= date_trunc('year', {TODAY})::date"
    statement = f"""
        SELECT json_build_object(
            'quotes', q.whole, 'waiting', q.waiting, 'invoices', i.whole, 'credit_notes', n.whole,
            'due', i.due::text, 'due_count', i.due_count, 'overdue', i.overdue::text,
            'overdue_count', i.overdue_count, 'overdue_days', i.overdue_days,
            'year', extract(year FROM {TODAY})::int, 'billed', (i.billed - n.credited)::text,
            'credited', n.credited::text)::text
        FROM (SELECT {_kind()} AS whole, {_kind("status IN ('finalised', 'sent')")} AS waiting
              FROM quote e WHERE {where}) q,
             (SELECT {_kind()} AS whole,
                     coalesce(sum(total_incl_tax - paid) FILTER (WHERE {_OPEN}), 0.00) AS due,
                     count(*) FILTER (WHERE {_OPEN}) AS due_count,
                     coalesce(sum(total_incl_tax - paid) FILTER (WHERE {late}), 0.00) AS overdue,
                     count(*) FILTER (WHERE {late}) AS overdue_count,
                     coalesce(max({TODAY} - due_on) FILTER (WHERE {late}), 0) AS overdue_days,
                     coalesce(sum(total_excl_tax) FILTER (WHERE {this_year}), 0.00) AS billed
              FROM invoice e WHERE {where}) i,
             (SELECT {_kind()} AS whole,
                     coalesce(sum(total_excl_tax) FILTER (WHERE {this_year}), 0.00) AS credited
              FROM credit_note e WHERE {where}) n
    """
    return str(session.execute(text(statement), params).scalar_one()).encode()
