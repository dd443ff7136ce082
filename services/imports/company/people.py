"""The company's staff, and the identity of its clients: names, numbers, addresses, contacts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random

from services.imports.company import words
from services.imports.company.names import Names
from services.imports.company.outline import Outline
from services.imports.records import Address, Billing, Client, Contact, Record, User


def luhn_digit(digits: str) -> str:
    """The check digit that makes `digits` + it pass Luhn's rule, as SIREN and SIRET must."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def siren(index: int, seed: int) -> str:
    """A SIREN of its own for each index: the step is prime to the range, so that none comes twice."""
    base = str(30_000_000 + (index * 7_919_123 + seed * 104_729) % 60_000_000)
    return base + luhn_digit(base)


def siret(of: str) -> str:
    """The first establishment of a SIREN."""
    base = of + "0001"
    return base + luhn_digit(base)


def vat_number(of: str) -> str:
    """French VAT number of a SIREN (key of article 242 sexies A, CGI annexe II)."""
    return f"FR{(12 + 3 * (int(of) % 97)) % 97:02d}{of}"


def slug(text: str) -> str:
    """Letters and digits only, without accents, as in an e-mail address."""
    plain = unicodedata.normalize("NFKD", text.replace("œ", "oe")).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def staff(clients: int, seed: int, names: Names) -> list[User]:
    """Manager, office, salespeople and technicians: so many as the number of clients asks for."""
    wanted = [("administrator", "Gérante", 1), ("office", "Assistante de gestion", 1 + min(6, clients // 1500)),
              ("salesperson", "Chargé d’affaires", 1 + min(12, clients // 600)),
              ("technician", "Technicien chauffagiste", 3 + min(45, clients // 120))]  # fmt: skip
    found: list[User] = []
    names.begin(f"{seed}/staff")
    rng = Random(f"{seed}/staff")
    for role, job, count in wanted:
        for _ in range(count):
            first, last = names.first_name(), names.last_name()
            login = f"{slug(first)[:1]}{slug(last).replace('-', '')}{len(found) + 1}"
            found.append(
                User(
                    ref=f"demo:{seed}:user:{len(found) + 1}",
                    login=login,
                    first_name=first,
                    last_name=last,
                    email=f"{login}@rhone-chauffage.example",
                    phone=names.mobile(rng),
                    job_title=job,
                    role=role,
                    technician=role == "technician",
                )
            )
    return found


def client_ref(seed: int, index: int) -> str:
    """Outside reference of a client."""
    return f"demo:{seed}:client:{index + 1}"


def identity(outline: Outline, seed: int, today: date, names: Names, sales_rep: str) -> Iterator[Record]:
    """The record of a client, its addresses, billing details and contacts."""
    rng = Random(f"{seed}/{outline.index}/identity")
    names.begin(f"{seed}/{outline.index}/faker")
    ref = client_ref(seed, outline.index)
    postal_code, city = names.town(rng)
    street = f"{rng.randint(1, 140)} {names.street(rng)}"
    first, last = names.first_name(), names.last_name()
    number = siren(outline.index, seed)
    individual = outline.kind == "individual"
    name = _name(outline, rng, names, last, city)
    company = not individual and not (outline.kind == "building" and rng.random() < 0.4)
    host = f"{slug(name)[:40]}-{outline.index + 1}.example"
    created = today - timedelta(days=1100 + rng.randrange(1800))
    yield Client(
        ref=ref,
        kind="company" if outline.kind == "building" else outline.kind,
        # A prospect has had no work done: only quotes that wait, or nothing yet.
        stage="client" if any(work.day is not None or work.invoiced for work in outline.works) else "prospect",
        status="archived" if rng.random() < 0.02 and not outline.big else "active",
        display_name=f"{first} {last}" if individual else name,
        company_name=None if individual else name,
        first_name=first if individual else None,
        last_name=last if individual else None,
        registration_number=f"M{outline.index + 1:06d}",
        siret=siret(number) if company else None,
        vat_number=vat_number(number) if company else None,
        email=f"{slug(first)}.{slug(last)}{outline.index + 1}@courriel.example" if individual else f"contact@{host}",
        phone=names.mobile(rng) if individual else names.landline(rng),
        secondary_phone=names.mobile(rng) if rng.random() < 0.3 else None,
        website=f"https://www.{host}" if not individual and rng.random() < 0.5 else None,
        sales_rep_ref=sales_rep,
        tags=tuple(sorted(rng.sample(words.TAGS, rng.choice((0, 0, 1, 1, 2))))),
        custom_fields={"date_inscription": created.isoformat()},
        memo=rng.choice(words.MEMOS) if rng.random() < 0.35 or outline.big else "",
        created_at=datetime(created.year, created.month, created.day, 9, rng.randrange(60), tzinfo=UTC),
    )
    yield Address(
        ref=f"{ref}:address:1",
        client_ref=ref,
        label="Adresse principale",
        street=street,
        street_extra=rng.choice(("Bâtiment A", "Escalier 2", "3e étage gauche")) if rng.random() < 0.2 else None,
        postal_code=postal_code,
        city=city,
        access_notes=rng.choice(words.ACCESS) if rng.random() < 0.4 else None,
        is_main=True,
    )
    for extra in range(2, 2 + (rng.randint(1, 4) if outline.big else int(rng.random() < 0.08))):
        postal_code, city = names.town(rng)
        yield Address(
            ref=f"{ref}:address:{extra}",
            client_ref=ref,
            label=rng.choice(("Entrepôt", "Annexe", "Logement loué", "Agence", "Résidence secondaire")),
            street=f"{rng.randint(1, 140)} {names.street(rng)}",
            postal_code=postal_code,
            city=city,
            access_notes=rng.choice(words.ACCESS) if rng.random() < 0.5 else None,
        )
    yield Billing(
        ref=f"{ref}:billing",
        client_ref=ref,
        billing_name=f"{first} {last}" if individual else name,
        billing_address_ref=f"{ref}:address:1",
        payment_terms="À réception" if individual else rng.choice(("30 jours", "30 jours fin de mois", "45 jours")),
        payment_means=rng.choice(("Chèque", "Carte bancaire") if individual else ("Virement", "Prélèvement")),
        accounting_account=f"411{outline.index + 1:06d}",
    )
    for place in range(1, 1 + (rng.choice((0, 0, 0, 1)) if individual else rng.randint(1, 4 if outline.big else 2))):
        contact_first, contact_last = names.first_name(), names.last_name()
        yield Contact(
            ref=f"{ref}:contact:{place}",
            client_ref=ref,
            first_name=contact_first,
            last_name=contact_last,
            role=rng.choice(words.ROLES),
            email=f"{slug(contact_first)}.{slug(contact_last)}@{'courriel.example' if individual else host}",
            phone=names.mobile(rng),
        )


def _name(outline: Outline, rng: Random, names: Names, last: str, city: str) -> str:
    if outline.kind == "building":
        return f"SDC {names.building(rng)} – {city}"
    if outline.kind == "property_manager":
        return f"{names.syndic(rng)} – {city}"
    if rng.random() < 0.5:
        return f"{rng.choice(words.TRADES)} {last}"
    return f"{last} {rng.choice(words.TRADES)} {rng.choice(words.LEGAL_FORMS)}"
