"""Forms: begun from a template, filled in, submitted, returned, signed; who may what, and who may
not so much as know.
"""

import re
import tomllib
from datetime import date, timedelta
from functools import partial
from io import BytesIO
from pathlib import Path

import pytest

from models import (
    Case,
    Child,
    Choice,
    Document,
    Enclosure,
    Event,
    Incident,
    Listed,
    Notice,
    Proposal,
    Question,
    Reader,
    Refused,
    Right,
    Role,
    Setting,
    Submission,
    Task,
    Template,
    User,
    UserRole,
    db,
    visible,
)
from models.case import shipped
from models.case.asked import readable
from models.case.figures import count
from models.case.incident import GO_ELSEWHERE
from models.ground.clock import at, now

from .conftest import fits, report, through, triage
from .test_attachment import photograph
from .test_queries import counted

FIGURES = partial(count, visible=visible)
TOML = """
name = "Bicycle check"
prefix = "BIKE"
edition = "1"
group = "Odd ones"
purpose = "Whether a bicycle is fit for the road."
basis = "Good practice"
source = "Our own questions"
notice = "Look at the bicycle first."
changes = "1: first edition."
stands_on = "nothing"
how_many = "any number"
begins = ["Staff", "DSL"]
fills = ["DSL"]
reads = ["Safeguarding team"]
reviews = ["Head"]
signs = ["DSL", "Head"]
headline = "Bicycle: {colour}, {spokes} spokes"

[[section]]
title = "The bicycle"
[[section.question]]
key = "colour"
text = "Which colour is it?"
kind = "one of a list"
options = "Red\\nGreen"
required = true
public = true
listed = "column, filter, figure"
[[section.question]]
key = "spokes"
text = "How many spokes?"
kind = "number"
listed = "column"
[[section.question]]
key = "todo"
text = "What is to be mended?"
kind = "table of rows"
options = "What | long text\\nWho | person\\nBy when | date"
task = true
[[section.question]]
key = "seen"
text = "Incidents reported"
kind = "figure"
options = "incidents reported"
[[section.question]]
key = "photo"
text = "A photograph of it"
kind = "file"
[[section.question]]
key = "comment"
text = "The head’s comment"
kind = "long text"
for_review = true

[[section]]
title = "For the head alone"
restricted = true
[[section.question]]
key = "thought"
text = "What does the head think?"
kind = "long text"

[[section]]
title = "Afterwards"
after = true
[[section.question]]
key = "came"
text = "What came of it?"
kind = "long text"
"""


@pytest.fixture
def bike(school):
    return bicycle(school)


def bicycle(school):
    """The template of a form that exists nowhere else, in force."""
    template = shipped.read(TOML, school.ira)
    template.set(in_force=True)
    template.save()
    return template


def of(form, title):
    return next(one for one in form.sections() if one.title == title)


def ids(form):
    return {
        question["key"]: question["id"]
        for section in form.sections()
        for question in section.questions
    }


def filled(bike, by, colour="Red"):
    form = Submission.begin(bike, by)
    asked = ids(form)
    form.fill_in(of(form, "The bicycle"), {asked["colour"]: colour, asked["spokes"]: "36"}, by)
    return Submission.get_by_id(form.id)


@pytest.mark.both
def test_a_form_goes_from_begin_to_its_signed_copy(school, bike):
    form = Submission.begin(bike, school.dave)
    assert str(form).startswith("BIKE-") and form.status == "open"
    with pytest.raises(Refused, match="Still to answer"):
        form.submit(by=school.dave)
    asked = ids(form)
    rows = [{"What": "Mend the brake", "Who": school.carol.label, "By when": "2030-01-04"}]
    answers = {asked["colour"]: "Green", asked["spokes"]: "36", asked["todo"]: rows}
    form.fill_in(of(form, "The bicycle"), answers | {asked["comment"]: "I am no head"}, school.dave)
    form = Submission.get_by_id(form.id)
    assert form.headline == "Bicycle: Green, 36 spokes"
    assert asked["comment"] not in of(form, "The bicycle").answers, "it is not theirs to answer"
    form.submit(by=school.dave, figures=FIGURES)
    assert form.status == "submitted" and of(form, "The bicycle").answers[asked["seen"]] == "0"
    task = Task.get(Task.submission == form)
    assert (task.what, task.owner) == ("Mend the brake", school.carol)
    assert visible(Task, school.carol).where(Task.id == task.id).exists()
    with pytest.raises(Refused, match="Nothing was changed"):
        form.submit(by=school.dave, figures=FIGURES)
    with pytest.raises(Refused, match="locked"):
        form.fill_in(of(form, "The bicycle"), answers, school.alice)
    with pytest.raises(Refused, match="order of its template"):
        form.sign(by=school.bob)
    form.sign(by=school.alice)
    with pytest.raises(Refused, match="each time by another person"):
        form.sign(by=school.alice)
    form.fill_in(of(form, "For the head alone"), {asked["thought"]: "Fine"}, school.bob)
    form = Submission.get_by_id(form.id)
    form.sign(by=school.bob)
    assert form.status == "complete"
    copy = Document.select().order_by(Document.id.desc()).get()
    assert "Mend the brake" in copy.words and "Fine" in copy.words and copy.restricted
    assert copy.content().startswith(b"%PDF")
    seen = [one.name for one in User if visible(Document, one).where(Document.id == copy.id)]
    assert seen == [school.bob.name], "restricted sections stand on it"
    form.fill_in(of(form, "Afterwards"), {asked["came"]: "It rides"}, school.alice)
    with pytest.raises(Refused, match="locked"):
        form.fill_in(of(form, "For the head alone"), {asked["thought"]: "Not"}, school.bob)


