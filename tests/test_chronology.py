"""The chronology: whatever is recorded about a child stands in it exactly once, in the order in
which it happened, as far as the reader may see it; marks, filters, and copies for a recipient.
"""

import csv
import io
import random
import re
from datetime import date, timedelta

import pytest

from models import (
    Absence,
    Addendum,
    Attachment,
    Case,
    Child,
    Entry,
    Event,
    Extract,
    Flag,
    Incident,
    Involved,
    Log,
    Mark,
    Refused,
    Relation,
    Role,
    Share,
    Task,
    Tracker,
    Triage,
    User,
    now,
    visible,
)
from models.case import chronology
from models.case.child import OfChild
from models.case.incident import ABOUT
from models.ground.clock import at
from models.ground.record import Base, NoIncident
from models.ground.words import day
from models.history.paper import to_pdf

from . import poppler
from .conftest import around, besides, report, triage
from .test_queries import counted


def lines(school, child, by=None, **more):
    return chronology.lines([child], by or school.alice, visible, **more)


def keys(found):
    return [line.key for line in found]


def page_of(person, child, **asked):
    more = "".join(f"&{name}={value}" for name, value in asked.items())
    return person.get(f"/child/details/?id={child.id}{more}")


def much(school, child, others=()):
    """One row and more of each noun that is of an incident or of a child, about `child`."""
    incident = report(school, child=child, others=others)
    besides(school, incident)
    incident.amend(text="Seen again at lunch.", by=school.dave)
    Attachment.add(incident, school.dave, "note.txt", b"A note.")
    triage(school, incident, opens=True)
    log = Log.trigger(incident, school.mark)
    Tracker.begin(log, school.carol)
    Share.share(incident, school.connor, "He drives her home.", school.mark)
    around(school, child)
    return incident


def recorded(child):
    """[(noun, id)] of every row about `child` that has a line, found by no code of the chronology:
    of each incident that names the child, and of each table with the child's own column.
    """
    incidents = {one.id for one in Incident.select().where(Incident.child == child)}
    incidents |= {one.incident_id for one in Involved.select().where(Involved.child == child)}
    found = []
    for model in Base.every():
        if not hasattr(model, "line"):
            continue
        for row in model.select():
            own = issubclass(model, OfChild) and row.child_id == child.id
            if own or row.its_incident() in incidents:
                found.append((model.noun(), row.id))
    return sorted(found)


# complete


@pytest.mark.both
def test_whatever_is_recorded_about_a_child_stands_in_it_exactly_once(school):
    """A property: for any mixture of rows about three children."""
    chance = random.Random(20261125)  # the same school each time
    children = chance.sample(school.children[:3], 3)
    for child, other in zip(children, children[1:] + children[:1], strict=True):
        part = chance.choice(["Witness", "Affected", "Alleged to have caused harm"])
        much(school, child, others=[(other, part)])
    for _turn in range(6):
        some = chance.sample(children, chance.choice([1, 2, 3]))
        incident = report(school, child=some[0], others=[(one, "Witness") for one in some[1:]])
        chance.choice([besides, triage])(school, incident)
    for child in school.children[:3]:
        found = keys(lines(school, child))
        assert len(found) == len(set(found)), "twice"
        rows = [key for key in found if key[0] != "event"]
        assert sorted(rows) == recorded(child), child
    silent = {
        model.noun()
        for model in Base.every()
        if (not isinstance(model.belongs, NoIncident) or issubclass(model, OfChild))
        and hasattr(model, "line")
        and not model.select().exists()
    }
    assert not silent, f"this test makes none of them: {silent}"


