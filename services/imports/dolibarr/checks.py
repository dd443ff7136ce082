"""The values that other services refuse when they are wrong: told apart here, so that the row still comes in.

The rules are those of the contracts. A wrong value is never dropped in silence: the caller gets None and says where
the value went.
"""

from __future__ import annotations

from collections.abc import Callable

import phonenumbers

from contracts import fields


def siret(value: str) -> str | None:
    """The SIRET in fourteen digits, None when its check digit is wrong."""
    return _checked(fields.check_siret, value)


def vat_number(value: str) -> str | None:
    """The European VAT number without spaces, None when it cannot be one."""
    return _checked(fields.check_vat, value)


def iban(value: str) -> str | None:
    """The IBAN without spaces, None when its check digits or its country's form are wrong."""
    return _checked(fields.check_iban, value)


def website(value: str) -> str | None:
    """The address as written, None when no browser opens it as a page."""
    return _checked(fields.check_website, value) if len(value) <= 300 else None


def email(value: str) -> str | None:
    """The e-mail address as written, None when its syntax is wrong."""
    if len(value) > 254:
        return None
    try:
        return fields.check_email(value)
    except ValueError:
        return None


def phone(value: str, country: str = "FR") -> str | None:
    """The phone as written, None when no such number is possible.

    One that is only possible in its own country is given its country's prefix, without which it would be another.
    """
    if len(value) > 60:
        return None
    if (found := _checked(fields.check_phone, value)) is not None or country == "FR":
        return found
    try:
        parsed = phonenumbers.parse(value, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _checked(check: Callable[[str], str], value: str) -> str | None:
    try:
        return check(value)
    except ValueError:
        return None
