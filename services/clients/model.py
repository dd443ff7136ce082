"""Tables of `clients`: the record, what belongs to it, and all that the merge protocol keeps."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from chassis.tables import StampedMixin, add_tables, new_base
from services.kit.erased import WORDS, Erased, Nobodys, texts
from services.kit.model import HomeMixin, KnownUserMixin, attach_company, attach_forest
from services.kit.movable import Link, Movable

Base = new_base()
attach_forest(Base)
attach_company(Base)
add_tables(Base, KnownUserMixin)


class Client(StampedMixin, Base):  # type: ignore[valid-type,misc]
    """A record, living (`merged_into` null) or signpost. Its fields are materialised from `client_field_write`."""

    __tablename__ = "client"
    __erased__ = Erased(
        texts(
            "first_name", "last_name", "company_name", "own_name", "registration_number", "siret", "vat_number",
            "email", "phone", "phone_e164", "phone_display", "secondary_phone", "secondary_phone_e164",
            "secondary_phone_display", "website", "memo", "search", "phones",
            display_name=f"{WORDS}", sort_name="'donnees effacees'", custom_fields="'{}'", layout="NULL",
            deleted_at="coalesce(NEW.deleted_at, now())",
        ),
        kept=("kind", "reference", "stage", "memo_updated_by"),
        homes=("id",),
    )  # fmt: skip
    kind: Mapped[str]
    first_name: Mapped[str] = mapped_column(server_default="")
    last_name: Mapped[str] = mapped_column(server_default="")
    company_name: Mapped[str] = mapped_column(server_default="")
    #: The name shown: the one given (`own_name`), else what the other names make.
    display_name: Mapped[str]
    own_name: Mapped[str] = mapped_column(server_default="")
    reference: Mapped[str]
    registration_number: Mapped[str] = mapped_column(server_default="")
    stage: Mapped[str] = mapped_column(server_default="client")
    siret: Mapped[str] = mapped_column(server_default="", index=True)
    vat_number: Mapped[str] = mapped_column(server_default="")
    email: Mapped[str] = mapped_column(server_default="")
    phone: Mapped[str] = mapped_column(server_default="")
    phone_e164: Mapped[str] = mapped_column(server_default="")
    phone_display: Mapped[str] = mapped_column(server_default="")
    secondary_phone: Mapped[str] = mapped_column(server_default="")
    secondary_phone_e164: Mapped[str] = mapped_column(server_default="")
    secondary_phone_display: Mapped[str] = mapped_column(server_default="")
    website: Mapped[str] = mapped_column(server_default="")
    sales_rep_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    custom_fields: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    memo: Mapped[str] = mapped_column(server_default="")
    memo_version: Mapped[int] = mapped_column(server_default=text("0"))
    memo_updated_at: Mapped[datetime | None]
    memo_updated_by: Mapped[str] = mapped_column(server_default="")
    archived_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    #: How this fiche differs from the company's layout; null where it does not.
    layout: Mapped[dict[str, Any] | None]
    merged_into: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("client.id"), index=True)
    main_address_id: Mapped[uuid.UUID | None]
    #: What a name or reference is looked up in, folded (`services.clients.text`).
    search: Mapped[str]
    sort_name: Mapped[str]
    phones: Mapped[str] = mapped_column(server_default="")
    __table_args__ = (
        CheckConstraint("display_name <> ''", name="named"),
        CheckConstraint("merged_into <> id", name="not_itself"),
        Index("ix_client_sort", "sort_name", "id"),
        Index("ix_client_search", "search", postgresql_using="gin", postgresql_ops={"search": "gin_trgm_ops"}),
        Index("ix_client_words", text("string_to_array(search, ' ')"), postgresql_using="gin"),
        Index("ix_client_phones", "phones", postgresql_using="gin", postgresql_ops={"phones": "gin_trgm_ops"}),
        Index("ix_client_created", "created_at", "id"),
        Index("ix_client_updated", "updated_at", "id"),
        Index("ix_client_email", text("lower(email)"), postgresql_where=text("email <> ''")),
        Index("ix_client_vat", "vat_number", postgresql_where=text("vat_number <> ''")),
    )


class SearchWord(Base):  # type: ignore[valid-type,misc]
    """A word of letters that clients are or were found by; a trigger of `client` writes it, whoever writes the client.

    Many clients share few words: a typo is looked for among these.
    """

    __tablename__ = "search_word"
    __erased__ = Nobodys("words of many; those that nobody else is found by go with the person (commands.erasing)")
    word: Mapped[str] = mapped_column(primary_key=True)
    __table_args__ = (
        Index("ix_search_word_letters", "word", postgresql_using="gin", postgresql_ops={"word": "gin_trgm_ops"}),
    )


class ClientFieldWrite(Base):  # type: ignore[valid-type,misc]
    """Every write of every field, in order; also the history. `merge_id` null is a person's edit.

    `row_id`: the history of a row of the record instead (an address); its value lives in the row itself.
    """

    __tablename__ = "client_field_write"
    __erased__ = Erased(
        {"value": "NULL"},
        kept=("field", "op", "actor_id", "actor_name"),
        homes=("client_id",),
        parents=tuple((kind, "row_id") for kind in ("relation", "contact", "address", "activity")),
    )
    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    client_id_of_record: Mapped[uuid.UUID] = mapped_column("client_id", ForeignKey("client.id"))
    field: Mapped[str]
    row_id: Mapped[uuid.UUID | None]
    op: Mapped[str]
    value: Mapped[dict[str, Any] | None]
    source_client_id: Mapped[uuid.UUID | None]
    merge_id: Mapped[uuid.UUID | None]
    actor_id: Mapped[str]
    actor_name: Mapped[str]
    at: Mapped[datetime]
    __table_args__ = (
        CheckConstraint("op IN ('set', 'take', 'join')", name="op"),
        Index("ix_client_field_write_record", "client_id", "field", "seq"),
        Index("ix_client_field_write_history", "client_id", "seq"),
        Index("ix_client_field_write_row", "row_id", postgresql_where=text("row_id IS NOT NULL")),
    )


class ClientReference(Base):  # type: ignore[valid-type,misc]
    """Every reference ever borne, normalised; never freed, so an old one always finds its record."""

    __tablename__ = "client_reference"
    __erased__ = Nobodys("references find their record for ever")
    reference: Mapped[str] = mapped_column(primary_key=True)
    bearer_id: Mapped[uuid.UUID] = mapped_column("client_id", ForeignKey("client.id"), index=True)


class ReferenceCounter(Base):  # type: ignore[valid-type,misc]
    """Last number given by the system, one row."""

    __tablename__ = "reference_counter"
    __erased__ = Nobodys("a number")
    singleton: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    last: Mapped[int] = mapped_column(BigInteger)


class Merge(Base):  # type: ignore[valid-type,misc]
    """An edge duplicate → survivor, active until undone (merge-protocol)."""

    __tablename__ = "merge"
    __erased__ = Erased(
        texts("reason", sealed="true"),
        kept=("choices", "actor", "undone_by", "moves", "keep"),
        homes=("survivor_id", "duplicate_id"),
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    survivor_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("client.id"), index=True)
    duplicate_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("client.id"))
    choices: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    reason: Mapped[str]
    actor: Mapped[dict[str, Any]]
    merged_at: Mapped[datetime]
    forest: Mapped[int] = mapped_column(BigInteger)
    undone_forest: Mapped[int | None] = mapped_column(BigInteger)
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[dict[str, Any] | None]
    undo_until: Mapped[datetime]
    sealed: Mapped[bool] = mapped_column(server_default=text("false"))
    moves: Mapped[list[Any] | None]
    #: Documents issued since the merge that its undo left where they were, as somebody decided.
    keep: Mapped[list[Any] | None]
    __table_args__ = (
        Index("uq_merge_active", "duplicate_id", unique=True, postgresql_where=text("undone_forest IS NULL")),
        CheckConstraint("survivor_id <> duplicate_id", name="not_itself"),
    )


class MergeProgress(Base):  # type: ignore[valid-type,misc]
    """How far each service has followed a merge."""

    __tablename__ = "merge_progress"
    __erased__ = Erased(
        {"failed": f"CASE WHEN NEW.failed IS NOT NULL THEN {WORDS} END"},
        kept=("service", "moved"),
        homes=(),
        parents=(("merge", "merge_id"),),
    )
    merge_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("merge.id"), primary_key=True)
    service: Mapped[str] = mapped_column(primary_key=True)
    forest: Mapped[int | None] = mapped_column(BigInteger)
    moved: Mapped[dict[str, Any] | None]
    failed: Mapped[str | None]


class Erasure(Base):  # type: ignore[valid-type,misc]
    """A person was erased: who did it, when and why, for the audit; nothing of the person but ids and the reference.

    `waits_for`: services that have not said yet that their rows are blank, and their files and logs without a word.
    """

    __tablename__ = "erasure"
    __erased__ = Nobodys("what was done, without the person")
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    client_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("client.id"))
    tree: Mapped[list[Any]]
    reference: Mapped[str]
    reason: Mapped[str]
    actor: Mapped[dict[str, Any]]
    erased_at: Mapped[datetime]
    forest: Mapped[int] = mapped_column(BigInteger)
    #: Rows of `clients` that were blanked, by kind.
    counts: Mapped[dict[str, Any]]
    waits_for: Mapped[list[Any]]
    __table_args__ = (Index("ix_erasure_moment", "erased_at", "id"),)


class NotDuplicate(Base):  # type: ignore[valid-type,misc]
    """Two records that somebody has looked at and found to be two clients. The lower id comes first."""

    __tablename__ = "not_duplicate"
    __erased__ = Nobodys("two ids, and who of the staff said so")
    low_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("client.id"), primary_key=True)
    high_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("client.id"), primary_key=True, index=True)
    at: Mapped[datetime]
    by: Mapped[dict[str, Any]]


class LikenessRow(Base):  # type: ignore[valid-type,misc]
    """What a record is known by, as likeness is looked up (`services.clients.likeness`); follows the record."""

    __tablename__ = "likeness"
    __erased__ = Erased(drop=True, homes=("record_id",))
    record_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    #: Telling words of its name, in the order of the alphabet.
    name: Mapped[str]
    facts: Mapped[dict[str, Any]]


class LikenessKey(Base):  # type: ignore[valid-type,misc]
    """A value that another record may have the same, its kind before it (`email:…`)."""

    __tablename__ = "likeness_key"
    __erased__ = Erased(drop=True, homes=("record_id",))
    key: Mapped[str] = mapped_column(primary_key=True)
    record_id: Mapped[uuid.UUID] = mapped_column(primary_key=True, index=True)


class LikenessDue(Base):  # type: ignore[valid-type,misc]
    """A record to be read (`rank` 1), compared (2) or, since it changed, both (0). Triggers write the changes."""

    __tablename__ = "likeness_due"
    __erased__ = Nobodys("ids")
    rank: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    record_id: Mapped[uuid.UUID]


class LikelyPair(Base):  # type: ignore[valid-type,misc]
    """Two clients that are likely one. `score` in hundredths; the lower id comes first."""

    __tablename__ = "likely_pair"
    __erased__ = Erased(drop=True, homes=("low_id", "high_id"))
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    low_id: Mapped[uuid.UUID]
    high_id: Mapped[uuid.UUID] = mapped_column(index=True)
    score: Mapped[int] = mapped_column(Integer)
    reasons: Mapped[list[Any]]
    __table_args__ = (
        UniqueConstraint("low_id", "high_id"),
        Index("ix_likely_pair_score", "score", "id"),
    )


class DuplicateScan(Base):  # type: ignore[valid-type,misc]
    """A comparing of the whole base, of so many steps; those left are in `likeness_due`."""

    __tablename__ = "duplicate_scan"
    __erased__ = Nobodys("how far a comparing is")
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    total: Mapped[int] = mapped_column(BigInteger)
    started_at: Mapped[datetime]
    started_by: Mapped[dict[str, Any]]
    finished_at: Mapped[datetime | None]
    __table_args__ = (
        Index(
            "uq_duplicate_scan_running",
            text("(finished_at IS NULL)"),
            unique=True,
            postgresql_where=text("finished_at IS NULL"),
        ),
    )


class Place(Base):  # type: ignore[valid-type,misc]
    """Where things stand, whoever the client there is; a place may lie in another (building ▸ dwelling)."""

    __tablename__ = "place"
    __erased__ = Nobodys("ids")
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    parent_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("place.id"))


class Address(StampedMixin, HomeMixin, Base):  # type: ignore[valid-type,misc]
    """A client's view of a place. Which one is main is a fact of the client (`client.main_address_id`)."""

    __tablename__ = "address"
    __erased__ = Erased(
        texts("label", "street", "street_extra", "postal_code", "city", "access_notes"), kept=("country", "role")
    )
    label: Mapped[str]
    street: Mapped[str]
    street_extra: Mapped[str]
    postal_code: Mapped[str]
    city: Mapped[str]
    country: Mapped[str]
    access_notes: Mapped[str]
    role: Mapped[str | None]
    place_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("place.id"), index=True)
    retired_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    __table_args__ = (Index("ix_address_home", "home_client_id", "created_at", "id"),)