def test_it_stands_where_it_happened_with_when_it_was_entered(school, cast):
    with at(now() - timedelta(days=2)):
        earlier = now()
        report(school, topic="Told on Monday")
    report(
        school, topic="Long ago", happened="Exact", happened_at=now() - timedelta(days=300),
        noticed_at=now() - timedelta(minutes=5),
    )  # fmt: skip
    Entry.add(
        school.child, school.carol, happened_on=date(2025, 3, 1), period="March 2025",
        headline="Father left", text="x", source="Health",
    )  # fmt: skip
    found = lines(school, school.child)
    assert [line.headline for line in found] == ["Told on Monday", "Long ago", "Father left"]
    assert found[0].moment <= earlier and found[1].entered_later and found[2].said == "March 2025"
    text = page_of(cast.carol, school.child).text_only
    assert re.search(r"March 2025 Father left.*entered \d+ ", text)


def test_decisions_that_are_steps_stand_in_it(school):
    incident = report(school)
    incident.not_notifiable(reason="Below the threshold.", by=school.mark)
    found = next(line for line in lines(school, school.child) if line.record.noun() == "event")
    assert found.headline == "Ofsted is not to be notified" and found.who == "Mark Kowalczyk"
    assert "Below the threshold." in found.facts


def test_a_child_who_was_linked_by_mistake_reads_of_it_no_more(school):
    incident = report(school, others=[(school.children[1], "Witness")])
    assert keys(lines(school, school.children[1])) == [("incident", incident.id)]
    incident.correct_child(
        wrong=school.children[1], child=school.children[2], reason="Mixed up.", by=school.mark
    )
    assert not lines(school, school.children[1])
    (line,) = [one for one in lines(school, school.children[2]) if one.key[0] == "incident"]
    assert line.part.startswith("witness")


# only what the reader may see


def test_each_line_is_asked_of_the_policy(school):
    """Whoever reads, every line of theirs is a row that they see, and no other."""
    much(school, school.child, others=[(school.children[1], "Witness")])
    hidden = report(school, by=school.dina, adults=[(school.bob, ABOUT)], topic="About Bob")
    besides(school, hidden)
    for by in (school.alice, school.bob, school.mark, school.carol, school.connor, school.dave):
        for child in school.children[:2]:
            mine = {key for key in keys(lines(school, child, by)) if key[0] != "event"}
            for model in chronology.nouns():
                seen = {(model.noun(), row.id) for row in visible(model, by)}
                of_it = {key for key in recorded(child) if key[0] == model.noun()}
                assert {k for k in mine if k[0] == model.noun()} == seen & of_it, (model, by)
    mine = lines(school, school.child, school.bob)
    assert "About Bob" not in {line.headline for line in mine}
    about = {line.record.its_incident() for line in mine}
    assert hidden.id not in about, "neither its tasks, nor its decisions"


def test_what_was_done_with_a_case_or_a_log_is_for_whom_reads_them(school, incident):
    triage(school, incident, opens=True)
    until = now().date() + timedelta(days=30)
    Case.get().monitor(until=until, reason="Calmer.", by=school.carol)
    log = Log.trigger(incident, school.mark)
    log.tell(
        school.alice, told_at=now(), told_how="Telephone", told_reference="CR-1", late_because=None
    )
    done = {f"To be monitored until {day(until)}", "Ofsted told"}
    assert done <= {line.headline for line in lines(school, school.child, school.carol)}
    team = Role.get(Role.name == "Safeguarding team")
    shut = ("case:read", "log:read", "log:read_all")
    team.permissions = [one for one in team.permissions if one not in shut]
    team.save()
    carol = User.get_by_id(school.carol.id)
    found = {line.headline for line in lines(school, school.child, carol)}
    assert not done & found and "Red mark" in found


def test_a_step_leads_to_the_page_of_what_it_was_taken_on(cast, school, incident):
    triage(school, incident, opens=True)
    case, log = Case.get(), Log.trigger(incident, school.mark)
    case.monitor(until=now().date() + timedelta(days=30), reason="Calmer.", by=school.carol)
    told = {"told_at": now(), "told_how": "Telephone", "told_reference": "1", "late_because": None}
    log.tell(school.alice, **told)
    other = report(school)
    other.not_notifiable(reason="It is no event of the list.", by=school.mark)
    page = page_of(cast.carol, school.child).text
    for words, place in (
        ("To be monitored until", f"/case/details/?id={case.id}"),
        ("Ofsted told", f"/log/details/?id={log.id}"),
        ("Ofsted is not to be notified", f"/incident/details/?id={other.id}"),
    ):
        assert re.search(rf'<a href="{re.escape(place)}">{words}', page), words


