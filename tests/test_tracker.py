"""Sections: every kind of question, half-finished saves, two people at once; and templates that
change without touching what was begun.
"""

import re
from datetime import UTC, datetime, timedelta

import pytest

from admin_views.rails.fields import TableField
from models import (
    Choice,
    Event,
    Incident,
    Log,
    Question,
    Refused,
    Section,
    Template,
    TemplateSection,
    Tracker,
    Triage,
    db,
    visible,
)
from models.case import shipped
from models.case.incident import ABOUT
from models.case.template import FORM_ONLY, KINDS
from models.ground.clock import at, now
from models.ground.database import sqlite

from .conftest import report, triage
from .test_queries import counted
from .test_two_savers import opened, sent_by


def section_with(tracker, text):
    return next(
        section
        for section in tracker.in_order()
        if any(text in q["text"] for q in section.questions)
    )


@pytest.fixture
def every_kind(school, log):
    """A tracker whose first section asks one question of every kind."""
    first = Template.current().sections.order_by(TemplateSection.position).first()
    options = {
        "one of a list": "Red\nGreen",
        "several of a list": "list: threshold",
        "table of rows": "Who\nWhat",
        "organisation": "",
    }
    Choice.create(list="organisation", name="NHS Weald ICB", position=1)
    for number, kind in enumerate(kind for kind in KINDS if kind not in FORM_ONLY):
        Question.create(
            section=first,
            text=f"Kind {kind}",
            kind=kind,
            options=options.get(kind, ""),
            position=100 + number,
        )
    return Tracker.begin(log, school.carol).in_order()[0]


def test_every_kind_of_question_is_saved_and_shown(cast, every_kind):
    names = {
        question["kind"]: f"q{question['id']}"
        for question in every_kind.questions
        if question["text"].startswith("Kind")
    }
    assert set(names) == set(KINDS) - set(FORM_ONLY)
    typed = {
        names["short text"]: "Short", names["long text"]: "Long\ntext", names["date"]: "2026-06-01", names["date and time"]: "2026-06-01T10:30",
        names["yes/no"]: "no", names["one of a list"]: "Green", names["several of a list"]: ["Targeted", "Statutory"],
        names["rating"]: "2 – beginning", f"{names['table of rows']}-rows": "2", f"{names['table of rows']}-1-Who": "山田 花子",
        f"{names['table of rows']}-1-What": "A check-in", names["number"]: "1,200", names["money"]: "£12.50",
        names["person"]: "Dave Pritchard", names["child"]: "", names["organisation"]: "NHS Weald ICB",
    }  # fmt: skip
    cast.carol.get(f"/section/edit/?id={every_kind.id}")
    page = cast.carol.post(
        f"/section/edit/?id={every_kind.id}", typed | {"version": every_kind.version}
    )
    assert page.status_code == 200 and "in progress" in page.text_only
    answers = Section.get_by_id(every_kind.id).answers
    kept = {kind: answers.get(name[1:]) for kind, name in names.items()}
    assert kept == {
        "short text": "Short", "long text": "Long\ntext", "date": "2026-06-01", "date and time": "2026-06-01T09:30:00+00:00", "yes/no": False,
        "one of a list": "Green", "several of a list": ["Targeted", "Statutory"], "rating": "2 – beginning",
        "table of rows": [{"Who": "山田 花子", "What": "A check-in"}],
        "number": "1200", "money": "12.50", "person": "Dave Pritchard, Teacher of geography", "child": None,
        "organisation": "NHS Weald ICB", "heading": None,
    }  # fmt: skip
    again = cast.carol.get(f"/section/edit/?id={every_kind.id}").text
    for text in (
        'value="01/06/2026 10:30"',
        'value="01/06/2026"',
        'value="山田 花子"',
        'value="no" checked',
        "selected",
        "Long\ntext",
    ):
        assert text in again, text
    changed = Event.last(every_kind, "section:save").detail["changed"]
    assert changed["Kind yes/no"] == [None, False] and len(changed) == 13, "a heading, and no child"


