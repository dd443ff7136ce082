"""Looking for words in short texts: accents, case, order of words, ligatures and curly apostrophes do not count."""

from __future__ import annotations

import unicodedata
from typing import Any

from chassis.page import like

_FROM = "àâäáãåçéèêëíìîïñóòôöõúùûüýÿÀÂÄÁÃÅÇÉÈÊËÍÌÎÏÑÓÒÔÖÕÚÙÛÜÝŸ’ʼ"
_TO = "aaaaaaceeeeiiiinooooouuuuyyaaaaaaceeeeiiiinooooouuuuyy''"
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "’": "'", "ʼ": "'"})


def fold(text: str) -> str:
    """What was typed, as `folded` has what is stored."""
    lowered = unicodedata.normalize("NFKD", text).lower().translate(_LIGATURES)
    return "".join(c for c in lowered if not unicodedata.combining(c))


def folded(expression: str) -> str:
    """SQL: a text without accents and in lower case, whatever the collation of the database knows of either."""
    plain = f"normalize({expression}, NFC)"
    for letter, two in (("œ", "oe"), ("Œ", "oe"), ("æ", "ae"), ("Æ", "ae")):
        plain = f"replace({plain}, '{letter}', '{two}')"
    quoted = _TO.replace("'", "''")
    return f"lower(translate({plain}, '{_FROM}', '{quoted}'))"


def words_in(expression: str, asked: str) -> tuple[str, dict[str, Any]]:
    """Condition and parameters: every word of `asked` stands in the text, in any order."""
    words = [f"%{like(word)}%" for word in fold(asked).split()[:12]]
    return f"{folded(expression)} LIKE ALL(:words)", {"words": words}
