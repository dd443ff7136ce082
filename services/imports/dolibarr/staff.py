"""Users of Dolibarr → members of staff."""

from __future__ import annotations

from collections.abc import Iterator

from services.imports.dolibarr import checks
from services.imports.dolibarr.common import checked
from services.imports.dolibarr.context import Context
from services.imports.records import Record, User


def users(context: Context) -> Iterator[Record]:
    """Staff. Who writes or does interventions is a technician; who follows a client, a salesperson."""
    authors = {row.id("fk_user_author") for row in context.tables.rows("fichinter")}
    sellers = {row.id("fk_user") for row in context.tables.rows("societe_commerciaux")}
    technicians = authors | set(_interveners(context))
    emails: set[str] = set()
    for row in context.rows("user"):
        login = row.line_of("login", limit=100)
        if row.id("fk_soc", "fk_societe", "fk_socpeople") is not None:
            context.refuse(row, "compte d’un tiers (accès externe)\u202f: n’est pas du personnel")
            continue
        if login is None:
            context.refuse(row, "utilisateur sans identifiant de connexion")
            continue
        technician = row.rowid in technicians
        role = "technician" if technician else "salesperson" if row.rowid in sellers else "office"
        email = checked(context, row, "adresse e-mail", row.line_of("email"), checks.email)
        if email is not None and email.lower() in emails:
            context.notice(row, f"adresse {email} déjà portée par un autre utilisateur\u202f: non reprise")
            email = None
        emails.add((email or "").lower())
        raw_phone = row.line_of("user_mobile", "office_phone")
        context.came[row.ref] = ""
        names = (row.line_of("firstname"), row.line_of("lastname", "name", "nom") or login)
        context.staff[row.ref] = " ".join(name for name in names if name)
        yield User(
            ref=row.ref,
            login=login,
            first_name=names[0],
            last_name=names[1] or login,
            email=email,
            phone=checked(context, row, "téléphone", raw_phone, checks.phone),
            job_title=row.line_of("job"),
            role="administrator" if row.integer("admin") == 1 else role,
            technician=technician,
            active=row.integer("statut", "status", default=1) == 1,
        )


def _interveners(context: Context) -> Iterator[str]:
    """Internal people set on interventions (element_contact), where the export has them."""
    kinds = {
        row.rowid
        for row in context.tables.rows("c_type_contact")
        if row.raw("element") == "fichinter" and row.raw("source") == "internal"
    }
    for row in context.tables.rows("element_contact"):
        if row.id("fk_c_type_contact") in kinds and (person := row.id("fk_socpeople")) is not None:
            yield person
