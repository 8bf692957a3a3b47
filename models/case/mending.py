"""What the writing hints share: their rules as data, what they may know, what one press does."""

import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from .wording import Phrases, Text

RULES: dict[str, Any] = tomllib.loads(
    (Path(__file__).parents[1] / "hints.toml").read_text(encoding="utf-8")
)
SETS: dict[str, list[str]] = RULES.pop("sets")
VIEW, OWN_WORDS = "opinion", "child_words"  # the fields that a press may move words to
MOST = 12  # hints of one kind in one field: more are no help


class Mend(NamedTuple):
    """What one press does: `edits` are (field, start, end, new text), `link` is (a child's label,
    their part). `says` is on the button, with the very words.
    """

    says: str
    edits: tuple[tuple[str, int, int, str], ...] = ()
    link: tuple[str, str] | None = None


class Known(NamedTuple):
    """What the rules may know besides the text: who is linked, who writes, the glossary, the parts
    a child may have, and `find`, which gives [(name, label)] of the children whom the form would
    name to this person for what they typed, and no more.
    """

    children: tuple[str, ...] = ()
    adults: tuple[str, ...] = ()
    writer: str = ""
    glossary: frozenset[str] = frozenset()
    parts: tuple[str, ...] = ()
    find: Callable[[str], list[tuple[str, str]]] = lambda typed: []

    @property
    def people(self) -> tuple[str, ...]:
        return tuple(name for name in (*self.children, *self.adults, self.writer) if name)


class Found(NamedTuple):
    """What a rule found: from where to where, and what may be done."""

    start: int
    end: int
    mends: tuple[Mend, ...] = ()


def set_of(name: str) -> frozenset[str]:
    """A set of words by which a rule judges what stands around: [sets] in models/hints.toml."""
    return frozenset(SETS[name])


@cache
def lists(kind: str, name: str = "words") -> Phrases:
    return Phrases(RULES[kind][name])


def moved(text: Text, field: str, texts: Mapping[str, str | None], place: int) -> tuple[Mend, ...]:
    """The sentence goes to the professional view; none where nothing else would be left."""
    start, end = text.sentence(place)
    rest = text.text[:start] + text.text[end:]
    if not rest.strip():
        return ()
    after = end
    while after < len(text.text) and text.text[after] in " \t":
        after += 1
    if after == len(text.text) or text.text[after] == "\n":
        while start and text.text[start - 1] in " \t":
            start -= 1
    view = texts.get(VIEW) or ""
    sentence = text.text[start:end].strip()
    added = f"\n{sentence}" if view.strip() else sentence
    edits = ((field, start, after, ""), (VIEW, len(view), len(view), added))
    return (Mend("Move the sentence to your professional view", edits),)


def noted(kind: str, text: Text, field: str, start: int, end: int) -> tuple[Mend, ...]:
    """It is said, after the words, that more is not known."""
    note = f" ({RULES[kind]['note']})"
    return (Mend(f"Add “{note.strip()}”", ((field, end, end, note),)),)


def is_noted(text: Text, end: int) -> bool:
    """Whether the writer said so already, or says it exactly in brackets."""
    following = text.text[end : end + 60].lstrip()
    return following.startswith("(")
