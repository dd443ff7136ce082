"""Job sites, interventions, maintenance plans."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from services.imports.dolibarr import codes
from services.imports.dolibarr.context import Context
from services.imports.dolibarr.tables import Row
from services.imports.records import DoneVisit, Intervention, JobSite, Plan, Record, WorkLine

#: fichinter.fk_statut (class Fichinter): draft, validated, billed, done.
_DRAFT, _VALIDATED, _BILLED, _CLOSED = 0, 1, 2, 3
#: contrat.statut and contratdet.statut (class Contrat, ContratLigne).
_CONTRACT_DRAFT, _CONTRACT_CLOSED = 0, 2
_LINE_OPEN, _LINE_CLOSED = 4, 5


def job_sites(context: Context) -> Iterator[Record]:
    """projet → job site; its tasks are told in the description, their planned hours added up."""
    tasks = context.children("projet_task", "fk_projet")
    for row in context.rows("projet"):
        client = context.owner(row)
        if client is None:
            continue
        own = tasks.take(row.rowid)
        seconds = sum((task.decimal("planned_workload") for task in own), Decimal(0))
        listed = [f"- {task.line_of('label') or task.raw('ref') or 'Tâche'}" for task in own]
        texts = [row.plain("description"), row.plain("note_public"), row.plain("note_private", "note")]
        if listed:
            texts.append("\n".join(["Tâches\u202f:", *listed]))
        context.came[row.ref] = client
        if ref := row.line_of("ref"):
            context.numbers["projet", ref] = row.ref
        yield JobSite(
            ref=row.ref,
            client_ref=client,
            number=row.line_of("ref", limit=100),
            title=row.line_of("title") or row.line_of("ref") or "Chantier",
            description="\n\n".join(text for text in texts if text),
            status=codes.SITE_STATUS.get(row.integer("fk_statut"), "in_progress"),
            starts_on=row.day("dateo", "date_start"),
            ends_on=row.day("datee", "date_end"),
            address_ref=context.main_address.get(client),
            estimated_hours=(seconds / 3600).quantize(Decimal("0.01")) if seconds else None,
            parts=tuple(task.ref for task in own),
        )
    tasks.refuse_rest("projet")


def interventions(context: Context) -> Iterator[Record]:
    """fichinter and its lines, which are the report: what was done, when, how long."""
    lines = context.children("fichinterdet", "fk_fichinter")
    people = _people(context)
    linked = {
        row.id("fk_source")
        for row in context.tables.rows("element_element")
        if codes.ELEMENTS.get(row.raw("sourcetype") or "") == "fichinter" and row.raw("targettype") == "facture"
    }
    contracts = _contracts(context)
    for row in context.rows("fichinter"):
        client = context.owner(row)
        if client is None:
            continue
        own = lines.take(row.rowid)
        work = tuple(
            WorkLine(text=line.plain("description"), done_at=line.moment("date"), minutes=_minutes(line))
            for line in own
        )
        technicians = people.get(row.rowid) or [context.ref("user", row.id("fk_user_author"))]
        known = tuple(dict.fromkeys(ref for ref in technicians if ref is not None))
        dates = [(line.done_at, line.done_at + timedelta(minutes=line.minutes)) for line in work if line.done_at]
        starts_at = row.moment("dateo") or min((start for start, _ in dates), default=None)
        ends_at = row.moment("datee", "datet") or max((end for _, end in dates), default=None)
        description = row.plain("description")
        context.came[row.ref] = client
        if ref := row.line_of("ref"):
            context.numbers["fichinter", ref] = row.ref
        first = next((line.text for line in work if line.text), None)
        number = row.line_of("ref", limit=100)
        status = row.integer("fk_statut")
        billable = status != _BILLED or row.rowid in linked
        if not billable:
            context.notice(row, "facturée sans facture liée\u202f: reprise comme non facturable")
        yield Intervention(
            ref=row.ref,
            client_ref=client,
            number=None if number is None or number.upper().startswith("(PROV") else number,
            title=_title(description) or _title(first) or number or "Intervention",
            state=_state(status, bool(work), starts_at is not None),
            invoiced=status == _BILLED,
            # Nothing else would say that it must not be invoiced again.
            billable=billable,
            created_at=row.moment("datec"),
            address_ref=context.main_address.get(client),
            lead_technician_ref=known[0] if known else None,
            technician_refs=known,
            starts_at=starts_at,
            ends_at=ends_at if starts_at is None or ends_at is None or ends_at >= starts_at else starts_at,
            client_reference=row.line_of("ref_client"),
            job_site_ref=context.ref("projet", row.id("fk_projet")),
            description="\n\n".join(t for t in (description, row.plain("note_public"), row.plain("note_private")) if t),
            report_text="\n".join(line.text for line in work if line.text),
            work_lines=work,
            minutes=_minutes(row) or sum(line.minutes for line in work),
            parts=tuple(line.ref for line in own),
        )
        done_at = ends_at or starts_at or row.moment("date_valid", "datec")
        plan = contracts.get(row.rowid) or context.ref("contrat", row.id("fk_contrat"))
        if _state(status, bool(work), starts_at is not None) == "done" and plan and done_at:
            yield DoneVisit(ref=f"{row.ref}:visit", plan_ref=plan, intervention_ref=row.ref, done_at=done_at)
    lines.refuse_rest("fichinter")


def _contracts(context: Context) -> dict[str, str]:
    """Plan that an intervention was made under, by the intervention's rowid: links from contract to intervention."""
    found = {}
    for row in context.tables.rows("element_element"):
        ends = [codes.ELEMENTS.get(row.raw(name) or "") for name in ("sourcetype", "targettype")]
        plan = context.ref("contrat", row.id("fk_source"))
        work = row.id("fk_target")
        if ends == ["contrat", "fichinter"] and plan is not None and work is not None:
            found[work] = plan
            context.came[row.ref] = context.came[plan]
    return found


