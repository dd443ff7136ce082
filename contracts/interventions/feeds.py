"""Calendar feeds: a filter of the planning as an address that a calendar program reads without signing in."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from contracts.base import Command, Id, Model, Name, Page, Query, Resource
from contracts.interventions.requests import InterventionFilters


class CalendarFeedBody(Model):
    """What a feed shows: the filters of the planning, of one client or of all."""

    label: Name
    client_id: Id | None = None
    filters: InterventionFilters = Field(default_factory=InterventionFilters)


class CalendarFeedView(Resource):
    """A feed as answered. `key` is shown once, when it is made; the address that holds it can be withdrawn."""

    label: str
    client_id: Id | None
    key: str | None


class CreateCalendarFeed(Command):
    """Makes a feed for the member of staff who asks. It shows what he sees himself, as long as he may come in."""

    rpc: ClassVar[str] = "interventions.create_feed"
    shown_once: ClassVar[frozenset[str]] = frozenset({"key"})
    body: CalendarFeedBody


class ListCalendarFeeds(Page):
    """The feeds of the one who asks, newest first."""

    rpc: ClassVar[str] = "interventions.feeds"


class WithdrawCalendarFeed(Command):
    """Ends a feed: its address answers nothing any more."""

    rpc: ClassVar[str] = "interventions.withdraw_feed"
    id: Id


class ReadCalendarFeed(Query):
    """What a feed shows: `{"label", "timezone", "items"}`, from 60 days ago to a year ahead, at most 2000."""

    rpc: ClassVar[str] = "interventions.read_feed"
    key: str = Field(min_length=20, max_length=100)
