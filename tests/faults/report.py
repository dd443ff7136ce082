"""What the rounds found, as a table for a person and JSON for a program."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.faults.world import Row


def show(rows: Sequence[Row], console: Console) -> None:
    """Prints the table, then what did not hold."""
    table = Table(title="Nothing is lost", title_justify="left")
    table.add_column("Fault", max_width=46)
    for name in ("Under way", "Acknowledged", "Unknown", "Lost", "Doubled", "Swapped", "Lasted", "Recovered in"):
        table.add_column(name, justify="right")
    for row in rows:
        found = [str(n) if not n else f"[red]{n}[/red]" for n in map(len, (row.lost, row.doubled, row.swapped))]
        table.add_row(
            ("[green]✓[/green] " if row.holds else "[red]✗[/red] ") + row.fault,
            str(row.under_way + row.begun_during),
            str(row.acknowledged),
            str(row.unknown),
            *found,
            f"{row.lasted:.1f} s",
            "[red]never[/red]" if row.recover is None else f"{row.recover:.1f} s",
        )
    console.print(table)
    for row in rows:
        if not row.holds:
            console.print(f"[red]✗[/red] {row.fault} (seed {row.seed}; {row.note})", highlight=False)
            for what in ("lost", "doubled", "swapped", "odd"):
                found = getattr(row, what)
                for each in found[:8]:
                    console.print(f"    {what}: {each}", highlight=False, markup=False)
                if len(found) > 8:
                    console.print(f"    {what}: and {len(found) - 8} more")


def write(rows: Sequence[Row], path: Path) -> None:
    """Keeps the rows as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([row.to_json() for row in rows], ensure_ascii=False, indent=1))
