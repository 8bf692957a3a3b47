"""Hints on how people are named: initials, abbreviations, a child who is not linked."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from functools import cache

from models.ground.words import bare

from .mending import RULES, Found, Known, Mend, lists, set_of
from .wording import TITLES, Text, Word

ROLES = set_of("roles")
LETTERED = set_of("lettered")
JOINED = set_of("joined")
COMMON = set_of("common")
WORDS_TOO = set_of("words_too")
DOES = set_of("does")
SEASONS = {"summer", "autumn", "winter", "may", "april", "august", "dawn", "rain", "storm", "art"}


def initials(
    text: Text, field: str, texts: Mapping[str, str | None], known: Known
) -> Iterator[Found]:
    """Initials, a letter for a name, “pupil A”."""
    if shouts(text):
        return
    places: dict[str, list[tuple[int, int]]] = {}
    for place in range(len(text.words)):
        if span := (lettered(text, place) or dotted(text, place) or capitals(text, place, known)):
            places.setdefault(text.text[slice(*span)], []).append(span)
    for words, spans in places.items():
        people = meant_by(words, known)
        times = f", {len(spans)} times" if len(spans) > 1 else ""
        mends = tuple(
            Mend(f"Write {name}{times}", tuple((field, start, end, name) for start, end in spans))
            for name in people
        )
        yield Found(*spans[0], mends)


def shouts(text: Text) -> bool:
    """Whether a text is typed in capitals: they say nothing then."""
    letters = [letter for letter in text.text[:2000] if letter.isalpha()]
    return sum(letter.isupper() for letter in letters) > 0.6 * len(letters) > 6


def lettered(text, place):
    """“Pupil A”, “boy 2”: the span, or None."""
    word, following = text.at(place), text.at(place + 1)
    if word.low not in ROLES or not following or not text.together(word, following):
        return None
    tag = following.text
    after = text.at(place + 2)
    counted = after and after.low in ("of", "year", "years", "and") and tag.isdigit()
    one = len(tag) == 1 and (tag.isupper() or tag.isdigit()) and tag != "I"
    if not one or counted or text.said[following.end : following.end + 1] in (":", "/", "'", "’"):
        return None
    return word.start, following.end


def dotted(text, place):
    """“J.B.”, “K. came”: the span, or None."""
    word, last = text.at(place), place
    if len(word.text) != 1 or not word.text.isupper() or text.said[word.end : word.end + 1] != ".":
        return None
    before = text.at(place - 1)
    if before and text.said[before.end : word.start] == ".":
        return None  # within: the first has told
    if before and before.low in LETTERED | ROLES and text.together(before, word):
        return None
    while (
        (following := text.at(last + 1))
        and len(following.text) == 1
        and following.text.isupper()
        and text.said[text.at(last).end : following.start] in (".", ". ")
    ):
        last += 1
    end, following = text.at(last).end, text.at(last + 1)
    near = following and text.together(text.at(last), following, ".")
    if near and following.capital:
        return None  # J. Brown: the name is there
    if before and text.together(before, word) and (before.capital and before.low not in TITLES):
        return None  # Samuel L. and nothing after
    closes = text.said[end : end + 1] == "." and (near or last > place) and following
    lower = following and following.text[:1].islower()
    return word.start, end + 1 if closes and lower else end


def capitals(text: Text, place: int, known: Known) -> tuple[int, int] | None:
    """“JB”, and “J” alone: the span, or None."""
    word = text.at(place)
    stem = plain(word.text)
    end = word.start + len(stem)
    if not stem.isalpha() or not stem.isupper() or len(stem) > 3 or beside_capitals(text, place):
        return None
    before, following = text.at(place - 1), text.at(place + 1)
    near = before and text.together(before, word)
    if len(stem) == 1:
        if stem in "IAOX" or near and before.low in LETTERED | ROLES:
            return None
        if text.said[word.end : word.end + 1] in ("-", "/", "."):
            return None
        if following and text.together(word, following) and following.capital:
            return None  # Samuel L Okafor
        if text.said[max(word.start - 1, 0)] in "-/.":
            return None
        return word.start, end
    if is_known(stem, known):
        return None
    if len(stem) == 3 and not [one for one in known.people if stem_of(stem) in short(one)]:
        return None  # an abbreviation, rather
    return word.start, end


def plain(word: str) -> str:
    """A word without the ’s or the s of its plural."""
    word = re.split("['’]", word)[0]
    return word[:-1] if len(word) > 2 and word.endswith("s") and word[:-1].isupper() else word


def is_known(word, known):
    return word in known.glossary or word in RULES["jargon"]["plain"]


def beside_capitals(text, place):
    """Whether the word beside is in capitals as well: somebody shouts, or a heading."""
    word = text.at(place)
    return any(
        other
        and len(other.text) > 3
        and other.text.isalpha()
        and other.text.isupper()
        and text.together(*sorted((word, other)))
        for other in (text.at(place - 1), text.at(place + 1))
    )


def stem_of(letters):
    """Initials as they are compared."""
    return "".join(bare(letters)).replace(" ", "")


@cache
def short(name: str) -> set[str]:
    """The initials that a name may be given, as they are compared."""
    words, whole = bare(name), [bare(word) for word in name.split()]
    firsts = [word[0][0] for word in whole if word]
    said = [part.lower() in JOINED for part in name.split()]
    shorter = [word[0][0] for word, joins in zip(whole, said, strict=True) if word and not joins]
    found = {"".join(word[0] for word in words), "".join(firsts), "".join(shorter)}
    found |= {one[0] + one[-1] for one in found if len(one) > 2}
    return found | {one[0] for one in found if one}


def meant_by(words, known):
    """Those who are linked whom initials may mean, by name: a few, or none."""
    role = words.split(" ")[0].lower()
    if role in ROLES and " " in words:
        grown_up = role in ("teacher", "adult", "staff", "parent", "man", "woman")
        return (known.adults if grown_up else known.children)[:4]
    letters = "".join(bare(words.replace(".", " ")))
    return tuple(one for one in dict.fromkeys(known.people) if letters in short(one))[:4]


def jargon(
    text: Text, field: str, texts: Mapping[str, str | None], known: Known
) -> Iterator[Found]:
    """Abbreviations that the glossary does not know, and words of our own."""
    glossary = {word.lower() for word in known.glossary}
    for first, last in lists("jargon").find(text):
        start, end = text.at(first).start, text.at(last - 1).end
        if text.text[start:end].lower() not in glossary:
            yield Found(start, end)
    if shouts(text):
        return
    seen = set()
    for place, word in enumerate(text.words):
        stem = plain(word.text)
        letters = stem.rstrip("0123456789")
        if not (3 <= len(letters) <= 6 and letters.isalpha() and letters.isupper()):
            continue
        if stem in seen or is_known(stem, known) or is_known(letters, known):
            continue
        if len(letters) == 3 and [one for one in known.people if stem_of(letters) in short(one)]:
            continue
        if any(stem.lower() in bare(one) for one in known.people) or beside_capitals(text, place):
            continue
        seen.add(stem)
        yield Found(word.start, word.start + len(stem))


def unlinked(
    text: Text, field: str, texts: Mapping[str, str | None], known: Known
) -> Iterator[Found]:
    """The name of a child who is not linked: of those only whom the form would name to this person
    for the same words.
    """
    ours = {word for name in known.people for word in bare(name)}
    seen, place = set(), 0
    while place < len(text.words):
        chain = chain_at(text, place)
        if not chain:
            place += 1
            continue
        place += len(chain)
        for start, end, typed in names_in(text, chain, ours):
            if typed in seen:
                continue
            rows = children_called(typed, known)
            if rows:
                seen.add(typed)
                yield Found(start, end, links(rows, known))


def chain_at(text, place):
    """Words with capitals that follow each other: a name may be in it."""
    word = text.at(place)
    if not word.capital or len(plain_name(word)) < 2 or word.low in COMMON:
        return []
    chain = [word]
    for following in text.words[place + 1 : place + 6]:
        joins = following.low in JOINED
        if not text.together(chain[-1], following) or not (following.capital or joins):
            break
        if following.low in COMMON:
            break
        chain.append(following)
    while chain and chain[-1].low in JOINED:
        chain.pop()
    return chain


def plain_name(word):
    return re.split("['’]s?$", word.text)[0]


def names_in(text, chain, ours):
    """(start, end, what would be typed) of the names that a chain of words may be."""
    start, end = chain[0].start, chain[-1].start + len(plain_name(chain[-1]))
    before = text.said[max(start - 12, 0) : start].rstrip(". ").lower().split()
    if chain[0].low in TITLES or set(before[-1:]) & TITLES:
        return
    if all(word in ours for one in chain for word in bare(plain_name(one))):
        return
    if len(chain) > 1:
        yield start, end, text.text[start:end]
        if start == text.sentence(start)[0] and len(chain) > 2:
            yield chain[1].start, end, text.text[chain[1].start : end]
        return
    word = chain[0]
    name = plain_name(word)
    if bare(name) and bare(name)[0] in ours:
        return
    low = word.low.removesuffix("'s")
    doubtful = low in SEASONS or low in WORDS_TOO and start == text.sentence(start)[0]
    if not doubtful or acts(text, word):
        yield start, end, name


def acts(text: Text, word: Word) -> bool:
    """Whether a word that may be a name does something: “Faith showed me”, not “May I”."""
    place = bisect_right(text.words, word)
    sentence = text.sentence(word.start)
    following = text.low(place, sentence)
    if word.low in SEASONS and following in ("was", "is", "has", "had", "came", "then"):
        return False
    known_to_act = following in DOES or following.endswith("ed") and len(following) > 3
    between = ", " if following == "who" else " "
    return (known_to_act or following == "who") and text.together(word, text.words[place], between)


def children_called(typed, known):
    """[(name, label)] of the few children whose whole name, or first name, was typed."""
    words = bare(typed)
    if not words:
        return []
    rows = known.find(typed)
    names = {name: bare(name) for name, _label in rows}
    if len(words) == 1:
        found = [row for row in rows if names[row[0]][:1] == words]
    else:
        found = [
            row
            for row in rows
            if names[row[0]] == words
            or (names[row[0]][0] == words[0] and names[row[0]][-1] == words[-1])
        ]
    return found if len(found) <= 3 and not {row[0] for row in found} & set(known.children) else []


def links(rows: list[tuple[str, str]], known: Known) -> tuple[Mend, ...]:
    """Presses that link a child: one for each part."""
    return tuple(
        Mend(f"Link {label}, as: {part}", link=(label, part))
        for _name, label in rows
        for part in known.parts
    )