def test_it_is_returned_with_reasons_and_submitted_again(school, bike):
    form = filled(bike, school.dave)
    form.submit(by=school.dave, figures=FIGURES)
    form.sign(by=school.alice)
    for wrong in (school.dave, school.carol, school.ira):
        with pytest.raises(Refused, match="Only those who review"):
            form.send_back("Count the spokes again.", by=wrong)
    form.send_back("Count the spokes again.", by=school.bob)
    assert form.status == "returned" and not form.signatures()
    assert Event.last(form, "submission:send_back").detail["reason"] == "Count the spokes again."
    asked = ids(form)
    form.fill_in(
        of(form, "The bicycle"), {asked["colour"]: "Red", asked["spokes"]: "32"}, school.dave
    )
    form = Submission.get_by_id(form.id)
    form.submit(by=school.dave, figures=FIGURES)
    form.sign(by=school.alice)
    form.sign(by=school.bob)
    assert form.status == "complete" and form.headline == "Bicycle: Red, 32 spokes"


@pytest.mark.both
def test_who_sees_what(school, bike):
    form = filled(bike, school.dave)
    seen = {one.name for one in User if visible(Submission, one).where(Submission.id == form.id)}
    assert seen == {one.name for one in (school.dave, school.alice, school.bob, school.carol)}
    assert not of(form, "For the head alone").opens(form, school.alice)
    assert of(form, "For the head alone").opens(form, school.bob)
    with pytest.raises(Refused, match="Only those whose role begins"):
        Submission.begin(bike, school.mark)
    form.name(school.dina, school.alice)
    assert visible(Submission, school.dina).where(Submission.id == form.id).exists()
    with pytest.raises(Refused, match="Only those whose right"):
        form.name(school.connor, school.dina)
    form.unname(school.dina, school.alice)
    assert not visible(Submission, school.dina).where(Submission.id == form.id).exists()
    with pytest.raises(Refused, match="is not named"):
        form.unname(school.dina, school.alice)
    with pytest.raises(Refused) as refused:
        form.name(school.ira, school.alice)
    assert "opens no forms" in refused.value.errors["person"]
    assert Reader.select().count() == 1


@pytest.mark.both
def test_lists_show_what_is_listed_and_never_what_is_restricted(cast, school, bike):
    for colour in ("Red", "Green", "Red"):
        filled(bike, school.alice, colour)
    page = cast.alice.get("/submission/?kind=BIKE")
    assert "Which colour is it?" in page.text_only and "3 forms" in page.text_only
    page = cast.alice.get("/submission/?kind=BIKE&answer_colour=Green")
    assert "1 form" in page.text_only
    text = cast.alice.get("/submission/figures/?kind=BIKE").text_only
    assert re.search(r"Red\s+2", text) and re.search(r"Green\s+1", text)
    assert "0 forms" in cast.dina.get("/submission/?kind=BIKE").text_only
    assert not Listed.select().where(Listed.key == "thought").exists()
    rows = cast.alice.get("/submission/export/csv/?kind=BIKE").get_data(as_text=True)
    assert rows.count("36") >= 3 and "Bicycle" in rows


@pytest.mark.both
def test_every_shipped_template_can_be_begun_filled_and_printed(school, incident):
    """Whatever it stands on; its paper is drawn, and what it needs is said."""
    begun = []
    for template in Template.select().where(~Template.trackers()).order_by(Template.id):
        template.in_force = True
        role = Right.of(template)["begins"][0]
        by = (
            next(one for one in User if role in one.roles)
            if any(role in one.roles for one in User)
            else None
        )
        if by is None:
            by = User.create(name=f"New {role}", email=f"n{template.id}@x.example")
            UserRole.create(user=by, role=role)
        on = {
            "incident": {"incident": incident},
            "child": {"child": incident.child},
            "adult": {"about_name": "Wren Example, coach"},
            "nothing": {},
        }[template.stands_on]
        form = Submission.begin(template, by, **on)
        assert form.missing(whole=True) or not any(
            question["required"] for one in form.sections() for question in one.questions
        )
        assert template.name in form.paper(restricted=True), template
        begun.append(template.prefix)
    assert {"AUD", "SCR", "LLC", "RES", "MIS", "ADM", "DIS", "QC", "TR", "LES"} <= set(begun)