def test_the_head_whom_it_is_about_learns_of_no_number(school, cast):
    report(school, topic="Seen by all")
    before = page_of(cast.bob, school.child)
    hidden = report(school, by=school.dina, adults=[(school.bob, ABOUT)], topic="About Bob")
    besides(school, hidden)
    Mark.mark(school.child, hidden, school.carol, significant=True, headline="Bob hit her")
    after = page_of(cast.bob, school.child)
    assert before.text_only == after.text_only
    for path in ("/event/", "/event/?what=Changes"):
        assert "Bob hit her" not in cast.bob.get(path).text
        assert "marked it" not in cast.bob.get(path).text, "the mark is of the incident"
    assert "marked it" in cast.alice.get("/event/").text
    assert "Bob hit her" in page_of(cast.alice, school.child).text


def test_another_child_is_named_only_to_whom_may_see_that_child(school, cast):
    zofia, ruth = school.children[:2]
    incident = report(school, child=ruth, others=[(zofia, "Witness")], topic="A quarrel")
    triage(
        school, incident, categories=[(ruth, "Affected", "Physical"), (zofia, "Witness", "Online")]
    )
    page = page_of(cast.alice, zofia)
    assert f"witness; it is about {ruth.name}" in page.text_only
    assert "witness: Online" in page.text_only and "affected: Physical" not in page.text_only, (
        "of the categories her own alone"
    )
    row = Incident.get_by_id(incident.id)
    chronology.beside([row], {}, school.dave, visible)
    assert str(row.child) == "another child", "to whom may see no list of children"


def test_brothers_and_sisters_together_and_each_incident_once(school, cast):
    zofia, ruth = school.children[:2]
    Relation.relate(zofia, school.carol, kind="Sister", other=ruth)
    both = report(school, child=zofia, others=[(ruth, "Sibling")], topic="Both of them")
    report(school, child=ruth, topic="Ruth alone")
    alone = page_of(cast.alice, zofia).text_only
    assert "Ruth alone" not in alone and "Both of them" in alone
    page = page_of(cast.alice, zofia, siblings=1)
    assert "Ruth alone" in page.text and page.text.count(f'id="line-incident-{both.id}"') == 1
    found = chronology.lines([zofia, ruth], school.alice, visible)
    assert next(one for one in found if one.key[1] == both.id).children == ["Zofia", "Ngũgĩ"]


# marks and filters


def test_a_line_is_marked_with_a_headline_of_ones_own(school, cast, incident):
    path = f"/mark/new/?child=1&line=incident-{incident.id}"
    page = cast.carol.get(path)
    assert "Red mark" in page.text_only
    page = cast.carol.post(path, {"significant": "yes", "headline": "Bruise on the left wrist"})
    assert "Bruise on the left wrist" in page.text_only and "Red mark" not in page.text_only
    assert 'class="sig"' in page.text and "Change the mark" in page.text_only
    again = cast.carol.get(path)
    assert "Bruise on the left wrist" in again.text, "the mark in force is in the form"
    cast.carol.post(path, {"significant": "no", "headline": "", "once": "again"})
    assert "Red mark" in page_of(cast.carol, school.child).text_only, "the later one counts"
    assert Mark.select().count() == 2, "and none is overwritten"
    said = Event.select().where(Event.verb == "child:mark", Event.incident == incident.id)
    assert said.count() == 2, "the history of the incident has both"
    for person in (cast.dave, cast.ira, cast.connor):
        assert person.get(path).status_code == 403
        assert person.post(path, {"significant": "yes"}).status_code == 403
    for wrong in ("incident-99", "user-1", "x", ""):
        assert cast.carol.get(f"/mark/new/?child=1&line={wrong}").status_code == 404
    assert cast.bob.get("/mark/new/?child=2&line=incident-1").status_code == 404, "another child's"


