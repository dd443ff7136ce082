"""Published language of `billing`: the company, how clients are billed, quotes, invoices, credit notes, payments."""

from contracts.billing.events import (
    QUOTE_EVENTS as QUOTE_EVENTS,
)
from contracts.billing.events import (
    CompanyUpdated as CompanyUpdated,
)
from contracts.billing.events import (
    CreditNoteIssued as CreditNoteIssued,
)
from contracts.billing.events import (
    DetailsUpdated as DetailsUpdated,
)
from contracts.billing.events import (
    DocumentEvent as DocumentEvent,
)
from contracts.billing.events import (
    InvoiceCancelled as InvoiceCancelled,
)
from contracts.billing.events import (
    InvoiceCreated as InvoiceCreated,
)
from contracts.billing.events import (
    InvoiceDeleted as InvoiceDeleted,
)
from contracts.billing.events import (
    InvoiceEvent as InvoiceEvent,
)
from contracts.billing.events import (
    InvoiceIssued as InvoiceIssued,
)
from contracts.billing.events import (
    InvoicePaid as InvoicePaid,
)
from contracts.billing.events import (
    InvoiceSent as InvoiceSent,
)
from contracts.billing.events import (
    PaymentRecorded as PaymentRecorded,
)
from contracts.billing.events import (
    QuoteAccepted as QuoteAccepted,
)
from contracts.billing.events import (
    QuoteCancelled as QuoteCancelled,
)
from contracts.billing.events import (
    QuoteCreated as QuoteCreated,
)
from contracts.billing.events import (
    QuoteDeleted as QuoteDeleted,
)
from contracts.billing.events import (
    QuoteFinalised as QuoteFinalised,
)
from contracts.billing.events import (
    QuoteRefused as QuoteRefused,
)
from contracts.billing.events import (
    QuoteSent as QuoteSent,
)
from contracts.billing.requests import (
    AcceptQuote as AcceptQuote,
)
from contracts.billing.requests import (
    BillingFiche as BillingFiche,
)
from contracts.billing.requests import (
    CancelQuote as CancelQuote,
)
from contracts.billing.requests import (
    CheckBilling as CheckBilling,
)
from contracts.billing.requests import (
    ClientTies as ClientTies,
)
from contracts.billing.requests import (
    CreateCreditNote as CreateCreditNote,
)
from contracts.billing.requests import (
    CreateInvoice as CreateInvoice,
)
from contracts.billing.requests import (
    CreateQuote as CreateQuote,
)
from contracts.billing.requests import (
    CreditInvoice as CreditInvoice,
)
from contracts.billing.requests import (
    DeleteDraft as DeleteDraft,
)
from contracts.billing.requests import (
    DocumentPage as DocumentPage,
)
from contracts.billing.requests import (
    FinaliseQuote as FinaliseQuote,
)
from contracts.billing.requests import (
    GetCompany as GetCompany,
)
from contracts.billing.requests import (
    GetCreditNote as GetCreditNote,
)
from contracts.billing.requests import (
    GetDetails as GetDetails,
)
from contracts.billing.requests import (
    GetInvoice as GetInvoice,
)
from contracts.billing.requests import (
    GetQuote as GetQuote,
)
from contracts.billing.requests import (
    ImportDocument as ImportDocument,
)
from contracts.billing.requests import (
    ImportPayment as ImportPayment,
)
from contracts.billing.requests import (
    InvoiceQuote as InvoiceQuote,
)
from contracts.billing.requests import (
    IssueCreditNote as IssueCreditNote,
)
from contracts.billing.requests import (
    IssueInvoice as IssueInvoice,
)
from contracts.billing.requests import (
    ListCreditNotes as ListCreditNotes,
)
from contracts.billing.requests import (
    ListInvoices as ListInvoices,
)
from contracts.billing.requests import (
    ListQuotes as ListQuotes,
)
from contracts.billing.requests import (
    RecordPayment as RecordPayment,
)
from contracts.billing.requests import (
    RefundCreditNote as RefundCreditNote,
)
from contracts.billing.requests import (
    RefuseQuote as RefuseQuote,
)
from contracts.billing.requests import (
    SendInvoice as SendInvoice,
)
from contracts.billing.requests import (
    SendQuote as SendQuote,
)
from contracts.billing.requests import (
    UpdateCompany as UpdateCompany,
)
from contracts.billing.requests import (
    UpdateCreditNote as UpdateCreditNote,
)
from contracts.billing.requests import (
    UpdateDetails as UpdateDetails,
)
from contracts.billing.requests import (
    UpdateInvoice as UpdateInvoice,
)
from contracts.billing.requests import (
    UpdateQuote as UpdateQuote,
)
from contracts.billing.shapes import (
    OWNER as OWNER,
)
from contracts.billing.shapes import (
    VAT_RATES as VAT_RATES,
)
from contracts.billing.shapes import (
    Company as Company,
)
from contracts.billing.shapes import (
    CompanyChanges as CompanyChanges,
)
from contracts.billing.shapes import (
    CreditBody as CreditBody,
)
from contracts.billing.shapes import (
    CreditNote as CreditNote,
)
from contracts.billing.shapes import (
    CreditNoteBody as CreditNoteBody,
)
from contracts.billing.shapes import (
    CreditNoteChanges as CreditNoteChanges,
)
from contracts.billing.shapes import (
    CreditNoteStatus as CreditNoteStatus,
)
from contracts.billing.shapes import (
    Details as Details,
)
from contracts.billing.shapes import (
    DetailsChanges as DetailsChanges,
)
from contracts.billing.shapes import (
    Document as Document,
)
from contracts.billing.shapes import (
    DocumentBody as DocumentBody,
)
from contracts.billing.shapes import (
    DocumentChanges as DocumentChanges,
)
from contracts.billing.shapes import (
    ImportedDocument as ImportedDocument,
)
from contracts.billing.shapes import (
    ImportedLine as ImportedLine,
)
from contracts.billing.shapes import (
    ImportedPayment as ImportedPayment,
)
from contracts.billing.shapes import (
    Invoice as Invoice,
)
from contracts.billing.shapes import (
    InvoiceBody as InvoiceBody,
)
from contracts.billing.shapes import (
    InvoiceChanges as InvoiceChanges,
)
from contracts.billing.shapes import (
    InvoiceKind as InvoiceKind,
)
from contracts.billing.shapes import (
    InvoiceStatus as InvoiceStatus,
)
from contracts.billing.shapes import (
    Kind as Kind,
)
from contracts.billing.shapes import (
    LineAnswer as LineAnswer,
)
from contracts.billing.shapes import (
    LineBody as LineBody,
)
from contracts.billing.shapes import (
    Lines as Lines,
)
from contracts.billing.shapes import (
    Party as Party,
)
from contracts.billing.shapes import (
    Payable as Payable,
)
from contracts.billing.shapes import (
    PaymentAnswer as PaymentAnswer,
)
from contracts.billing.shapes import (
    PaymentBody as PaymentBody,
)
from contracts.billing.shapes import (
    Percent as Percent,
)
from contracts.billing.shapes import (
    Quantity as Quantity,
)
from contracts.billing.shapes import (
    Quote as Quote,
)
from contracts.billing.shapes import (
    QuoteBody as QuoteBody,
)
from contracts.billing.shapes import (
    QuoteChanges as QuoteChanges,
)
from contracts.billing.shapes import (
    QuoteStatus as QuoteStatus,
)
from contracts.billing.shapes import (
    TaxAnswer as TaxAnswer,
)
from contracts.billing.shapes import (
    TimeZone as TimeZone,
)
from contracts.billing.shapes import (
    UnitPrice as UnitPrice,
)
from contracts.billing.shapes import (
    VatRate as VatRate,
)
