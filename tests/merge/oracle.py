"""What must be true of merged records, worked out from the protocol alone: a history, replayed without what was undone.

Nothing here knows how the services do it. A record's fields come of replaying every deed in order, leaving out the
merges that were undone; a row is shown where its home stands under the merges that are active.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Merged:
    """A merge as it was asked for."""

    id: str
    survivor: str
    duplicate: str
    choices: dict[str, str]
    undone: bool = False
    #: By an erasure: never to be undone.
    sealed: bool = False


@dataclass
class Oracle:
    """Everything that was acknowledged, in order."""

    names: dict[str, str] = field(default_factory=dict)
    deeds: list[Any] = field(default_factory=list)
    merges: dict[str, Merged] = field(default_factory=dict)
    #: Row → (section, home).
    rows: dict[str, tuple[str, str]] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    #: Erased for good, each with all that was merged into it; deleted, too.
    erased: set[str] = field(default_factory=set)
    #: Record or row → a word that stands nowhere but in what was written of it. A row that is given away keeps its own.
    marks: dict[str, str] = field(default_factory=dict)
    #: Relation → (type, superior's home, inferior's home), in the order they came.
    relations: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    #: Addresses in the order they came.
    addresses: list[str] = field(default_factory=list)

    # --- the forest -----------------------------------------------------------------------------------------------

    def parent(self, record: str) -> str | None:
        """The survivor that a record is merged into now."""
        for merge in self.merges.values():
            if not merge.undone and merge.duplicate == record:
                return merge.survivor
        return None

    def root(self, record: str) -> str:
        """The living record that an id means."""
        above = self.parent(record)
        return record if above is None else self.root(above)

    def roots(self) -> list[str]:
        """Records that stand by themselves, deleted ones too."""
        return [record for record in self.names if self.parent(record) is None]

    # --- deeds ----------------------------------------------------------------------------------------------------

    def opened(self, record: str, name: str, fields: dict[str, Any]) -> None:
        """A record was opened with these fields."""
        self.names[record] = name
        for key, value in fields.items():
            self.deeds.append(("set", record, key, value))

    def written(self, record: str, key: str, value: Any) -> None:
        """A person wrote a field of the record that stood then."""
        self.deeds.append(("set", record, key, value))

    def erase(self, root: str) -> None:
        """A person was erased: its whole tree, for good. Its merges are sealed; links with it are no more."""
        tree = {each for each in self.names if self.root(each) == root}
        for merge in self.merges.values():
            merge.sealed = merge.sealed or (not merge.undone and merge.duplicate in tree)
        self.relations = {each: link for each, link in self.relations.items() if not tree & set(link[1:])}
        self.erased |= tree
        self.deleted |= tree

    def words_of_erased(self) -> list[str]:
        """Words that must stand nowhere: of persons erased, and of rows that were theirs when they were."""
        rows = [row for row, (_, home) in self.rows.items() if home in self.erased]
        return [self.marks[each] for each in (*sorted(self.erased), *rows)]

    def merged(self, merge: Merged) -> None:
        """Two records became one."""
        self.merges[merge.id] = merge
        self.deeds.append(("merge", merge))

    def added(self, section: str, row: str, asked: str) -> None:
        """A row was written under an id; it belongs to whom that id meant. The first address is made main by that."""
        root = self.root(asked)
        if section == "addresses":
            if self.main_address(root) is None:
                self.written(root, "main_address_id", row)
            self.addresses.append(row)
        self.rows[row] = (section, root)

    # --- what must be true ----------------------------------------------------------------------------------------

    def fields(self, record: str) -> dict[str, Any]:
        """Fields of a record: the history without the merges that were undone."""
        states: dict[str, dict[str, Any]] = {each: {} for each in self.names}
        for deed in self.deeds:
            if deed[0] == "set":
                _, whose, key, value = deed
                states[whose][key] = value
                continue
            merge = deed[1]
            if merge.undone:
                continue
            mine, theirs = states[merge.survivor], states[merge.duplicate]
            for key, choice in merge.choices.items():
                if choice == "duplicate":
                    mine[key] = theirs.get(key)
                elif choice == "join":
                    mine[key] = self._joined(mine.get(key), theirs.get(key), merge.duplicate)
        return states[record]

    def _joined(self, mine: str | None, theirs: str | None, duplicate: str) -> str:
        parts = [mine or "", f"— Mémo de {self.names[duplicate]} —" if theirs else "", theirs or ""]
        return "\n".join(part for part in parts if part)

    def shown(self, section: str, root: str) -> set[str]:
        """Rows of a section of a root's fiche."""
        return {row for row, (kind, home) in self.rows.items() if kind == section and self.root(home) == root}

    def main_address(self, root: str) -> str | None:
        """The address that was made main last, of those that the root has; none of them: its oldest.

        A write counts only while its target is there (merge-protocol): behind one that went with an undo stands the
        one before.
        """
        there = self.shown("addresses", root)
        made = [str(each) for each in reversed(self._made_main(root)) if each in there]
        return made[0] if made else next((row for row in self.addresses if row in there), None)

    def _made_main(self, record: str) -> list[Any]:
        """What was made main of a record, oldest first, without the merges that were undone."""
        made: dict[str, list[Any]] = {each: [] for each in self.names}
        for deed in self.deeds:
            if deed[0] == "set" and deed[2] == "main_address_id":
                made[deed[1]].append(deed[3])
            if deed[0] == "merge" and not deed[1].undone and deed[1].choices.get("main_address_id") == "duplicate":
                made[deed[1].survivor].append(next(reversed(made[deed[1].duplicate]), None))
        return made[record]

    # --- relations ------------------------------------------------------------------------------------------------

    def _shown_relations(self) -> dict[str, tuple[str, str, str]]:
        shown: dict[str, tuple[str, str, str]] = {}
        for relation, (kind, superior, inferior) in self.relations.items():
            link = (kind, self.root(superior), self.root(inferior))
            if self._why_hidden(link, shown) is None:
                shown[relation] = link
        return shown

    def _why_hidden(self, link: tuple[str, str, str], shown: dict[str, tuple[str, str, str]]) -> str | None:
        kind, superior, inferior = link
        if superior == inferior:
            return "self"
        if link in shown.values():
            return "twin"
        if kind == "branch":
            above, wave = set[str](), {superior}
            while wave:
                above |= wave
                wave = {up for k, up, down in shown.values() if k == "branch" and down in wave} - above
            if inferior in above:
                return "loop"
        return None

    def relations_of(self, root: str) -> set[str]:
        """Relations that the fiche of a root shows: its other end is not deleted, and nothing makes it wait."""
        return {
            relation
            for relation, (_, superior, inferior) in self._shown_relations().items()
            if root in (superior, inferior) and not {superior, inferior} & (self.deleted - {root})
        }

    def would_wait(self, kind: str, superior: str, inferior: str) -> str | None:
        """Why a new relation would be hidden at once; None when it would be shown."""
        return self._why_hidden((kind, superior, inferior), self._shown_relations())

    def parted(self, relation: str) -> None:
        """A relation was deleted, its twins with it."""
        kind, superior, inferior = self.relations[relation]
        ends = (kind, self.root(superior), self.root(inferior))
        self.relations = {
            each: (k, s, i) for each, (k, s, i) in self.relations.items() if (k, self.root(s), self.root(i)) != ends
        }
