"""Names that are left out of a copy for somebody outside, however they were typed."""

import re
from collections.abc import Iterable
from unicodedata import category, combining

from models.ground.database import fold
from models.ground.words import bare

JOINERS = "\u200c\u200d"  # nobody sees them either, and they part the words of some scripts


def letters(text: str) -> tuple[str, list[int]]:
    """`text` as names are compared, and the place in `text` of each of its letters. Apostrophes are
    one sign, what is no letter is a space, and what nobody sees (a soft hyphen, pasted from a page)
    is nothing.
    """
    found, places = [], []
    for place, letter in enumerate(text):
        if category(letter) == "Cf" and letter not in JOINERS:
            continue
        plain = "'" if letter in "'’ʼ`" else fold(letter).replace("đ", "d")
        for one in plain if re.fullmatch(r"[^\W_]*|'", plain) else " ":
            found.append(one)
            places.append(place)
    return "".join(found), places


def cased(letter: str) -> bool:
    """Whether a letter is of a script that writes words apart and in two cases."""
    return letter.lower() != letter.upper()


def pattern(words: Iterable[str]) -> str:
    """The pattern of a name, from its bare words: whole words where the script has such, with an
    apostrophe wherever somebody may have typed one.
    """
    words = list(words)
    start = r"(?<![^\W\d])" if cased(words[0][0]) else ""
    end = r"(?![^\W\d])" if cased(words[-1][-1]) else ""  # a figure ends a word: Kamau¹
    parts = ["'?".join(map(re.escape, one)) if one else r"\s+" for one in spaced(words)]
    return start + r"\s*".join(parts) + end


def spaced(words: list[str]) -> list[str | None]:
    """The words with a space between them, where the script writes one."""
    found: list[str | None] = []
    for word in words:
        if found and cased(word[0]):
            found.append(None)
        found.append(word)
    return found


def hide(text: str, names: dict[tuple[str, ...], str]) -> str:
    """`text` with each name replaced. names: {bare words of a name: what stands there instead}."""
    plain, places = letters(text)
    spans: list[tuple[int, int, str]] = []
    for words in sorted(names, key=lambda one: -sum(map(len, one))):
        for found in re.finditer(pattern(words), plain):
            start, end = places[found.start()], places[found.end() - 1] + 1
            while end < len(text) and combining(text[end]):
                end += 1
            if not any(start < to and begin < end for begin, to, _said in spans):
                spans.append((start, end, names[words]))
    for start, end, said in sorted(spans, reverse=True):
        text = text[:start] + said + text[end:]
    return text


def mentioned(text: str, names: Iterable[str]) -> set[str]:
    """Those of `names`, which may be all that a school has, whose whole stands in `text`."""
    plain, _places = letters(text)
    joined = plain.replace("'", "")  # as bare words have it: most names are ruled out by it alone
    return {
        name
        for name in names
        if (words := bare(name))
        and all(word in joined for word in words)
        and re.search(pattern(words), plain)
    }
