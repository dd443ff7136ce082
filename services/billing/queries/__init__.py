"""The read side of `billing`: PostgreSQL makes the JSON."""

from services.billing.queries.chain import verify_chain
from services.billing.queries.documents import (
    check,
    fiche,
    get_credit_note,
    get_invoice,
    get_quote,
    list_credit_notes,
    list_invoices,
    list_quotes,
    ties,
)
from services.billing.queries.figures import figures
from services.billing.queries.history import details_history
from services.billing.queries.parties import get_company, get_details
from services.billing.queries.totals import compute_totals
from services.billing.queries.undo import undo_billing

__all__ = [
    "check",
    "compute_totals",
    "details_history",
    "fiche",
    "figures",
    "get_company",
    "get_credit_note",
    "get_details",
    "get_invoice",
    "get_quote",
    "list_credit_notes",
    "list_invoices",
    "list_quotes",
    "ties",
    "undo_billing",
    "verify_chain",
]
