"""What every source yields: normalised records, in an order where each is told after what it refers to.

Fields are named as in the bodies of the HTTP API. A reference to another record is an *outside reference*,
a string such as `dolibarr:societe:12`, and its field ends in `_ref`; the import service knows which id each
became. `parts` names the other rows of the source that went into the record (lines, tags, bank account…), so
that every row can be accounted for: it is the `ref` of a record, one of its `parts`, or a `Refused`.

Money and quantities are `Decimal` as written in the source, moments are aware, texts are plain.
"""

from __future__ import annotations

from services.imports.records.base import NotADolibarrError, Notice, Record, Refused
from services.imports.records.commercial import CommercialDocument, CreditNote, DocumentLine, Invoice, Payment, Quote
from services.imports.records.parties import Activity, Address, Billing, Client, Contact, CustomField, Relation, User
from services.imports.records.work import (
    Document,
    DoneVisit,
    Equipment,
    Intervention,
    InterventionType,
    JobSite,
    Plan,
    PlannedVisit,
    WorkLine,
)

Item = Record | Refused | Notice

__all__ = [
    "Activity",
    "Address",
    "Billing",
    "Client",
    "CommercialDocument",
    "Contact",
    "CreditNote",
    "CustomField",
    "Document",
    "DocumentLine",
    "DoneVisit",
    "Equipment",
    "Intervention",
    "InterventionType",
    "Invoice",
    "Item",
    "JobSite",
    "NotADolibarrError",
    "Notice",
    "Payment",
    "Plan",
    "PlannedVisit",
    "Quote",
    "Record",
    "Refused",
    "Relation",
    "User",
    "WorkLine",
]
