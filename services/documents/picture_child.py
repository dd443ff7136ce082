"""The child process that opens pictures and PDFs: bytes of strangers, so it runs apart, bounded in memory and time.

    picture_child.py preview IN OUT SIDE PAGE   a WebP of the picture, or of the PDF's page, SIDE pixels at most
    picture_child.py photo IN OUT               the picture upright, without what the camera wrote in it

Prints JSON. Exit code 3: these bytes are no picture or PDF that can be shown. It imports nothing of ours.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any

#: Pixels that a picture may have before it is opened: some 100 million, more than any camera makes.
MAX_PIXELS = 100_000_000
#: The longest side that a photo keeps.
PHOTO_SIDE = 4096
MEMORY = 2 * 1024**3
CPU_SECONDS = 25
FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
REFUSED = 3


class Unreadable(Exception):
    """These bytes cannot be shown."""


def bound() -> None:
    """Limits this process for good."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def opened(source: str) -> Any:
    """The picture, upright. Raises `Unreadable`."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2  # Pillow itself refuses from twice this
    picture = Image.open(source, formats=FORMATS)
    if picture.width * picture.height > MAX_PIXELS:
        raise Unreadable
    return ImageOps.exif_transpose(picture)


def page_of(source: str, side: int, number: int) -> tuple[Any, dict[str, Any]]:
    """A page of a PDF as a picture, and what the PDF is. Raises `Unreadable`."""
    import pypdfium2

    document = pypdfium2.PdfDocument(source)
    pages = len(document)
    if not 1 <= number <= pages:
        raise Unreadable
    page = document[number - 1]
    width, height = page.get_size()
    scale = side / max(width, height, 1)
    return page.render(scale=scale, may_draw_forms=False).to_pil(), {"pages": pages, "width": None, "height": None}


def preview(source: str, target: str, side: int, number: int) -> dict[str, Any]:
    """Writes the WebP; gives pages of a PDF, or width and height of a picture."""
    from PIL import Image

    with Path(source).open("rb") as file:
        head = file.read(5)
    if head == b"%PDF-":
        picture, about = page_of(source, side, number)
    else:
        picture = opened(source)
        about = {"pages": None, "width": picture.width, "height": picture.height}
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    mode = "RGBA" if "A" in picture.getbands() or "transparency" in picture.info else "RGB"
    picture.convert(mode).save(target, "WEBP", quality=80, method=3)
    return about


def photo(source: str, target: str) -> dict[str, Any]:
    """Writes the photo upright and bare: no place, no camera, no moment; the colour profile stays."""
    from PIL import Image

    kind = Image.open(source, formats=FORMATS).format
    picture = opened(source)
    profile = picture.info.get("icc_profile")
    picture.thumbnail((PHOTO_SIDE, PHOTO_SIDE), Image.Resampling.LANCZOS)
    bare = Image.new("RGBA" if "A" in picture.getbands() else "RGB", picture.size)
    bare.paste(picture.convert(bare.mode))
    if kind == "JPEG":
        bare.convert("RGB").save(target, "JPEG", quality=90, optimize=True, icc_profile=profile)
    else:
        bare.save(target, "PNG", optimize=True, icc_profile=profile)
    return {"width": bare.width, "height": bare.height}


def main(action: str, source: str, target: str, *rest: str) -> int:
    """Does one thing and ends."""
    bound()
    try:
        about = preview(source, target, *map(int, rest)) if action == "preview" else photo(source, target)
    except Exception as error:  # whatever a decoder meets in hostile bytes means the same
        sys.stderr.write(f"{type(error).__name__}: {error}\n"[:500])
        return REFUSED
    sys.stdout.write(json.dumps(about))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
