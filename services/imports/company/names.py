"""Who and where: the names, towns and telephone numbers that a made-up company draws from."""

from __future__ import annotations

from random import Random
from typing import Protocol

from faker import Faker

from services.imports.company import words


class Names(Protocol):
    """What is drawn for a client. `begin` is called before each client, with what its draws depend on."""

    def begin(self, key: str) -> None:
        """The draws that follow depend on `key` alone."""

    def first_name(self) -> str:
        """A first name."""

    def last_name(self) -> str:
        """A family name."""

    def town(self, rng: Random) -> tuple[str, str]:
        """Postal code and town."""

    def street(self, rng: Random) -> str:
        """A street without its number."""

    def building(self, rng: Random) -> str:
        """Name of a residence."""

    def syndic(self, rng: Random) -> str:
        """Name of a managing agent."""

    def mobile(self, rng: Random) -> str:
        """A mobile number."""

    def landline(self, rng: Random) -> str:
        """A fixed number."""


class FrenchNames:
    """French names as they are frequent, towns around Lyon, telephone numbers of the ranges kept for fiction."""

    def __init__(self) -> None:
        self._faker = Faker("fr_FR")

    def begin(self, key: str) -> None:
        self._faker.seed_instance(key)

    def first_name(self) -> str:
        return str(self._faker.first_name())

    def last_name(self) -> str:
        return str(self._faker.last_name())

    def town(self, rng: Random) -> tuple[str, str]:
        return rng.choice(words.TOWNS)

    def street(self, rng: Random) -> str:
        return rng.choice(words.STREETS)

    def building(self, rng: Random) -> str:
        return rng.choice(words.BUILDING_NAMES)

    def syndic(self, rng: Random) -> str:
        return rng.choice(words.SYNDICS)

    def mobile(self, rng: Random) -> str:
        return f"06 39 98 {rng.randrange(100):02d} {rng.randrange(100):02d}"

    def landline(self, rng: Random) -> str:
        return f"01 99 00 {rng.randrange(100):02d} {rng.randrange(100):02d}"
