"""How well the writing hints find what they look for, by sentences made for it: precision and
recall of each.
"""

import time
import tomllib
from collections import Counter
from pathlib import Path

from models.case.abbreviation import SHIPPED
from models.case.hints import RULES, Known, hints_of
from models.ground.words import bare, meant

SENTENCES = tomllib.loads(
    (Path(__file__).parents[1] / "sentences.toml").read_text(encoding="utf-8")
)
GLOSSARY = frozenset(
    short for rows in tomllib.loads(SHIPPED.read_text(encoding="utf-8")).values() for short in rows
)


def on_roll(typed):
    """As the form finds children by what was typed."""
    rows = [(id, name, "Year 8", None) for id, name in enumerate(SENTENCES["on_roll"])]
    return [(row[1], f"{row[1]}, Year 8") for row in meant(rows, typed) if bare(typed)][:10]


KNOWN = Known(
    children=(SENTENCES["child"], *SENTENCES["others"]),
    adults=tuple(SENTENCES["adults"]),
    glossary=GLOSSARY,
    parts=("Affected", "Witness"),
    find=on_roll,
)


def measure():
    """{kind: (hints, of them right, expected, of them found)}, and what went wrong, in words."""
    counts, wrong = {kind: Counter() for kind in RULES}, []
    for text, *expected in SENTENCES["sentences"]:
        wanted = [
            (kind, words) for kind, _colon, words in (one.partition(": ") for one in expected)
        ]
        given = hints_of({"what_happened": text}, KNOWN)
        spots = [
            (kind, text.index(words), text.index(words) + len(words)) for kind, words in wanted
        ]
        for hint in given:
            right = any(
                kind == hint.kind and start < hint.end and end > hint.start
                for kind, start, end in spots
            )
            counts[hint.kind]["hints"] += 1
            counts[hint.kind]["right"] += right
            wrong += [] if right else [f"{hint.kind} raised “{hint.words}”: {text}"]
        for (kind, start, end), (_kind, words) in zip(spots, wanted, strict=True):
            found = any(
                hint.kind == kind and start < hint.end and end > hint.start for hint in given
            )
            counts[kind]["expected"] += 1
            counts[kind]["found"] += found
            wrong += [] if found else [f"{kind} missed “{words}”: {text}"]
    return counts, wrong


def ratio(part, whole):
    return part / whole if whole else 1.0


def main():
    """Print precision and recall of each hint."""
    counts, _wrong = measure()
    print(f"{'writing hint':<13}{'precision':>10}{'recall':>8}{'expected':>10}")
    for kind, one in counts.items():
        precision, recall = ratio(one["right"], one["hints"]), ratio(one["found"], one["expected"])
        print(f"{kind:<13}{precision:>10.2f}{recall:>8.2f}{one['expected']:>10}")
    began = time.perf_counter()
    text = " ".join(text for text, *_expected in SENTENCES["sentences"])
    hints_of({"what_happened": (text * 4)[:100_000]}, KNOWN)
    print(f"a text of 100 kB takes {time.perf_counter() - began:.2f} s")


if __name__ == "__main__":
    main()
