"""Payment terms in the words a French office uses, and the due dates that follow."""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta

#: Without agreed terms payment is due thirty days after delivery (Code de commerce, L441-10).
LEGAL_DAYS = 30
_DAYS = re.compile(r"(\d{1,3})\s*(?:j\b|jours?|jrs?|days?|_days?|d\b)", re.IGNORECASE)
_END_OF_MONTH = re.compile(r"fin\s+de\s+mois|\bfdm\b|\beom\b|end[ _]of[ _]month", re.IGNORECASE)
_AT_ONCE = re.compile(
    r"r[ée]ception|comptant|imm[ée]diat|commande|livraison|on[ _]receipt|due[ _]on[ _]receipt", re.IGNORECASE
)


def due_date(issued_on: date, terms: str | None) -> date:
    """The day payment is due. `terms` such as « À réception », « 30 jours », « 45 jours fin de mois ».

    « n jours fin de mois » is the end of the month in which the n days end. What says nothing of days is the
    legal term.
    """
    words = terms or ""
    found = _DAYS.search(words)
    if found is None:
        if _END_OF_MONTH.search(words):
            return _end_of_month(issued_on)
        return issued_on if _AT_ONCE.search(words) else issued_on + timedelta(days=LEGAL_DAYS)
    due = issued_on + timedelta(days=int(found.group(1)))
    return _end_of_month(due) if _END_OF_MONTH.search(words) else due


def _end_of_month(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])
