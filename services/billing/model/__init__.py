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
from services.billing.model.files import DocumentFile
from services.billing.model.parties import Base, BillingDetails, BillingFieldWrite, Company, Counter, KnownParty

#: Kinds of rows that have a home: counted, exported and erased by it.
KINDS: dict[str, type] = {
    "quote": Quote,
    "invoice": Invoice,
    "credit_note": CreditNote,
    "billing_details": BillingDetails,
    "billing_field_write": BillingFieldWrite,
}

__all__ = [
    "ADDRESS_USES",
    "KINDS",
    "Base",
    "BilledWork",
    "BillingDetails",
    "BillingFieldWrite",
    "Company",
    "Counter",
    "CreditNote",
    "CreditNoteLine",
    "DocumentFile",
    "Invoice",
    "InvoiceLine",
    "KnownParty",
    "Payment",
    "Quote",
    "QuoteLine",
]
