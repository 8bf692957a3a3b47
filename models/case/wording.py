"""A text as the hints read it: its words, its sentences, and what stands in quotation marks."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

WORD = re.compile(
    r"[^\W_][^\W_\u0300-\u036f]*[\u0300-\u036f]*(?:[&'’-]?[^\W_]+[\u0300-\u036f]*)*%?"
)
# a quotation ends on its line; how long it may be is said, so that no text is searched for ever
QUOTED = re.compile(
    r"“[^“”\n]{0,2000}”|„[^„“”\n]{0,2000}[“”]|«[^«»\n]{0,2000}»|\"[^\"\n]{0,2000}\""
    r"|(?<!\w)‘[^‘\n]{0,2000}?’(?!\w)|(?<!\w)'[^'\n]{1,300}'(?!\w)"
)
STOP = re.compile(r"[.!?…]+[”\"’')\]»]*\s+|\n+")
TITLES = {
    "mr", "mrs", "ms", "miss", "mx", "dr", "pc", "dc", "ds", "sgt", "sergeant", "constable", "sir",
    "prof", "professor", "rev", "father", "sister", "brother", "nurse", "officer", "auntie",
    "aunt", "uncle", "madame", "coach",
}  # fmt: skip
SHORTENED = TITLES | {"st", "no", "e.g", "i.e", "eg", "ie", "approx", "tel", "etc", "vs"}
HIDDEN = "\ufffc"  # stands for each character of a quotation, so that places stay


class Word(NamedTuple):
    """A word in its place; `low` as it is compared."""

    start: int
    end: int
    text: str
    low: str

    @property
    def capital(self) -> bool:
        """Whether it begins with a capital and is not all capitals: a name may."""
        return self.text[:1].isupper() and not (len(self.text) > 1 and self.text.isupper())


class Text:
    """A text, read once, for all rules."""

    def __init__(self, text: str):
        self.text = text
        self.quotes = [found.span() for found in QUOTED.finditer(text)]
        parts, at = [], 0
        for start, end in self.quotes:
            parts += [text[at:start], HIDDEN * (end - start)]
            at = end
        self.said = "".join([*parts, text[at:]])  # what the writer says in their own words

    @cached_property
    def words(self) -> list[Word]:
        """Its words, but those of quotations, in order."""
        return [
            Word(*found.span(), found[0], found[0].lower().replace("’", "'"))
            for found in WORD.finditer(self.said)
        ]

    @cached_property
    def sentences(self) -> list[tuple[int, int]]:
        """Where each sentence begins and ends, without the space round it."""
        found, begin = [], 0
        for stop in STOP.finditer(self.text):
            if self.stops(stop):
                found.append((begin, stop.end()))
                begin = stop.end()
        found.append((begin, len(self.text)))
        tight = []
        for start, end in found:
            whole = self.text[start:end]
            if whole.strip():
                start += len(whole) - len(whole.lstrip())
                tight.append((start, start + len(whole.strip())))
        return tight

    def stops(self, stop: re.Match) -> bool:
        """Whether a sentence ends here: not after Mr. or J., nor within a quotation."""
        if "\n" in stop[0]:
            return True
        place = bisect_right(self.quotes, (stop.start(), len(self.text))) - 1
        if place >= 0 and stop.end() < self.quotes[place][1]:
            return False
        following = self.text[stop.end() : stop.end() + 2].lstrip("“\"‘'(«„")
        before = self.text[max(stop.start() - 12, 0) : stop.start()].split()
        last = before[-1].lower().lstrip("(“‘") if before else ""
        if stop[0].startswith(".") and (
            last in SHORTENED or last[-1:].isalpha() and (len(last) == 1 or last[-2] == ".")
        ):
            return False
        return not following[:1].islower()

    @cached_property
    def begins(self) -> list[int]:
        return [start for start, _end in self.sentences]

    def sentence(self, place: int) -> tuple[int, int]:
        """The sentence in which a place lies."""
        return self.sentences[max(bisect_right(self.begins, place) - 1, 0)]

    def around(self, place: int, reach: int = 300) -> tuple[int, int]:
        """The sentence in which a place lies, as far as it is near: some sentences never end."""
        start, end = self.sentence(place)
        return max(start, place - reach), min(end, place + reach)

    def together(self, one: Word, other: Word, between: str = " ") -> bool:
        """Whether nothing but space (and what `between` has) stands from one word to the other."""
        gap = self.said[one.end : other.start]
        return "\n" not in gap and not gap.strip(between + " \t\u00a0")

    def at(self, place: int) -> Any:
        """The word of this number, if there is one."""
        return self.words[place] if 0 <= place < len(self.words) else None

    def low(self, place: int, within: tuple[int, int]) -> str:
        """The word of this number as it is compared; "" where it is not `within` the sentence."""
        word = self.at(place)
        return word.low if word and within[0] <= word.start and word.end <= within[1] else ""


class Token(NamedTuple):
    """A place in a phrase: the words that may stand there, beginnings and ends of words that may,
    and whether nothing may.
    """

    words: frozenset[str]
    begin: tuple[str, ...]
    end: tuple[str, ...]
    optional: bool

    @classmethod
    def read(cls, written: str) -> "Token":
        """As a word list writes it: “is|was”, “?very”, “manipul*”, “*'s”."""
        words = written.removeprefix("?").split("|")
        return cls(
            frozenset(word for word in words if "*" not in word),
            tuple(word[:-1] for word in words if word.endswith("*")),
            tuple(word[1:] for word in words if word.startswith("*")),
            written.startswith("?"),
        )

    def takes(self, word: str) -> bool:
        return (
            word in self.words
            or bool(self.begin and word.startswith(self.begin))
            or bool(self.end and word.endswith(self.end))
        )


class Phrases:
    """Word lists, ready to be looked for: each word of a text is looked up once."""

    def __init__(self, lines: Iterable[str]):
        self.first: dict[str, list[tuple[Token, ...]]] = {}
        for line in lines:
            phrase = tuple(Token.read(token) for token in line.split())
            for token in phrase:
                starts = [word[:4] + "*" for word in token.begin] + ["*" for _end in token.end]
                for word in {*token.words, *starts}:
                    self.first.setdefault(word, []).append(phrase)
                if not token.optional:
                    break

    def find(self, text: Text) -> Iterator[tuple[int, int]]:
        """(number of the first word, number after the last) of each phrase, the longest only."""
        after = 0
        for place, word in enumerate(text.words):
            if place < after:
                continue
            keys = word.low, word.low[:4] + "*", "*"
            found = [fits(one, text, place) for key in keys for one in self.first.get(key, ())]
            if (last := max(found, default=place)) > place:
                after = last
                yield place, last


def fits(phrase: tuple[Token, ...], text: Text, place: int) -> int:
    """The number after the last word, where the words from this number on are the phrase, or
    `place` where they are not. What may be left out is taken where it stands there.
    """
    at = place
    for token in phrase:
        word = text.at(at)
        joined = word and (at == place or text.together(text.words[at - 1], word))
        if joined and word and token.takes(word.low):
            at += 1
        elif not token.optional:
            return place
    return at
