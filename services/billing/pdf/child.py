"""Run by itself, as a child process: JSON on standard input, a PDF on standard output. Imports nothing of ours."""

import json
import sys
from importlib.resources import files
from pathlib import Path

import typst


def compile_pdf(order: dict[str, object]) -> bytes:
    """PDF/A-3 (ISO 19005-3) where the text allows: a character that no typeface has is refused there."""
    template = Path(__file__).with_name("document.typ")
    for standard in ("a-3b", "1.7"):
        try:
            return typst.compile(  # type: ignore[no-any-return,call-overload]
                str(template),
                root=str(template.parent),
                font_paths=[str(files("font_source_sans_pro") / "files")],
                ignore_system_fonts=True,
                sys_inputs={"data": json.dumps(order["data"])},
                pdf_standards=[standard],
                timestamp=order["timestamp"],
            )
        except typst.TypstError:
            if standard == "1.7":
                raise
    raise AssertionError("unreachable")


if __name__ == "__main__":
    sys.stdout.buffer.write(compile_pdf(json.load(sys.stdin)))