@pytest.mark.parametrize(("kind", "value", "sentence"), [("date", "soon", "This is not a date."), ("date and time", "noon", "This is not a date and time."), ("one of a list", "Blue", "is not on the list"), ("several of a list", "Blue", "not a valid choice"), ("yes/no", "perhaps", "Answer Yes or No."), ("short text", "x" * 501, "500 characters")])  # fmt: skip
def test_a_bad_answer_saves_nothing_and_gives_all_back(cast, every_kind, kind, value, sentence):
    names = {
        question["kind"]: f"q{question['id']}"
        for question in every_kind.questions
        if question["text"].startswith("Kind")
    }
    cast.carol.get(f"/section/edit/?id={every_kind.id}")
    page = cast.carol.post(
        f"/section/edit/?id={every_kind.id}",
        {"version": every_kind.version, names["long text"]: "Kept here", names[kind]: value},
    )
    assert page.status_code == 422 and sentence in page.text_only and "Kept here" in page.text
    assert Section.get_by_id(every_kind.id).answers == {} and not Event.last(
        every_kind, "section:save"
    )


def test_what_cannot_be_an_answer_is_no_answer(school, every_kind):
    table = next(
        question for question in every_kind.questions if question["kind"] == "table of rows"
    )
    with pytest.raises(TypeError, match="cannot be str"):
        every_kind.save_answers({table["id"]: "words"}, school.carol)
    assert Section.get_by_id(every_kind.id).saved_at is None


def test_the_state_is_derived(school, tracker):
    section = tracker.in_order()[0]
    assert section.status == "not started"
    required = [question for question in section.questions if question["required"]]
    section.save_answers({required[0]["id"]: "A concern"}, school.carol)
    assert section.status == "in progress" and (section.saved_by, bool(section.saved_at)) == (
        school.carol,
        True,
    )
    section.save_answers(
        {
            question["id"]: False if question["kind"] == "yes/no" else "Answer"
            for question in required
        },
        school.alice,
    )
    assert section.status == "complete", "No is an answer"


def test_save_and_open_the_next(cast, tracker):
    first, second = tracker.in_order()[:2]
    cast.carol.get(f"/section/edit/?id={first.id}")
    page = cast.carol.post(f"/section/edit/?id={first.id}", {"version": first.version, "next": "1"})
    assert second.title in page.text and page.request.path == "/section/edit/"


def test_who_may_fill_in(cast, school, log, tracker):
    section = tracker.in_order()[0]
    assert cast.dave.get(f"/section/edit/?id={section.id}").status_code == 403
    assert cast.connor.get(f"/section/edit/?id={section.id}").status_code == 404, "not assigned"
    log.assign([school.connor], school.alice)
    cast.connor.get(f"/section/edit/?id={section.id}")
    assert (
        cast.connor.post(
            f"/section/edit/?id={section.id}",
            {"version": section.version, f"q{section.questions[0]['id']}": "Seen by Connor"},
        ).status_code
        == 200
    )


def test_the_shipped_tracker_is_the_one_of_the_product():
    from tomllib import loads

    from models.case.template import SHIPPED

    shipped = loads((SHIPPED / "safeguarding.toml").read_text(encoding="utf-8"))
    titles = [section["title"] for section in shipped["section"]]
    assert (
        len(titles) == 13
        and titles[0] == "Concern and immediate action"
        and titles[-1] == "Closure summary"
    )
    for section in shipped["section"]:
        assert section["help"] and any(q.get("required") for q in section["question"]), (
            f"{section['title']} needs help and a required question"
        )
        assert all(q.get("source") for q in section["question"]), (
            f"{section['title']}: every question names its source"
        )


def test_a_begun_tracker_keeps_the_text_it_was_begun_with(cast, school, tracker):
    section = tracker.in_order()[0]
    question = Question.get_by_id(int(section.questions[0]["id"]))
    cast.alice.get(f"/question/edit/?id={question.id}")
    fields = {
        "version": question.version,
        "text": "What worries you?",
        "kind": "short text",
        "required": "yes",
        "retired": "no",
    }
    page = cast.alice.post(f"/question/edit/?id={question.id}", fields)
    assert page.status_code == 200 and "What worries you?" in page.text
    assert (
        section.questions[0]["text"]
        == Section.get_by_id(section.id).questions[0]["text"]
        != "What worries you?"
    )
    from models import Log

    later = Tracker.begin(Log.trigger(report(school), school.mark), school.carol)
    assert later.in_order()[0].questions[0]["text"] == "What worries you?"
    event = Event.last(question, "question:edit")
    assert event.detail["changed"]["text"][1] == "What worries you?"


