"""What each role may do, at the door and in the pages alike."""

from __future__ import annotations

from contracts.accounts import Identity

#: Roles of people on the road: they read, and write only what their work asks for.
FIELD_ROLES = {"technician", "subcontractor"}
#: Right → roles that have it. A person with several roles has the rights of each.
RIGHTS = {
    "read": None,
    "report": None,
    "edit": {"owner", "administrator", "admin", "manager", "office", "salesperson", "lead_technician"},
    "bill": {"owner", "administrator", "admin", "manager", "office", "accountant"},
    "admin": {"owner", "administrator", "admin"},
}


def may(user: Identity, what: str) -> bool:
    """Whether somebody has a right. API keys go by their scopes."""
    if user.kind != "user":
        needed = {"read": "read", "admin": "admin"}.get(what, "write")
        return needed in user.scopes
    roles = RIGHTS[what]
    return roles is None or bool(roles & set(user.roles)) or (what == "admin" and "admin" in user.scopes)
