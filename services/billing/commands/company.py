"""The company's legal identity."""

from __future__ import annotations

from sqlalchemy import text

from chassis.errors import Invalid
from chassis.ids import new_id
from chassis.stamp import apply_changes, check_version, stamp_new, touch
from chassis.uow import UnitOfWork
from contracts.billing import CompanyChanges, CompanyUpdated, UpdateCompany
from services.billing import queries
from services.billing.commands.facts import company_of
from services.billing.model import Company


def update_company(uow: UnitOfWork, request: UpdateCompany) -> bytes:
    """Changes what the request names. Raises `Stale`, and `Invalid` where SIREN and SIRET are of two companies."""
    # The first write has no row to lock.
    uow.session.execute(text("SELECT pg_advisory_xact_lock(7177001)"))
    row = company_of(uow.session)
    if row is None:
        row = Company(id=new_id(), **stamp_new(uow) | {"version": 0}, **_empty())
        uow.session.add(row)
    check_version(row, request.expected_version)
    if apply_changes(row, request.changes):
        if row.siren and row.siret and not row.siret.startswith(row.siren):
            raise Invalid.field("siret", "Le SIRET doit commencer par le SIREN.")
        touch(uow, row)
        uow.session.flush()
        uow.emit(CompanyUpdated(id=row.id, legal_name=row.legal_name, timezone=row.timezone))
    uow.session.flush()
    return queries.get_company(uow.session)


def _empty() -> dict[str, str]:
    """Text columns of the first row; the others have defaults."""
    return {name: "" for name, field in CompanyChanges.model_fields.items() if field.default == ""} | {
        "timezone": "Europe/Paris"
    }