def test_questions_are_added_moved_retired_and_required_in_the_panel(cast, school):
    section = TemplateSection.select().order_by(TemplateSection.position).first()
    cast.ira.get(f"/question/new/?section={section.id}")
    fields = {
        "text": "Is there a pet at home?",
        "kind": "yes/no",
        "required": "yes",
        "retired": "no",
        "source": "Local",
    }
    assert (
        "Is there a pet at home?"
        in cast.ira.post(f"/question/new/?section={section.id}", fields).text
    )
    question = Question.get(Question.text == "Is there a pet at home?")
    assert question.position == section.questions.count()
    cast.ira.post("/question/move/", {"rowid": question.id, "to": "up"})
    assert Question.get_by_id(question.id).position == section.questions.count() - 1
    cast.ira.post(
        f"/question/edit/?id={question.id}",
        fields | {"version": Question.get_by_id(question.id).version, "retired": "yes"},
    )
    assert question.id not in [
        q.id for _section, questions in Template.current().sections_asked() for q in questions
    ]
    for wrong in (
        {"kind": "one of a list", "options": ""},
        {"kind": "one of a list", "options": "list: nonsense"},
        {"text": ""},
    ):
        page = cast.ira.post(f"/question/new/?section={section.id}", fields | wrong)
        assert page.status_code == 422 and "Nothing was saved yet" in page.text
    assert cast.carol.get(f"/question/new/?section={section.id}").status_code == 403
    assert cast.carol.post("/question/move/", {"rowid": question.id, "to": "up"}).status_code == 403
    cast.ira.get("/template/")
    assert cast.ira.post("/question/new/?section=999999", fields).status_code == 404


def test_moving_at_the_end_of_the_row_changes_nothing(school):
    section = TemplateSection.select().order_by(TemplateSection.position).first()
    section.move(school.alice, -1)
    assert section.siblings().order_by(TemplateSection.position).first() == section
    assert not Event.last(section, "template_section:edit")


def test_exactly_one_template_is_in_force(cast, school):
    cast.alice.get("/template/new/")
    page = cast.alice.post("/template/new/", {"name": "Short tracker", "in_force": "yes"})
    assert page.status_code == 200 and Template.current().name == "Short tracker"
    short = Template.current()
    page = cast.alice.post(
        f"/template/edit/?id={short.id}",
        {"version": short.version, "name": "Short tracker", "in_force": "no"},
    )
    assert (
        page.status_code == 422
        and "One template must be in force." in page.text_only
        and Template.current() == short
    )


def test_lists_are_edited_and_old_records_keep_their_words(cast, school, incident):
    choice = Choice.get(Choice.name == "Classroom")
    cast.alice.get(f"/choice/edit/?id={choice.id}")
    fields = {
        "version": choice.version,
        "list": "place",
        "name": "Teaching room",
        "position": 1,
        "retired": "no",
    }
    assert cast.alice.post(f"/choice/edit/?id={choice.id}", fields).status_code == 200
    assert "Teaching room" in cast.dave.get("/incident/new/").text
    assert "Classroom" in cast.dave.get(f"/incident/details/?id={incident.id}").text_only
    assert cast.dave.get("/choice/").status_code == 403
    same = cast.alice.post(
        "/choice/new/", {"list": "place", "name": "Transport", "position": 1, "retired": "no"}
    )
    assert same.status_code == 422 and "already" in same.text_only, (
        "the same choice twice is refused in plain words"
    )


def test_without_a_template_in_force_begin_says_so(cast, school, log):
    Template.update(in_force=False).execute()
    cast.carol.get("/")
    page = cast.carol.press("tracker:begin", log)
    assert page.status_code == 409 and "No tracker template is in force." in page.text_only
    with pytest.raises(Refused):
        Tracker.begin(log, school.carol)


def test_it_takes_no_mark_off_a_restricted_section(cast, school):
    section = TemplateSection.get(TemplateSection.restricted)
    for person, status, after in ((cast.ira, 422, True), (cast.alice, 200, False)):
        person.get(f"/template-section/edit/?id={section.id}")
        page = person.post(
            f"/template-section/edit/?id={section.id}",
            {"version": section.version, "title": section.title, "restricted": "no"},
        )
        assert (
            page.status_code == status and TemplateSection.get_by_id(section.id).restricted == after
        ), person.user
    assert (
        "may read restricted sections"
        in cast.ira.post(
            f"/template-section/edit/?id={section.id}",
            {"version": section.version, "title": section.title, "restricted": "no"},
        ).text_only
        or not TemplateSection.get_by_id(section.id).restricted
    )


# what follows from an answer


@pytest.fixture
def strategy(tracker):
    """The section on the strategy discussion, as a begun tracker has it."""
    return section_with(tracker, "Was a strategy discussion held?")


def ask(section, text):
    return next(question for question in section.questions if question["text"] == text)


