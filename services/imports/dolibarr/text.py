"""From what Dolibarr's tables hold to plain values: NULLs, zero dates, HTML in notes, decimals."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from html import unescape
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

_NULLS = {"", "NULL", "\\N"}
_TAG = re.compile(
    r"</?(?:p|br|div|span|strong|b|i|u|em|ul|ol|li|a|table|t[rdh]|tbody|thead|h[1-6]|font|hr|img|pre|blockquote|"
    r"style|script|html|head|body|center|small|big|sup|sub|s|del|section|article)\b[^>]*/?>",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});", re.IGNORECASE)
_BLOCKS = frozenset(
    "p div li ul ol table tr h1 h2 h3 h4 h5 h6 pre blockquote hr section article".split()  # noqa: SIM905
)
_SILENT = {"script", "style", "head"}
_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?")
_FRENCH_DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?: (\d{1,2}):(\d{2})(?::(\d{2}))?)?")
#: Control characters that no text of ours may hold (PostgreSQL refuses NUL; the rest shows as garbage).
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def value(raw: str | None) -> str | None:
    """The cell without outer space, or None where it holds nothing (`NULL`, `\\N`, empty)."""
    if raw is None:
        return None
    text = raw.strip()
    return None if text in _NULLS else text


class _Plain(HTMLParser):
    """Collects the text of an HTML fragment, a line break where a browser would make one."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self.silent += 1
        elif tag == "br":
            self.out.append("\n")
        elif tag in _BLOCKS:
            self.out.append("\n\n" if tag == "p" else "\n")
            if tag == "li":
                self.out.append("- ")
        elif tag in ("td", "th"):
            self.out.append(" ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _SILENT:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self.silent = max(0, self.silent - 1)
        elif tag in _BLOCKS:
            self.out.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            # Inside HTML a line end of the source is only a space; the tags say where lines break.
            self.out.append(re.sub(r"[ \t\r\n]+", " ", data))


def plain(raw: str | None) -> str:
    """Plain text of a note or description, kept by Dolibarr as text or as HTML; "" where there is none."""
    text = value(raw)
    if text is None:
        return ""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _TAG.search(text):
        parser = _Plain()
        parser.feed(text)
        parser.close()
        text = "".join(parser.out)
    elif _ENTITY.search(text):
        text = unescape(text)
    text = _CONTROL.sub("", text)
    lines = [re.sub(r"[ \t]+", " ", line).strip() for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def one_line(raw: str | None, limit: int = 300) -> str | None:
    """The text on one line, cut at a word before `limit` characters; None where there is none."""
    text = " ".join(plain(raw).split())
    if not text:
        return None
    if len(text) <= limit:
        return text
    return text[: limit - 1].rsplit(" ", 1)[0][: limit - 1] + "…"


def number(raw: str | None) -> Decimal | None:
    """A decimal exactly as written (a lone comma is a decimal point); None when unreadable."""
    text = value(raw)
    if text is None:
        return None
    text = text.replace("\u202f", "").replace("\xa0", "").replace(" ", "")
    if "," in text and "." not in text:
        text = text.replace(",", ".")
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _parts(raw: str | None) -> tuple[int, int, int, int, int, int] | None:
    text = value(raw)
    if text is None:
        return None
    if match := _DAY.match(text):
        year, month, day, *time = match.groups()
    elif match := _FRENCH_DAY.match(text):
        day, month, year, *time = match.groups()
    else:
        return None
    hour, minute, second = (int(part or 0) for part in time)
    return int(year), int(month), int(day), hour, minute, second


def moment(raw: str | None, zone: ZoneInfo) -> datetime | None:
    """A date and time in the zone of the server that wrote the table; zero dates are None."""
    parts = _parts(raw)
    if parts is None or parts[0] == 0 or parts[1] == 0:
        return None
    try:
        return datetime(*parts, tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def day(raw: str | None) -> date | None:
    """The day of a date (a zero or impossible date is None)."""
    parts = _parts(raw)
    if parts is None:
        return None
    try:
        return date(*parts[:3])
    except ValueError:
        return None
