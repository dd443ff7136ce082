"""Likely duplicates: asked while a client is typed, and for one that stands."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from contracts.base import Id, Line, Model, Query

#: What two records have in common, strongest first.
Reason = Literal["siret", "vat_number", "email", "phone", "name", "close_name", "street", "city"]


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