HELD, WHEN, AGREED = "Was a strategy discussion held?", "When?", "What was agreed?"


def test_after_no_nothing_that_follows_is_needed_shown_or_printed(cast, school, strategy):
    held, moment, agreed = (ask(strategy, text)["id"] for text in (HELD, WHEN, AGREED))
    assert [q["text"] for q in strategy.lacking()] == [HELD], "nobody has said that it was held"
    strategy.save_answers({held: True}, school.carol)
    assert [q["text"] for q in strategy.lacking()] == [AGREED] and strategy.status == "in progress"
    strategy.save_answers({held: False}, school.carol)
    assert strategy.lacking() == [] and strategy.status == "complete"
    assert [q["text"] for q, _answer in strategy.answered()] == [HELD]
    strategy.save_answers({held: True, moment: "2026-06-01T09:00:00+00:00", agreed: "A visit."}, school.carol)  # fmt: skip
    assert strategy.status == "complete" and len(strategy.answered()) == 4
    assert "A visit." in strategy.tracker.log.paper()


def test_what_was_answered_before_is_kept_and_said_and_comes_back(cast, school, strategy):
    held, agreed = ask(strategy, HELD)["id"], ask(strategy, AGREED)["id"]
    strategy.save_answers({held: True, agreed: "A joint visit."}, school.carol)
    path = f"/section/edit/?id={strategy.id}"
    form = opened(cast.carol, path)
    page = cast.carol.post(path, form | {f"q{held}": "no", "back": "1"})
    said = "Kept, but neither shown nor printed, for it does not apply"
    assert page.status_code == 200 and f"{said} after what was answered before it: “{AGREED}”." in page.text_only  # fmt: skip
    kept = Section.get_by_id(strategy.id)
    assert kept.answers == {held: False, agreed: "A joint visit."}, "evidence of what was written"
    history = kept.tracker.log.paper(restricted=True).split("Appendix: the technical history")
    assert "A joint visit." not in history[0] and "A joint visit." in history[1]
    form = opened(cast.carol, path)
    assert form[f"q{agreed}"] == "A joint visit."
    page = cast.carol.post(path, form | {f"q{held}": "yes", "back": "1"})
    assert said not in page.text_only
    assert "A joint visit." in kept.tracker.log.paper().split("Appendix")[0]


def test_unanswered_hides_nothing_that_somebody_wrote(school, strategy):
    agreed = ask(strategy, AGREED)["id"]
    strategy.save_answers({agreed: "A joint visit."}, school.carol)
    assert not strategy.set_aside() and strategy.status == "in progress"
    assert "A joint visit." in strategy.tracker.log.paper().split("Appendix")[0]


def test_who_only_reads_a_section_sees_what_applies(cast, school, strategy):
    held, agreed = ask(strategy, HELD)["id"], ask(strategy, AGREED)["id"]
    strategy.save_answers({held: False, agreed: "Stale words."}, school.carol)
    Log.update(status="completed").execute()
    page = cast.carol.get(f"/section/edit/?id={strategy.id}").text
    assert HELD in page and AGREED not in page and "Stale words." not in page


def chained(school, log):
    """A section that asks A, B after Yes to A, C after Green to B."""
    section = Template.current().sections.order_by(TemplateSection.position).first()
    a = Question.create(section=section, text="A?", kind="yes/no", position=101)
    b = Question.create(section=section, text="B?", kind="one of a list", options="Red\nGreen", position=102, depends_on=a, depends_answer="Yes")  # fmt: skip
    c = Question.create(section=section, text="C?", kind="long text", required=True, position=103, depends_on=b, depends_answer="Green\nAmber")  # fmt: skip
    return [str(row.id) for row in (a, b, c)], Tracker.begin(log, school.carol).in_order()[0]


@pytest.mark.parametrize(
    ("given", "needed", "aside"),
    [
        ({}, False, False),
        ({"A": True}, False, False),
        ({"A": True, "B": "Green"}, True, False),
        ({"A": True, "B": "Red", "C": "Words"}, False, True),
        ({"A": False, "B": "Green", "C": "Words"}, False, True),
        ({"B": "Green", "C": "Words"}, False, False),
        ({"B": "Red", "C": "Words"}, False, True),
    ],
)
def test_what_follows_from_what_follows(school, log, given, needed, aside):
    (a, b, c), section = chained(school, log)
    ids = {"A": a, "B": b, "C": c}
    section.save_answers({ids[name]: value for name, value in given.items()}, school.carol)
    last = next(question for question in section.questions if question["id"] == c)
    assert last["depends"] == {"on": b, "answers": ["Green"]}, "Amber is no answer of B"
    assert (c in [q["id"] for q in section.lacking()]) is needed
    assert (c in [q["id"] for q in section.set_aside()]) is aside


