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
    """A member of staff; one who left is made inactive."""
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
