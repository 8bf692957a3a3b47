"""Shaping: the scripts that are not drawn letter by letter, and lines from right to left.

A cluster, which is what a reader takes for one letter (a syllable of Hindi, an Arabic letter in the
form that its neighbours ask for, a Thai consonant with its vowel and tone), becomes one letter of a
font that is made for one document. Its code is of the private use planes, so that xhtml2pdf lays it
out as any other letter, and the PDF says which words it stands for.
"""

import re
import unicodedata
from functools import cache

from .fonts import MARKS, faces, han_face, homes, is_plain, truetype

# The private use planes by direction (Bidi_Class of UAX #9), in which xhtml2pdf puts each line.
PLANES = {
    "L": (0xF0000, 0xFDFFF),
    "ON": (0xFE000, 0xFFFFD),
    "AL": (0x100000, 0x107FFF),
    "R": (0x108000, 0x10BFFF),
    "AN": (0x10C000, 0x10CFFF),
    "EN": (0x10D000, 0x10DFFF),
    "ET": (0x10E000, 0x10EFFF),
    "CS": (0x10F000, 0x10FFFD),
}
MOST = 60_000  # letters of both fonts together: TrueType holds 65,535
FAR = 10_000  # thousandths of an em, to which a thousand marks on one letter must not be piled
SPACE = 260  # thousandths of an em, as in Noto Sans
# Signs that steer the direction: obeyed, not drawn.
CONTROLS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
EMOJI = "\ufe0f"  # after a sign: its picture is meant
# Scripts without spaces between the words: Thai, Lao, Burmese, Khmer, Chinese, Japanese.
FLOWING = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u312f\u3190-\u9fff\uf900-\ufaff"
    "\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff]"
)  # fmt: skip
NO_BREAK_AFTER = "([{（［｛「『【〔〈《“‘"
NO_BREAK_BEFORE = (
    ")]}）］｝」』】〕〉》”’、。，．：；！？!?,.;:・ー"
    "々ๆฯぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ"
)
THAI = re.compile("[\u0e00-\u0e7f]+")
URDU = re.compile("[\u0679\u0688\u0691\u06ba\u06d2\u06d3]")  # it has digits of its own
TAG = re.compile(r"(<[^>]*>)")
BOLD = re.compile(r"<(/?)(?:b|strong|th|h[1-6])\b")
BLOCK = re.compile(r"<(?:p|h[1-6])\b[^>]*>((?:[^<]|<(?!/?(?:p|h[1-6]|td|div|table)\b))*)")


def direction(letter: str) -> str:
    """Bidi_Class of a letter, those that we made included."""
    code = ord(letter)
    if code < 0xF0000:
        return unicodedata.bidirectional(letter)
    return next(kind for kind, (_first, last) in PLANES.items() if code <= last)


@cache
def teach() -> None:
    """Make xhtml2pdf see the direction of the letters that we make: it has no setting for that."""
    from xhtml2pdf import bidi

    bidi.bidirectional = direction
    bidi._NEEDS_BIDI = re.compile(bidi._NEEDS_BIDI.pattern[:-1] + "\U00100000-\U0010fffd]")


def rightward(html: str) -> str:
    """The page with dir="rtl" where the first strong letter of a paragraph or heading asks it."""

    def marked(match):
        kinds = map(unicodedata.bidirectional, TAG.sub("", match[1]))
        first = next((kind for kind in kinds if kind in ("L", "R", "AL")), "L")
        return match[0] if first == "L" else match[0].replace(">", ' dir="rtl">', 1)

    return BLOCK.sub(marked, html)


def ignorable(sign: str) -> bool:
    """Whether a sign only tells its neighbours how to be drawn: joiners, selectors of a variant."""
    code = ord(sign)
    selector = 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF
    return selector or (unicodedata.category(sign) == "Cf" and sign not in CONTROLS)