def test_a_mark_is_told_to_nobody_who_may_not_see_its_line(school, incident):
    around(school, school.child)
    flag, entry = Flag.get(), Entry.get()
    for row, told in ((incident, incident), (entry, entry), (flag, school.child)):
        Mark.mark(school.child, row, school.carol, significant=True)
        event = Event.select().order_by(Event.id.desc()).first()
        assert (event.subject, event.record) == (told.noun(), told.id)


def test_what_a_person_may_not_see_they_cannot_mark(school, cast):
    hidden = report(school, by=school.dina, adults=[(school.bob, ABOUT)])
    path = f"/mark/new/?child=1&line=incident-{hidden.id}"
    assert cast.bob.get(path).status_code == 404
    assert cast.bob.post(path, {"significant": "yes"}).status_code == 404
    assert not Mark.select().exists()


def test_significant_only_and_one_kind_only(school, cast, incident):
    besides(school, incident)
    around(school, school.child)
    page = page_of(cast.alice, school.child, significant=1)
    assert "1 of 9" in page.text_only and "He left" in page.text_only
    assert "Red mark" not in page.text_only
    page = page_of(cast.alice, school.child, kind="task")
    assert "1 of 9" in page.text_only and "Ring" in page.text_only
    assert "No line fits" in page_of(cast.alice, school.child, kind="nothing").text_only
    empty = page_of(cast.alice, school.children[2], significant=1)
    assert "Nothing is recorded that you may see" in empty.text_only
    report(school, child=school.children[2])
    empty = page_of(cast.alice, school.children[2], significant=1)
    assert "mark those that matter most" in empty.text_only


def test_absence_stands_beside_it_and_in_it_where_that_is_asked(school, cast):
    for first, kind in ((5, "Illness"), (6, "Illness"), (19, "Absent without permission")):
        Absence.create(
            child=school.child, on=date(2026, 1, first), half_days=2, kind=kind, read_at=now()
        )
    with at(now().replace(year=2026, month=3, day=1)):
        text = page_of(cast.alice, school.child, absence=1).text_only
    assert "6 half days since 1 January 2026, 4 of them Mondays" in text
    assert "5 January 2026 to 6 January 2026 Absent 4 half days absence Illness" in text
    assert "Absent 4 half days" not in page_of(cast.alice, school.child).text_only


# copies for a recipient


ASKED = {
    "recipient": "Jo Field, social worker", "reason": "Core group on Friday.",
    "which": "All lines", "columns": "As on the page", "form": "PDF",
}  # fmt: skip


def test_a_copy_for_a_named_recipient(school, cast, incident):
    besides(school, incident)
    around(school, school.child)
    page = cast.carol.get("/extract/new/?child=1")
    assert page.status_code == 200
    assert cast.carol.post("/extract/new/?child=1", ASKED | {"recipient": ""}).status_code == 422
    page = cast.carol.post("/extract/new/?child=1", ASKED)
    copy = Extract.select().order_by(Extract.id.desc()).get()
    assert "The copy for Jo Field, social worker is ready" in page.text_only
    got = cast.carol.get(f"/extract/file/?id={copy.id}")
    assert got.mimetype == "application/pdf"
    text = " ".join(poppler.text(got.data).split())
    pages = poppler.text(got.data).count("\f")
    assert text.count("Copy for Jo Field, social worker.") == pages >= 1, "on each page"
    for words in ("Zofia Łukasiewicz", "Red mark", "March 2025", "He left", "Core group on Friday"):
        assert words in text, words
    assert text.index("He left") < text.index("Red mark"), "oldest first"
    told = Event.last(copy, "extract:make").detail
    assert told["recipient"] == ASKED["recipient"] and told["reason"] == ASKED["reason"]
    assert Event.last(copy, "extract:read").by == school.carol
    for person in (cast.alice, cast.bob, cast.mark):
        assert person.get(f"/extract/file/?id={copy.id}").status_code == 404, (
            "it holds what its maker saw"
        )
    for person in (cast.dave, cast.ira, cast.connor, cast.grace):
        assert person.get("/extract/new/?child=1").status_code == 403