def _people(context: Context) -> dict[str, list[str | None]]:
    """Technicians set on interventions by element_contact, by the intervention's rowid."""
    kinds = {
        row.rowid
        for row in context.tables.rows("c_type_contact")
        if row.raw("element") == "fichinter" and row.raw("source") == "internal"
    }
    found: dict[str, list[str | None]] = {}
    for row in context.tables.rows("element_contact"):
        if row.id("fk_c_type_contact") in kinds and (element := row.id("element_id")):
            found.setdefault(element, []).append(context.ref("user", row.id("fk_socpeople")))
    return {element: people for element, people in found.items() if any(people)}


def _minutes(row: Row) -> int:
    """Durations are in seconds."""
    return max(0, row.integer("duree")) // 60


def _title(text: str | None) -> str | None:
    first = (text or "").split("\n", 1)[0].strip()
    if not first:
        return None
    return first if len(first) <= 120 else first[:119].rsplit(" ", 1)[0] + "…"


def _state(status: int, reported: bool, dated: bool) -> str:
    """A card that was validated with time spent on it is done; Dolibarr has no state for what is to come."""
    if status in (_BILLED, _CLOSED) or (status == _VALIDATED and reported):
        return "done"
    return "planned" if dated else "to_plan"


_DURATION = re.compile(r"(\d+)\s*([dwmy])")
_WORDS = (
    (re.compile(r"\b(mensuel\w*|monthly|(?:par|chaque|tous les) mois)\b", re.I), (1, "m")),
    (re.compile(r"\b(bimestriel\w*)\b", re.I), (2, "m")),
    (re.compile(r"\b(trimestriel\w*|quarterly|(?:par|chaque) trimestre)\b", re.I), (3, "m")),
    (re.compile(r"\b(semestriel\w*|half[- ]yearly|(?:par|chaque) semestre)\b", re.I), (6, "m")),
    (re.compile(r"\b(annuel\w*|annual|yearly|par an|(?:par|chaque) année|tous les ans)\b", re.I), (1, "y")),
    (re.compile(r"\b(hebdomadaire\w*|weekly|(?:par|chaque) semaine)\b", re.I), (1, "w")),
)
_TIMES = re.compile(r"\b(\d{1,2}|une|deux|trois|quatre|six|douze)\s+(?:visites?|passages?|entretiens?)\b", re.I)
_COUNTS = {"une": 1, "deux": 2, "trois": 3, "quatre": 4, "six": 6, "douze": 12}
_PERIODS = {
    (1, "m"): "month",
    (3, "m"): "quarter",
    (6, "m"): "half_year",
    (1, "y"): "year",
    (12, "m"): "year",
}
_RRULES = {"d": "DAILY", "w": "WEEKLY", "m": "MONTHLY", "y": "YEARLY"}
_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
#: A shorter "duration" of a product is that of the work itself.
_SHORTEST_DAYS = 7