def test_a_template_goes_out_as_toml_and_comes_back_the_same(school, bike):
    for template in list(Template.select()):
        asked = shipped.as_dict(template)
        text = shipped.as_toml(template)
        assert tomllib.loads(text) == asked
        again = shipped.make(asked | {"name": f"{template.name[:110]} 2"}, school.alice)
        assert shipped.as_dict(again) == asked | {"name": f"{template.name[:110]} 2"}
        assert not again.in_force
        if not template.is_tracker:
            before, differs = shipped.compared(again)
            assert differs == [] or before != template


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name = ", "This is not TOML"),
        ('colour = "red"', "“colour” is not known in its head"),
        (TOML.replace('kind = "number"', 'kind = "numbr"'), "kind"),
        (TOML.replace('"Staff", "DSL"', '"Nobody"'), "There is no role “Nobody”"),
        (TOML.replace("BIKE", "INC"), "begins the references of something else"),
        (TOML.replace("BIKE", "bike"), "capital letters"),
        (TOML.replace('key = "spokes"', 'key = "colour"'), "has this key"),
        (TOML.replace('listed = "column"', 'listed = "columns"'), "is none of"),
        (TOML.replace("task = true", "public = true"), "may name a person"),
        (TOML.replace('options = "incidents reported"', 'options = "sheep"'), "Write which figure"),
        (TOML.replace('stands_on = "nothing"', 'stands_on = "a chair"'), "stands_on"),
    ],
)
def test_what_is_no_template_is_refused_with_a_sentence_and_nothing_is_made(school, text, sentence):
    before = Template.select().count(), Question.select().count(), Right.select().count()
    with pytest.raises(Refused) as refused:
        shipped.read(text, school.alice)
    said = f"{refused.value} {refused.value.errors}"
    assert sentence in said, said
    assert before == (Template.select().count(), Question.select().count(), Right.select().count())


def test_role_names_are_those_that_are_shipped(school):
    assert {"Chair of governors", "Reviewer"} <= {role.name for role in Role}


def test_the_public_reads_no_name(cast, school, bike):
    text = TOML.replace("Bicycle check", "Open check").replace("BIKE", "OPEN")
    text = text.replace('key = "came"', 'key = "came"\npublic = true').replace("after = true\n", "")
    template = shipped.read(text, school.alice)
    Template.update(in_force=True).where(Template.id == template.id).execute()
    form = Submission.begin(Template.get_by_id(template.id), school.alice)
    asked = ids(form)
    path = f"/submission/public/?id={form.id}"
    assert cast.alice.get(path).status_code == 404, "not submitted yet"
    form.fill_in(of(form, "The bicycle"), {asked["colour"]: "Red"}, school.alice)
    said = {asked["came"]: "We told zofia lukasiewicz."}
    form.fill_in(of(form, "Afterwards"), said, school.alice)
    form = Submission.get_by_id(form.id)
    form.submit(by=school.alice, figures=FIGURES)
    page = cast.alice.get(path)
    assert page.status_code == 409 and "Zofia Łukasiewicz" in page.text_only
    assert cast.alice.get(f"{path}&as=pdf").mimetype == "text/html"
    form.send_back("Take out the name.", by=school.bob)
    form = Submission.get_by_id(form.id)
    said = {asked["came"]: "We told a child."}
    form.fill_in(of(form, "Afterwards"), said, school.alice)
    form = Submission.get_by_id(form.id)
    form.submit(by=school.alice, figures=FIGURES)
    assert cast.alice.get(f"{path}&as=pdf").data.startswith(b"%PDF")
    assert "thought" not in form.paper(public=True) and "36" not in form.paper(public=True)


def test_the_form_of_the_readme_is_one(school):
    text = Path("README.md").read_text(encoding="utf-8")
    asked = text.split("```toml\n")[1].split("```")[0]
    template = shipped.read(asked, school.alice)
    Template.update(in_force=True).where(Template.id == template.id).execute()
    assert Submission.begin(Template.get_by_id(template.id), school.dave).headline == "Bicycle: …"


def test_lists_and_pages_cost_the_same_for_two_forms_and_for_forty(cast, school, bike, incident):
    risk = Template.get(Template.prefix == "CV")
    pages = [
        "/submission/",
        "/submission/?kind=BIKE",
        "/submission/?kind=BIKE&answer_colour=Red",
        "/submission/figures/?kind=BIKE",
        f"/incident/details/?id={incident.id}",
        "/",
    ]
    costs = []
    for more in (2, 38):
        for number in range(more):
            filled(bike, school.alice, ("Red", "Green")[number % 2])
            Submission.begin(risk, school.alice, incident=incident)
        for path in pages:
            cast.alice.get(path)
        costs.append([])
        for path in pages:
            with counted() as statements:
                assert cast.alice.get(path).status_code == 200
            costs[-1].append(len(statements))
    assert costs[0] == costs[1], dict(zip(pages, zip(*costs, strict=True), strict=True))
    assert max(costs[0][:4]) <= 20, costs[0]


