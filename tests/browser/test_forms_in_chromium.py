"""Forms in a real browser: one that exists nowhere else, the audit, a case review across two
editions, and an allegation that its subject cannot find at any door.
"""

import re

import pytest

from models import Choice, Document, Role, Submission, Template, User, UserRole, db

from ..test_submission import TOML
from .conftest import at_desk

CHAIR = ("Ngozi Achterberg", "chair", "Chair of governors", "Chair of governors")


@pytest.fixture
def chair(school):
    """The chair of governors, with an account like the others."""
    name, email, title, role = CHAIR
    like = User.get_by_id(school.grace.id)
    user = User.create(
        name=name,
        email=f"{email}@thornley.example",
        job_title=title,
        password=like.password,
        tf_primary_method=like.tf_primary_method,
        tf_totp_secret=like.tf_totp_secret,
    )
    UserRole.create(user=user, role=Role.get(Role.name == role))
    UserRole.create(user=school.grace, role=Role.get(Role.name == "Safeguarding governor"))
    school.chair = user
    return user


def fill(page, label, text):
    page.get_by_label(label, exact=False).first.fill(text)


def said(one):
    return one.page.locator("main").inner_text()


def test_a_form_that_exists_nowhere_else_goes_from_toml_to_its_signed_copy(
    school, address, desk, tmp_path
):
    file = tmp_path / "bike.toml"
    file.write_text(TOML, encoding="utf-8")
    alice = at_desk(desk, address, school, "alice", scripts=False)
    alice.open("/template/import/")
    alice.page.get_by_label("Or a file").set_input_files(file)
    alice.press("Import")
    assert "It is not in force yet" in said(alice)
    alice.page.get_by_role("link", name="Preview").click()
    assert "How many spokes?" in said(alice)
    alice.page.go_back()
    alice.page.get_by_role("link", name="Edit", exact=True).first.click()
    alice.page.get_by_role("group", name="In force?").get_by_label("Yes").check()
    alice.press("Save")
    dave = at_desk(desk, address, school, "dave", scripts=False, width=360)
    dave.open("/submission/")
    dave.page.get_by_role("link", name="Begin a form").click()
    dave.page.get_by_role("link", name="Bicycle check").click()
    assert "Look at the bicycle first." in said(dave)
    dave.press("Begin")
    assert "BIKE-" in said(dave)
    dave.page.get_by_role("link", name="Fill in section 1").click()
    dave.page.get_by_label("Which colour is it?").select_option("Green")
    dave.page.get_by_label("How many spokes?").fill("thirty")
    dave.press("Save and go back to the form")
    assert "Write a number, for example 12." in said(dave)
    dave.page.get_by_label("How many spokes?").fill("36")
    table = dave.page.get_by_role("group", name="What is to be mended?, row 1")
    table.get_by_label("What").fill("The brake")
    table.get_by_label("By when").fill("24/11/2031")
    assert dave.page.get_by_label("The head’s comment").count() == 0
    dave.press("Save and go back to the form")
    assert "Bicycle: Green, 36 spokes" in said(dave)
    dave.picture("360-form")
    assert dave.page.evaluate("document.documentElement.scrollWidth") <= 360
    dave.press("Submit")
    assert "DSL signs it next" in said(dave)
    with db.connection_context():
        form = Submission.get(Submission.reference.startswith("BIKE"))
    path = f"/submission/details/?id={form.id}"
    bob = at_desk(desk, address, school, "bob", scripts=False)
    bob.open(path)
    assert bob.page.get_by_role("button", name="Sign").count() == 0, "it is not his turn"
    alice.open("/")
    alice.page.get_by_role("link", name=re.compile("^Sign")).first.click()
    alice.press("Sign")
    bob.open(path)
    bob.picture("form-to-sign")
    bob.press("Sign")
    assert "complete" in said(bob)
    href = bob.page.get_by_role("link", name=re.compile("Signed copy of")).get_attribute("href")
    assert bob.context.request.get(address + href).body().startswith(b"%PDF")
    bob.open(path)
    bob.page.get_by_role("link", name="Public version").click()
    assert "Green" in said(bob) and "brake" not in said(bob)
    dave.open("/task/")
    assert "The brake" in said(dave)


