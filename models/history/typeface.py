"""Typeface: fonts as ReportLab puts them into a PDF. Imported where a PDF is made, not before."""

import io
from functools import cache

from reportlab import rl_config
from reportlab.graphics.renderbase import STATE_DEFAULTS
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.pdfdoc import PDFBase85Encode, PDFZCompress
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus.tables import CellStyle
from xhtml2pdf.bidi import MIRRORS
from xhtml2pdf.util import _font_coverage

from .fonts import plain_font
from .shaping import Lettering

PLAIN = "plain"  # the family of Noto Sans
FAMILIES = {False: "spaced", True: "flowing"}  # and those of a Lettering, as the page calls them
rl_config.canvas_basefontname = CellStyle.fontname = f"{PLAIN}_00"  # Helvetica is not embedded
STATE_DEFAULTS["fontName"] = f"{PLAIN}_00"  # in drawings too


class Typeface(TTFont):
    """A font whose letters say which words they stand for; what is not seen is not drawn."""

    def __init__(self, name, file, words):
        super().__init__(name, file)
        self.words = words
        width = self.face.getCharWidth
        blank = [code for code in (32, *words) if not (width(code) or self.said(code).strip())]
        self.unseen = dict.fromkeys(blank)

    def said(self, code):
        return self.words.get(code, chr(code) if code else "")

    def splitString(self, text, doc, encoding="utf-8"):
        text = text.decode(encoding) if isinstance(text, bytes) else text
        return super().splitString(text.translate(self.unseen), doc, encoding)

    def addObjects(self, doc):
        subsets = self.state[doc].subsets
        super().addObjects(doc)
        fonts, own = doc.idToObject["BasicFonts"].dict, doc.fontMapping[self.fontName][1:]
        for number, subset in enumerate(subsets):
            font = fonts[f"{own}+{number}"]
            descriptor = doc.idToObject[font.FontDescriptor.name]
            table = doc.idToObject[font.ToUnicode.name]
            table.content = to_unicode(map(self.said, subset))
            for stream in (table, doc.idToObject[descriptor.dict["FontFile2"].name]):
                # In letters: where bytes end in a line break, a reader may not know whose it is.
                stream.filters = [PDFBase85Encode, PDFZCompress]


def to_unicode(words):
    """The table of a font: which words each of its codes stands for (ISO 32000-1, 9.10.3)."""
    hexed = [(code, text.encode("utf-16-be").hex()) for code, text in enumerate(words)]
    lines = [f"<{code:02x}> <{text}>" for code, text in hexed if text]
    blocks = [lines[at : at + 100] for at in range(0, len(lines), 100)]  # 100 is the most
    return "\n".join(
        [
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
            "/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
            "1 begincodespacerange <00> <FF> endcodespacerange",
            *("\n".join([f"{len(block)} beginbfchar", *block, "endbfchar"]) for block in blocks),
            "endcmap CMapName currentdict /CMap defineresource pop end end",
        ]
    )


@cache
def kept(name: str) -> Typeface:
    """The one object for a name, filled anew for each document: ReportLab keeps the first."""
    return Typeface.__new__(Typeface)


def register(text: str, lettering: Lettering) -> None:
    """Make the fonts of a page known to ReportLab, by the names that xhtml2pdf gives to faces."""
    letters = {*text, *map(MIRRORS.get, MIRRORS.keys() & set(text))}  # « is drawn as » in Arabic
    fonts = {f"{family}_00": lettering.font(flowing) for flowing, family in FAMILIES.items()}
    fonts |= {f"{PLAIN}_{bold:d}0": (plain_font(bold, letters), {}) for bold in (False, True)}
    for name, (file, words) in fonts.items():
        kept(name).__init__(name, io.BytesIO(file), words)  # type: ignore[misc]
        pdfmetrics.registerFont(kept(name))
        _font_coverage.pop(name, None)  # which letters the last one had
