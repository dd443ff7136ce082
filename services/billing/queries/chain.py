"""The chain of hashes over issued documents, checked."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.billing.model.chain import file_link, link


def verify_chain(session: Session) -> dict[str, Any]:
    """Walks both series and the files: `{"checked": n, "broken": [numbers that were tampered with]}`.

    Of a file, its recorded SHA-256 and place are checked here; its bytes wherever they are read.
    """
    checked, broken = 0, []
    for table in ("invoice", "credit_note"):
        previous: dict[str, str] = {}
        rows = session.execute(
            text(
                f"SELECT number, frozen, hash, previous_hash FROM {table} "
                "WHERE hash IS NOT NULL ORDER BY split_part(number, '-', 2)::int, split_part(number, '-', 3)::int"
            )
        )
        for row in rows:
            checked += 1
            year = row.number.rsplit("-", 1)[0]
            if row.previous_hash != previous.get(year, "") or link(row.previous_hash, row.frozen) != row.hash:
                broken.append(row.number)
            previous[year] = row.hash
    before, expected = "", 1
    for file in session.execute(
        text(
            "SELECT number, sha256, position, previous_hash, hash FROM document_file "
            "WHERE position IS NOT NULL ORDER BY position"
        )
    ):
        whole = file.previous_hash == before and file.position == expected
        if not whole or file_link(file.previous_hash, file.number, file.sha256) != file.hash:
            broken.append(f"{file.number}.pdf")
        before, expected = file.hash, file.position + 1
    return {"checked": checked, "broken": broken}
