"""Types of relations: stored from the superior end, named from both."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RelationKind:
    """`superior` and `inferior` are the public types: what the other end is, seen from the opposite one."""

    superior: str
    inferior: str
    superior_label: str
    inferior_label: str
    hierarchical: bool


KINDS = (
    RelationKind("head_office", "branch", "Siège", "Succursale", True),
    RelationKind("managing_agent", "building", "Syndic", "Immeuble géré", True),
    RelationKind("owner", "tenant", "Propriétaire", "Locataire", False),
    RelationKind("principal", "subcontractor", "Donneur d’ordre", "Sous-traitant", False),
)
#: Public type → (kind, whether the other end is the superior one).
BY_TYPE = {kind.superior: (kind, True) for kind in KINDS} | {kind.inferior: (kind, False) for kind in KINDS}
HIERARCHICAL = tuple(kind.inferior for kind in KINDS if kind.hierarchical)
