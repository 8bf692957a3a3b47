"""Templates: choice lists are chosen, what people will see is shown, and moving keeps the place."""

import re
from html import unescape

import pytest

from models import Choice, Event, Log, Question, Section, Template, TemplateSection, Tracker, db
from models.case import shipped

from .conftest import report
from .test_queries import counted


def question_form(**changed):
    return {
        "text": "How urgent is it?",
        "kind": "one of a list",
        "options": "",
        "from_list": "",
        "required": "no",
        "retired": "no",
    } | changed


@pytest.fixture
def section(school):
    return TemplateSection.select().order_by(TemplateSection.id).first()


@pytest.fixture
def ask(cast, section):
    """Add a question as Ira does; the page that comes of it."""

    def add(**changed):
        path = f"/question/new/?section={section.id}"
        cast.ira.get(path)
        return cast.ira.post(path, question_form(**changed))

    return add


def newest():
    return Question.select().order_by(Question.id.desc()).get()


def edit_path(question):
    return f"/question/edit/?id={question.id}"


def test_ira_chooses_a_choice_list(cast, ask):
    page = unescape(cast.ira.get("/question/new/?section=1").text)
    offered = re.search(r'<select[^>]*name="from_list".*?</select>', page, re.S).group()
    assert [name for name in Choice.lists() if f">{name}<" not in offered] == []
    assert page.index('name="from_list"') < page.index('name="options"'), "side by side"
    page = ask(from_list="urgency")
    question = newest()
    assert page.status_code == 200 and question.options == "list: urgency", "as a TOML file says it"
    assert question.pinned()["choices"] == Choice.names("urgency") != []
    assert "one of a list, from the list urgency" in page.text_only
    assert 'href="/choice/?list=urgency"' in page.text
    page = cast.ira.get(edit_path(question)).text
    assert re.search(r"<option selected[^>]*>urgency<", page) and "list: urgency" not in page
    fields = {"version": question.version}
    cast.ira.post(edit_path(question), question_form(from_list="threshold", **fields))
    assert newest().options == "list: threshold"
    fields = {"version": newest().version, "options": "Soon\nLater"}
    cast.ira.post(edit_path(question), question_form(**fields))
    assert newest().options == "Soon\nLater" and newest().from_list == ""


@pytest.mark.parametrize(
    ("changed", "field", "said"),
    [
        (
            {"from_list": "urgency", "options": "Soon"},
            "from_list",
            "Choose a list or write choices",
        ),
        ({"from_list": "nothing"}, "from_list", "“nothing” is not on the list:"),
        (
            {"from_list": "urgency", "kind": "date"},
            "from_list",
            "This kind of answer takes no list",
        ),
        ({}, "options", "Write the choices, one on each line, or choose a list above."),
        ({"kind": "table of rows"}, "options", "Write what is asked for, one column on each line."),
        ({"from_list": "urgency", "text": ""}, "text", "Give the question."),
    ],
)
def test_what_does_not_fit_is_one_sentence_and_what_was_typed_stays(ask, changed, field, said):
    count = Question.select().count()
    page = ask(**changed)
    assert page.status_code == 422 and Question.select().count() == count
    wrong = re.search(rf'id="{field}-wrong".*?</p>', page.text, re.S).group()
    assert said in wrong and page.text.count('class="wrong"') == 1
    if changed.get("options"):
        assert f">{changed['options']}<" in page.text.replace("\r\n", "").replace(">\n", ">")
    if changed.get("from_list") == "urgency":
        assert re.search(r"<option selected[^>]*>urgency<", page.text)


def test_a_list_all_of_whose_choices_are_retired_offers_nothing(ask):
    Choice.update(retired=True).where(Choice.list == "urgency").execute()
    page = ask(from_list="urgency")
    assert page.status_code == 422 and "The list “urgency” offers nothing" in page.text_only


def test_of_two_savers_the_second_sees_which_list_was_chosen_meanwhile(cast, school, ask):
    ask(from_list="urgency")
    question = newest()
    pages = {name: getattr(cast, name).get(edit_path(question)) for name in ("ira", "alice")}
    opened = {
        name: dict(re.findall(r'name="(version|opened)" value="([^"]*)"', page.text))
        for name, page in pages.items()
    }
    cast.ira.post(edit_path(question), question_form(from_list="threshold", **opened["ira"]))
    page = cast.alice.post(
        edit_path(question), question_form(from_list="decision", **opened["alice"])
    )
    assert page.status_code == 409 and newest().options == "list: threshold"
    assert "You both changed this." in page.text_only and "threshold" in page.text_only


def controls(text):
    """The form fields of a page as they stand in its source, but for where the cursor is."""
    found = re.findall(r'<(?:input|select|textarea)[^>]* name="q\d+[^>]*>|<option[^>]*>', text)
    assert len(found) > 3
    return found