def test_a_condition_that_can_never_hold_is_not_pinned(school, log):
    section = Template.current().sections.order_by(TemplateSection.position).first()
    a = Question.create(section=section, text="A?", kind="yes/no", position=101, retired=True)
    b = Question.create(section=section, text="B?", position=102, depends_on=a, depends_answer="Yes")  # fmt: skip
    pinned = Tracker.begin(log, school.carol).in_order()[0].questions
    assert "depends" not in next(question for question in pinned if question["id"] == str(b.id))


def test_conditions_are_edited_in_the_panel_and_cannot_be_broken(cast, school):
    section = Template.current().sections.order_by(TemplateSection.position).first()
    safe = Question.get(Question.text == "Is the child safe now?")
    text = Question.get(Question.text == "What is the concern, in two or three sentences?")
    elsewhere = Question.get(Question.text == HELD)
    new = f"/question/new/?section={section.id}"
    page = cast.ira.get(new).text
    assert f'value="{safe.id}"' in page and f'<option value="{text.id}"' not in page
    fields = {"text": "Where is the child?", "kind": "short text", "required": "yes", "retired": "no"}  # fmt: skip
    for wrong, sentence in (
        ({"depends_on": elsewhere.id, "depends_answer": "Yes"}, "This cannot be chosen here."),
        ({"depends_on": text.id, "depends_answer": "Yes"}, "This cannot be chosen here."),
        ({"depends_on": "²", "depends_answer": "Yes"}, "This cannot be chosen here."),
        ({"depends_on": safe.id, "depends_answer": "Perhaps"}, "one on each line: Yes, No."),
        ({"depends_on": safe.id, "depends_answer": ""}, "one on each line: Yes, No."),
        ({"depends_answer": "Yes"}, "Choose the question that this answer belongs to"),
    ):
        page = cast.ira.post(new, fields | wrong)
        assert page.status_code == 422 and sentence in page.text_only, wrong
    cast.ira.post(new, fields | {"depends_on": safe.id, "depends_answer": "No"})
    made = Question.get(Question.text == "Where is the child?")
    assert made.depends_on == safe and made.pinned()["depends"]["answers"] == ["No"]
    page = cast.ira.get(f"/template/details/?id={section.template_id}")
    assert "Asked after “Is the child safe now?”: No" in page.text_only

    for _turn in range(section.questions.count()):
        page = cast.ira.post("/question/move/", {"rowid": made.id, "to": "up"})
    assert "has to stay behind it" in page.text_only
    assert Question.get_by_id(made.id).position == Question.get_by_id(safe.id).position + 1
    path = f"/question/edit/?id={safe.id}"
    for change in ({"retired": "yes"}, {"kind": "long text"}):
        page = cast.ira.post(path, opened(cast.ira, path) | change)
        assert page.status_code == 422 and "follows from this question" in page.text_only, change
    assert cast.carol.get(new).status_code == 403


def test_the_section_on_what_was_before_links_earlier_incidents(cast, school, tracker, log):
    section = section_with(tracker, "What is known from before?")
    assert section.shows == "earlier incidents"
    path = f"/section/edit/?id={section.id}"
    assert "There is none that you may see." in cast.alice.get(path).text_only
    with at(now() - timedelta(days=9)):
        before = report(school, topic="Earlier mark")
        about_alice = report(school, adults=[(school.alice, ABOUT)])
        other = report(school, child=school.children[1])
        involved = report(school, child=school.children[1], others=[(school.child, "Witness")])
    later = report(school)
    page = cast.alice.get(path)
    assert f"/incident/details/?id={before.id}" in page.text and "Earlier mark" in page.text_only
    assert f"/incident/details/?id={involved.id}" in page.text
    for hidden in (about_alice, other, later, log.incident):
        assert f"{hidden.reference}</a>" not in page.text, hidden
    assert f"{about_alice.reference}</a>" in cast.bob.get(path).text
    log.assign([school.connor], school.alice)
    page = cast.connor.get(path)
    assert page.status_code == 200 and "Earlier mark" not in page.text_only
    assert "There is none that you may see." in page.text_only
    plain = tracker.in_order()[0]
    assert "earlier incidents" not in cast.alice.get(f"/section/edit/?id={plain.id}").text_only