def named(sign: str) -> str:
    """What is written for a sign that no font has."""
    if unicodedata.category(sign) in ("Cf", "Cc"):
        return ""
    return f"[{unicodedata.name(sign, f'U+{ord(sign):04X}')}]"


@cache
def strange() -> re.Pattern[str]:
    """Finds runs that are not laid out letter by letter; a mark takes its plain letter along."""
    known = [code for code, home in homes().items() if home == "Sans" and is_plain(code)]
    plain = "".join(re.escape(chr(code)) for code in sorted(known) if not ignorable(chr(code)))
    plain = f"\t\n\r{plain}{CONTROLS}"
    marks = "".join(f"{chr(first)}-{chr(last)}" for first, last in MARKS)
    return re.compile(f"(?:[{plain}](?=[{marks}{EMOJI}]))?[^{plain}]+")


class Lettering:
    """The letters made for one document, in two fonts.

    The space of the font "flowing" is not seen: it is where a line may break, and no more.
    """

    def __init__(self):
        self.made = {False: {}, True: {}}  # {flowing: {what is drawn, for which words: letter}}
        self.used = dict.fromkeys(PLANES, 0)
        self.shaped = {}
        self.space = self.letter(True, "Sans", False, (), SPACE, " ", "L")
        self.nothing = self.letter(True, "Sans", False, (), 0, "", "L")

    def letter(
        self, flowing: bool, face: str, bold: bool, glyphs: tuple, width: int, words: str, kind: str
    ) -> str | None:
        """The letter for what is drawn; None when there is no room for another."""
        kind = kind if kind in PLANES else "ON"
        key, made = (face, bold, glyphs, width, words, kind), self.made[flowing]
        if key not in made:
            code = PLANES[kind][0] + self.used[kind]
            if code > PLANES[kind][1] or sum(map(len, self.made.values())) >= MOST:
                return None
            made[key] = chr(code)
            self.used[kind] += 1
        return made[key]

    def page(self, html: str) -> str:
        """The page with all its words in letters that our fonts have, to be laid out."""
        bold, parts = 0, TAG.split(html)
        for number in range(0, len(parts), 2):
            if number and (tag := BOLD.match(parts[number - 1])):
                bold += -1 if tag[1] else 1
            if strange().search(parts[number]):
                parts[number] = self.text(parts[number], bold > 0)
        return "".join(parts)

    def text(self, text, bold):
        asked = bold, han_face(text), "ur" if URDU.search(text) else None
        return strange().sub(lambda match: self.run(match, *asked), text)

    def run(self, match: re.Match[str], bold: bool, han: str, language: str) -> str:
        """A run in our letters, with a space of "flowing" wherever a line may break."""
        text, out, flowed = match[0], [], False
        before, after = match.string[: match.start()][-1:], match.string[match.end() :][:1]
        breaks = set(thai_breaks(text))
        for start, words, letter in self.clusters(text, bold, han, language):
            flows = bool(FLOWING.match(words))
            within_word = flows and flowed and THAI.match(words) and start not in breaks
            tied = before in NO_BREAK_AFTER or before.isspace() or words[0] in NO_BREAK_BEFORE
            if (flows or flowed) and not within_word and not tied:
                out.append(" " if flowed else f"{self.nothing} ")
            out.append(letter)
            before, flowed = words[-1], flows
        if flowed and after:
            out.append(self.space if after.isspace() else " " if after.isalnum() else "")
        return "".join(out)

    def clusters(self, text, bold, han, language):
        """[(where it starts, the words it stands for, the letters that are drawn)]"""
        found = []
        for start, face, part in itemised(text, han):
            key = part, face, bold, language
            if key not in self.shaped:
                self.shaped[key] = self.shape(*key) if face else [(0, part, spelt(part))]
            found += [(start + at, words, drawn) for at, words, drawn in self.shaped[key]]
        return [cluster for cluster in found if cluster[2]]

    def shape(self, text, face, bold, language):
        import uharfbuzz

        buffer = uharfbuzz.Buffer()
        buffer.add_codepoints(list(map(ord, text)))
        buffer.guess_segment_properties()
        if language:
            buffer.language = language
        uharfbuzz.shape(faces()[face].fonts[bold], buffer)
        rtl = buffer.direction == "rtl"
        groups = {}  # where a cluster starts: its glyphs, from left to right
        for info, place in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
            groups.setdefault(info.cluster, []).append((info.codepoint, place))
        starts, found = sorted(groups), []
        for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
            words, group = text[start:end], groups[start]
            parts = turned(words, group, end == len(text)) if rtl else [(words, group)]
            kind = unicodedata.bidirectional(words[0])
            drawn = [self.drawn(*part, face, bold, kind) for part in parts]
            found.append((start, words, "".join(drawn) if all(drawn) else spelt(words)))
        return found

    def drawn(self, words: str, group: list, face: str, bold: bool, kind: str) -> str | None:
        """The letter for glyphs that stand for some words; None when there can be no such
        letter.
        """
        x, glyphs, scale = 0, [], faces()[face].scale
        for glyph, place in group:
            at = round((x + place.x_offset) * scale), round(place.y_offset * scale)
            glyphs.append((glyph, *at))
            x += place.x_advance
        if any(not glyph or abs(left) > FAR or abs(up) > FAR for glyph, left, up in glyphs):
            return None
        flows = bool(FLOWING.match(words))
        return self.letter(flows, face, bold, tuple(glyphs), round(x * scale), words, kind)

    def font(self, flowing: bool) -> tuple[bytes, dict[int, str]]:
        """The font of the letters made, as TrueType, and {code: the words it stands for}."""
        unseen = "" if flowing else CONTROLS
        letters: dict[int, tuple[int, list]] = {ord(sign): (0, []) for sign in unseen} | {
            32: (0 if flowing else SPACE, [])
        }
        words = {}
        for (face, bold, glyphs, width, stands_for, _kind), letter in self.made[flowing].items():
            letters[ord(letter)] = width, [(faces()[face], bold, *glyph) for glyph in glyphs]
            words[ord(letter)] = stands_for
        return truetype("Flowing" if flowing else "Spaced", letters), words