class Contact(StampedMixin, HomeMixin, Base):  # type: ignore[valid-type,misc]
    """A person at a client."""

    __tablename__ = "contact"
    __erased__ = Erased(
        texts(
            "first_name", "last_name", "role", "email", "phone", "phone_e164", "phone_display", "search",
            portal_access="false", deleted_at="coalesce(NEW.deleted_at, now())",
        )
    )  # fmt: skip
    first_name: Mapped[str]
    last_name: Mapped[str]
    role: Mapped[str]
    email: Mapped[str]
    phone: Mapped[str]
    phone_e164: Mapped[str] = mapped_column(server_default="")
    phone_display: Mapped[str] = mapped_column(server_default="")
    portal_access: Mapped[bool]
    deleted_at: Mapped[datetime | None]
    #: Folded name and e-mail, and digits of the phone.
    search: Mapped[str] = mapped_column(server_default="")
    __table_args__ = (
        Index("ix_contact_home", "home_client_id", "created_at", "id"),
        Index("ix_contact_email", text("lower(email)"), postgresql_where=text("email <> ''")),
        Index("ix_contact_search", "search", postgresql_using="gin", postgresql_ops={"search": "gin_trgm_ops"}),
    )


class Relation(StampedMixin, HomeMixin, Base):  # type: ignore[valid-type,misc]
    """A typed link; the home is the superior end (head office, owner, agent, principal), both ends are homes."""

    __tablename__ = "relation"
    __erased__ = Erased(
        {"deleted_at": "coalesce(NEW.deleted_at, now())"},
        kept=("type", "waits"),
        homes=("home_client_id", "other_home_client_id"),
    )
    type: Mapped[str]
    other_home_client_id: Mapped[uuid.UUID] = mapped_column(index=True)
    #: Why it is not shown (`self`, `twin`, `loop`) while records are merged as they are; null where it is.
    waits: Mapped[str | None]
    deleted_at: Mapped[datetime | None]
    __table_args__ = (
        Index("ix_relation_home", "home_client_id", "created_at", "id"),
        Index(
            "uq_relation_living",
            "home_client_id",
            "other_home_client_id",
            "type",
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
    )


class Activity(StampedMixin, HomeMixin, Base):  # type: ignore[valid-type,misc]
    """An exchange, logged by hand or told by an event (`source_event`)."""

    __tablename__ = "activity"
    __erased__ = Erased(texts("subject", "body", link="NULL", document_ids="'[]'"), kept=("kind", "direction"))
    kind: Mapped[str]
    direction: Mapped[str | None]
    occurred_at: Mapped[datetime]
    subject: Mapped[str]
    body: Mapped[str]
    contact_id: Mapped[uuid.UUID | None]
    #: Ids of documents of this client, as text, in the order in which they were joined.
    document_ids: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    automatic: Mapped[bool]
    link: Mapped[dict[str, Any] | None]
    source_event: Mapped[uuid.UUID | None] = mapped_column(unique=True)
    deleted_at: Mapped[datetime | None]
    __table_args__ = (
        Index("ix_activity_home", "home_client_id", "occurred_at", "id"),
        Index("ix_activity_moment", "occurred_at", "home_client_id"),
    )


class ClientTag(Base):  # type: ignore[valid-type,misc]
    """A tag of a client, a row by home: merged records keep theirs apart."""

    __tablename__ = "client_tag"
    __erased__ = Erased(drop=True)
    home_client_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    tag: Mapped[str] = mapped_column(primary_key=True)
    written_client_id: Mapped[uuid.UUID]
    __table_args__ = (Index("ix_client_tag_tag", "tag"),)


class CustomField(StampedMixin, Base):  # type: ignore[valid-type,misc]
    """Definition of a field of one's own. One that was deleted can be restored; values outlive it."""

    __tablename__ = "custom_field"
    __erased__ = Nobodys("a definition of the company")
    key: Mapped[str]
    label: Mapped[str]
    type: Mapped[str]
    required: Mapped[bool]
    choices: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    position: Mapped[int] = mapped_column(Integer)
    deleted_at: Mapped[datetime | None]
    __table_args__ = (Index("uq_custom_field_key", "key", unique=True, postgresql_where=text("deleted_at IS NULL")),)


class FicheLayout(StampedMixin, Base):  # type: ignore[valid-type,misc]
    """Which sections and fields of one's own every fiche shows, in which order: one row, made when first written."""

    __tablename__ = "fiche_layout"
    __erased__ = Nobodys("how the company lays out its fiches")
    singleton: Mapped[bool] = mapped_column(unique=True, server_default=text("true"))
    sections: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    custom_fields: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    __table_args__ = (CheckConstraint("singleton", name="singleton"),)


KINDS = {
    "address": Address,
    "contact": Contact,
    "relation": Relation,
    "activity": Activity,
    "client_tag": ClientTag,
}

#: An activity that was told follows what it tells of; tags go with their record.
MOVABLE = {
    "address": Movable("coalesce(nullif(x.label, ''), concat_ws(' ', x.street, x.postal_code, x.city))"),
    "contact": Movable("coalesce(nullif(trim(x.first_name || ' ' || x.last_name), ''), nullif(x.email, ''), x.phone)"),
    "relation": Movable(
        "(SELECT concat_ws(' – ', a.display_name, b.display_name) FROM client a, client b "
        "WHERE a.id = x.home_client_id AND b.id = x.other_home_client_id)"
    ),
    "activity": Movable(
        "coalesce(nullif(x.subject, ''), left(x.body, 120))",
        (Link("contact_id", "contact"), Link("document_ids", "document", listed=True)),
        alone="x.source_event IS NULL",
    ),
}