# tables whose cells are of their kind

COLUMNS = "Agreed action | long text\nWho\nBy when | date\nSeen | date and time\nAt | time\nLevel | list: threshold\nDone? | yes/no\nIn|out"


@pytest.fixture
def table(school, log):
    """(section, field name) of a table with a column of every kind."""
    first = Template.current().sections.order_by(TemplateSection.position).first()
    row = Question.create(section=first, text="Plan", kind="table of rows", options=COLUMNS)
    return Tracker.begin(log, school.carol).in_order()[0], f"q{row.id}"


def test_cells_are_fields_of_their_kind(cast, school, table):
    section, name = table
    path = f"/section/edit/?id={section.id}"
    pinned = next(q for q in section.questions if q["text"] == "Plan")["choices"]
    assert pinned[1] == "Who" and pinned[2] == {"name": "By when", "kind": "date", "choices": None}
    assert pinned[-1] == "In|out", "no kind of ours: part of the name"
    row = {"Agreed action": "Call\nthe aunt", "Who": "Carol", "By when": "24/11/2026", "Seen": "1 Nov 2026 9.30",
           "At": "2pm", "Level": "Targeted", "Done?": "Yes", "In|out": "2026-11-24"}  # fmt: skip
    sent = {f"{name}-1-{key}": text for key, text in row.items()} | {f"{name}-rows": "3"}
    page = cast.carol.post(path, opened(cast.carol, path) | sent | {"back": "1"})
    assert page.status_code == 200
    kept = row | {"By when": "2026-11-24", "Seen": "2026-11-01T09:30:00+00:00", "At": "14:00"}
    assert Section.get_by_id(section.id).answers[name[1:]] == [kept]
    form = opened(cast.carol, path)
    assert form[f"{name}-0-By when"] == "24/11/2026" and form[f"{name}-0-At"] == "14:00"
    assert form[f"{name}-0-Seen"] == "01/11/2026 09:30"
    assert form[f"{name}-0-Agreed action"].replace("\r", "") == "Call\nthe aunt"
    saves = Event.select().where(Event.verb == "section:save")
    cast.carol.post(path, form | {"back": "1"})
    assert "changed" not in saves.order_by(Event.id.desc()).first().detail, "nothing moved"
    paper = Log.get().paper()
    assert "24 November 2026" in paper and "1 November 2026, 09:30" in paper
    assert "2026-11-01T09:30" not in paper
    Log.update(status="completed").execute()
    assert "1 November 2026, 09:30" in cast.carol.get(path).text_only


def test_a_wrong_cell_says_which_row_and_column(cast, table):
    section, name = table
    path = f"/section/edit/?id={section.id}"
    sent = {f"{name}-rows": "3", f"{name}-0-Who": "Carol", f"{name}-2-By when": "31/02/2026", f"{name}-2-Level": "Blue",
            f"{name}-2-Done?": "perhaps", f"{name}-2-Seen": "26/10/2025 01:30", f"{name}-2-At": "now"}  # fmt: skip
    page = cast.carol.post(path, opened(cast.carol, path) | sent)
    assert page.status_code == 422 and not Section.get_by_id(section.id).answers
    for sentence in (
        "Row 2, By when: There is no 31 February. Type it like this: 24/11/2026.",
        "Row 2, Level: “Blue” is not on the list. Choose one that is.",
        "Row 2, Done?: “perhaps” is not on the list.",
        "Row 2, Seen: The clocks went back that night, and it was 01:30 twice. Add BST",
        "Row 2, At: This is not a time of day. Type it like this: 14:05.",
    ):
        assert sentence in page.text_only, sentence
    assert 'value="31/02/2026" autocomplete="off" aria-describedby="' in page.text
    assert page.text.count('aria-invalid="true"') == 5
    said = sent | {f"{name}-2-By when": "24 Nov", f"{name}-2-Level": "", f"{name}-2-Done?": "", f"{name}-2-Seen": "26/10/2025 01:30 GMT", f"{name}-2-At": ""}  # fmt: skip
    with at(datetime(2026, 11, 24, 15, tzinfo=UTC)):
        page = cast.carol.post(path, opened(cast.carol, path) | said)
        assert "Row 2, By when: “24 Nov” was read as 24/11/2026" in page.text_only
        assert cast.carol.post(path, sent_by(page) | {"back": "1"}).status_code == 200
    rows = Section.get_by_id(section.id).answers[name[1:]]
    assert [row["Who"] for row in rows] == ["Carol", ""] and rows[1]["By when"] == "2026-11-24"
    assert rows[1]["Seen"] == "2025-10-26T01:30:00+00:00"
    assert opened(cast.carol, path)[f"{name}-1-Seen"] == "26/10/2025 01:30 GMT"


