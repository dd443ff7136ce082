"""Two texts written on the same third: joined so that no word of either is lost."""

from __future__ import annotations

from difflib import SequenceMatcher
from itertools import pairwise

#: Comparing is quadratic at worst: longer texts are put one under the other.
MAX_LINES = 500


def join(base: str | None, theirs: str, mine: str) -> str:
    """What both wanted of `base`: changes of different lines are all made; where both changed the same lines, theirs
    come first and mine follow. Without a base (`None`) the two follow each other.
    """
    if mine in (theirs, base):
        return theirs
    if theirs == base:
        return mine
    texts = [text.splitlines() for text in (base or "", theirs, mine)]
    if base is None or max(map(len, texts)) > MAX_LINES:
        return "\n\n".join(part for part in (theirs.rstrip("\n"), mine) if part)
    old, left, right = texts
    joined: list[str] = []
    for (a, b, c), (to, to_left, to_right) in pairwise(_anchors(old, left, right)):
        was, one, other = old[a + 1 : to], left[b + 1 : to_left], right[c + 1 : to_right]
        if one == other or other == was:
            joined += one
        elif one == was:
            joined += other
        elif len(was) == len(one) == len(other):
            for before, left_line, right_line in zip(was, one, other, strict=True):
                joined += _line(before, left_line, right_line)
        else:
            # What one of them changed or took out does not come back because the other left it as it was.
            joined += [line for line in one if line not in was or line in other]
            joined += [line for line in other if line not in was and line not in one]
        joined += old[to : to + 1]
    return "\n".join(joined)


def _line(was: str, one: str, other: str) -> list[str]:
    if one == other or other == was:
        return [one]
    return [other] if one == was else [one, other]


def _anchors(old: list[str], left: list[str], right: list[str]) -> list[tuple[int, int, int]]:
    """Where each line that all three have stands in each, between the place before the first and that behind the last.

    What lies between two anchors is what may differ.
    """
    in_left, in_right = _places(old, left), _places(old, right)
    common = [(n, in_left[n], in_right[n]) for n in range(len(old)) if n in in_left and n in in_right]
    return [(-1, -1, -1), *common, (len(old), len(left), len(right))]


def _places(old: list[str], new: list[str]) -> dict[int, int]:
    """Line of the old text → where the same stands in the new one, in order."""
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    return {block.a + n: block.b + n for block in blocks for n in range(block.size)}
