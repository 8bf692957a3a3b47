"""Writing hints: what a stranger would stumble over in a report, and one press that mends it.

Rules only, on words and their places: text in, hints out. Nothing leaves the machine, nothing is
changed unasked, and whoever writes may save as it is. The word lists are models/hints.toml.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from itertools import islice
from typing import NamedTuple

from .mending import MOST, RULES, Found, Known, Mend, is_noted, lists, moved, noted, set_of
from .naming import initials, jargon, unlinked
from .speech import speech
from .wording import Text, Word

FACTS = tuple(RULES)
NAMES = ("initials", "unlinked", "jargon")
FIELDS = {  # which rules read which field of a report; what a child said is left alone
    "what_happened": FACTS,
    "immediate_action": tuple(kind for kind in FACTS if kind != "speech"),
    "parents_why": (*NAMES, "told", "label"),
    "wishes": NAMES,
    "opinion": NAMES,
    "other_adults": ("initials",),
}
MOVED = ("opinion", "certainty", "mind", "label", "blame")
LOOKED_UP = 20  # names of one report that are looked for among the children
LONG_SENTENCE, LONG_PARAGRAPH = 45, 200  # words


class Hint(NamedTuple):
    """Which words of which field, and what one press would do. `key` finds it again in a text that
    was changed elsewhere.
    """

    kind: str
    field: str
    start: int
    end: int
    words: str
    mends: tuple[Mend, ...] = ()
    key: str = ""

    @property
    def name(self) -> str:
        return RULES[self.kind]["name"]

    @property
    def why(self) -> str:
        return RULES[self.kind]["why"]


def hints_of(texts: Mapping[str, str | None], known: Known) -> list[Hint]:
    """The hints on the fields of a report, in their order; texts: {field: text}."""
    found: list[Hint] = []
    asked: dict[str, list[tuple[str, str]]] = {}
    given = known.find

    def find(typed: str) -> list[tuple[str, str]]:
        if typed not in asked and len(asked) < LOOKED_UP:
            asked[typed] = given(typed)
        return asked.get(typed, [])

    known = known._replace(find=find)
    for field, kinds in FIELDS.items():
        written = texts.get(field) or ""
        if not written.strip():
            continue
        text = Text(written)
        for kind in kinds:
            rows = sorted(islice(RULE[kind](text, field, texts, known), 4 * MOST))
            found += apart(kind, field, text, rows)
    return sorted(found, key=lambda hint: (list(FIELDS).index(hint.field), hint.start, hint.end))


def apart(kind: str, field: str, text: Text, rows: list[Found]) -> Iterator[Hint]:
    """The first few of what a rule found, none over another, each with a key of its own."""
    after, count = -1, 0
    seen: dict[str, int] = {}
    for start, end, mends in rows:
        if start < after or count == MOST:
            continue
        after, count = end, count + 1
        words = text.text[start:end]
        seen[words] = seen.get(words, 0) + 1
        digest = sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:10]
        key = f"{field}.{kind}.{digest}.{seen[words]}"
        yield Hint(kind, field, start, end, words, mends, key)


def mended(texts: Mapping[str, str | None], mend: Mend) -> dict[str, str]:
    """The fields that a mend changes, as they are then: {field: text}."""
    changed: dict[str, str] = {}
    for field, start, end, new in sorted(mend.edits, key=lambda edit: edit[1], reverse=True):
        now = changed.get(field, texts.get(field) or "")
        changed[field] = now[:start] + new + now[end:]
    return changed


def listed(
    kind: str, judge: Callable[[Text, int, int], bool] = lambda text, first, last: True
) -> Callable[..., Iterator[Found]]:
    """A rule that is a word list, and what is judged of each place where it fits."""

    def rule(
        text: Text, field: str, texts: Mapping[str, str | None], known: Known
    ) -> Iterator[Found]:
        for first, last in lists(kind).find(text):
            start, end = text.at(first).start, text.at(last - 1).end
            if judge(text, first, last) and not is_noted(text, end):
                mends = (
                    moved(text, field, texts, start)
                    if kind in MOVED
                    else noted(kind, text, field, start, end)
                )
                yield Found(start, end, mends)

    return rule


def near_words(text, first, last):
    """(the word before, the word after) as they are compared, "" at the ends of a sentence."""
    sentence = text.sentence(text.at(first).start)
    return text.low(first - 1, sentence), text.low(last, sentence)


SENSED = set_of("sensed")


def certain(text, first, last):
    """Not “could clearly hear”, nor “spoke clearly”; “must have” only of what was done."""
    before, after = near_words(text, first, last)
    words = " ".join(word.low for word in text.words[first:last])
    if words in ("clearly", "plainly"):
        sentence = text.sentence(text.at(first).start)
        return not {text.low(place, sentence) for place in range(first - 3, last + 2)} & SENSED
    if words.startswith("must"):
        return after not in ("a", "an", "the", "his", "her", "my", "their", "our", "it", "some", "")
    return not (words == "certainly" and after == "not")


LIES_WHERE = set_of("lies_where")
BE = set_of("be")
EVERYONE = re.compile(r"\beverybody|\beveryone", re.I)


def thought(text, first, last):
    """Not one’s own thoughts, nor what was said or asked; lying is not lying on the mat."""
    before, after = near_words(text, first, last)
    words = " ".join(word.low for word in text.words[first:last])
    sentence = text.around(text.at(first).start)
    known = words.startswith(("knew", "knows")) and EVERYONE.search(text.said, *sentence)
    if known or before in ("i", "we") or before == "not" and words.startswith(("meant", "intend")):
        return False
    if words.endswith("lying"):
        return after not in LIES_WHERE
    if words.startswith(("meant", "means")):
        return before not in BE and after not in ("be",)
    if words.startswith(("knew", "knows")):
        return before not in ("who", "nobody", "else")
    if words.startswith(("wanted", "wants")):
        return before not in ("what", "whether") and not asked_or_said(text, first)
    return not asked_or_said(text, first)


def asked_or_said(text, first):
    """Whether, earlier in the sentence, somebody says or asks it: then it is speech."""
    start, _end = text.sentence(text.at(first).start)
    for place in range(first - 1, max(first - 9, -1), -1):
        word = text.at(place)
        if word.start < start:
            break
        if word.low in ("said", "say", "saying", "asked", "told", "whether", "explained"):
            return text.low(place - 1, (start, len(text.text))) not in ("would", "i", "without")
    return False


OF_PEOPLE = set_of("of_people")
GOES_ON = set_of("goes_on")
VERY = set_of("very")
RULED = set(RULES["label"]["of_people"]) | BE | VERY
GROUNDS = re.compile(r"(?<!no )(?<!un)diagnos|assess|according|\bplan|\breport|\bletter", re.I)


def labels(
    text: Text, field: str, texts: Mapping[str, str | None], known: Known
) -> Iterator[Found]:
    """Labels of people, and diagnoses of which it is not said who made them."""
    seen: list[tuple[int, int]] = []
    for first, last in lists("label", "always").find(text):
        word = text.at(first)
        if len(seen) > 4 * MOST:
            break
        if not GROUNDS.search(text.text, *text.around(word.start)):
            seen.append((first, last))
    for first, last in lists("label", "of_people").find(text):
        if len(seen) > 8 * MOST:
            break
        before, after = near_words(text, first, last)
        ahead = near_words(text, first - 1, last)[0] if first else ""
        apart_after = not text.at(last) or not text.together(text.at(last - 1), text.at(last))
        if after in OF_PEOPLE and not apart_after:
            seen.append((first, last))
        elif apart_after or after in GOES_ON:
            said_of = (
                before in BE
                or before.endswith(("'s", "'re"))
                or before in VERY
                and (ahead in BE or ahead.endswith(("'s", "'re")) or ahead in RULED)
            )
            if said_of:
                seen.append((first, last))
    for first, last in sorted(seen):
        start, end = text.at(first).start, text.at(last - 1).end
        yield Found(start, end, moved(text, field, texts, start))


def blamed(text, first, last):
    """“should have been in maths” is where somebody was expected, and no blame."""
    before, after = near_words(text, first, last)
    words = " ".join(word.low for word in text.words[first:last])
    if words.endswith(("should have", "should've")):
        if before == "there":
            return False
        sentence = text.sentence(text.at(first).start)
        return not (after == "been" and text.low(last + 1, sentence) in ("in", "at", "on", "with"))
    return not (words.endswith("cope") and before == "i") and before not in ("i", "we")


CLOCK = re.compile(r"\b\d{1,2}[:.]\d\d\b|\bat \d{1,2} ?(?:am|pm|o.clock)\b")


def vague(text, first, last):
    """Not “earlier that day, at 9:40”, nor “has never seen”, nor ten minutes earlier."""
    before, after = near_words(text, first, last)
    words = " ".join(word.low for word in text.words[first:last])
    start, end = text.around(text.at(first).start)
    if words.startswith("earlier"):
        return not CLOCK.search(text.said[start:end]) and not before.endswith(
            ("minutes", "minute", "hour", "hours", "days", "weeks", "year", "day", "much")
        )
    if words == "never":
        return (
            before not in ("have", "has", "had", "you", "i", "i've", "should") and after != "mind"
        )
    if words == "always":
        return before != "as"
    if words.split()[-1] in ("before", "after") and words.split()[0] in ("just", "straight"):
        return False
    if words.endswith(("before", "after", "afterwards")):
        return not CLOCK.search(text.said[start:end])
    return before not in ("how", "as") and not (words == "normally" and after == "at")


UNITS = {"seconds", "minutes", "hours", "days", "weeks", "months", "years", "lessons", "terms"}
SIZED = re.compile(r"\d(?:[.,]\d+)? ?(?:cm|mm|centimet|millimet|inch|x)|\d\w* coin|coin")


def amounts(
    text: Text, field: str, texts: Mapping[str, str | None], known: Known
) -> Iterator[Found]:
    """Numbers and sizes that nobody can read back."""
    for first, last in lists("quantity").find(text):
        before, after = near_words(text, first, last)
        words = " ".join(word.low for word in text.words[first:last])
        start, end = text.at(first).start, text.at(last - 1).end
        if after in UNITS or after == "of" and text.low(last + 1, text.sentence(start)) in UNITS:
            continue
        if before in ("how", "as", "so", "too") or after == "as" or is_noted(text, end):
            continue
        if words == "many" and after and text.together(text.at(last - 1), text.at(last)):
            end = text.at(last).end
        yield Found(start, end, noted("quantity", text, field, start, end))
    sizes, marks = set(RULES["quantity"]["sizes"]), set(RULES["quantity"]["marks"])
    for place, word in enumerate(text.words):
        if word.low not in sizes:
            continue
        for further in range(place + 1, min(place + 4, len(text.words))):
            other = text.words[further]
            if not text.together(text.words[further - 1], other, ","):
                break
            if other.low in marks:
                start, end = text.around(word.start)
                if not SIZED.search(text.said[start:end]) and not is_noted(text, other.end):
                    note = " (not measured)"
                    mend = Mend(f"Add “{note.strip()}”", ((field, other.end, other.end, note),))
                    yield Found(word.start, other.end, (mend,))
                break


NOISES = ("bell", "alarm", "noise", "door", "voice", "music", "footsteps", "siren")


def hearsay(
    text: Text, field: str, texts: Mapping[str, str | None], known: Known
) -> Iterator[Found]:
    """What was told without by whom."""
    for first, last in lists("told").find(text):
        start, end = text.at(first).start, text.at(last - 1).end
        sentence = text.sentence(start)
        around = [word.low for word in text.words[first : first + 60] if word.end <= sentence[1]]
        words = " ".join(word.low for word in text.words[first:last])
        if "by" in around or is_noted(text, end):
            continue
        if words == "i heard that" and ("from" in around or set(NOISES) & set(around)):
            continue
        before, after = near_words(text, first, last)
        if words.endswith((" say", " said")) and (before == "as" or not after):
            continue
        mends = noted("told", text, field, start, end)
        if words.endswith(("told", "informed", "advised", "notified", "aware")):
            by = tuple(
                Mend(f"Add “by {name}”", ((field, end, end, f" by {name}"),))
                for name in dict.fromkeys(known.adults[:3])
            )
            mends = (*by, *mends)
        yield Found(start, end, mends)


SPLITS = {"he", "she", "they", "the", "then", "i", "we", "it", "when", "there"}


def long(text: Text, field: str, texts: Mapping[str, str | None], known: Known) -> Iterator[Found]:
    """Sentences and paragraphs that nobody reads to the end."""
    counts: dict[tuple[int, int], list[Word]] = {}
    for word in text.words:
        counts.setdefault(text.sentence(word.start), []).append(word)
    for (start, end), words in counts.items():
        if len(words) > LONG_SENTENCE:
            yield Found(start, end, split(text, field, words))
    for found in re.finditer(r"[^\n]+", text.text):
        if len(found[0]) < 3 * LONG_PARAGRAPH or len(found[0].split()) <= LONG_PARAGRAPH:
            continue
        within = [one for one in text.sentences if found.start() <= one[0] < found.end()]
        breaks = [one[0] for one in within[5::5]]
        edits = tuple((field, spot - 1, spot, "\n") for spot in breaks)
        mends = (Mend(f"Break it into {len(breaks) + 1} paragraphs", edits),) if breaks else ()
        yield Found(found.start(), found.end(), mends)


def split(text: Text, field: str, words: list[Word]) -> tuple[Mend, ...]:
    """New sentences at “and she …”, where each is long enough."""
    edits, last, shown = [], 0, []
    for number, (one, other) in enumerate(zip(words, words[1:], strict=False)):
        enough = number - last > 9 and len(words) - number > 8
        fresh = other.low in SPLITS or other.capital and other.low not in set_of("joined")
        if one.low != "and" or not enough or not fresh or not text.together(one, other):
            continue
        from_here = one.start
        while text.text[from_here - 1] in " ,\t":
            from_here -= 1
        if text.text[from_here - 1] in ".!?;:" + "\n":
            continue
        edits += [(field, from_here, other.start + 1, f". {other.text[:1].upper()}")]
        shown.append(f"{other.text}")
        last = number
    if not edits:
        return ()
    says = " and ".join(f"“{word[:1].upper()}{word[1:]} …”" for word in shown[:3])
    return (Mend(f"Begin a new sentence at {says}", tuple(edits)),)


RULE: dict[str, Callable[..., Iterable[Found]]] = {
    "initials": initials,
    "unlinked": unlinked,
    "jargon": jargon,
    "opinion": listed("opinion", lambda text, first, last: not asked_or_said(text, first)),
    "certainty": listed("certainty", certain),
    "mind": listed("mind", thought),
    "label": labels,
    "blame": listed("blame", blamed),
    "time": listed("time", vague),
    "quantity": amounts,
    "told": hearsay,
    "speech": speech,
    "long": long,
}
