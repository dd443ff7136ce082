"""The values that other services refuse when they are wrong: told apart here, so that the row still comes in.

A wrong value is never mended nor dropped in silence: the caller gets None and says where the value went.
"""

from __future__ import annotations

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from stdnum import exceptions as stdnum_errors
from stdnum import iban as stdnum_iban
from stdnum.eu import vat as stdnum_vat
from stdnum.fr import siren as stdnum_siren
from stdnum.fr import siret as stdnum_siret


def siret(value: str) -> str | None:
    """The SIRET in fourteen digits, None when its check digit is wrong."""
    try:
        return str(stdnum_siret.validate(value))
    except stdnum_errors.ValidationError:
        return None


def siren(value: str) -> str | None:
    """The SIREN in nine digits, None when its check digit is wrong."""
    try:
        return str(stdnum_siren.validate(value))
    except stdnum_errors.ValidationError:
        return None


def vat_number(value: str) -> str | None:
    """The European VAT number without spaces, None when it cannot be one."""
    try:
        return str(stdnum_vat.validate(value))
    except stdnum_errors.ValidationError:
        return None


def iban(value: str) -> str | None:
    """The IBAN without spaces, None when its check digits or its country's form are wrong."""
    try:
        return str(stdnum_iban.validate(value))
    except stdnum_errors.ValidationError:
        return None


def phone(value: str, country: str = "FR") -> str | None:
    """The phone as written, None when no such number is possible in the country."""
    try:
        parsed = phonenumbers.parse(value, country)
    except phonenumbers.NumberParseException:
        return None
    return value if phonenumbers.is_possible_number(parsed) else None


def email(value: str) -> str | None:
    """The e-mail address as written, None when its syntax is wrong; the domain is not asked for."""
    try:
        validate_email(value, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None
    return value
