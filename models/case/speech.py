"""The hint on what somebody said, without quotation marks."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping

from models.ground.words import bare

from .mending import OWN_WORDS, RULES, Found, Known, Mend, set_of
from .wording import TITLES, Text

BE = set_of("be")
JOINED = set_of("joined")
SAY = set_of("say")
LOUD = set_of("loud")
AUXILIARY = set_of("auxiliary")
TO_WHOM = {"me", "him", "us", "them", "you", "everyone", "everybody", "somebody", "someone", "her"}
AFTER_HER = set_of("after_her")
FIRST = set_of("first")
THEY = set_of("they")
ASKS = set_of("asks")
QUESTIONS = {"why", "what", "how", "where", "when", "who"}
WHO = {"i", "you", "he", "she", "we", "they", "it", "this", "that", "there", "my", "your"}
NO_SPEECH = set_of("no_speech")
ON_PAPER = set_of("on_paper")
GROWN_UP = set_of("grown_up")
DOES = "ran|went|left|hid|lay|began|threw|hit|fell|sat|stood|put|took|got|came|kept|held|shook"
ENDS_IT = re.compile(
    rf"\s+(?:and|then)\s+(?:then\s+)?(?:i\b|\w+ed\b|{DOES})"
    r"|\s+(?:when|while|before|after)\s|\s+to the\s|[;:]",
    re.I,
)


def speech(
    text: Text, field: str, texts: Mapping[str, str | None], known: Known
) -> Iterator[Found]:
    """What somebody said, without quotation marks."""
    note = RULES["speech"]["note"]
    for place, word in enumerate(text.words):
        if word.low not in SAY:
            continue
        sentence = text.sentence(word.start)
        if note in text.text[slice(*text.around(word.start))] or quoted(text, place, sentence):
            continue
        before = text.low(place - 1, sentence)
        if before in ("i", "we", "be", *BE) or before in ON_PAPER:
            continue
        if before == "without" or before == "they" and word.low in ("say", "said"):
            continue
        if text.low(place - 2, sentence) in ("i", "we") and before in AUXILIARY:
            continue
        span = spoken(text, place, sentence)
        if not span:
            continue
        start, end, direct = span
        if direct:
            yield Found(start, end, quotable(text, field, texts, known, place, start, end))
        else:
            at = text.at(place).end if start == word.start else start
            says = f"Add “({note})”"
            yield Found(start, end, (Mend(says, ((field, at, at, f" ({note})"),)),))


def quoted(text, place, sentence):
    """Whether what this verb says stands in quotation marks: after it, up to the next such verb, or
    straight before it.
    """
    verb, end = text.at(place), sentence[1]
    for word in text.words[place + 1 : place + 60]:
        if word.low in SAY or word.start > end:
            end = min(end, word.start)
            break
    number = bisect_left(text.quotes, (verb.end, 0))
    if number < len(text.quotes) and text.quotes[number][0] < end:
        return True
    before = text.quotes[number - 1] if number else (0, 0)
    return before[1] > sentence[0] and verb.start - before[1] < 30 and number > 0


def spoken(text: Text, place: int, sentence: tuple[int, int]) -> tuple[int, int, bool] | None:
    """(start, end, whether the words themselves are given) of what was said, or None."""
    verb = text.at(place)
    asks = verb.low in ("asked", "asks")
    at, object_given = whom(text, place + 1, sentence, verb.low)
    if verb.low in ("told", "tells") and not object_given:
        return fronted(text, place, sentence)
    that = text.low(at, sentence) == "that"
    at += that
    first, second = text.low(at, sentence), text.low(at + 1, sentence)
    word = text.at(at)
    close = end_of(text, sentence)
    if not first:
        return fronted(text, place, sentence)
    if asks:
        third = text.low(at + 2, sentence)
        inverted = second in ("do", "does", "did") or second in ASKS and third in WHO
        if first in ASKS and second in WHO or first in QUESTIONS and inverted:
            return word.start, clause(text, word.start, close), True
        return fronted(text, place, sentence)
    if first in FIRST and not that and first != "his":
        nothing = first in ("no", "yes", "please", "go") and second in (
            "",
            "and",
            "but",
            "to",
            "when",
            "more",
        )
        if nothing:
            return None
        return word.start, clause(text, word.start, close), True
    if not that and verb.low in LOUD or verb.low == "answered" and not that:
        return None
    if not that and (second in NO_SPEECH or first in NO_SPEECH):
        return None
    if first == "it" and not that and second not in ASKS | {"had", "hurts", "hurt", "must"}:
        return None
    if first in ("this", "these", "those", "a", "an") and not that:
        return None
    if not second:
        return None
    names = word.capital and word.start != sentence[0]
    if that or first in THEY or names:
        return verb.start, close, False
    return None


def whom(text: Text, at: int, sentence: tuple[int, int], verb: str) -> tuple[int, bool]:
    """(the number of the word after the person spoken to, whether there is one)."""
    first, second = text.low(at, sentence), text.low(at + 1, sentence)
    spoke_to = first in ("to", "at", "back")
    if spoke_to:
        at, first, second = at + 1, second, text.low(at + 2, sentence)
    elif verb not in ("told", "tells", "asked", "asks"):
        return at, False
    word = text.at(at)
    if first in ("her", "his", "my", "the", "our", "their") and (
        first != "her" or second in AFTER_HER
    ):
        return at + 2, True
    if first in TO_WHOM:
        return at + 1, True
    if word and first and word.capital:
        while (
            (word := text.at(at))
            and word.end <= sentence[1]
            and (word.capital or word.low in JOINED)
        ):
            at += 1
        return at, True
    return at, False


def fronted(text, place, sentence):
    """“May I see the nurse, she asked”: the words stand before."""
    start, comma = sentence[0], text.said.rfind(",", sentence[0], text.at(place).start)
    first = next(
        (n for n in range(place, max(place - 60, -1), -1) if text.at(n).start <= start), None
    )
    if comma < 0 or first is None or place - first < 3:
        return None
    opening, second = text.low(first, sentence), text.low(first + 1, sentence)
    own = opening in FIRST or opening in ASKS and second in WHO
    speaker = text.at(place - 1)
    return (start, comma, True) if own and speaker.start > comma else None


def end_of(text, sentence):
    """The end of a sentence without what closes it."""
    end = sentence[1]
    while end > sentence[0] and text.text[end - 1] in ".!?…)”’\"' ":
        end -= 1
    return end


def clause(text, start, end):
    """Where words that were said end, as far as can be told: at “and ran away”, at “when”."""
    stop = ENDS_IT.search(text.said, start, min(end, start + 300))
    return stop.start() if stop and stop.start() > start else end


def quotable(text, field, texts, known, place, start, end):
    """Quotation marks round the words and, where a child may have said them, the child’s own
    words too.
    """
    said = text.text[start:end]
    if not said.strip():
        return ()
    shown = said if len(said) < 80 else f"{said[:50]} … {said[-20:]}"
    marks = ((field, start, start, "“"), (field, end, end, "”"))
    mends = [Mend(f"Put quotation marks: “{shown}”", marks)]
    sentence = text.sentence(start)
    before = [text.low(number, sentence) for number in range(place - 1, place - 4, -1)]
    grown = {word for name in known.adults for word in bare(name)} | GROWN_UP | TITLES
    if not set(" ".join(filter(None, before)).split()) & grown:
        own = texts.get(OWN_WORDS) or ""
        added = f"\n“{said}”" if own.strip() else f"“{said}”"
        also = (*marks, (OWN_WORDS, len(own), len(own), added))
        mends.append(Mend("Put them, and copy the words to the child’s own words", also))
    return tuple(mends)
