"""The annexes of every paper: abbreviations and people, and nobody whom its reader may not read."""

from models import Extract, Log, Pack, Relation, visible
from models.case.annex import Somebody, annexed, index
from models.case.chronology import lines
from models.ground.clock import LONDON, now
from models.ground.words import day
from models.history.paper import to_pdf, words

from . import poppler
from .conftest import contact, report

PAGE = "<html><head><title>x</title></head><body><p>{}</p></body></html>"


def test_only_who_is_named_is_in_the_index_each_once_with_role_and_dates():
    days = [now().replace(year=2025, month=3, day=day) for day in (4, 9)]
    people = [
        Somebody("Alice Brennan", "DSL", days[0]), Somebody("Alice Brennan", "DSL", days[1]),
        Somebody("Bob Adeyemi", "Head", days[0]), Somebody("", "nobody"),
    ]  # fmt: skip
    rows = index("Seen by ALICE Brennan.", people)
    assert rows == [("Alice Brennan", "DSL", "4 March 2025 to 9 March 2025")]


def test_nothing_is_added_where_there_is_nothing_and_signs_are_escaped(school):
    assert annexed(PAGE.format("Words."), []) == PAGE.format("Words.")
    html = annexed(PAGE.format("A &lt;b&gt; MASH"), [Somebody("A <b>", "<i>x</i> & y")])
    assert "<i>" not in html and "&lt;i&gt;" in html and html.endswith("</body></html>")


def test_the_log_has_both_and_prints(school, log):
    html = log.paper()
    text = words(html)
    assert "People in this paper" in text and "Abbreviations used" in text
    tail = text[text.index("People in this paper") :]
    for word in ("Zofia Łukasiewicz", "Dave Pritchard", "Mark Kowalczyk", "Teacher of geography"):
        assert word in tail
    assert "designated safeguarding lead" in tail and "Ira Lindqvist" not in tail
    today = day(now().astimezone(LONDON).date())
    for name, who in (
        ("Alice Brennan", "Deputy head and DSL"),
        ("Mark Kowalczyk", "Pastoral manager"),
    ):
        assert f"{name}\t{who}\t{today}" in tail, "also who was only assigned"
    assert "Written before" not in text, "it was written here"
    assert "Abbreviations used" in poppler.text(to_pdf(html))


def test_a_copy_for_a_recipient_lists_nobody_whom_it_hides(school):
    child = school.children[1]
    Relation.relate(school.child, school.alice, kind="Mother", name="Helena Marsh-Iwu", responsible=True)  # fmt: skip
    Relation.relate(child, school.alice, kind="Father", name="Kamau wa Njoroge")
    incident = report(
        school, others=[(child, "Witness")], what_happened=f"{child.name} saw it, and told a TA."
    )
    made = contact(school, incident, body="MASH", kind="Referral", person="Ann Pryce")
    Pack.pack(made, recipient="Ann Pryce", asked="An assessment.", others=False, by=school.carol)
    text = words(Pack.get().words)
    tail = text[text.index("People in this paper") :]
    assert child.name not in text and "Njoroge" not in text
    assert "Ann Pryce" in tail and "Helena Marsh-Iwu" in tail and "teaching assistant" in tail


def test_what_was_on_paper_says_by_whom_and_when(school):
    was = {"written_by": "Eve Long, lunchtime supervisor", "written_at": now()}
    incident = report(school, safeguarding_alert=True, **was)
    text = words(Log.trigger(incident, school.mark).paper())
    tail = text[text.index("People in this paper") :]
    assert "Written before" in text and "Eve Long, lunchtime supervisor\twrote it first" in tail
    asked = {"which": "All lines", "columns": "As on the page", "form": "PDF"}
    found = lines([school.child], school.carol, visible)
    copy = Extract.make(
        school.child, found, school.carol, recipient="Jo Field", reason="x", **asked
    )
    tail = copy.words[copy.words.index("People in this paper") :]
    assert "wrote it first" in tail and "Dave Pritchard" in tail, "and who entered it"


def test_a_chronology_lists_who_wrote_its_lines(school):
    report(school).amend(text="Seen again by the GP.", by=school.dave)
    asked = {"which": "All lines", "columns": "As on the page", "form": "PDF"}
    found = lines([school.child], school.carol, visible)
    copy = Extract.make(school.child, found, school.carol, recipient="Jo Field", reason="Core group.", **asked)  # fmt: skip
    tail = copy.words[copy.words.index("People in this paper") :]
    assert "Dave Pritchard" in tail and "Jo Field" in tail and "general practitioner" in tail
    csv = Extract.make(school.child, found, school.carol, recipient="Jo Field", reason="x", **asked | {"form": "CSV"})  # fmt: skip
    assert "People in this paper" not in csv.words