def test_an_audit_from_begin_to_returned_to_resubmitted_to_public(school, address, desk, chair):
    alice = at_desk(desk, address, school, "alice", scripts=False)
    alice.open("/submission/new/")
    alice.page.get_by_role("link", name="Section 175/157 audit").click()
    alice.press("Begin")
    with db.connection_context():
        form = Submission.get(Submission.reference.startswith("AUD"))
        sections = {section.title: section.id for section in form.sections()}
        missing = [question for _text, _section, question in form.missing()]
    path = f"/submission/details/?id={form.id}"
    assert len(sections) >= 18 and missing
    for _turn in range(18):  # each standard of the sixteen areas is rated
        alice.open(path)
        left = alice.page.locator("section", has_text="Still to answer").get_by_role("link")
        if not left.count():
            break
        left.first.click()
        answer_what_is_needed(alice.page)
        alice.press("Save and go back to the form")
    public = next(id for title, id in sections.items() if "upil voice" in title)
    alice.open(f"/submission-section/edit/?id={public}")
    answer_what_is_needed(alice.page)
    alice.press("Save and go back to the form")
    alice.press("Submit")
    assert "submitted and locked" in said(alice)
    alice.open(f"/submission-section/edit/?id={public}")
    assert alice.page.locator("form#writing").count() == 0, "it is locked"
    grace = at_desk(desk, address, school, "grace", scripts=False)
    grace.open(path)
    grace.page.locator("#signatures").get_by_text("Return", exact=False).first.click()
    grace.page.get_by_label("Reason").fill("Say what changed for pupils.")
    grace.press("Return")
    assert "Returned by Grace Ōta" in said(grace)
    alice.open("/")
    assert "returned" in said(alice)
    alice.open(path)
    assert "Say what changed for pupils." in said(alice)
    alice.open(f"/submission-section/edit/?id={public}")
    fill(alice.page, "What changed because", "A quiet room at lunch, because 40 pupils asked.")
    alice.press("Save and go back to the form")
    alice.press("Submit")
    alice.press("Sign")
    for who in ("bob", "chair"):
        one = at_desk(desk, address, school, who, scripts=False)
        one.open(path)
        one.press("Sign")
    assert "complete" in said(one)
    one.picture("audit-complete")
    one.page.get_by_role("link", name="Public version").click()
    with db.connection_context():
        names = [user.name for user in User]
        assert Document.select().count() == 1
    text = said(one)
    assert not [name for name in names if name in text]
    alice.open(path)
    feedback = alice.page.get_by_role("link", name=re.compile("artnership’s feedback"))
    feedback.click()
    assert alice.page.locator("form#writing").count() == 1, "feedback is recorded after"


def answer_what_is_needed(page):
    """Answer whatever is marked as needed on the page, and nothing else."""
    for field in page.locator(".field", has=page.locator("+ .source", has_text="Needed to")).all():
        if field.locator("select").count():
            field.locator("select").select_option(index=1)
        elif field.locator("input[type=radio]").count():
            field.locator("input[type=radio]").first.check()
        elif field.locator("textarea").count():
            field.locator("textarea").first.fill("Written down by the DSL.")
        elif field.locator("input").count():
            hint = field.inner_text()
            if field.locator("input[list]").count():
                field.locator("input").first.fill("Alice Brennan")
                continue
            text = "24/11/2026 14:05" if "14:05" in hint else "24/11/2026"
            field.locator("input").first.fill(text if "/20" in hint else "2026")


