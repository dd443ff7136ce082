"""What the mappers share while one dump is read: what came in, what did not and why, who the clients are."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from services.imports.dolibarr import codes
from services.imports.dolibarr.tables import Row, Tables
from services.imports.records import Notice, Refused

#: What a person reads for the table of a row that another one points to.
NAMES = {
    "societe": "tiers", "socpeople": "contact", "facture": "facture", "propal": "devis",
    "contrat": "contrat", "fichinter": "intervention", "projet": "projet", "user": "utilisateur",
    "paiement": "règlement", "categorie": "catégorie",
}  # fmt: skip


@dataclass
class Context:
    """Memory of one reading. It grows with the ids of the rows, not with their texts."""

    tables: Tables
    #: refs that came in → ref of the client they belong to ("" for what has none).
    came: dict[str, str] = field(default_factory=dict)
    #: refs that did not → why.
    refused: dict[str, str] = field(default_factory=dict)
    #: main address of a client, by the client's ref.
    main_address: dict[str, str] = field(default_factory=dict)
    #: (table, number) of a document → its ref, for the files list.
    numbers: dict[tuple[str, str], str] = field(default_factory=dict)
    #: Rows of element_element that lead to an invoice or quote, by its ref.
    links: dict[str, list[Row]] | None = None
    #: Names of the staff that came in, by ref.
    staff: dict[str, str] = field(default_factory=dict)
    #: Customer codes given so far.
    references: set[str] = field(default_factory=set)
    out: deque[Refused | Notice] = field(default_factory=deque)
    _dictionaries: dict[str, dict[str, str]] = field(default_factory=dict)

    def refuse(self, row: Row, reason: str) -> None:
        """The row does not come in."""
        self.refused[row.ref] = reason
        self.out.append(Refused(row.table, row.rowid, reason))

    def notice(self, row: Row, text: str) -> None:
        """The row comes in, with something a person should know."""
        self.out.append(Notice(row.table, row.rowid, text))

    def drain(self) -> Iterator[Refused | Notice]:
        """What was refused or noticed since the last call."""
        while self.out:
            yield self.out.popleft()

    def rows(self, table: str) -> Iterator[Row]:
        """Rows of a table; those that cannot be read and second rows of one id are refused on the way."""
        seen: set[str] = set()
        for row in self.tables.rows(table):
            if row.broken:
                self.refuse(row, row.broken)
            elif row.rowid in seen:
                self.out.append(Refused(table, row.rowid, "identifiant déjà lu dans cette table"))
            else:
                seen.add(row.rowid)
                yield row

    def ref(self, table: str, rowid: str | None) -> str | None:
        """Outside reference of a row that came in, None when it did not."""
        ref = f"dolibarr:{table}:{rowid}"
        return ref if rowid and ref in self.came else None

    def why_not(self, table: str, rowid: str | None) -> str:
        """Why a row points to nothing that came in."""
        name = NAMES.get(table, table)
        if rowid is None:
            return "aucun client indiqué" if table == "societe" else f"rattachement manquant\u202f: {name}"
        reason = self.refused.get(f"dolibarr:{table}:{rowid}")
        if reason is None:
            return f"introuvable dans l’export\u202f: {name} {rowid}"
        # The first cause is what helps; a chain of "not taken because…" does not.
        cause = reason.rsplit(" (", 1)[-1].removesuffix(")") if reason.startswith(tuple(NAMES.values())) else reason
        return f"{name} {rowid} non repris ({cause})"

    def owner(self, row: Row, *names: str) -> str | None:
        """Ref of the client a row belongs to; without one, the row is refused with the reason."""
        rowid = row.id(*(names or ("fk_soc", "fk_societe")))
        ref = self.ref("societe", rowid)
        if ref is None:
            self.refuse(row, self.why_not("societe", rowid))
        return ref

    def children(self, table: str, *keys: str) -> Children:
        """All rows of a table grouped by the row they belong to."""
        groups: dict[str, list[Row]] = defaultdict(list)
        for row in self.rows(table):
            groups[row.id(*keys) or ""].append(row)
        return Children(self, groups)

    def made_of(self, row: Row, table: str) -> tuple[str, ...]:
        """Refs of the rows of a table that a document was made of, by element_element."""
        found: list[str] = []
        for link in self._links().get(row.ref, []):
            if codes.ELEMENTS.get(link.raw("sourcetype") or "") == table:
                ref = self.ref(table, link.id("fk_source"))
                if ref is not None and ref not in found:
                    found.append(ref)
        return tuple(found)

    def linked(self, row: Row) -> tuple[str, ...]:
        """Refs of the link rows that a document bears: of one quote, of all interventions."""
        taken: list[str] = []
        quotes = 0
        for link in self._links().get(row.ref, []):
            table = codes.ELEMENTS.get(link.raw("sourcetype") or "")
            if table not in ("propal", "fichinter") or self.ref(table, link.id("fk_source")) is None:
                continue
            quotes += table == "propal"
            if table != "propal" or quotes == 1:
                taken.append(link.ref)
                self.came[link.ref] = self.came[row.ref]
        return tuple(taken)

    def _links(self) -> dict[str, list[Row]]:
        if self.links is None:
            self.links = {}
            for link in self.tables.rows("element_element"):
                table = codes.ELEMENTS.get(link.raw("targettype") or "")
                if table in ("facture", "propal") and not link.broken:
                    self.links.setdefault(f"dolibarr:{table}:{link.id('fk_target')}", []).append(link)
        return self.links

    def dictionary(self, names: tuple[str, ...], value: str, default: dict[str, str]) -> dict[str, str]:
        """A dictionary of Dolibarr by id, from the export or else as installed."""
        key = names[0]
        if key not in self._dictionaries:
            found: dict[str, str] = {}
            for name in names:
                for row in self.tables.rows(name):
                    if (text := row.line_of(value)) is not None:
                        found[row.rowid] = text
            self._dictionaries[key] = found or default
        return self._dictionaries[key]

    def country(self, rowid: str | None) -> str:
        """ISO code of a country, FR where none is given: these are the files of a French company."""
        code = self.dictionary(("c_country", "c_pays"), "code", codes.COUNTRIES).get(rowid or "")
        return code if code and len(code) == 2 and code.isalpha() else "FR"

    def means(self, rowid: str | None) -> str | None:
        """Means of payment in our words."""
        code = self.dictionary(("c_paiement",), "code", codes.PAYMENT_MEANS).get(rowid or "")
        return None if code is None else codes.MEANS_WORDS.get(code, codes.OTHER_MEANS)


class Children:
    """Rows of a table waiting for the row they belong to; those that nobody took are refused at the end."""

    def __init__(self, context: Context, groups: dict[str, list[Row]]) -> None:
        self._context = context
        self._groups = groups

    def take(self, parent: str) -> list[Row]:
        """The rows of one parent, in their order of display."""
        rows = self._groups.pop(parent, [])
        return sorted(rows, key=lambda row: (row.integer("rang"), row.line))

    def refuse_rest(self, table: str) -> None:
        """Refuse what is left, saying why its parent is not there."""
        for parent, rows in self._groups.items():
            reason = self._context.why_not(table, parent or None)
            for row in rows:
                self._context.refuse(row, reason)
        self._groups.clear()