def test_a_table_pinned_by_an_earlier_version_goes_on_working(cast, school, table):
    section, name = table
    plain = [q | {"choices": ["Who", "By when"]} if q["text"] == "Plan" else q for q in section.questions]  # fmt: skip
    db.execute_sql("DROP TRIGGER section_update_refused" + (" ON section" if not sqlite() else ""))
    Section.update(questions=plain, answers={name[1:]: [{"Who": "Carol", "By when": "Friday"}]}).where(Section.id == section.id).execute()  # fmt: skip
    path = f"/section/edit/?id={section.id}"
    form = opened(cast.carol, path)
    assert form[f"{name}-0-By when"] == "Friday"
    cast.carol.post(path, form | {f"{name}-1-Who": "Alice", "back": "1"})
    assert [row["Who"] for row in Section.get_by_id(section.id).answers[name[1:]]] == ["Carol", "Alice"]  # fmt: skip


def test_a_table_in_the_panel_says_what_is_wrong_with_a_column(cast, school):
    section = TemplateSection.select().order_by(TemplateSection.position).first()
    cast.ira.get("/template/")
    fields = {"text": "Plan", "kind": "table of rows", "required": "no", "retired": "no"}
    for options, sentence in (
        ("Rating | list: nonsense", "The list of “Rating” has no choices."),
        ("Who\nWho", "Two columns have the same name."),
        ("Who | date\nWho", "Two columns have the same name."),
        ("", "Write what is asked for, one column on each line."),
    ):
        page = cast.ira.post(f"/question/new/?section={section.id}", fields | {"options": options})
        assert page.status_code == 422 and sentence in page.text_only, options


def test_add_rows_gives_three_more_and_saves_nothing(cast, school, table):
    section, name = table
    path = f"/section/edit/?id={section.id}"
    form = opened(cast.carol, path)
    text = next(f"q{q['id']}" for q in section.questions if q["kind"] == "long text")
    sent = form | {text: "Still here", f"{name}-1-By when": "31/02/2026", f"{name}-2-Who": "Carol"}
    events = Event.select().count()
    page = cast.carol.post(path, sent | {"more": name})
    again = sent_by(page)
    assert page.status_code == 200 and "Nothing was saved yet" not in page.text
    assert int(form[f"{name}-rows"]) == 3 and int(again[f"{name}-rows"]) == 6
    assert again[text] == "Still here" and again[f"{name}-0-By when"] == "31/02/2026"
    assert again[f"{name}-1-Who"] == "Carol" and again["opened"] == form["opened"]
    assert int(sent_by(cast.carol.post(path, again | {"more": name}))[f"{name}-rows"]) == 9
    assert Event.select().count() == events and not Section.get_by_id(section.id).saved_at
    for odd in ("²", "q999", "assigned", "9" * 5_000):
        assert cast.carol.post(path, sent | {"more": odd}).status_code == 200, odd
    full = form | {f"{name}-rows": "199"} | {f"{name}-{n}-Who": str(n) for n in range(199)}
    page = cast.carol.post(path, full | {"more": name})
    assert int(sent_by(page)[f"{name}-rows"]) == TableField.MOST
    assert cast.carol.post(path, sent_by(page) | {"back": "1"}).status_code == 200
    assert len(Section.get_by_id(section.id).answers[name[1:]]) == 199


def test_add_rows_in_the_report_keeps_what_was_typed(cast, school, answers):
    cast.dave.get("/incident/new/")
    sent = answers | {"others-rows": "3", "others-0-name": "Nobody of this name", "injuries-rows": "3", "injuries-0-note": "Red"}  # fmt: skip
    page = cast.dave.post("/incident/new/", sent | {"more": "injuries"})
    assert page.status_code == 200 and not Incident.select().exists()
    assert "Nobody of this name" in page.text and answers["what_happened"] in page.text
    assert 'name="injuries-rows" value="5"' in page.text
    assert 'name="others-rows" value="4"' in page.text
    page = cast.ira.post("/incident/new/", sent | {"more": "injuries"})
    assert page.status_code == 403
    wrong = answers | {"injuries-rows": "1", "injuries-0-side": "Inside"}
    page = cast.dave.post("/incident/new/", wrong)
    assert (
        page.status_code == 422
        and "Row 1, Where on the body: “Inside” is not on the list." in page.text_only
    )