def test_a_review_begun_under_2023_is_closed_under_2024(school, address, desk):
    with db.connection_context():
        new = Template.get(Template.name == "Safeguarding Case Review register")
        old = Template.get(Template.prefix == "SCR", Template.id != new.id)
        Template.update(in_force=False).where(Template.id == new.id).execute()
        Template.update(in_force=True).where(Template.id == old.id).execute()
        Choice.create(list="organisation", name="NHS Weald ICB")
    alice = at_desk(desk, address, school, "alice", scripts=False)
    alice.open(f"/submission/new/?template={old.id}")
    alice.press("Begin")
    with db.connection_context():
        form = Submission.get(Submission.reference.startswith("SCR"))
    path = f"/submission/details/?id={form.id}"
    alice.open(f"/template/edit/?id={new.id}")
    alice.page.get_by_role("group", name="In force?").get_by_label("Yes").check()
    alice.press("Save")
    alice.open(path)
    assert "2 questions" in said(alice) and "not asked then" in alice.page.content()
    alice.open(f"/template/details/?id={new.id}")
    assert "Compared with" in said(alice) or "new" in said(alice)
    alice.press("Ask open forms what is new")
    assert "What is new is asked" in said(alice), "and never of how many"
    alice.press("Ask open forms what is new")
    assert "What is new is asked" in said(alice), "twice"
    alice.open(path)
    assert "not asked then" not in alice.page.content()
    with db.connection_context():
        keys = set(Submission.get_by_id(form.id).by_key(restricted=True))
        assert {"chief_nurse_assured", "regional_nurse_content"} <= keys
    for _turn in range(6):
        alice.open(path)
        left = alice.page.locator("section", has_text="Still to answer").get_by_role("link")
        if not left.count():
            break
        left.first.click()
        answer_what_is_needed(alice.page)
        alice.press("Save and go back to the form")
    alice.press("Submit")
    assert "It is complete" in said(alice) or "signs it next" in said(alice)


def test_an_allegation_is_at_no_door_of_its_subject_a_level_5(school, address, desk, chair):
    dina = at_desk(desk, address, school, "dina", scripts=False)
    dina.open("/submission/new/")
    dina.page.get_by_role("link", name="Concern about an adult").click()
    dina.page.get_by_label("The adult, if they have an account here").fill("Bob Adeyemi")
    dina.press("Begin")
    dina.page.get_by_role("link", name="Fill in section 1").click()
    answer_what_is_needed(dina.page)
    dina.page.locator("textarea").first.fill("He shouted at a child in the corridor.")
    dina.press("Save and go back to the form")
    with db.connection_context():
        form = Submission.get(Submission.reference.startswith("LLC"))
        section = form.sections()[0]
    path = f"/submission/details/?id={form.id}"
    dina.open(path)
    dina.press("Submit")
    doors = [
        "/", "/submission/", "/submission/?kind=LLC", "/submission/figures/?kind=LLC",
        "/submission/?search=shouted", "/event/", "/notice/", "/task/", "/incident/", "/triage/",
        f"/user/details/?id={school.bob.id}",
    ]  # fmt: skip
    shut = [
        path, f"/submission/pdf/?id={form.id}", f"/submission/public/?id={form.id}",
        f"/submission-section/edit/?id={section.id}", f"/enclosure/new/?submission={form.id}",
    ]  # fmt: skip
    bob = at_desk(desk, address, school, "bob", scripts=False)
    for door in doors:
        bob.open(door)
        text = said(bob)
        assert str(form) not in text and "shouted" not in text, door
    for door in shut:
        assert bob.page.goto(address + door).status == 404, door
    bob.open("/submission/")
    assert "Concern about an adult" not in said(bob) or "0 forms" in said(bob)
    alice = at_desk(desk, address, school, "alice", scripts=False)
    assert alice.page.goto(address + path).status == 404, "not the DSL's either"
    one = at_desk(desk, address, school, "chair", scripts=False)
    one.open(path)
    assert "Bob Adeyemi" in said(one) and "Pattern" in said(one)
    one.picture("allegation")
