"""The address of a planning: view, period, day and filters, read from it and written back into links."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from gateway.web.formatting import today

VIEWS = ("liste", "calendrier", "timeline")
SPANS = ("mois", "semaine", "jour")
#: Filters that take several values, and those that take one.
SEVERAL = ("type_id", "address_id", "technician_id", "status")
SINGLE = ("q", "archived", "has_appointment", "devis", "to_invoice")
#: « Devis »: word of the address → the contract's filter.
QUOTES = {"a_faire": {"needs_quote": True}, "fait": {"has_quote": True}}


def month_of(day: date, by: int = 0) -> date:
    """First day of a month, so many months away."""
    count = day.year * 12 + day.month - 1 + by
    return date(count // 12, count % 12 + 1, 1)


@dataclass(frozen=True)
class Address:
    """What the address bar of a planning says. `path` is the page, `filters` the values set, by name."""

    path: str
    view: str
    span: str
    day: date
    dated: bool
    filters: dict[str, list[str]]
    #: Cursors of the list's pages behind the first, the present one last.
    pages: tuple[str, ...]
    default_view: str

    @staticmethod
    def of(path: str, args: MultiDict[str, str], default_view: str) -> Address:
        """Reads it. What makes no sense is as if it were not there: an address is often typed or cut short."""
        view = args.get("vue", "")
        filters = {name: [one for one in args.getlist(name) if one] for name in (*SEVERAL, *SINGLE)}
        try:
            day, dated = date.fromisoformat(args.get("date", "")), True
        except ValueError:
            day, dated = today(), False
        if not 1900 <= day.year <= 8000:
            day, dated = today(), False
        view = view if view in VIEWS else default_view
        span = args.get("periode", "")
        known = SPANS if view == "calendrier" else SPANS[1:]
        return Address(
            path=path,
            view=view,
            span=span if span in known else "semaine",
            day=day,
            dated=dated,
            filters={name: values for name, values in filters.items() if values},
            pages=tuple(one for one in args.get("suite", "").split("~") if one),
            default_view=default_view,
        )

    @property
    def filtered(self) -> bool:
        """Whether something differs from the defaults."""
        return bool(self.filters)

    @property
    def shown(self) -> int:
        """How many filters are set, the search apart."""
        return len([name for name in self.filters if name != "q"])

    def values(self, name: str) -> list[str]:
        """Values set of a filter."""
        return self.filters.get(name, [])

    def one(self, name: str) -> str:
        """The value of a filter that takes one."""
        return next(iter(self.values(name)), "")

    def url(self, **changes: Any) -> str:
        """The same address with other `vue`, `periode`, `date` or `suite`; None takes one away."""
        plain: dict[str, Any] = {
            "vue": self.view if self.view != self.default_view else None,
            "periode": self.span if self.span != "semaine" and self.view != "liste" else None,
            "date": self.day.isoformat() if self.dated and self.view != "liste" else None,
        }
        plain |= changes
        if plain.get("vue") == self.default_view:
            plain["vue"] = None
        pairs = [(name, value) for name, values in self.filters.items() for value in values]
        pairs += [(name, str(value)) for name, value in plain.items() if value]
        return self.path + ("?" + urlencode(pairs) if pairs else "")

    def reset(self) -> str:
        """The same view without filters."""
        bare = Address(self.path, self.view, self.span, self.day, self.dated, {}, (), self.default_view)
        return bare.url()

    def days(self) -> tuple[date, date]:
        """First and last day shown: the weeks of a month, a week from Monday, or one day."""
        if self.span == "jour":
            return self.day, self.day
        if self.span == "mois":
            first, last = month_of(self.day), month_of(self.day, 1) - timedelta(days=1)
            return first - timedelta(days=first.weekday()), last + timedelta(days=6 - last.weekday())
        monday = self.day - timedelta(days=self.day.weekday())
        return monday, monday + timedelta(days=6)

    def step(self, by: int) -> str:
        """The period before (−1) or after (1)."""
        if self.span == "mois":
            return self.url(date=month_of(self.day, by).isoformat())
        return self.url(date=(self.day + timedelta(days=by * (1 if self.span == "jour" else 7))).isoformat())

    def asked(self, *, time: bool = True) -> dict[str, Any]:
        """The filters as the contract takes them; without those that are about time where `time` is false."""
        found: dict[str, Any] = {name: values for name, values in self.filters.items() if name in SEVERAL}
        if not time:
            found.pop("status", None)
        if self.one("q"):
            found["q"] = self.one("q")[:200]
        archived = self.one("archived")
        if archived != "all":
            found["archived"] = archived == "true"
        if self.one("has_appointment"):
            found["has_appointment"] = self.one("has_appointment") == "true"
        if self.one("to_invoice"):
            found["to_invoice"] = True
        return found | QUOTES.get(self.one("devis"), {})
