"""Two versions of a text, compared word by word: short ones on the page, long ones when somebody
asks, never without a bound.
"""

import random
import re

import pytest

from models import Event, Section
from models.ground import words

from .conftest import report


@pytest.fixture
def looked_at(monkeypatch):
    """How many pairs of equal words each comparison was given to look at."""
    counts = []

    class Counted(words.SequenceMatcher):
        def __init__(self, junk, old, new, **kwargs):
            counts.append(words.pairs(old, new))
            super().__init__(junk, old, new, **kwargs)

    monkeypatch.setattr(words, "SequenceMatcher", Counted)
    return counts


def text(number, length):
    """A text of `length` words, another for each number."""
    chosen = random.Random(number)
    return " ".join(
        chosen.choices(
            ["the", "child", "said", "that", "mother", "went", "home", "and", "then"], k=length
        )
    )


def versions(log, by, count, length):
    for number in range(count):
        log.edit(by, summary=text(number, length))


def main(page):
    """What a page says, without what leads from it."""
    return page.text.partition("<main")[2]


def test_many_versions_of_a_long_text_are_compared_only_when_asked(cast, school, log, looked_at):
    versions(log, school.carol, 30, 3_000)
    page = cast.alice.get(f"/log/details/?id={log.id}&history=all")
    assert not looked_at, "of 30 comparisons that the page could draw, it draws none"
    links = re.findall(r'href="([^"]+compare=\d+[^"]*)"', page.text)
    assert len(links) == 30 and len(page.data) < 200_000


def test_one_is_compared_on_the_page_it_leads_to(cast, school, log, looked_at):
    versions(log, school.carol, 3, 600)
    link = re.findall(
        r'href="([^"]+compare=\d+[^"]*)"', cast.alice.get(f"/log/details/?id={log.id}").text
    )[-1].replace("&amp;", "&")
    del looked_at[:]
    page = cast.alice.get(link)
    event = Event.last(log, "log:edit")
    assert f'id="event-{event.id}"' in page.text and link.endswith(f"#event-{event.id}")
    assert looked_at[0] == 0 and len(looked_at) == 2, (
        "the first, which nothing stood before, is short enough; and the one asked for"
    )
    assert 0 < looked_at[1] <= words.MOST and main(page).count("compare=") == 1
    plain = re.sub(r"<del>.*?</del>|<ins><span class=.sr.>added: </span>|</ins>", "", page.text)
    assert text(2, 600) in " ".join(plain.split()), "the newer version, word for word"


def test_what_is_too_long_to_compare_is_shown_whole(looked_at):
    old, new = text(1, 20_000), text(2, 20_000)
    assert words.compared(f"Alike {old} end", f"Alike {new} end") == [
        ("same", "Alike"),
        ("gone", " " + old),
        ("new", " " + new),
        ("same", " end"),
    ]
    assert not looked_at
    assert words.compared(old + " left.", old + " right.") == [
        ("same", old),
        ("gone", " left."),
        ("new", " right."),
    ], "alike but for one word"
    assert looked_at == [0]


@pytest.mark.parametrize("seed", range(20))
def test_every_word_of_both_versions_is_there(seed):
    old, new = text(seed, seed * 3), text(seed + 100, 30)
    parts = words.compared(old, new)
    assert (
        "".join(said for kind, said in parts if kind != "new") == old
        and "".join(said for kind, said in parts if kind != "gone") == new
    )


def test_short_changes_share_the_bound_of_the_page(cast, school, log, looked_at):
    versions(log, school.carol, 60, 90)
    page = cast.alice.get(f"/log/details/?id={log.id}&history=all")
    assert 10 < len(looked_at) < 60 and sum(looked_at) <= words.PAGE
    assert len(looked_at) + main(page).count("compare=") == 60, "each is shown, or can be asked for"


def test_a_restricted_section_is_compared_for_nobody_without_the_permission(cast, school, tracker):
    section = next(one for one in tracker.in_order() if one.restricted)
    question = next(q for q in section.questions if q["kind"] == "long text")
    for number in range(2):
        Section.get_by_id(section.id).save_answers(
            {question["id"]: f"Zebra {text(number, 900)}"}, school.alice
        )
    event = Event.last(section, "section:save")
    for path in (
        f"/log/details/?id={tracker.log_id}",
        f"/incident/details/?id={tracker.log.incident_id}",
    ):
        assert (
            "compare=" in main(cast.alice.get(path))
            and "Zebra" in cast.alice.get(f"{path}&compare={event.id}").text
        )
        page = cast.carol.get(f"{path}&compare={event.id}")
        assert page.status_code == 200 and "Zebra" not in page.text and "compare=" not in main(page)
    assert cast.dave.get(f"/log/details/?id={tracker.log_id}&compare={event.id}").status_code in (
        403,
        404,
    )


def test_an_event_of_another_case_is_not_compared(cast, school, log):
    versions(log, school.carol, 2, 900)
    event, other = Event.last(log, "log:edit"), report(school)
    page = cast.alice.get(f"/incident/details/?id={other.id}&compare={event.id}")
    assert (
        page.status_code == 200 and "<ins>" not in page.text and text(1, 900)[:100] not in page.text
    )
