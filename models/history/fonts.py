"""Fonts: which of those that our packages ship has a letter, and those that we build of them."""

import io
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

SCRIPTS = [
    "Arabic", "Hebrew", "Devanagari", "Bengali", "Gurmukhi", "Gujarati", "Tamil", "Sinhala",
    "Thai", "Ethiopic", "Armenian", "Georgian", "Telugu", "Kannada", "Malayalam", "Oriya",
    "Khmer", "Lao", "Myanmar", "Symbols",
]  # fmt: skip
CJK = ["JP", "KR", "SC", "TC"]  # in the order in which the file of Noto Sans CJK has them
WEIGHTS = {False: 400, True: 700}
ABOVE, BELOW = 1069, -293  # of a line of Noto Sans, in thousandths of an em
# Latin, Greek and Cyrillic and what goes with them: laid out letter by letter.
PLAIN = [
    (0x20, 0x2FF), (0x370, 0x52F), (0x1C80, 0x1C8F), (0x1D00, 0x1DBF), (0x1E00, 0x20CF),
    (0x2100, 0x2BFF), (0x2C60, 0x2C7F), (0x2E00, 0x2E7F), (0xA640, 0xA7FF), (0xAB30, 0xAB6F),
    (0xFB00, 0xFB06),
]  # fmt: skip
# The marks that stand on them.
MARKS = [
    (0x300, 0x36F), (0x483, 0x489), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF),
    (0x20D0, 0x20FF), (0x2DE0, 0x2DFF), (0xA66F, 0xA6FF), (0xFE20, 0xFE2F),
]  # fmt: skip


def packaged(package: str, name: str) -> Path:
    """The path of a file that a package ships, without importing the package."""
    return Path(find_spec(package).origin).parent / name  # type: ignore[union-attr, arg-type]


def is_plain(code):
    return within(code, PLAIN) and unicodedata.category(chr(code))[0] != "M"


def within(code, ranges):
    return any(first <= code <= last for first, last in ranges)


class Face:
    """One font as HarfBuzz reads it, regular and bold; `size`: how large, beside Noto Sans."""

    def __init__(self, file, number=0, bold=None, size=1):
        import uharfbuzz

        files = {False: file, True: bold or file}
        blobs = {weight: uharfbuzz.Blob.from_file_path(str(path)) for weight, path in files.items()}
        faces = {weight: uharfbuzz.Face(blob, number) for weight, blob in blobs.items()}
        self.letters = frozenset(faces[False].unicodes)
        self.scale = 1000 * size / faces[False].upem  # to the thousandths of an em of our fonts
        self.fonts = {weight: uharfbuzz.Font(face) for weight, face in faces.items()}
        self.outlines = {}
        for weight, font in self.fonts.items():
            font.set_variations({"wght": WEIGHTS[weight]})

    def outline(self, glyph: int, bold: bool) -> Any:
        """How a glyph is drawn, as a recording for any pen of fontTools."""
        from fontTools.pens.recordingPen import RecordingPen

        if (glyph, bold) not in self.outlines:
            pen = self.outlines[glyph, bold] = RecordingPen()
            self.fonts[bold].draw_glyph_with_pen(glyph, pen)
        return self.outlines[glyph, bold]


@cache
def faces() -> dict[str, Face]:
    """All fonts by name, in the order in which they are asked for a letter."""

    def noto(name):
        return Face(packaged("manimgx_fonts", f"Noto{name}[wght].ttf"))

    regular = packaged("fontpkg_amiri", "files/Amiri-Regular.ttf")
    bold = packaged("fontpkg_amiri", "files/Amiri-Bold.ttf")
    han = packaged("manimgx_fonts_cjk", "NotoSansCJK-VF.otf.ttc")
    return {
        "Amiri": Face(regular, bold=bold, size=1.15),  # Urdu and Persian are read best in it
        **{script: noto(f"Sans{script}") for script in SCRIPTS},
        "Sans": noto("Sans"),
        **{name: Face(han, number) for number, name in enumerate(CJK)},
        "Emoji": noto("Emoji"),
    }


@cache
def homes() -> dict[int, str]:
    """{code of a letter: the font that draws it}; for Han the first, see han_face."""
    latin = [code for code in faces()["Sans"].letters if is_plain(code) or within(code, MARKS)]
    found = dict.fromkeys(latin, "Sans")
    for name, face in faces().items():
        for code in face.letters:
            found.setdefault(code, name)
    return found


def han_face(text: str) -> str:
    """The CJK face that a text wants: Tokyo, Seoul, Beijing and Taipei draw letters differently."""
    if any("\u3040" <= sign <= "\u30ff" for sign in text):
        return "JP"
    if any("\uac00" <= sign <= "\ud7af" or "\u1100" <= sign <= "\u11ff" for sign in text):
        return "KR"
    han = "".join(sign for sign in text if "\u4e00" <= sign <= "\u9fff")
    for codec, face in (("gb2312", "SC"), ("big5", "TC"), ("shift_jis", "JP")):
        if han.encode(codec, "ignore").decode(codec) == han:
            return face
    return "SC"


def truetype(name: str, letters: Mapping[int, tuple[int, list]]) -> bytes:
    """A TrueType font, as bytes, with the lines of Noto Sans.

    `letters` is {code: (width in thousandths of an em, [(Face, bold, glyph, x, y)])}.
    """
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.cu2quPen import Cu2QuPen
    from fontTools.pens.transformPen import TransformPen
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    glyphs, widths = {".notdef": TTGlyphPen(None).glyph()}, {".notdef": 0}
    for code, (width, drawn) in letters.items():
        pen = TTGlyphPen(None)
        for face, bold, glyph, x, y in drawn:
            placed = TransformPen(Cu2QuPen(pen, 1), (face.scale, 0, 0, face.scale, x, y))
            face.outline(glyph, bold).replay(placed)
        glyphs[f"u{code:x}"], widths[f"u{code:x}"] = pen.glyph(), max(0, width)
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder(list(glyphs))
    font.setupCharacterMap({code: f"u{code:x}" for code in letters})
    font.setupGlyf(glyphs)
    left = {glyph: getattr(font.font["glyf"][glyph], "xMin", 0) for glyph in glyphs}
    font.setupHorizontalMetrics({glyph: (width, left[glyph]) for glyph, width in widths.items()})
    font.setupHorizontalHeader(ascent=ABOVE, descent=BELOW)
    font.setupNameTable({"familyName": name, "styleName": "Regular", "psName": name})
    font.setupOS2(sTypoAscender=ABOVE, sTypoDescender=BELOW, usWinAscent=ABOVE, usWinDescent=-BELOW)
    font.setupPost(keepGlyphNames=False)
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()


def plain_font(bold: bool, text: set[str]) -> bytes:
    """Noto Sans at one weight: ASCII, and those letters of a text that are laid out one by one."""
    face = faces()["Sans"]
    font, letters = face.fonts[bold], {}
    for code in {*range(32, 127), *map(ord, text)} & face.letters:
        if is_plain(code):
            glyph = font.get_nominal_glyph(code)
            letters[code] = font.get_glyph_h_advance(glyph), [(face, bold, glyph, 0, 0)]
    return truetype(f"NotoSans-{WEIGHTS[bold]}", letters)