def test_what_was_typed_into_a_table_too_late_is_there_to_copy(cast, school, table):
    section, name = table
    path = f"/section/edit/?id={section.id}"
    form = opened(cast.carol, path)
    Log.update(status="completed").execute()
    page = cast.carol.post(path, form | {f"{name}-0-Who": "Typed too late"})
    assert page.status_code == 409 and "Typed too late" in page.text_only


TOML = """
name = "Short tracker"
purpose = "To see how a form is shipped."

[[section]]
title = "One"
shows = "earlier incidents"
[[section.question]]
text = "Was it looked at?"
key = "looked"
kind = "yes/no"
[[section.question]]
text = "By whom?"
depends_on = "looked"
depends_answer = "Yes"
[[section.question]]
text = "Rows"
kind = "table of rows"
options = "What | long text"
"""


def test_a_form_that_is_shipped_says_what_follows_from_what(school, tmp_path, monkeypatch):
    (tmp_path / "short.toml").write_text(TOML, encoding="utf-8")
    monkeypatch.setattr("models.case.shipped.SHIPPED", tmp_path)
    before = Question.select().count()
    for _turn in range(2):
        shipped.ship()
    template = Template.get(Template.name == "Short tracker")
    ((section, (looked, whom, rows)),) = template.sections_asked()
    assert section.shows == "earlier incidents" and Question.select().count() == before + 3
    assert whom.pinned()["depends"] == {"on": str(looked.id), "answers": ["Yes"]}
    assert rows.pinned()["choices"] == [{"name": "What", "kind": "long text", "choices": None}]
    for wrong, sentence in (
        ('depends_answer = "Perhaps"', "Question 2 of “one” .* Write answers of “Was it looked at"),
        ('depends_answer = ""', "Question 2 of “one” .* Write answers of “Was it looked at"),
    ):
        text = TOML.replace("Short", "Wrong").replace('depends_answer = "Yes"', wrong)
        with pytest.raises(Refused, match=sentence):  # each that we ship is read so by its test
            shipped.read(text, school.alice)
    assert not Template.select().where(Template.name == "Wrong tracker").exists()


def test_the_shipped_conditions_hold_together(school):
    followed = list(Question.select().where(Question.depends_on.is_null(False)))
    assert len(followed) >= 12
    for question in followed:
        question.check()
        assert question.depends_on.section == question.section


def test_a_template_with_conditions_costs_no_query_for_each(cast, school):
    page = f"/template/details/?id={Template.current().id}"
    cast.ira.get(page)
    with counted() as statements:
        text = cast.ira.get(page).text_only
    assert text.count("Asked after “") >= 12 and len(statements) <= 12, len(statements)


def test_what_the_triage_decided_is_suggested_and_kept_only_once_saved(cast, school, log):
    given = [(school.child, "Affected", "Neglect"), (school.child, "Affected", "Physical")]
    triage(school, log.incident, urgency="72 hours", categories=given)
    triage(school, log.incident, threshold="Statutory", decision="Police", categories=given)
    first, *_more = (sections := Tracker.begin(log, school.carol).in_order())
    fourth = sections[3]
    page = cast.carol.get(f"/section/edit/?id={first.id}")
    chosen = re.findall(r'<option selected value="([^"]+)"', page.text)
    assert chosen == ["Neglect", "24 hours"], "the main category; the decision in force"
    assert "Suggested from the triage: Neglect. Kept once you save." in page.text_only
    assert not Section.get_by_id(first.id).answers and not Section.get_by_id(first.id).saved_at
    page = cast.carol.get(f"/section/edit/?id={fourth.id}")
    assert "Suggested from the triage: Statutory" in page.text_only
    assert re.search(r'value="Police"\s+checked', page.text)
    urgency = next(one for one in first.questions if one["text"] == "How urgent is it?")
    first.save_answers({urgency["id"]: "Immediate"}, school.carol)
    page = cast.carol.get(f"/section/edit/?id={first.id}").text_only
    assert "Suggested from the triage: 24 hours" not in page, "answered, it is left alone"


def test_a_suggestion_tells_nobody_of_a_decision_that_they_may_not_read(cast, school, log):
    triage(school, log.incident)
    log.assign([school.connor], school.mark)
    section = Tracker.begin(log, school.carol).in_order()[0]
    page = cast.connor.get(f"/section/edit/?id={section.id}")
    assert page.status_code == 200 and not visible(Triage, school.connor).exists()
    assert "Suggested from" not in page.text_only