@pytest.mark.both
def test_what_is_of_another_school_is_not_theirs(school, bike):
    """A role that is given for one school opens the forms of that one only."""
    here, there = Setting.create(name="Hollow Lane"), Setting.create(name="Beck End")
    link = UserRole.get(UserRole.user == school.carol)
    link.set(setting=here)
    link.save()
    forms = [Submission.begin(bike, school.alice, setting=one) for one in (here, there, None)]
    carol = User.get_by_id(school.carol.id)
    assert [one.id for one in visible(Submission, carol)] == [forms[0].id]
    assert not forms[1].can(carol) and "reads" in forms[0].can(carol)


def test_how_many_there_may_be(school, bike):
    bike.set(how_many="one at a time")
    bike.save()
    form = filled(bike, school.alice)
    with pytest.raises(Refused, match="There is BIKE-.* already"):
        Submission.begin(bike, school.dave)
    form.submit(by=school.alice, figures=FIGURES)
    form.sign(by=school.alice)
    form.sign(by=school.bob)
    again = Submission.begin(bike, school.alice)
    assert again.last_time(visible, school.alice) == form


def test_last_times_answer_stands_beside(cast, school, bike):
    first = filled(bike, school.alice, "Green")
    again = Submission.begin(bike, school.alice)
    path = f"/submission-section/edit/?id={again.sections()[0].id}"
    assert "Last time" not in cast.alice.get(path).text_only, "each is about another bicycle"
    Template.update(how_many="one at a time").where(Template.id == bike.id).execute()
    page = cast.alice.get(path).text_only
    assert f"Last time ({first})" in page and "Green" in page and "36" in page
    other = cast.dina.get(f"/submission-section/edit/?id={again.sections()[0].id}")
    assert other.status_code == 404


def test_two_savers_of_one_section(cast, school, bike):
    form = Submission.begin(bike, school.alice)
    section, asked = form.sections()[0], ids(form)
    path = f"/submission-section/edit/?id={section.id}"
    mine, theirs = cast.alice.get(path).text, cast.alice.get(path).text
    opened = dict(re.findall(r'name="(version|opened)" value="([^"]*)"', mine))
    spokes = f"q{asked['spokes']}"
    assert opened == dict(re.findall(r'name="(version|opened)" value="([^"]*)"', theirs))
    assert cast.alice.post(path, opened | {spokes: "20"}).status_code == 200
    page = cast.alice.post(path, opened | {spokes: "40"})
    assert page.status_code == 409 and "You both changed this" in page.text_only
    assert Submission.get_by_id(form.id).sections()[0].answers[asked["spokes"]] == "20"


def test_who_lets_more_people_in(cast, school, bike):
    """What IT asks for waits; what a Level 5 asks for who gains by it, for another one; the rest
    counts at once.
    """
    wanted = Right.of(bike)
    helper, dsl = Role.get(Role.name == "Contributor"), Role.get(Role.name == "DSL")
    less = wanted | {"reviews": []}
    for by, role in ((school.ira, helper), (school.alice, dsl)):
        Right.give(bike, wanted | {"reviews": [role]}, by)
        assert Right.of(bike) == less, "narrowing is everybody’s"
    first, second = Proposal.select().order_by(Proposal.id)
    assert first.what == second.what == "let more people into the form Bicycle check"
    page = cast.bob.get(f"/proposal/details/?id={first.id}")
    assert "Contributor" in page.text_only and "reviews" in page.text_only
    for wrong, one in ((cast.ira, first), (cast.alice, second)):  # who asked
        wrong.press("proposal:approve", one)
        assert Right.of(bike) == less
    Event.write("template:edit", bike, school.bob)  # as the page does
    cast.bob.press("proposal:approve", first)
    assert [role.name for role in Right.of(bike)["reviews"]] == ["Contributor"]
    page = cast.bob.press("proposal:approve", second)
    assert "was changed since this was asked for" in page.text_only, "it would undo the other"
    assert [role.name for role in Right.of(bike)["reviews"]] == ["Contributor"]
    cast.bob.press("proposal:refuse", second)
    assert not Proposal.waiting_for(school.bob)
    fits()


