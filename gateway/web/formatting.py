"""How things are written for a French reader (look, *Words and French typography*): filters of the templates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlencode
from zlib import crc32
from zoneinfo import ZoneInfo

from flask import g, has_app_context

#: Narrow no-break space: before : ; ? ! % €, inside « », between thousands.
NNBSP = "\u202f"
#: No-break space: in times, numbers of things, dates.
NBSP = "\u00a0"
#: The zone of a company that says no other, and of whatever is not a page.
PARIS = ZoneInfo("Europe/Paris")
_MONTHS = ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.")
_LONG_MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
_DAYS = ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim.")


def zone() -> ZoneInfo:
    """The time zone in which a page tells days and hours: the company's (http-api, `/company`)."""
    found: ZoneInfo = g.company.zone if has_app_context() and "company" in g else PARIS
    return found


def count(value: int | None) -> str:
    """`1 284`; empty for unknown."""
    return "" if value is None else f"{value:,}".replace(",", NNBSP)


def money(value: Any) -> str:
    """`1 264,50 €`, with a true minus. Empty for None or what is no amount."""
    if value is None or value == "":
        return ""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return ""
    sign = "−" if amount < 0 else ""
    whole, _, cents = f"{abs(amount):.2f}".partition(".")
    return f"{sign}{count(int(whole))},{cents}{NNBSP}€"


def parse_moment(value: Any) -> datetime | None:
    """A moment in the company's time zone, from ISO text."""
    if not value:
        return None
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    return moment.astimezone(zone())


def parse_day(value: Any) -> date | None:
    """A day, from ISO text of a day or of a moment."""
    if not value:
        return None
    if isinstance(value, datetime):
        return value.astimezone(zone()).date()
    if isinstance(value, date):
        return value
    text = str(value)
    if len(text) > 10:
        moment = parse_moment(text)
        return moment.date() if moment else None
    return date.fromisoformat(text)


def day(value: Any) -> str:
    """`24 nov. 2026`."""
    parsed = parse_day(value)
    if parsed is None:
        return ""
    return f"{parsed.day}{NBSP}{_MONTHS[parsed.month - 1]} {parsed.year}"


def short_day(value: Any, today: date | None = None) -> str:
    """`24 nov.` in the current year (look: it may go in tables), `24 nov. 2025` in another."""
    parsed = parse_day(value)
    if parsed is None:
        return ""
    if parsed.year != (today or datetime.now(zone()).date()).year:
        return day(parsed)
    return f"{parsed.day}{NBSP}{_MONTHS[parsed.month - 1]}"


def week_day(value: Any, today: date | None = None) -> str:
    """`jeu. 5 nov.`"""
    parsed = parse_day(value)
    return "" if parsed is None else f"{_DAYS[parsed.weekday()]} {short_day(parsed, today)}"


def month(value: Any) -> str:
    """`nov.`"""
    parsed = parse_day(value)
    return "" if parsed is None else _MONTHS[parsed.month - 1]


def long_month(value: Any) -> str:
    """`Novembre 2026`."""
    parsed = parse_day(value)
    return "" if parsed is None else f"{_LONG_MONTHS[parsed.month - 1].capitalize()} {parsed.year}"


def long_day(value: Any) -> str:
    """`12 mars 2019` in full."""
    parsed = parse_day(value)
    if parsed is None:
        return ""
    number = "1ᵉʳ" if parsed.day == 1 else str(parsed.day)
    return f"{number}{NBSP}{_LONG_MONTHS[parsed.month - 1]} {parsed.year}"


def time_of_day(value: Any) -> str:
    """`14:30`."""
    moment = parse_moment(value)
    return "" if moment is None else f"{moment:%H:%M}"


def moment(value: Any) -> str:
    """`mar. 24 nov. 2026 14:30`."""
    parsed = parse_moment(value)
    return "" if parsed is None else f"{_DAYS[parsed.weekday()]} {day(parsed)} {parsed:%H:%M}"


def short_moment(value: Any, today: date | None = None) -> str:
    """`mar. 24 nov. 14:30`, with the year when it is another."""
    parsed = parse_moment(value)
    return "" if parsed is None else f"{week_day(parsed, today)} {parsed:%H:%M}"


def relative(value: Any, now: datetime | None = None) -> str:
    """`à l’instant`, `il y a 2 h`, `hier`, then the day."""
    parsed = parse_moment(value)
    if parsed is None:
        return ""
    present = (now or datetime.now(UTC)).astimezone(zone())
    seconds = (present - parsed).total_seconds()
    if 0 <= seconds < 60:
        return "à l’instant"
    if 0 <= seconds < 3600:
        return f"il y a {int(seconds // 60)}{NBSP}min"
    if seconds >= 0 and parsed.date() == present.date():
        return f"il y a {int(seconds // 3600)}{NBSP}h"
    if present.date() - parsed.date() == timedelta(days=1):
        return "hier"
    return short_day(parsed, present.date())


