"""Work as an iCalendar file (RFC 5545), for the calendar programs of those who go."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event

#: Work without an end is shown this long (the contract's).
HOUR = timedelta(minutes=60)
_STATUS = {"cancelled": "CANCELLED", "to_plan": "TENTATIVE"}


def calendar_file(label: str, zone: str, rows: list[dict[str, Any]], url: str) -> bytes:
    """The file: one VEVENT for each row that has a date. `url` is the product's address, for links."""
    calendar = Calendar()
    calendar.add("prodid", "-//Fiche//Planning//FR")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("name", label)
    calendar.add("x-wr-calname", label)
    calendar.add("refresh-interval", timedelta(hours=1), parameters={"value": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    for row in rows:
        if row["starts_at"]:
            calendar.add_component(_event(row, ZoneInfo(zone), url))
    return bytes(calendar.to_ical())


def _event(row: dict[str, Any], zone: ZoneInfo, url: str) -> Event:
    event = Event()
    event.add("uid", f"{row['id']}@fiche")
    event.add("dtstamp", _moment(row["updated_at"]))
    event.add("last-modified", _moment(row["updated_at"]))
    event.add("created", _moment(row["created_at"]))
    event.add("sequence", row["version"] - 1)
    for name, value in _when(row, zone).items():
        event.add(name, value)
    event.add("summary", f"{row['title']}, {row['client']['name']}")
    event.add("status", _STATUS.get(row["state"], "CONFIRMED"))
    event.add("url", f"{url}/interventions/{row['id']}")
    if row["type"]:
        event.add("categories", [row["type"]["name"]])
    address = row["address"]
    if address:
        town = " ".join(part for part in (address["postal_code"], address["city"]) if part)
        event.add("location", ", ".join(part for part in (address["label"], address["street"], town) if part))
    people = ", ".join(one["name"] for one in row["technicians"])
    lines = [row["number"], people, row["description"]]
    event.add("description", "\n".join(line for line in lines if line))
    return event


def _when(row: dict[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    """Start and end. Whole days of the company are days (`VALUE=DATE`, the end exclusive), not hours: in another zone
    they would begin the evening before.
    """
    start = _moment(row["starts_at"]).astimezone(zone)
    end = _moment(row["ends_at"]).astimezone(zone) if row["ends_at"] else None
    if start.time() == time.min and (end is None or (end.time() == time.min and end > start)):
        return {"dtstart": start.date(), "dtend": end.date() if end else start.date() + timedelta(days=1)}
    utc = ZoneInfo("UTC")
    return {"dtstart": start.astimezone(utc), "dtend": (end if end and end > start else start + HOUR).astimezone(utc)}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