def test_a_form_that_it_imports_is_in_force_once_a_level_5_approves(cast, school):
    made = shipped.read(TOML, school.ira)
    path = f"/template/edit/?id={made.id}"
    for edition in ("1", "2"):
        page = cast.ira.get(path).text
        sent = dict(re.findall(r'name="(version|opened)" value="([^"]*)"', page))
        sent |= {
            name: getattr(made, name) or ""
            for name in (
                "name",
                "purpose",
                "stands_on",
                "prefix",
                "edition",
                "heading",
                "basis",
                "source",
                "notice",
                "news",
                "how_many",
                "headline",
            )
        }
        sent |= {
            "in_force": "yes",
            "begins": ["Staff", "DSL"],
            "fills": ["DSL"],
            "reads": ["Safeguarding team"],
            "reviews": ["Head"],
            "signs_1": "DSL",
            "signs_2": "Head",
        }
        page = cast.ira.post(path, sent | {"edition": edition})
        assert "waits for the approval of a Level 5" in page.text_only
        made = Template.get_by_id(made.id)
        assert made.edition == edition and not made.in_force, "the rest counts at once"
    waiting = Proposal.get(Proposal.kind == "offer")  # asked for twice, it waits once
    home = cast.alice.get("/").text_only
    assert "put the form Bicycle check in force" in home
    page = cast.alice.get(f"/proposal/details/?id={waiting.id}").text
    assert f"/template/details/?id={made.id}" in page, "what it asks is looked at first"
    cast.ira.press("proposal:approve", waiting)
    assert not Template.get_by_id(made.id).in_force
    more = Right.of(made) | {"reads": [one for one in Role.select() if one.reads]}
    Right.give(made, more, school.ira)  # while it waits, and is not in force yet
    page = cast.alice.press("proposal:approve", waiting)
    assert "was changed since" in page.text_only and not Template.get_by_id(made.id).in_force
    Right.give(made, more | {"reads": [Role.get(Role.name == "Safeguarding team")]}, school.ira)
    Event.write("template:edit", made, school.ira)
    cast.alice.press("proposal:approve", waiting)
    assert Template.get_by_id(made.id).in_force and Right.of(made)["signs"][1].name == "Head"
    fits()


def test_a_form_about_an_adult_is_not_begun_under_their_name_in_letters(school):
    template = Template.get(Template.prefix == "LLC")
    with pytest.raises(Refused) as refused:
        Submission.begin(template, school.dina, about_name="Mr Bob Adeyemi, head")
    assert "choose it above" in refused.value.errors["about_name"]
    with pytest.raises(Refused, match="Nothing was begun"):
        Submission.begin(template, school.dina)


@pytest.mark.both
def test_a_self_report_is_shut_to_its_writer_once_it_is_submitted(school):
    template = Template.get(Template.prefix == "LLC")
    form = Submission.begin(template, school.dina, about=school.dina)
    assert visible(Submission, school.dina).count() == 1
    section = form.sections()[0]
    needed = {
        question["id"]: question["choices"][0]
        if question["choices"]
        else "2026-11-20"
        if question["kind"] == "date"
        else "2026-11-20T10:00:00+00:00"
        if question["kind"] == "date and time"
        else "I raised my voice."
        for question in section.questions
        if question["required"]
    }
    form.fill_in(section, needed, school.dina)
    form = Submission.get_by_id(form.id)
    form.submit(by=school.dina, figures=FIGURES)
    assert not visible(Submission, school.dina).exists()
    assert (
        visible(Submission, school.bob).exists() and not visible(Submission, school.alice).exists()
    )
    assert not form.recipients() or school.dina not in form.recipients()
    for person in (school.dina, school.alice, school.ira):
        with pytest.raises(Refused):
            form.sign(by=person)
    with pytest.raises(Refused, match="cannot be signed yet"):
        form.sign(by=school.bob)


def test_a_time_boxed_reviewer_sees_one_form_until_the_hour(school, bike):
    form = filled(bike, school.alice)
    reviewer = User.create(name="Tamsin Ó Cléirigh", email="t@review.example")
    UserRole.create(user=reviewer, role=Role.get(Role.name == "Reviewer"))
    other = filled(bike, school.alice)
    until = now() + timedelta(days=14)
    form.name(reviewer, school.alice, does="reviews", until=until)
    assert [one.id for one in visible(Submission, reviewer)] == [form.id] != [other.id]
    assert of(form, "For the head alone").opens(Submission.get_by_id(form.id), reviewer)
    with at(until + timedelta(minutes=1)):
        assert not visible(Submission, reviewer).exists()
        assert not Submission.get_by_id(form.id).can(reviewer)
    assert not visible(Incident, reviewer).exists() and not visible(Child, reviewer).exists()


def test_organisations_have_successors(school):
    Choice.create(
        list="organisation",
        name="NHS Weald CCG",
        until=date(2022, 6, 30),
        successor="NHS Weald ICB",
    )
    assert Choice.names("organisation") == []
    Choice.create(list="organisation", name="NHS Weald ICB", since=date(2022, 7, 1))
    assert Choice.names("organisation") == ["NHS Weald ICB"]
    question = {"kind": "organisation", "id": "1"}
    assert readable(question, "NHS Weald CCG") == "NHS Weald CCG (now NHS Weald ICB)"
    wrong = Choice(list="organisation", name="NHS Downs", successor="Nobody")
    with pytest.raises(Refused) as refused:
        wrong.check()
    assert "successor" in refused.value.errors


