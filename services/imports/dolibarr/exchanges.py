"""Activities, files, links between documents, and the tables that stay outside."""

from __future__ import annotations

import re
from collections.abc import Iterator

from services.imports.dolibarr import codes
from services.imports.dolibarr.context import Context
from services.imports.dolibarr.tables import Row
from services.imports.records import Activity, Document, Record

_MAIL = re.compile(r"(SENTBYMAIL|_EMAIL$|EMAILING)")


def activities(context: Context) -> Iterator[Record]:
    """actioncomm: calls, mails, visits and notes; those Dolibarr wrote by itself are marked as automatic."""
    kinds = context.dictionary(("c_actioncomm",), "code", codes.ACTIONS)
    for row in context.rows("actioncomm"):
        client = _client_of(context, row)
        if client is None:
            continue
        occurred_at = row.moment("datep", "datec", "tms")
        if occurred_at is None:
            context.refuse(row, "événement sans date")
            continue
        code = kinds.get(row.id("fk_action") or "", "AC_OTH")
        kind, direction = _kind(row, code)
        author = context.ref("user", row.id("fk_user_action")) or context.ref("user", row.id("fk_user_author"))
        body = row.plain("note")
        if (location := row.line_of("location")) is not None:
            body = "\n\n".join(part for part in (body, f"Lieu\u202f: {location}") if part)
        context.came[row.ref] = client
        yield Activity(
            ref=row.ref,
            client_ref=client,
            kind=kind,
            direction=direction,
            occurred_at=occurred_at,
            subject=row.line_of("label") or row.line_of("note", limit=120) or "Sans objet",
            body=body,
            contact_ref=context.ref("socpeople", row.id("fk_contact")),
            author_ref=author,
            author_name=context.staff.get(author or ""),
            automatic=_automatic(row, code),
        )


def _client_of(context: Context, row: Row) -> str | None:
    """The event's company, else that of its contact or of the document it is about; else it is refused."""
    if row.id("fk_soc", "fk_societe") is not None:
        return context.owner(row)
    contact = context.ref("socpeople", row.id("fk_contact"))
    if contact is not None:
        return context.came[contact]
    element = context.ref(codes.ELEMENTS.get(row.raw("elementtype") or "", ""), row.id("fk_element"))
    if element is not None and context.came[element]:
        return context.came[element]
    context.refuse(row, "événement sans client")
    return None


def _automatic(row: Row, code: str) -> bool:
    detail = row.raw("code") or ""
    if code == "AC_OTH_AUTO" or detail == "AC_OTH_AUTO":
        return True
    # Before version 3.3 automatic events had the type "other" too, and a last line said who caused them.
    last = row.plain("note").rsplit("\n", 1)[-1]
    return code == "AC_OTH" and not detail and last.startswith(("Author: ", "Auteur: "))


def _kind(row: Row, code: str) -> tuple[str, str | None]:
    detail = row.raw("code") or ""
    for name in (detail, code):
        if name in codes.ACTIVITY_KINDS:
            return codes.ACTIVITY_KINDS[name]
    if _MAIL.search(detail) or row.raw("email_to") or row.raw("email_msgid"):
        return "email", "out"
    return "note", None


def documents(context: Context) -> Iterator[Record]:
    """ecm_files: names only. The owner is found by the object, or by the folder the file lies in."""
    for row in context.rows("ecm_files"):
        name = row.line_of("filename", limit=255)
        if name is None:
            context.refuse(row, "fichier sans nom")
            continue
        parts = [part for part in (row.raw("filepath") or "").replace("\\", "/").split("/") if part]
        kind = (row.raw("src_object_type") or "").lower()
        known = codes.FILES.get(kind) or codes.FILES.get(parts[0].lower() if parts else "")
        if known is None:
            context.refuse(row, f"fichier hors du périmètre\u202f: {parts[0] if parts else kind or 'dossier inconnu'}")
            continue
        table, folder = known
        about = _about(context, table, row, parts)
        if about is None:
            where = "/".join(parts) or f"{kind} {row.raw('src_object_id') or ''}".strip()
            context.refuse(row, f"le fichier appartient à un objet qui n’est pas repris\u202f: {where}")
            continue
        context.came[row.ref] = context.came[about]
        yield Document(
            ref=row.ref,
            client_ref=context.came[about],
            name=name,
            folder=folder,
            description=row.plain("description"),
            about_ref=about,
            created_at=row.moment("date_c", "date_m"),
            author_ref=context.ref("user", row.id("fk_user_c")),
        )


def _about(context: Context, table: str, row: Row, parts: list[str]) -> str | None:
    """Ref of the object a file belongs to."""
    if (found := context.ref(table, row.id("src_object_id"))) is not None and row.raw("src_object_type"):
        return found
    if len(parts) < 2:
        return None
    if table == "societe":
        return context.ref("societe", parts[1])
    return next((ref for part in parts[1:] if (ref := context.numbers.get((table, part))) is not None), None)


def links(context: Context) -> Iterator[Record]:
    """element_element: documents bear the quote and the interventions they were made of; other links are listed."""
    for row in context.rows("element_element"):
        if row.ref not in context.came:
            context.refuse(row, _why_no_link(context, row))
    return iter(())


def _why_no_link(context: Context, row: Row) -> str:
    for kind, rowid in (("sourcetype", "fk_source"), ("targettype", "fk_target")):
        word = row.raw(kind) or "?"
        table = codes.ELEMENTS.get(word)
        if table is None:
            return f"lien vers un objet hors du périmètre\u202f: {word}"
        if context.ref(table, row.id(rowid)) is None:
            return f"lien\u202f: {context.why_not(table, row.id(rowid))}"
    if row.raw("sourcetype") == "propal":
        return "la facture est déjà liée à un devis\u202f: un seul est repris"
    return f"aucun lien de ce genre chez nous\u202f: {row.raw('sourcetype')} vers {row.raw('targettype')}"
