"""A billing service on a real PostgreSQL, with a complete company and clients that can be billed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from chassis.ids import new_id
from contracts import billing as c
from contracts import clients
from tests.support.services import ServiceUnderTest, make_service

COMPANY = {
    "legal_name": "Chauffage Morel",
    "legal_form": "SARL",
    "siren": "732829320",
    "siret": "73282932000074",
    "rcs": "RCS Rennes 732 829 320",
    "vat_number": "FR44732829320",
    "street": "4 rue des Tanneurs",
    "postal_code": "35000",
    "city": "Rennes",
}


@pytest.fixture(scope="module")
def bare(postgres_url: str) -> Iterator[ServiceUnderTest]:
    """A service whose company nobody has described yet."""
    made = make_service("billing", postgres_url)
    yield made
    made.close()


@pytest.fixture(scope="module")
def service(postgres_url: str) -> Iterator[ServiceUnderTest]:
    """A service with a complete company."""
    made = make_service("billing", postgres_url)
    made.call(c.UpdateCompany(changes=c.CompanyChanges(**COMPANY)))
    yield made
    made.close()


class Billing:
    """Shorthand for the tests: one method a deed."""

    def __init__(self, service: ServiceUnderTest) -> None:
        self.service = service

    def client(
        self, name: str = "Mairie de Saint-Malo", *, billable: bool = True, siret: str = "", vat_number: str = ""
    ) -> uuid.UUID:
        """A client as events tell it, with billing details unless it is not to be billable."""
        home, address = new_id(), new_id()
        self.service.tell(
            clients.ClientCreated(
                id=home,
                kind="company",
                stage="client",
                display_name=name,
                reference=f"C-{home.hex[-6:]}",
                status="active",
                email="",
                phone="",
                siret=siret,
                vat_number=vat_number,
                sales_rep_id=None,
                main_address_id=address,
            )
        )
        self.service.tell(
            clients.AddressCreated(
                id=address,
                home_client_id=home,
                client_id=home,
                label="Siège",
                street="12 place Chateaubriand",
                street_extra="",
                postal_code="35400",
                city="Saint-Malo",
                country="FR",
                place_id=None,
                retired=False,
            )
        )
        if billable:
            self.details(home, billing_name=name, billing_address_id=address)
        return home

    def details(self, home: uuid.UUID, **changes: Any) -> Any:
        return self.service.call(
            c.UpdateDetails(home_client_id=home, written_client_id=home, changes=c.DetailsChanges(**changes))
        )

    def quote(self, home: uuid.UUID, *lines: dict[str, Any], **body: Any) -> Any:
        return self.service.call(
            c.CreateQuote(
                home_client_id=home, written_client_id=home, body=c.QuoteBody(lines=list(lines or [LINE]), **body)
            )
        )

    def invoice(self, home: uuid.UUID, *lines: dict[str, Any], **body: Any) -> Any:
        return self.service.call(
            c.CreateInvoice(
                home_client_id=home, written_client_id=home, body=c.InvoiceBody(lines=list(lines or [LINE]), **body)
            )
        )

    def issued(self, home: uuid.UUID, *lines: dict[str, Any], **body: Any) -> Any:
        return self.service.call(c.IssueInvoice(id=self.invoice(home, *lines, **body)["id"]))

    def pay(self, invoice_id: str, amount: str, **body: Any) -> Any:
        return self.service.call(c.RecordPayment(invoice_id=invoice_id, body=c.PaymentBody(amount=amount, **body)))

    def credit(self, invoice_id: str, *lines: dict[str, Any]) -> Any:
        body = c.CreditBody(lines=list(lines)) if lines else c.CreditBody()
        return self.service.call(c.CreditInvoice(id=invoice_id, body=body))

    def get(self, invoice_id: str) -> Any:
        return self.service.call(c.GetInvoice(id=invoice_id))


#: 100.00 without tax, 120.00 with.
LINE = {"label": "Entretien annuel", "quantity": "1", "unit_price": "100", "vat_rate": "20"}


@pytest.fixture
def billing(service: ServiceUnderTest) -> Billing:
    """Deeds on the service with a complete company."""
    return Billing(service)