def turned(words: str, group: list, last: bool) -> list[tuple[str, list]]:
    """[(words, glyphs)] of a cluster that runs from right to left.

    Readers of a PDF turn its letters round one by one, and a mark at the end of a word they take
    for one of the next word: U+200F ties it.
    """
    if len(group) == len(words):  # a letter and its marks
        parts = [(sign, [glyph]) for sign, glyph in zip(words, reversed(group), strict=True)]
    else:
        parts = [(words[::-1], group)]
    said, glyphs = parts[-1]
    if last and unicodedata.category(said[0]) == "Mn":
        parts[-1] = f"\u200f{said}", glyphs
    return parts


def spelt(text):
    return "".join(map(named, text))


def itemised(text, han):
    """[[where it starts, the font that has it (None: no font), the part of the text]]"""
    parts = []
    for place, sign in enumerate(text):
        home, last = homes().get(ord(sign)), parts and parts[-1][1]
        if last and (ignorable(sign) or ord(sign) in faces()[last].letters):
            home = last
        elif home == "JP" and ord(sign) in faces()[han].letters:
            home = han
        if text[place + 1 : place + 2] == EMOJI and ord(sign) in faces()["Emoji"].letters:
            home = "Emoji"
        if parts and last == home:
            parts[-1][2] += sign
        else:
            parts.append([place, home, sign])
    return parts


def thai_breaks(text):
    """Where a line of Thai may break: the places in `text` between its words."""
    for match in THAI.finditer(text):
        place = match.start()
        for word in thai_parser().parse(match[0]):
            place += len(word)
            yield place


@cache
def thai_parser():
    import budoux

    return budoux.load_default_thai_parser()
