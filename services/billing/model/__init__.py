"""Tables of `billing` and the rules that always hold."""

from services.billing.model.documents import (
    ADDRESS_USES,
    BilledWork,
    CreditNote,
    CreditNoteLine,
    Invoice,
    InvoiceLine,
    Payment,
    Quote,
    QuoteLine,
)
from services.billing.model.files import DocumentFile, ErasedObject
from services.billing.model.parties import Base, BillingDetails, BillingFieldWrite, Company, Counter, KnownParty
from services.kit.movable import Link, Movable

#: Kinds of rows that have a home: counted, exported and erased by it.
KINDS: dict[str, type] = {
    "quote": Quote,
    "invoice": Invoice,
    "credit_note": CreditNote,
    "billing_details": BillingDetails,
    "billing_field_write": BillingFieldWrite,
}

_AT = (
    Link("address_id", "address"),
    Link("job_site_id", "job_site"),
    Link("intervention_ids", "intervention", listed=True),
)
_LABEL = "concat_ws(' ', coalesce(x.number, 'Brouillon'), x.title)"
#: A draft follows the document that it was made from; what is issued bears a name, and so is decided on by itself.
MOVABLE = {
    "quote": Movable(_LABEL, _AT),
    "invoice": Movable(_LABEL, (*_AT, Link("quote_id", "quote")), alone="x.status <> 'draft' OR x.quote_id IS NULL"),
    "credit_note": Movable(
        _LABEL, (*_AT, Link("invoice_id", "invoice")), alone="x.status <> 'draft' OR x.invoice_id IS NULL"
    ),
}

__all__ = [
    "ADDRESS_USES",
    "KINDS",
    "MOVABLE",
    "Base",
    "BilledWork",
    "BillingDetails",
    "BillingFieldWrite",
    "Company",
    "Counter",
    "CreditNote",
    "CreditNoteLine",
    "DocumentFile",
    "ErasedObject",
    "Invoice",
    "InvoiceLine",
    "KnownParty",
    "Payment",
    "Quote",
    "QuoteLine",
]