@pytest.mark.both
def test_a_closed_case_is_drawn_by_risk_and_none_twice(cast, school):
    check = Template.get(Template.prefix == "QC")
    drawn = f"/submission/draw/?template={check.id}&how=risk"
    assert "no closed case" in cast.alice.get(drawn, follow_redirects=True).text_only
    cases = []
    for risk in ("Low", "High", "Medium"):
        one = report(school)
        triage(school, one, school.carol, opens=True, risk=risk)
        cases.append(Case.get(Case.incident == one))
        Case.update(status="closed").where(Case.incident == one).execute()
    for expected in (1, 2, 0):
        incident = Submission.draw(check, school.alice, visible, by_risk=True)
        assert incident == cases[expected].incident
        Submission.begin(check, school.alice, incident=incident)
    assert Submission.draw(check, school.alice, visible, by_risk=False) is None
    assert "Draw a closed" in cast.alice.get("/submission/?kind=QC").text_only
    assert cast.dave.get(drawn).status_code == 404


def test_who_gives_roles_opens_no_form_with_them(school, bike):
    """A role that opens nothing is given without a Level 5: so a right opens nothing with it."""
    staff = Role.get(Role.name == "Staff")
    wanted = Right.of(bike)
    with pytest.raises(Refused) as refused:
        Right.give(bike, wanted | {"reads": [staff]}, school.bob)
    assert "opens no records" in refused.value.errors["reads"]
    form = filled(bike, school.alice)
    Right.create(template=bike, role=staff, does="reads")  # as if it had been a role that opens
    UserRole.create(user=school.ira, role=staff)
    ira = User.get_by_id(school.ira.id)
    assert not visible(Submission, ira).exists() and not form.can(ira)


def test_a_file_goes_with_its_answer(cast, school, bike):
    form = filled(bike, school.dave)
    asked = ids(form)
    path = f"/enclosure/new/?submission={form.id}&question={asked['photo']}"
    page = cast.dave.get(path)
    assert page.status_code == 200 and "A photograph of it" in page.text_only
    assert cast.carol.get(path).status_code == 403, "she reads it only"
    assert cast.dina.get(path).status_code == 404
    file = (BytesIO(photograph("PNG")), "bicycle.png")
    sent = {"to": asked["photo"], "files": file}
    page = cast.dave.post(path, sent, content_type="multipart/form-data")
    assert page.status_code == 200 and "Attached: bicycle.png." in page.text_only
    row = Enclosure.get()
    section = cast.carol.get(f"/submission-section/edit/?id={form.sections()[0].id}")
    assert "bicycle.png" in section.text_only
    assert cast.carol.get(f"/enclosure/file/?id={row.id}").status_code == 200
    assert cast.dina.get(f"/enclosure/file/?id={row.id}").status_code == 404
    for wrong in (b"", b"MZ\x90\x00 a program"):
        sent = {"to": asked["photo"], "files": (BytesIO(wrong), "bad.png")}
        page = cast.dave.post(path, sent, content_type="multipart/form-data")
        assert page.status_code == 422, wrong
    cast.dave.get(path)
    page = cast.dave.post(
        path,
        {"to": asked["colour"], "files": (BytesIO(photograph("PNG")), "b.png")},
        content_type="multipart/form-data",
    )
    assert page.status_code == 422 and Enclosure.select().count() == 1
    form.submit(by=school.dave, figures=FIGURES)
    assert cast.dave.get(path).status_code == 403, "locked"


def test_a_school_that_renamed_its_roles_starts_with_the_forms_all_the_same(
    school, monkeypatch, tmp_path
):
    Role.update(name="Principal", permissions=[]).where(Role.name == "Head").execute()
    (tmp_path / "bike.toml").write_text(TOML, encoding="utf-8")
    monkeypatch.setattr("models.case.shipped.SHIPPED", tmp_path)
    shipped.ship()
    template = Template.get(Template.prefix == "BIKE")
    assert template.in_force and [role.name for role in Right.of(template)["signs"]] == ["DSL"]
    shipped.ship()
    assert Template.select().where(Template.prefix == "BIKE").count() == 1, "twice"


def test_who_began_it_names_nobody_to_review_it(cast, school):
    """Else whoever reports an adult would let a colleague read what the head writes of it."""
    form = Submission.begin(Template.get(Template.prefix == "LLC"), school.dina, about=school.carol)
    for does in ("reads", "reviews"):
        with pytest.raises(Refused, match="Only those whose right"):
            form.name(school.dave, school.dina, does=does)
    page = cast.dina.get(f"/submission/details/?id={form.id}")
    assert page.status_code == 200 and "Name somebody" not in page.text_only
    assert "History" not in page.text_only, "who handles it is not theirs to know"