def test_a_copy_is_shut_with_an_incident_of_which_it_tells(school, cast, incident):
    """Mark is named after he made his copy: he opens it no more. Nor does anybody who is shut out
    of something read in the history for whom others made one.
    """
    around(school, school.child)
    mine = Extract.make(school.child, lines(school, school.child), school.mark, **ASKED)
    assert cast.mark.get(f"/extract/details/?id={mine.id}").status_code == 200
    Share.name_adult(incident, school.mark, "The child said so.", school.alice)
    for path in (f"/extract/details/?id={mine.id}", f"/extract/file/?id={mine.id}"):
        assert cast.mark.get(path).status_code == 404
    assert "Jo Field" in cast.bob.get("/event/").text, "who is shut out of nothing reads it"
    report(school, by=school.dina, adults=[(school.bob, ABOUT)])
    lado = ASKED | {"recipient": "Lee Marsh, LADO"}
    Extract.make(school.child, lines(school, school.child), school.alice, **lado)
    assert "Lee Marsh" not in cast.bob.get("/event/").text
    assert "Lee Marsh, LADO" in cast.alice.get("/event/").text


def test_for_whom_it_is_stands_on_each_of_several_pages(school):
    for number in range(60):
        Entry.add(
            school.child, school.carol, happened_on=date(2025, 3, 1), headline=f"Entry {number}",
            text="x", source="Health",
        )  # fmt: skip
    copy = Extract.make(school.child, lines(school, school.child), school.alice, **ASKED)
    pdf = to_pdf(copy.words)
    each = poppler.text(pdf).split("\f")[:-1]
    assert len(each) > 1 and all("Copy for Jo Field, social worker." in one for one in each)
    assert all(f"page {n} of {len(each)}" in " ".join(one.split()) for n, one in enumerate(each, 1))


def test_a_copy_holds_only_what_its_maker_sees_and_what_was_asked(school):
    report(school, topic="Seen by all")
    report(school, by=school.dina, adults=[(school.bob, ABOUT)], topic="About Bob")
    around(school, school.child)
    withdrawn = Entry.get()
    withdrawn.withdraw("Of another child.", by=school.carol)
    for by, sees in ((school.bob, False), (school.alice, True)):
        copy = Extract.make(school.child, lines(school, school.child, by)[::-1], by, **ASKED)
        assert ("About Bob" in copy.words) == sees and "Seen by all" in copy.words
        assert "He left" not in copy.words, "what was withdrawn leaves the house no more"
    few = ASKED | {"which": "Significant lines"}
    with pytest.raises(Refused) as refused:
        Extract.make(school.child, lines(school, school.child), school.alice, **few)
    assert "no such line" in refused.value.errors["which"]
    Mark.mark(school.child, Incident.get(), school.carol, significant=True, headline="A bruise")
    copy = Extract.make(school.child, lines(school, school.child), school.alice, **few)
    assert copy.lines == 1 and "A bruise" in copy.words and "About Bob" not in copy.words


