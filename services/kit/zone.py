"""The company's time zone, by which its days begin and end, as billing told it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

#: SQL: the zone's name. Paris until the company says otherwise (http-api, `/company`).
ZONE = "coalesce((SELECT timezone FROM known_company), 'Europe/Paris')"
#: SQL: today's date of the company.
TODAY = f"(now() AT TIME ZONE {ZONE})::date"


def company_zone(session: Session) -> ZoneInfo:
    """The same for Python."""
    return ZoneInfo(session.execute(text(f"SELECT {ZONE}")).scalar_one())