def _recurrence(line: Row, durations: dict[str, str]) -> tuple[int, str, int] | None:
    """(every, unit, visits): from the line's words, else from the duration of the service it sells."""
    words = " ".join(part for part in (line.plain("label"), line.plain("description")) if part)
    found = next((every for pattern, every in _WORDS if pattern.search(words)), None)
    if found is not None:
        times = _TIMES.search(words)
        count = times.group(1).lower() if times else "1"
        return *found, _COUNTS.get(count) or max(1, int(count) if count.isdigit() else 1)
    match = _DURATION.fullmatch((durations.get(line.id("fk_product") or "") or "").lower())
    if match is None or (every := int(match.group(1))) < 1:
        return None
    unit = match.group(2)
    return None if every * _DAYS[unit] < _SHORTEST_DAYS else (every, unit, 1)


def plans(context: Context) -> Iterator[Record]:
    """contrat and contratdet → one plan per contract that recurs, by its most frequent line."""
    lines = context.children("contratdet", "fk_contrat")
    products = context.dictionary(("product",), "label", {})
    durations = {
        row.rowid: duration for row in context.tables.rows("product") if (duration := row.raw("duration")) is not None
    }
    for row in context.rows("contrat"):
        client = context.owner(row)
        if client is None:
            continue
        own = lines.take(row.rowid)
        recurring = [(found, line) for line in own if (found := _recurrence(line, durations)) is not None]
        if not recurring:
            context.refuse(row, "contrat sans récurrence\u202f: aucune ligne ne dit de période")
            for line in own:
                context.refuse(line, "ligne d’un contrat sans récurrence")
            continue
        # What is still running says more than what was closed.
        running = [pair for pair in recurring if pair[1].integer("statut") != _LINE_CLOSED] or recurring
        every, unit, visits = min(
            (found for found, _ in running), key=lambda found: found[0] * _DAYS[found[1]] / found[2]
        )
        if len({found for found, _ in running}) > 1:
            context.notice(row, "lignes de périodes différentes\u202f: la plus fréquente est reprise")
        starts = [day for line in own if (day := line.day("date_ouverture", "date_ouverture_prevue"))]
        starts_on = min(starts, default=None) or row.day("mise_en_service", "date_contrat", "datec")
        if starts_on is None:
            context.refuse(row, "contrat récurrent sans date de début")
            for line in own:
                context.refuse(line, "ligne d’un contrat sans date de début")
            continue
        period = _PERIODS.get((every, unit))
        context.came[row.ref] = client
        if ref := row.line_of("ref"):
            context.numbers["contrat", ref] = row.ref
        yield Plan(
            ref=row.ref,
            client_ref=client,
            title=row.line_of("ref") or "Contrat",
            contract_reference=row.line_of("ref", limit=100),
            starts_on=starts_on,
            ends_on=_end(row, [line for _, line in running], starts_on),
            visits_per_period=visits if period else None,
            period=period,
            rrule=None if period else f"FREQ={_RRULES[unit]};INTERVAL={every}",
            status=_plan_status(row, own),
            address_ref=context.main_address.get(client),
            assignee_ref=context.ref("user", row.id("fk_commercial_suivi")),
            description=_plan_text(row, own, products),
            parts=tuple(line.ref for line in own),
        )
    lines.refuse_rest("contrat")


def _end(row: Row, lines: list[Row], starts_on: date) -> date | None:
    """The end of a contract: its own, or the last of its lines when each has one; never before its start."""
    ends = [line.day("date_cloture", "date_fin_validite") for line in lines]
    known = [end for end in ends if end is not None]
    found = row.day("date_cloture", "fin_validite") or (max(known) if known and len(known) == len(ends) else None)
    return None if found is None else max(found, starts_on)


def _plan_status(row: Row, lines: list[Row]) -> str:
    statuses = [line.integer("statut") for line in lines]
    if row.integer("statut") == _CONTRACT_CLOSED or all(status == _LINE_CLOSED for status in statuses):
        return "ended"
    if row.integer("statut") == _CONTRACT_DRAFT or _LINE_OPEN not in statuses:
        return "paused"
    return "active"


def _plan_text(row: Row, lines: list[Row], products: dict[str, str]) -> str:
    texts = [row.plain("note_public"), row.plain("note_private", "note")]
    for line in lines:
        words = line.plain("label") or line.plain("description") or products.get(line.id("fk_product") or "", "")
        if words:
            texts.append(f"- {words}")
    return "\n".join(text for text in texts if text)