def test_somebody_is_named_to_review_on_the_page(cast, school, bike):
    form = filled(bike, school.alice)
    path = f"/submission/details/?id={form.id}&step=submission:name"
    assert "Name them" in cast.alice.get(path).text_only
    sent = {"action": "submission:name", "rowid": form.id, "person": school.mark.label}
    page = cast.alice.post("/submission/action/", sent | {"does": "reviews"})
    assert page.status_code == 200 and "Mark Kowalczyk" in page.text_only
    mark = User.get_by_id(school.mark.id)
    assert Submission.get_by_id(form.id).reviews(mark)
    page = cast.alice.post("/submission/action/", sent | {"does": "signs"})
    assert page.status_code == 422 and Reader.select().count() == 1


@pytest.mark.parametrize(
    "headline",
    ["{colour.__class__.__mro__}", "{colour!r:>99999999}", "{0}", "{", "}{", "{colour}" * 20],
)
def test_a_headline_is_words_and_runs_nothing(school, bike, headline):
    bike.set(headline=headline[:200])
    bike.save()
    form = Submission.begin(bike, school.alice)
    assert len(form.headline) <= 200 and "class '" not in form.headline


def test_a_file_of_ten_thousand_questions_is_refused_at_once(school):
    more = "".join(
        f'[[section.question]]\nkey = "k{n}"\ntext = "Q"\nkind = "number"\n' for n in range(1001)
    )
    with pytest.raises(Refused, match="more than 1,000 questions"):
        shipped.read(TOML + more, school.alice)


def test_a_section_that_is_damaged_is_said_so_and_breaks_no_page(cast, school, bike):
    form = filled(bike, school.alice)
    section = form.sections()[0]
    db.execute_sql(
        "UPDATE submission_section SET questions = '{' WHERE id = ?".replace("?", str(section.id))
    )
    for path in (
        f"/submission/details/?id={form.id}",
        f"/submission/pdf/?id={form.id}",
        f"/submission-section/edit/?id={section.id}",
        "/submission/?kind=BIKE",
        f"/enclosure/new/?submission={form.id}",
        "/",
    ):
        assert cast.alice.get(path).status_code in (200, 403), path
    with pytest.raises(Refused, match="Still to answer"):
        Submission.get_by_id(form.id).submit(by=school.alice, figures=FIGURES)


def test_two_presses_at_once_sign_once(school, bike):
    form = filled(bike, school.alice)
    form.submit(by=school.alice, figures=FIGURES)
    mine, theirs = Submission.get_by_id(form.id), Submission.get_by_id(form.id)
    mine.sign(by=school.alice)
    with pytest.raises(Refused):
        theirs.sign(by=school.alice)
    assert len(Submission.get_by_id(form.id).signatures()) == 1


def test_a_concern_that_nobody_would_read_is_sent_elsewhere(school):
    """About the only head, where no chair has an account: it would lie unread."""
    template = Template.get(Template.prefix == "LLC")
    with pytest.raises(Refused) as refused:
        Submission.begin(template, school.dina, about=school.bob)
    assert refused.value.errors["about"] == GO_ELSEWHERE
    chair = User.create(name="Ngozi Achterberg", email="chair@thornley.example")
    UserRole.create(user=chair, role=Role.get(Role.name == "Chair of governors"))
    form = Submission.begin(template, school.dina, about=school.bob)
    through(form, school.dina, None)
    form = Submission.get_by_id(form.id)
    told = {one.user for one in Notice.select().join(Event).where(Event.record == form.id)}
    assert chair in told and school.bob not in told and school.alice not in told
    assert visible(Notice, school.bob).where(Notice.user == school.bob).count() == 0


def audit(by):
    """An audit that was begun, one of its areas, and {key: id} of what it asks."""
    form = Submission.begin(Template.get(Template.prefix == "AUD"), by)
    return form, of(form, "Leadership and governance"), ids(form)


def test_an_audit_is_not_submitted_before_each_standard_is_rated(school):
    form, _section, _asked = audit(school.alice)
    missing = [text for text, _section, _anchor in form.missing()]
    assert "2 Leadership and governance: A named governor" in " ".join(missing)
    assert not [text for text in missing if "Evidence" in text], "of a standard only the rating"
    assert len(missing) > 90
    with pytest.raises(Refused, match="Still to answer"):
        form.submit(by=school.alice)


def test_each_standard_has_its_evidence_and_the_history_keeps_them_apart(school):
    form, section, asked = audit(school.alice)
    said = {"lead_named": "4 – fully in place", "lead_named_evidence": "Notes of five meetings"}
    said |= {"lead_report": "3 – mostly in place", "lead_report_evidence": "Minutes of January"}
    form.fill_in(section, {asked[key]: one for key, one in said.items()}, school.alice)
    payload = Event.last(form, "submission:fill_in").payload
    assert "Notes of five meetings" in payload and "Minutes of January" in payload
    assert "meets the DSL regularly and writes down what was looked at. Evidence" in payload
    for other in form.sections():
        assert len({*other.told_apart().values()}) == len(other.questions), other