@pytest.mark.parametrize(
    ("columns", "headings"),
    [
        ("As on the page", "When,What,What it is,Facts,Written by,Entered"),
        ("For a court", "Serial no.,Date,Event,Witness or document reference"),
        ("For a partnership", "Date,Significant event,Source,Impact + or −,Action,Review"),
    ],
)
def test_the_columns_of_courts_and_of_partnerships(school, cast, incident, columns, headings):
    triage(school, incident, decision="Monitor until a date", review_on=date(2027, 3, 1))
    around(school, school.child)
    cast.carol.get("/extract/new/?child=1")
    cast.carol.post("/extract/new/?child=1", ASKED | {"columns": columns, "form": "CSV"})
    copy = Extract.select().order_by(Extract.id.desc()).get()
    got = cast.carol.get(f"/extract/file/?id={copy.id}")
    assert got.mimetype == "text/csv" and got.data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(got.data.decode("utf-8-sig"))))
    assert ",".join(rows[0]) == headings and len(rows) == copy.lines + 1
    if columns == "For a court":
        assert [row[0] for row in rows[1:]] == [str(n) for n in range(1, len(rows))]
        assert any(row[3] == f"Dave Pritchard, {incident}" for row in rows)
    elif columns == "As on the page":
        found = next(row for row in rows if incident.reference in row[3])
        assert "Dave Pritchard" in found[4] and found[5], "who, and when: a cell for each"
    else:
        left = next(row for row in rows if row[1] == "He left")
        assert left[0] == "March 2025" and left[3] == "−" and "Thornley Infants" in left[2]
        decided = next(row for row in rows if row[1].startswith("Decided"))
        assert decided[4] == "Monitor until a date" and "1 March 2027" in decided[5]
    paper = Extract.make(
        school.child, lines(school, school.child), school.alice, **ASKED | {"columns": columns}
    )
    assert "Copy for Jo Field" in poppler.text(to_pdf(paper.words))


def test_no_cell_of_a_copy_is_a_formula(school, cast):
    report(school, topic="=HYPERLINK(1)")
    copy = Extract.make(
        school.child, lines(school, school.child), school.carol, **ASKED | {"form": "CSV"}
    )
    assert "'=HYPERLINK" in copy.words


# what it costs


def fill(school, rows):
    """Incidents of one child, each with a task, an addendum and a decision, straight into the
    tables.
    """
    have = Incident.select().where(Incident.child == school.children[2]).count()
    moment = now()
    for number in range(have, rows):
        incident = Incident.create(
            reference=f"INC-2019-{number:04d}", status="no alert", reported_by=school.dave, reported_at=moment,
            child=school.children[2], noticed_at=moment, happened="Not known", place="Classroom", known="I saw or heard it",
            what_happened="A red mark.", immediate_danger=False, immediate_action="Told.", safeguarding_alert=False,
        )  # fmt: skip
        Task.create(
            incident=incident, what="Ring", owner=school.alice, due_on=moment.date(), given_by=school.carol, given_at=moment
        )  # fmt: skip
        Addendum.add(incident, school.dave, "More.")
        Involved.create(incident=incident, child=school.children[number % 2], part="Witness")
        Triage.create(
            incident=incident, by=school.carol, at=moment, risk="Low", urgency="24 hours", threshold="Universal",
            decision="Early help", rationale="x", case=Case.create(reference=f"CASE-{number}", status="open", incident=incident, opened_by=school.carol, opened_at=moment),
        )  # fmt: skip
        Entry.create(
            child=school.children[2], happened_on=moment.date(), headline="x", text="x", source="Health", entered_by=school.carol
        )  # fmt: skip


def test_the_page_costs_the_same_for_one_row_and_for_200(school, cast):
    costs = []
    for rows in (1, 200):
        fill(school, rows)
        page_of(cast.alice, school.children[2])
        with counted() as statements:
            page = page_of(cast.alice, school.children[2])
        costs.append(len(statements))
        assert page.status_code == 200
    assert costs[0] == costs[1] <= 48, f"{costs}: let `beside` or `gather` fetch it for all rows"
    assert "Show all 1200" in page.text_only and len(page.data) <= 130_000
    assert Child.select().count() == 4


def test_the_foot_of_a_copy_counts_nothing(school, incident):
    """The number of the last event would count what is shut to whoever makes the copy."""
    asked = {"which": "All lines", "columns": "As on the page", "form": "PDF"}
    found = chronology.lines([school.child], school.bob, visible)
    copy = Extract.make(
        school.child, found, school.bob, recipient="Jo Field", reason="Core group.", **asked
    )
    head = re.search(r"history\s+(\S+)", copy.words)[1]
    event = Event.get(Event.hash.startswith(head))
    assert len(head) == 32 and event.id == Event.head().id - 1, "it says after which, by its hash"