def heading_day(value: Any, today: date | None = None) -> str:
    """Heading of a day in the activities: `Aujourd’hui`, `Hier`, `Jeu. 19 nov. 2026`."""
    parsed = parse_day(value)
    if parsed is None:
        return ""
    present = today or datetime.now(zone()).date()
    if parsed == present:
        return "Aujourd’hui"
    if (present - parsed).days == 1:
        return "Hier"
    return f"{_DAYS[parsed.weekday()].capitalize()} {day(parsed)}"


def phone(value: Any) -> str:
    """French numbers in pairs, the others as they were given."""
    text = str(value or "")
    digits = text.replace(" ", "").replace(".", "").replace("\u00a0", "")
    if digits.startswith("+33") and len(digits) == 12:
        digits = "0" + digits[3:]
    if digits.isdigit() and len(digits) == 10 and digits.startswith("0"):
        return NBSP.join(digits[n : n + 2] for n in range(0, 10, 2))
    return text


def size(value: Any) -> str:
    """`84 Ko`, `1,2 Mo`."""
    if value is None or value == "":
        return ""
    number = float(value)
    for unit in ("octets", "Ko", "Mo", "Go"):
        if number < 1000 or unit == "Go":
            digits = 0 if unit in ("octets", "Ko") else 1
            return f"{number:.{digits}f}".replace(".", ",") + NBSP + unit
        number /= 1000
    return ""


def custom(value: Any) -> str:
    """A custom field's value: days in full, yes and no in words, the rest as it is."""
    if isinstance(value, bool):
        return "Oui" if value else "Non"
    if isinstance(value, int | float):
        return str(value).replace(".", ",").replace("-", "−")
    text = str(value)
    if len(text) == 10 and text[4] == text[7] == "-" and text.replace("-", "").isdigit():
        return long_day(text)
    return text


def initials(value: Any) -> str:
    """Two letters for a monogram."""
    words = [word for word in str(value or "").replace("’", " ").replace("-", " ").split() if word[0].isalnum()]
    letters = "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words))
    return letters.upper()[:2] or "?"


def hue(value: Any) -> int:
    """Which of the six tints of a person's monogram: the same for the same name."""
    return crc32(str(value or "").encode()) % 6


def first_name(value: Any) -> str:
    """`Karim` of `Karim Haddad`."""
    return str(value or "").partition(" ")[0]


def negative(value: Any) -> str:
    """A credit note's total, positive in the data, as the deduction it is: `−583,20 €`."""
    shown = money(value)
    return f"−{shown}" if shown and not shown.startswith("−") and shown != money(0) else shown


def today() -> date:
    """The day it is for the company."""
    return datetime.now(zone()).date()


def total(values: Iterable[Any]) -> Decimal:
    """Sum of amounts given as text; None counts for nothing."""
    return sum((Decimal(str(value)) for value in values if value is not None), Decimal(0))


def day_number(value: Any) -> str:
    """`27` of 27 November."""
    parsed = parse_day(value)
    return "" if parsed is None else str(parsed.day)


def plain_figure(value: Any) -> str:
    """`20` of `20.00`, `5.5` of `5.50`: a decimal in its shortest form, with a point."""
    try:
        return f"{Decimal(str(value)).normalize():f}"
    except InvalidOperation:
        return ""


def figure(value: Any) -> str:
    """`1,25`: as many decimals as it has; empty for what is no number."""
    return plain_figure(value).replace(".", ",").replace("-", "−")


def figure_money(value: Any) -> str:
    """`1264,50`: an amount as one types it."""
    return f"{Decimal(str(value)):.2f}".replace(".", ",")


def query(values: Mapping[str, Any]) -> str:
    """A query string without what is empty."""
    return urlencode({name: value for name, value in values.items() if value not in (None, "")})


def iban(value: Any) -> str:
    """An IBAN by fours."""
    text = str(value or "").replace(" ", "")
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def capitalize_first(value: Any) -> str:
    """The first letter in capital, the rest as it is."""
    text = str(value)
    return text[:1].upper() + text[1:]


FILTERS = {
    "plain_figure": plain_figure,
    "figure": figure,
    "figure_money": figure_money,
    "query": query,
    "iban": iban,
    "capitalize_first": capitalize_first,
    "pair": lambda value: (value, value),
    "total": total,
    "day_number": day_number,
    "short_day": short_day,
    "week_day": week_day,
    "month": month,
    "long_month": long_month,
    "short_moment": short_moment,
    "hue": hue,
    "first_name": first_name,
    "negative": negative,
    "count": count,
    "money": money,
    "day": day,
    "long_day": long_day,
    "time_of_day": time_of_day,
    "moment": moment,
    "relative": relative,
    "heading_day": heading_day,
    "phone": phone,
    "size": size,
    "initials": initials,
    "custom": custom,
}
