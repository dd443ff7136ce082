"""Likely duplicates: asked while a client is typed, and for one that stands."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from contracts.base import Command, Id, Line, Model, Moment, Page, Person, Query

#: What two records have in common. `siren`: the company, where the establishments differ or are not both known.
Reason = Literal[
    "siret", "vat_number", "siren", "email", "phone", "name", "close_name", "street", "close_street", "city"
]
#: Each of them in words.
REASONS: dict[str, str] = {
    "siret": "Même SIRET",
    "vat_number": "Même numéro de TVA",
    "siren": "Même SIREN",
    "email": "Même e-mail",
    "phone": "Même téléphone",
    "name": "Même nom",
    "close_name": "Nom proche",
    "street": "Même adresse",
    "close_street": "Adresse proche",
    "city": "Même ville",
}


class DuplicateFields(Model):
    """What is known of a client so far, as typed: nothing is refused, what cannot be read counts for nothing."""

    first_name: Line = ""
    last_name: Line = ""
    company_name: Line = ""
    siret: Line = ""
    vat_number: Line = ""
    email: Line = ""
    phone: Line = ""
    secondary_phone: Line = ""
    street: Line = ""
    postal_code: Line = ""
    city: Line = ""


class FindDuplicates(Query):
    """Living records that are likely the one typed."""

    rpc: ClassVar[str] = "clients.find_duplicates"
    fields: DuplicateFields
    but: Id | None = None
    limit: int = Field(default=5, ge=1, le=50)


class ListDuplicates(Query):
    """Living records that are likely the same as this one."""

    rpc: ClassVar[str] = "clients.list_duplicates"
    client_id: Id
    limit: int = Field(default=20, ge=1, le=50)


class FindAmong(Command):
    """For clients that were just written: those that are likely the same as each. At most 100 at a time."""

    rpc: ClassVar[str] = "clients.find_among"
    remembered: ClassVar[bool] = False
    ids: list[Id] = Field(max_length=100)
    min_score: float = Field(default=0.65, ge=0, le=1)


class Why(Model):
    """One thing in common, in words."""

    field: Reason
    detail: str


class Duplicate(Model):
    """A likely duplicate: how sure (0 to 1) and why."""

    client: dict[str, Any]
    score: float
    reasons: list[Why]


class Duplicates(Model):
    """The likeliest first."""

    items: list[Duplicate]


class Found(Model):
    """Likely duplicates of one of the clients asked about."""

    id: Id
    items: list[Duplicate]


class FoundAmong(Model):
    """Those asked about that have any, in the order asked."""

    items: list[Found]


class PairSide(Model):
    """One of two records that are likely one client."""

    id: Id
    display_name: str
    reference: str
    kind: str
    status: Literal["active", "archived"]
    siret: str
    email: str
    phone_display: str
    created_at: Moment
    address: dict[str, str] | None


class LikelyPair(Model):
    """Two clients that are likely one, the older first: how sure (0 to 1) and why."""

    id: Id
    score: float
    reasons: list[Reason]
    clients: list[PairSide]


class ListLikelyPairs(Page):
    """Likely pairs of the whole base or of one client, the likeliest first. `counted`: with how many there are."""

    rpc: ClassVar[str] = "clients.list_likely_pairs"
    client_id: Id | None = None
    min_score: float | None = Field(default=None, ge=0, le=1)
    reason: Reason | None = None
    counted: bool = False


class StartScan(Command):
    """Has every client compared with all others again; a scan that runs already is the answer."""

    rpc: ClassVar[str] = "clients.start_scan"


class GetScan(Query):
    """The last scan of the whole base and how far it is."""

    rpc: ClassVar[str] = "clients.get_scan"


class Scan(Model):
    """A scan of the whole base: `done` of `total` steps. `never` before the first."""

    id: Id | None = None
    status: Literal["never", "running", "done"]
    total: int
    done: int
    started_at: Moment | None = None
    started_by: Person | None = None
    finished_at: Moment | None = None


class DistinctBody(Model):
    """Body of `POST /clients/{id}/distinct`: the other one, which is another client."""

    other_client_id: Id