def test_what_follows_from_a_rating_stands_folded_behind_it(cast, school):
    form, section, asked = audit(school.alice)
    path = f"/submission-section/edit/?id={section.id}"
    page = cast.alice.get(path).text
    assert page.count('<details class="fold notes">') == 6 and "written" not in page
    opened = dict(re.findall(r'name="(version|opened)" value="([^"]*)"', page))
    rating, evidence = (f"q{asked[key]}" for key in ("lead_named", "lead_named_evidence"))
    gap = f"q{asked['lead_report_gap']}"
    typed = {rating: "4 – fully in place", evidence: "Notes", f"{gap}-rows": "1"}
    wrong = typed | {f"{gap}-0-Gap and what will be done": "None", f"{gap}-0-By when": "soonish"}
    page = cast.alice.post(path, opened | wrong)
    assert page.status_code == 422 and page.text.count('<details class="fold notes" open>') == 1
    cast.alice.post(path, opened | typed)
    assert "1 written" in cast.alice.get(path).text_only
    assert "Notes" in Submission.get_by_id(form.id).paper()


def test_a_gap_that_does_not_apply_any_more_becomes_no_task(school, bike):
    form, section, asked = audit(school.alice)
    row = [{"Gap and what will be done": "Meet each term", "By when": "2030-01-04"}]
    for rating, tasks in (("4 – fully in place", 0), ("2 – beginning", 1)):
        said = {asked["lead_named"]: rating, asked["lead_named_gap"]: row}
        form.fill_in(section, said, school.alice)
        form.give_tasks(school.alice, [of(Submission.get_by_id(form.id), section.title)])
        assert Task.select().where(Task.submission == form).count() == tasks, rating


def test_where_there_may_be_one_only_the_refusal_leads_to_it(cast, school):
    form, _section, _asked = audit(school.alice)
    path = f"/submission/new/?template={form.template_id}"
    assert path.replace("&", "&amp;") in cast.alice.get("/submission/?kind=AUD").text
    page = cast.alice.post(path, {"template": form.template_id})
    assert page.status_code == 422 and f"There is {form} already" in page.text_only
    assert f'href="/submission/details/?id={form.id}"' in page.text


def test_a_filter_offers_what_was_answered_in_this_kind(cast, school, bike):
    filled(bike, school.alice, "Green")
    text = TOML.replace("Bicycle check", "Car check").replace("BIKE", "CAR")
    car = shipped.read(text.replace("Red\\nGreen", "Blue\\nGrey"), school.alice)
    Template.update(in_force=True).where(Template.id == car.id).execute()
    filled(Template.get_by_id(car.id), school.alice, "Blue")
    page = cast.alice.get("/submission/?kind=BIKE").text
    assert 'value="Green"' in page and 'value="Blue"' not in page


def test_who_reported_themselves_is_told_where_it_went(cast, school):
    template = Template.get(Template.prefix == "LLC")
    form = Submission.begin(template, school.dina, about=school.dina)
    assert form.headline == str(template), "nothing is answered yet"
    asked = ids(form)
    said = {"known_at": "2026-11-20T10:00:00+00:00", "what": "I raised my voice."}
    for question in form.sections()[0].questions:
        if question["required"] and question["key"] not in said:
            said[question["key"]] = (question["choices"] or ["2026-11-20T10:00:00+00:00"])[0]
    form.fill_in(
        form.sections()[0],
        {asked[key]: one for key, one in said.items() if key in asked},
        school.dina,
    )
    cast.dina.get("/")
    page = cast.dina.press("submission:submit", form)
    assert page.status_code == 200 and "It is about you, so you cannot open it" in page.text_only


def test_a_record_of_restraint_knows_its_child_and_shows_its_clocks(cast, school, incident):
    template = Template.get(Template.prefix == "RES")
    form = Submission.begin(template, school.alice, incident=incident)
    section, asked = form.sections()[0], ids(form)
    path = f"/submission-section/edit/?id={section.id}"
    typed = re.compile(f'<input[^>]*value="{incident.child.label}"')
    assert typed.search(cast.alice.get(path).text)
    form.fill_in(section, {asked["happened_at"]: "2026-11-20T10:00:00+00:00"}, school.alice)
    assert not typed.search(cast.alice.get(path).text), "it was left empty"
    page = cast.alice.get(f"/submission/details/?id={form.id}").text_only
    assert page.count("due by 2") == 3 and "22 November 2026" in page
    assert page.count("once it is submitted") == 2


def test_a_figure_says_since_when_it_counts(cast, school):
    _form, section, _asked = audit(school.alice)
    page = cast.alice.get(f"/submission-section/edit/?id={section.id}").text_only
    assert "today, as you see the records" in page and "over the last 12 months" not in page
