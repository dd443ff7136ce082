"""Photographs of a boiler room, drawn: pages are to be judged with pictures in them, and nobody's cellar is at hand."""

from __future__ import annotations

import io
from random import Random

from PIL import Image, ImageDraw, ImageFilter

WIDE, HIGH = 1200, 800
COPPER, BLUE, RED = (166, 96, 58), (40, 66, 120), (170, 44, 38)


def boiler(at: int) -> bytes:
    """A room with a boiler `at` pixels from the left, copper pipes and a red expansion vessel."""
    image, draw = _wall()
    for x in (at + 120, at + 330, 1080 if at < 500 else 60):
        _pipe(draw, x, 0, 34, 420)
    draw.rectangle((0, 70, WIDE, 104), fill=COPPER)
    draw.rectangle((0, 78, WIDE, 84), fill=(206, 140, 98))
    _vessel(draw, 960 if at < 500 else 40, 280, 240)
    draw.rounded_rectangle((at, 190, at + 460, 730), 18, fill=BLUE)
    draw.rounded_rectangle((at, 190, at + 460, 320), 18, fill=(30, 48, 92))
    draw.rounded_rectangle((at + 40, 225, at + 180, 285), 8, fill=(126, 206, 176))
    for x in (220, 280):
        draw.ellipse((at + x, 232, at + x + 46, 278), fill=(214, 218, 222))
    draw.rounded_rectangle((at + 340, 225, at + 430, 285), 6, fill=(226, 230, 234))
    for y in range(400, 600, 50):
        draw.line((at + 50, y, at + 410, y), fill=(26, 44, 86), width=8)
    draw.ellipse((at + 90, 40, at + 180, 130), fill=(240, 240, 236), outline=(70, 70, 70), width=6)
    draw.line((at + 135, 85, at + 160, 60), fill=(190, 40, 36), width=6)
    return _jpeg(image)


def vessel() -> bytes:
    """The expansion vessel alone."""
    image, draw = _wall()
    _pipe(draw, 560, 0, 60, 330)
    _vessel(draw, 330, 240, 540)
    return _jpeg(image)


def panel() -> bytes:
    """The face of a regulator."""
    image = Image.new("RGB", (WIDE, HIGH), BLUE)
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((60, 60, 760, 300), 20, fill=(20, 26, 44))
    draw.rounded_rectangle((120, 110, 440, 250), 12, fill=(126, 206, 176))
    for x in (520, 630):
        draw.ellipse((x, 130, x + 90, 220), fill=(214, 218, 222))
    draw.rounded_rectangle((840, 90, 1140, 230), 14, fill=(226, 230, 234))
    for y in range(430, 760, 90):
        draw.line((120, y, 1080, y), fill=(24, 40, 80), width=12)
    return _jpeg(image)


def plate() -> bytes:
    """A rating plate: bare metal, lines of text, a bar code."""
    image = Image.new("RGB", (WIDE, HIGH), (140, 36, 32))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((90, 60, 1110, 740), 22, fill=(206, 208, 210), outline=(150, 152, 156), width=6)
    draw.text((140, 90), "GRUNDFOS", fill=(20, 20, 20), font_size=84)
    draw.text((690, 110), "MAGNA3 50-120 F", fill=(20, 20, 20), font_size=44)
    rows = ("N° 97924473-0621", "P. max  563 W", "T. fluide  -10 / +110 °C", "EEI  ≤ 0,18")
    for at, row in enumerate(rows):
        draw.text((140, 230 + 80 * at), row, fill=(30, 30, 30), font_size=40)
        draw.line((140, 290 + 80 * at, 1060, 290 + 80 * at), fill=(130, 132, 136), width=3)
    bars = Random(5)
    x = 480
    while x < 1040:
        wide = bars.choice((4, 8, 12))
        draw.rectangle((x, 590, x + wide, 700), fill=(20, 20, 20))
        x += wide + bars.choice((4, 8))
    draw.text((160, 600), "CE", fill=(20, 20, 20), font_size=80)
    return _jpeg(image.rotate(-2, expand=False, fillcolor=(140, 36, 32), resample=Image.Resampling.BICUBIC))


def _wall() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    shade = Image.linear_gradient("L").rotate(35, fillcolor=150).resize((WIDE, HIGH))
    image = Image.merge("RGB", [shade.point(lambda v, most=most: 105 + v * most // 255) for most in (66, 66, 60)])
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 720, WIDE, HIGH), fill=(72, 72, 70))
    return image, draw


def _pipe(draw: ImageDraw.ImageDraw, x: int, top: int, wide: int, bottom: int) -> None:
    draw.rectangle((x, top, x + wide, bottom), fill=COPPER)
    draw.rectangle((x + wide // 4, top, x + wide // 2, bottom), fill=(206, 140, 98))


def _vessel(draw: ImageDraw.ImageDraw, x: int, y: int, wide: int) -> None:
    draw.ellipse((x, y, x + wide, y + wide * 1.35), fill=RED)
    draw.ellipse((x + wide * 0.18, y + wide * 0.12, x + wide * 0.45, y + wide * 0.8), fill=(196, 72, 64))
    draw.line((x + 6, y + wide * 0.68, x + wide - 6, y + wide * 0.68), fill=(120, 26, 24), width=6)


def _jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.filter(ImageFilter.GaussianBlur(1.2)).save(out, "JPEG", quality=86)
    return out.getvalue()
