"""Bases of the published language: requests, answers and events.

Contracts hold shapes only. They import nothing of ours, so that a partner could install them alone.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    Strict,
    StringConstraints,
    WithJsonSchema,
)

#: Identifier on the wire: a UUID (version 7 when made by us) in its canonical lower-case text.
Id = Annotated[
    UUID,
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "format": "uuid"}, mode="serialization"),
]
#: Amount of money or quantity: exact decimal, a string on the wire.
DecimalText = Annotated[
    Decimal,
    PlainSerializer(lambda value: format(value, "f"), return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^-?\d+(\.\d+)?$"}, mode="serialization"),
]


def _of_this_world(value: datetime) -> datetime:
    """In UTC. Refuses what has no date in another time zone: whoever reads the event would fail on it."""
    if not 1000 <= value.year <= 9000:
        raise ValueError("Cette date est hors de portée.")
    # Offsets go to a day here, to sixteen hours in PostgreSQL.
    return value.astimezone(UTC)


def _no_number(value: Any) -> Any:
    """Refuses seconds since 1970, which pydantic would take for a day: `?from=0` is a mistake, not January 1970."""
    if isinstance(value, int | float | Decimal) or (isinstance(value, str) and "-" not in value.strip()[1:]):
        raise ValueError("Une date est attendue, comme 2026-03-31.")
    return value


#: Day of the calendar, ISO 8601 on the wire.
Day = Annotated[date, BeforeValidator(_no_number)]
#: Moment: aware, in UTC whatever offset it came with, ISO 8601 on the wire; years 1000 to 9000.
Moment = Annotated[AwareDatetime, BeforeValidator(_no_number), AfterValidator(_of_this_world)]
#: JSON's true or false, and no number or word that could mean it.
Flag = Annotated[bool, Strict()]
#: Short text of one line, outer white space refused by trimming.
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]
#: A line that may not be empty.
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
#: Long text; NUL is refused because PostgreSQL cannot hold it.
Text = Annotated[str, StringConstraints(max_length=100_000, pattern=r"^[^\x00]*$")]


class Model(BaseModel):
    """Base of every published shape: unknown fields are refused, values are immutable."""

    # Built when first used: a process that starts waits for none of the hundreds that it may never see.
    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_bytes="base64", defer_build=True)


class Person(Model):
    """Who did something: a member of staff, a machine's key or the system itself."""

    id: str = Field(max_length=100)
    name: str = Field(max_length=300)


class Resource(Model):
    """What every resource bears (http-api, Conventions)."""

    id: Id
    version: int
    created_at: Moment
    created_by: Person
    updated_at: Moment
    updated_by: Person


class Request(Model):
    """A question or an order sent by RPC; `rpc` is its stable name, `service.method`."""

    rpc: ClassVar[str]
    #: A command changes state: it runs under an idempotency key and in a transaction that may write.
    command: ClassVar[bool] = False
    #: Seconds that whoever asks should give it at least: for what a child process computes (architecture, rule 13).
    patience: ClassVar[float] = 0.0
    registry: ClassVar[dict[str, type[Request]]] = {}

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        name = cls.__dict__.get("rpc")
        if name is not None:
            if name in Request.registry and Request.registry[name].__qualname__ != cls.__qualname__:
                raise TypeError(f"two requests are called {name}")
            Request.registry[name] = cls


class Query(Request):
    """A request that changes nothing."""


class Command(Request):
    """A request that changes state; repeated under one key, it acts once."""

    command: ClassVar[bool] = True
    #: False where the answer is a secret by itself (a session): it is never stored, and a repeat acts again.
    remembered: ClassVar[bool] = True
    #: Fields of the answer that are shown once: a repeat gets the first answer without them.
    shown_once: ClassVar[frozenset[str]] = frozenset()


class Page(Query):
    """What every list takes: `limit` rows (1 to 200) after `cursor`, in the order `sort`."""

    limit: int = Field(default=50, ge=1, le=200)
    cursor: str | None = Field(default=None, max_length=2000)
    sort: str | None = Field(default=None, max_length=50)


class Event(Model):
    """A fact of the past. Its type on the wire is `fiche.<owner>.<name>.v<version>`.

    `public` facts are seen by partners. The subject is the aggregate's id; the ordering key (events of one key
    are applied in order) is the subject unless the class says otherwise.
    """

    event_owner: ClassVar[str]
    event_name: ClassVar[str]
    event_version: ClassVar[int] = 1
    public: ClassVar[bool] = False
    #: Field that holds the aggregate's id.
    subject_field: ClassVar[str] = "id"
    #: A constant ordering key for all events of the class, instead of the subject.
    ordering_key_constant: ClassVar[str | None] = None
    #: Nearly every service has work with it and nobody waits for that: they take turns, so that others are answered.
    in_turns: ClassVar[bool] = False
    registry: ClassVar[dict[str, type[Event]]] = {}

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if "event_name" in cls.__dict__:
            Event.registry[cls.event_type()] = cls

    @classmethod
    def event_type(cls) -> str:
        """Type on the wire, which is also the routing key."""
        return f"fiche.{cls.event_owner}.{cls.event_name}.v{cls.event_version}"

    def about(self) -> str:
        """Id of the aggregate the fact is about."""
        return str(getattr(self, self.subject_field))

    def ordering_key(self) -> str:
        """Events of one key are applied in the order of the log, or not at all."""
        return self.ordering_key_constant or self.about()


class RowEvent(Event):
    """A fact about a row of a client.

    `home_client_id` is the record the row belongs to by itself, `client_id` the living client it stood under when
    the fact was recorded (merge-protocol, Events). Consumers of ours use the home only.
    """

    home_client_id: Id
    client_id: Id


class Envelope(Model):
    """CloudEvents 1.0 in structured JSON, with the extensions of the architecture's *Event envelope*."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    specversion: str = "1.0"
    id: str
    source: str
    type: str
    time: datetime
    subject: str
    datacontenttype: str = "application/json"
    dataschema: str
    partitionkey: str
    correlationid: str
    causationid: str | None = None
    actor: str
    sequence: int | None = None
    #: CloudEvents' distributed tracing extension: the span in which it was told, where its producer traces.
    traceparent: str | None = None
    data: dict[str, Any]
