"""IT's pages of a template in Chromium: a question moved by keyboard, and the preview."""

import re

import pytest

from models import Question, Role, Template, TemplateSection, User, db
from models.access.accounts import edit_person

from ..person import PASSWORD, code_of
from .test_axe import look


@pytest.fixture
def ira(desk, address, school):
    def sit(**kwargs):
        one = desk(address, "ira@thornley.example", PASSWORD, **kwargs)
        with db.connection_context():
            code = code_of(school.app, User.get_by_id(school.ira.id))
        one.page.get_by_label(re.compile("code", re.I)).fill(code)
        one.press("Sign in")
        return one

    return sit


@pytest.mark.parametrize(("scripts", "width"), [(False, 360), (True, 1280)])
def test_a_question_is_moved_by_keyboard_without_losing_ones_place(ira, scripts, width):
    with db.connection_context():
        template = Template.current()
        free = Question.select(Question.section).where(Question.depends_on.is_null(False))
        many = Question.position == 3  # at least three, and none that follows from another
        question = (
            Question.select()
            .join(TemplateSection)
            .where(TemplateSection.template == template, Question.section.not_in(free), many)
            .order_by(Question.id)
            .first()
        )
    one = ira(scripts=scripts, width=width)
    page = one.open(f"/template/details/?id={template.id}")
    button = page.locator(f"#question-{question.id}-up")
    button.focus()
    for place in (1, 0, 0):
        with page.expect_navigation(url=re.compile(rf"#question-{question.id}-up$")):
            page.keyboard.press("Enter")
        focused = page.evaluate("document.activeElement.id")
        assert focused == f"question-{question.id}-up", "pressed again, it goes on"
        box = button.bounding_box()
        assert 0 < box["y"] < 900 - box["height"], "and it is on the screen"
        row = page.locator(f"#question-{question.id}")
        assert row.evaluate("row => [...row.parentNode.children].indexOf(row)") == place
        assert row.evaluate("row => getComputedStyle(row).boxShadow") != "none", "marked"
    one.picture(f"{width}-moved", whole=False)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if scripts:
        assert not look(page, "the page of a template")
        one.open(f"/template/preview/?id={template.id}")
        assert not look(page, "the preview of a template")
        one.picture("preview")
        fields = page.locator("main input, main select, main textarea")
        assert fields.count() > 50 and page.locator("main :enabled").count() == 0


@pytest.mark.parametrize("width", [360, 1280])
def test_the_pages_of_a_role(ira, width):
    one = ira(width=width)
    for path, name in (("/role/edit/?id=5", "role-edit"), ("/role/details/?id=5", "role")):
        page = one.open(path)
        assert page.get_by_text("opens records", exact=True).count() > 20
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert not look(page, path)
        one.picture(f"{width}-{name}")


def test_the_page_of_a_proposal(desk, address, school):
    with db.connection_context():
        edit_person(school.dave, school.ira, [Role.get(Role.name == "Head")])
    one = desk(address, "alice@thornley.example", PASSWORD, width=360)
    with db.connection_context():
        code = code_of(school.app, User.get_by_id(school.alice.id))
    one.page.get_by_label(re.compile("code", re.I)).fill(code)
    one.press("Sign in")
    page = one.open("/proposal/details/?id=1")
    assert page.get_by_role("heading", name="Ofsted logs").count() == 1
    assert not look(page, "a proposal")
    one.picture("360-proposal")
