"""Fields of the trade that need a check: e-mail, phone, SIRET, VAT number, IBAN.

A value is kept as given or refused, never altered in silence. Checks use the field's own libraries.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

_EXTENSION = re.compile(r"(?i)[\s,;./-]*(?:\b(?:poste|ext(?:ension)?|p)\b\.?|#)\s*(\d{1,7})\s*$")


def at_field(field: str, message: str) -> PydanticCustomError:
    """A fault of several fields together, told at the one that a person should mend."""
    return PydanticCustomError("at_field", message, {"field": field})


def check_email(value: str | None) -> str | None:
    """Syntax only (RFC 5321/6531), never DNS. The text comes back as it was given. Raises `ValueError`."""
    if value is None or value == "":
        return value
    try:
        validate_email(value, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise ValueError("Cette adresse e-mail n’est pas valable.") from None
    return value


def check_phone(value: str) -> str:
    """Refused only when no number of the kind can exist (ITU E.164 lengths); short internal numbers pass.

    The text comes back as it was given; `phone_forms` tells how it is dialled and shown.
    """
    import phonenumbers

    if value == "" or is_internal(value):
        return value
    try:
        number, _ = parse_phone(value)
    except phonenumbers.NumberParseException:
        raise ValueError("Ce numéro de téléphone n’est pas valable.") from None
    if not phonenumbers.is_possible_number(number):
        raise ValueError("Ce numéro de téléphone n’est pas possible\u202f: vérifiez le nombre de chiffres.")
    return value


def is_internal(value: str) -> bool:
    """Whether a number is a short one (2 to 6 digits): of a company's own exchange, or a service number."""
    bare = re.sub(r"[\s.]", "", value)
    return bare.isascii() and bare.isdigit() and 2 <= len(bare) <= 6


def parse_phone(value: str) -> tuple[Any, str]:
    """The number, read as French where no country is given, and its extension (`poste 214`), empty without one.

    Raises `phonenumbers.NumberParseException`.
    """
    import phonenumbers

    found = _EXTENSION.search(value)
    main = value[: found.start()] if found else value
    number = phonenumbers.parse(re.sub(r"\s", " ", main), "FR")
    return number, (found.group(1) if found else number.extension or "")


def phone_forms(value: str) -> tuple[str, str]:
    """How a phone is dialled (E.164, RFC 3966 `;ext=` behind it) and how a French reader is shown it.

    What cannot be read, and short internal numbers, are shown as given and have no E.164.
    """
    import phonenumbers

    if value == "" or is_internal(value):
        return "", value
    try:
        number, extension = parse_phone(value)
    except phonenumbers.NumberParseException:
        return "", value
    number.extension = None
    shape = phonenumbers.PhoneNumberFormat
    style = shape.NATIONAL if number.country_code == 33 else shape.INTERNATIONAL
    dialled = phonenumbers.format_number(number, shape.E164)
    shown = phonenumbers.format_number(number, style)
    if not extension:
        return dialled, shown
    return f"{dialled};ext={extension}", f"{shown} poste {extension}"


def check_siret(value: str) -> str:
    """SIRET (14 digits, Luhn key; La Poste's own rule included), spaces allowed. Kept as its digits."""
    from stdnum.exceptions import ValidationError
    from stdnum.fr import siret

    if value == "":
        return value
    try:
        return str(siret.validate(value))
    except ValidationError:
        raise ValueError("Ce SIRET n’est pas valable\u202f: 14 chiffres, clé comprise.") from None


def check_siren(value: str) -> str:
    """SIREN (9 digits, Luhn key)."""
    from stdnum.exceptions import ValidationError
    from stdnum.fr import siren

    if value == "":
        return value
    try:
        return str(siren.validate(value))
    except ValidationError:
        raise ValueError("Ce SIREN n’est pas valable\u202f: 9 chiffres, clé comprise.") from None


def check_vat(value: str) -> str:
    """VAT number of a country of the Union (VIES formats and keys, offline)."""
    from stdnum.eu import vat
    from stdnum.exceptions import ValidationError

    if value == "":
        return value
    try:
        return str(vat.validate(value))
    except ValidationError:
        raise ValueError(
            "Ce numéro de TVA n’est pas valable. En France\u202f: FR, deux chiffres, puis le SIREN."
        ) from None


def check_iban(value: str) -> str:
    """IBAN (ISO 13616): length by country and key modulo 97."""
    from stdnum import iban
    from stdnum.exceptions import ValidationError

    if value == "":
        return value
    try:
        return str(iban.validate(value))
    except ValidationError:
        raise ValueError("Cet IBAN n’est pas valable\u202f: recopiez-le depuis le RIB.") from None


def check_website(value: str) -> str:
    """Only addresses that a browser opens as a page."""
    if value and not value.lower().startswith(("http://", "https://")) and ":" in value.split("/")[0]:
        raise ValueError("Cette adresse de site n’est pas valable.")
    return value


Email = Annotated[str, Field(max_length=254), AfterValidator(check_email)]
Phone = Annotated[str, Field(max_length=60), AfterValidator(check_phone)]
Siret = Annotated[str, Field(max_length=30), AfterValidator(check_siret)]
Siren = Annotated[str, Field(max_length=30), AfterValidator(check_siren)]
VatNumber = Annotated[str, Field(max_length=30), AfterValidator(check_vat)]
Iban = Annotated[str, Field(max_length=50), AfterValidator(check_iban)]
Website = Annotated[str, Field(max_length=300), AfterValidator(check_website)]