def test_the_preview_is_what_carol_will_see(cast, school, ask, section):
    ask(from_list="urgency")
    TemplateSection.update(restricted=True).where(TemplateSection.id == section.id).execute()
    template = Template.current()
    page = cast.ira.get(f"/template/preview/?id={template.id}")
    assert page.status_code == 200 and Section.select().count() == 0
    tracker = Tracker.begin(Log.trigger(report(school), school.mark), school.carol)
    seen = []
    for one in tracker.in_order():
        text = cast.alice.get(f"/section/edit/?id={one.id}").text
        text = text[text.index('id="writing"') :]
        seen += controls(text)
        assert one.title in page.text_only and one.help in page.text_only
    assert controls(page.text) == seen


def test_nothing_can_be_sent_from_the_preview(cast, school):
    path = f"/template/preview/?id={Template.current().id}"
    page = cast.ira.get(path)
    main = page.text[page.text.index("<main") :]
    assert "<form" not in main and "<button" not in main
    disabled = re.findall(r'<fieldset class="card" disabled>.*?</section>', main, re.S)
    assert len(disabled) == len(Template.current().sections_asked()) > 9
    assert len(controls("".join(disabled))) == len(controls(main)), "each in a part that is shut"
    assert cast.ira.post(path, {"q1": "x"}).status_code == 405
    assert cast.carol.get(path).status_code == 403
    assert cast.ira.get("/template/preview/?id=999").status_code == 404
    assert cast.ira.get("/template/preview/").status_code == 404


def test_the_preview_leaves_out_what_is_retired(cast, school, section):
    Question.update(retired=True).where(Question.section == section).execute()
    first = Question.select().where(Question.section == section).first()
    other = TemplateSection.select().where(TemplateSection.id != section.id).first()
    TemplateSection.update(retired=True).where(TemplateSection.id == other.id).execute()
    page = cast.ira.get(f"/template/preview/?id={section.template_id}").text_only
    assert first.text not in page and f" {other.title} " not in page and section.title in page


def test_the_preview_asks_no_more_of_the_database_for_more_questions(cast, school, section):
    path, costs = f"/template/preview/?id={section.template_id}", []
    cast.ira.get(path)
    for _turn in range(2):
        with counted() as statements:
            assert cast.ira.get(path).status_code == 200
        costs.append(len(statements))
        with db.atomic():
            for number in range(30):
                Question.create(section=section, position=number, text="Why?", kind="long text")
    assert costs[0] == costs[1]


def order_of(section):
    rows = Question.select().where(Question.section == section)
    return [row.id for row in rows.order_by(Question.position, Question.id)]


def test_a_question_that_is_moved_keeps_ones_place(cast, school, section):
    before = order_of(section)
    path = f"/template/details/?id={section.template_id}"
    cast.ira.get(path)
    for id, to, after in (
        (before[1], "up", [before[1], before[0], *before[2:]]),
        (before[1], "up", [before[1], before[0], *before[2:]]),
        (before[-1], "down", [before[1], before[0], *before[2:]]),
        (before[1], "down", before),
    ):
        page = cast.ira.post("/question/move/", {"rowid": id, "to": to}, follow=False)
        assert page.headers["Location"] == f"{path}#question-{id}-{to}"
        assert order_of(section) == after
        text = cast.ira.get(path).text
        button = re.search(rf'<button[^>]*id="question-{id}-{to}"[^>]*>', text).group()
        assert f'value="{to}"' in button and "disabled" not in button
        assert re.search(rf'<li id="question-{id}" tabindex="-1"', text)
    moves = Event.select().where(Event.verb == "question:edit").count()
    assert moves == 2, "at the ends of the list nothing happened"
    page = cast.ira.post(
        "/template-section/move/", {"rowid": section.id, "to": "down"}, follow=False
    )
    assert page.headers["Location"].endswith(f"#template_section-{section.id}-down")


def test_a_template_of_very_many_questions_has_them_folded(cast, school):
    for prefix, folded in (("AUD", True), ("RES", False)):
        template = Template.get(Template.prefix == prefix)
        page = cast.ira.get(f"/template/details/?id={template.id}").text
        assert ('<details class="fold" open>' not in page) == folded, prefix
        assert page.count("<summary>Questions") == template.sections.count()


@pytest.mark.parametrize("file", sorted(shipped.SHIPPED.glob("*.toml")), ids=lambda file: file.stem)
def test_what_is_shipped_is_what_anybody_could_import(school, file):
    before = {template.id for template in Template.select()}
    text = re.sub(r'(?m)^name = ".*"', 'name = "Another"', file.read_text("utf-8"), count=1)
    shipped.read(text, school.alice)
    made = Template.get(Template.id.not_in(before))
    assert made.sections_asked() and not made.in_force
