"""What names an address: the same question to each service that keeps rows at one."""

from __future__ import annotations

from pydantic import Field

from contracts.base import Id, Model, Query


class CountAddressUses(Query):
    """How many living rows of a service name each of these addresses. Subclasses give it the service's name.

    `tree`: only rows of these records, for a page that shows one client; without it, of anybody, for a deletion.
    """

    ids: list[Id] = Field(max_length=500)
    tree: list[Id] | None = None


class AddressUses(Model):
    """Address id → kind of row → how many; what names nothing is absent."""

    uses: dict[str, dict[str, int]]
