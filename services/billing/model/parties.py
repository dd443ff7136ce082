"""The company itself, how each client is billed, and the counters of numbers."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, Integer, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.tables import StampedMixin, new_base
from services.kit.erased import Erased, Nobodys, texts
from services.kit.model import HomeMixin, attach

Base = new_base()
attach(Base)

#: Single facts of how a client is billed, each with a history of its own.
DETAIL_FIELDS = (
    "billing_name",
    "billing_address_id",
    "payer_id",
    "payment_terms",
    "payment_means",
    "iban",
    "accounting_account",
    "invoice_contact_id",
)


class Company(StampedMixin, Base):  # type: ignore[valid-type,misc]
    """The company's legal identity: one row, made when first written."""

    __tablename__ = "company"
    __erased__ = Nobodys("the company itself")
    singleton: Mapped[bool] = mapped_column(unique=True, server_default=text("true"))
    legal_name: Mapped[str] = mapped_column(server_default="")
    legal_form: Mapped[str] = mapped_column(server_default="")
    siren: Mapped[str] = mapped_column(server_default="")
    siret: Mapped[str] = mapped_column(server_default="")
    rcs: Mapped[str] = mapped_column(server_default="")
    vat_number: Mapped[str] = mapped_column(server_default="")
    street: Mapped[str] = mapped_column(server_default="")
    postal_code: Mapped[str] = mapped_column(server_default="")
    city: Mapped[str] = mapped_column(server_default="")
    iban: Mapped[str] = mapped_column(server_default="")
    timezone: Mapped[str] = mapped_column(server_default="Europe/Paris")
    share_capital: Mapped[str] = mapped_column(server_default="")
    email: Mapped[str] = mapped_column(server_default="")
    phone: Mapped[str] = mapped_column(server_default="")
    website: Mapped[str] = mapped_column(server_default="")
    #: Insurer, contract and territory of the professional insurance (loi n° 96-603, article 22-2).
    insurance: Mapped[str] = mapped_column(server_default="")
    payment_terms: Mapped[str] = mapped_column(server_default="")
    late_penalty: Mapped[str] = mapped_column(server_default="")
    early_discount: Mapped[str] = mapped_column(server_default="")
    vat_mention: Mapped[str] = mapped_column(server_default="")
    vat_on_debits: Mapped[bool] = mapped_column(server_default=text("false"))
    operations: Mapped[str] = mapped_column(server_default="services")

    __table_args__ = (
        CheckConstraint("singleton", name="singleton"),
        CheckConstraint("operations IN ('goods', 'services', 'mixed')", name="operations"),
    )


class BillingDetails(StampedMixin, HomeMixin, Base):  # type: ignore[valid-type,misc]
    """How a client record is billed: the present value of each field, worked out from `billing_field_write`.

    Only the row of a living client counts: edits of a merged id are the survivor's.
    """

    __tablename__ = "billing_details"
    __erased__ = Erased(
        dict.fromkeys(("billing_name", "payment_terms", "payment_means", "iban", "accounting_account"), "NULL")
    )
    billing_name: Mapped[str | None]
    billing_address_id: Mapped[uuid.UUID | None]
    payer_id: Mapped[uuid.UUID | None]
    payment_terms: Mapped[str | None]
    payment_means: Mapped[str | None]
    iban: Mapped[str | None]
    accounting_account: Mapped[str | None]
    invoice_contact_id: Mapped[uuid.UUID | None]

    __table_args__ = (
        Index("uq_billing_details_home", "home_client_id", unique=True),
        Index("ix_billing_details_payer", "payer_id"),
    )


class BillingFieldWrite(HomeMixin, Base):  # type: ignore[valid-type,misc]
    """Every write of a billing detail (merge-protocol, "Rules for each kind of data").

    Sorted by (`forest`, a merge's before the edits, `seq`), the last one whose merge is active is the value.
    """

    __tablename__ = "billing_field_write"
    __erased__ = Erased({"value": "NULL"}, kept=("field", "op", "actor_id", "actor_name"))
    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    field: Mapped[str]
    op: Mapped[str]
    value: Mapped[Any] = mapped_column(JSONB, nullable=True)
    source_client_id: Mapped[uuid.UUID | None]
    merge_id: Mapped[uuid.UUID | None]
    forest: Mapped[int] = mapped_column(BigInteger)
    actor_id: Mapped[str]
    actor_name: Mapped[str]
    written_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("op IN ('set', 'take', 'join')", name="op"),
        CheckConstraint("op = 'set' OR merge_id IS NOT NULL", name="merge_named"),
        Index("ix_billing_field_write_home", "home_client_id", "field", "seq"),
    )


class KnownParty(Base):  # type: ignore[valid-type,misc]
    """What an invoice must say of a client beside its name, as its events told."""

    __tablename__ = "known_party"
    __erased__ = Erased(texts("siret", "vat_number"), homes=("id",))
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    siret: Mapped[str] = mapped_column(server_default="")
    vat_number: Mapped[str] = mapped_column(server_default="")
    main_address_id: Mapped[uuid.UUID | None]


class Counter(Base):  # type: ignore[valid-type,misc]
    """Last number given in a series and year, and the hash of the document that bears it.

    Its row lock, held until commit, is what makes numbers follow each other without a hole.
    """

    __tablename__ = "counter"
    __erased__ = Nobodys("numbers")
    series: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    hash: Mapped[str] = mapped_column(server_default="")
