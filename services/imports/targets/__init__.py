"""Which owner each kind of record goes to, and what it is asked."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from services.imports import records
from services.imports.records import Record
from services.imports.targets import accounts, billing, clients, documents, equipment, interventions, maintenance
from services.imports.targets.base import Order, Resolver

Target = Callable[[Any, uuid.UUID, Resolver], Order]

TARGETS: dict[type[Record], Target] = {
    records.User: accounts.user,
    records.CustomField: clients.custom_field,
    records.Client: clients.client,
    records.Address: clients.address,
    records.Contact: clients.contact,
    records.Relation: clients.relation,
    records.Activity: clients.activity,
    records.Billing: billing.details,
    records.Quote: billing.quote,
    records.Invoice: billing.invoice,
    records.CreditNote: billing.credit_note,
    records.Payment: billing.payment,
    records.InterventionType: interventions.intervention_type,
    records.JobSite: interventions.job_site,
    records.Intervention: interventions.intervention,
    records.Equipment: equipment.equipment,
    records.Plan: maintenance.plan,
    records.PlannedVisit: maintenance.planned_visit,
    records.DoneVisit: maintenance.done_visit,
    records.Document: documents.document,
}

__all__ = ["TARGETS", "Target"]
