"""Sections: every kind of question, half-finished saves, two people at once; and templates that
change without touching what was begun.
"""

import pytest

from models import Choice, Event, Question, Refused, Section, Template, TemplateSection, Tracker
from models.case.template import KINDS

from .conftest import report


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
    }
    for number, kind in enumerate(KINDS):
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
    assert set(names) == set(KINDS)
    typed = {
        names["short text"]: "Short", names["long text"]: "Long\ntext", names["date"]: "2026-06-01", names["date and time"]: "2026-06-01T10:30",
        names["yes/no"]: "no", names["one of a list"]: "Green", names["several of a list"]: ["Targeted", "Statutory"],
        names["rating"]: "2 – beginning", f"{names['table of rows']}-rows": "2", f"{names['table of rows']}-1-Who": "山田 花子",
        f"{names['table of rows']}-1-What": "A check-in",
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
    assert changed["Kind yes/no"] == [None, False] and len(changed) == len(KINDS)


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
