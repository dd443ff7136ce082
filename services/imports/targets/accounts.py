"""Staff → accounts. No password comes along: each signs in by a link that an administrator sends."""

from __future__ import annotations

import uuid

from contracts import accounts as c
from contracts.base import Request
from services.imports import records
from services.imports.targets.base import Order, Resolver

#: The right to do everything is given by a person, never by a file.
_ROLES: dict[str, c.Role] = {
    "administrator": "manager",
    "manager": "manager",
    "office": "office",
    "salesperson": "salesperson",
    "technician": "technician",
}


def user(record: records.User, chosen: uuid.UUID, resolver: Resolver) -> Order:
    """A member of staff; one who left is made inactive. Who has an account with the same e-mail is that person."""
    if (existing := _of_email(resolver, record.email)) is not None:
        return Order("accounts", "user", existing, [], notices=["rattaché au compte qui porte la même adresse"])
    roles = [_ROLES[record.role]]
    if record.technician and "technician" not in roles:
        roles.append("technician")
    name = " ".join(part for part in (record.first_name, record.last_name) if part)
    requests: list[Request] = [
        c.CreateUser(id=chosen, body=c.UserBody(name=name, email=record.email, roles=roles)),
    ]
    if not record.active:
        requests.append(c.UpdateUser(id=chosen, changes=c.UserChanges(active=False)))
    return Order("accounts", "user", chosen, requests)


def _of_email(resolver: Resolver, email: str | None) -> uuid.UUID | None:
    """The account that bears an e-mail already."""
    if email is None:
        return None
    if "accounts" not in resolver.cache:
        known: dict[str, uuid.UUID] = {}
        cursor: str | None = None
        while True:
            page = resolver.ask(c.ListUsers(limit=200, cursor=cursor))
            known |= {user["email"].lower(): uuid.UUID(user["id"]) for user in page["items"] if user["email"]}
            if (cursor := page["next"]) is None:
                break
        resolver.cache["accounts"] = known
    found: uuid.UUID | None = resolver.cache["accounts"].get(email.lower())
    return found
