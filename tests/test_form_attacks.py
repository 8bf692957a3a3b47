"""Attacks on forms: IT, the adult whom a concern is about, whoever presses at the wrong moment."""

import re
from functools import partial

import pytest

from models import (
    Event,
    Notice,
    Proposal,
    Question,
    Reader,
    Refused,
    Right,
    Role,
    Submission,
    Task,
    Template,
    User,
    UserRole,
    db,
    visible,
)
from models.case import shipped
from models.case.figures import count
from models.case.incident import ABOUT

from .conftest import fits, report, through
from .test_submission import TOML, bicycle, filled, ids, of

FIGURES = partial(count, visible=visible)
WHO_BEGINS, FIRST_TITLE = 'begins = ["Staff", "DSL"]', 'title = "The bicycle"'
SPOKES = 'text = "How many spokes?"'
LATEST = "template_id = (SELECT max(id) FROM template)"
OF_INCIDENT = TOML.replace('stands_on = "nothing"', 'stands_on = "incident"').replace(
    'key = "thought"\ntext = "What does the head think?"\nkind = "long text"',
    'key = "thought"\ntext = "What is to be done?"\nkind = "table of rows"\n'
    'options = "What | long text\\nWho | person\\nBy when | date"\ntask = true',
)


@pytest.fixture
def bike(school):
    return bicycle(school)


def in_force(text, by):
    template = shipped.read(text, by)
    Template.update(in_force=True).where(Template.id == template.id).execute()
    return Template.get_by_id(template.id)


def concern(school):
    """Dina's concern about Alice, who is Level 5 and reads no such form."""
    template = Template.get(Template.prefix == "LLC", Template.in_force)
    return Submission.begin(template, school.dina, about=school.alice)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (WHO_BEGINS, "begins = 5"),
        (WHO_BEGINS, "begins = [1, {a = 1}, [2]]"),
        (FIRST_TITLE, ""),
        (FIRST_TITLE, "title = [5]"),
        (FIRST_TITLE, f'title = "{"x" * 121}"'),
        (FIRST_TITLE, f'{FIRST_TITLE}\nshows = "everything"'),
        (FIRST_TITLE, f"{FIRST_TITLE}\nhelp = 2026-01-01"),
        ("restricted = true", 'restricted = "no"'),
        (SPOKES, f'text = "{"x" * 301}"'),
        (SPOKES, f'{SPOKES}\nsource = "{"x" * 201}"'),
        (SPOKES, f"{SPOKES}\ndepends_on = [1]"),
        (SPOKES, f"{SPOKES}\ndepends_on = {{a = 1}}"),
        (SPOKES, 'text = "How \\u0000 many?"'),
        ("Bicycle check", "Bicycle \\u0000 check"),
        ("Bicycle check", "Bicycle \\u202e check"),
        ('edition = "1"', f"due_days = {'9' * 5000}"),
        ('stands_on = "nothing"', f"due_days = {'9' * 30}"),
        ('name = "Bicycle check"', f"name = {'[' * 100_000}"),
    ],
)
def test_ira_imports_what_no_template_is_and_is_told_so(cast, school, old, new):
    """A sentence, and what she pasted; never a page that broke, nor half a template."""
    assert old in TOML
    before = Template.select().count(), Right.select().count()
    cast.ira.get("/template/import/")
    page = cast.ira.post("/template/import/", {"text": TOML.replace(old, new, 1)})
    assert page.status_code == 422 and "Nothing was saved" in page.text_only
    assert "spokes" in page.text, "what was pasted is back"
    assert before == (Template.select().count(), Right.select().count())


def test_nobody_learns_from_asking_also_that_there_is_a_form(cast, school):
    """Not IT, whose file only bears the same letters, nor the Level 5 whom the concern is about."""
    mine = TOML.replace('prefix = "BIKE"', 'prefix = "LLC"').replace(
        'stands_on = "nothing"', 'stands_on = "adult"'
    )
    outside = shipped.read(mine, school.ira)
    real = Template.get(Template.prefix == "LLC", Template.in_force)
    said = []

    def press():
        for person, template in ((cast.ira, outside), (cast.ira, real), (cast.alice, real)):
            person.get(f"/template/details/?id={template.id}")
            page = person.post("/template/ask-also/", {"rowid": template.id})
            said.append(re.search(r'<p class="flash.*?</p>', page.text, re.S).group())

    press()
    form = concern(school)
    section = real.sections_asked()[0][0]
    Question.create(section=section, position=99, text="Who else saw it?", kind="short text")
    press()
    asked = [one["text"] for one in Submission.get_by_id(form.id).sections()[0].questions]
    assert asked[-1] == "Who else saw it?"
    assert said[:3] == said[3:], "the same, whether there is a form or none"
    assert form.reference not in cast.alice.get("/event/").text
    assert form.reference not in cast.alice.get(f"/template/details/?id={real.id}").text


def test_it_asks_nothing_of_open_forms_with_what_is_not_in_force(school):
    form = concern(school)
    title = form.sections()[0].title
    mine = TOML.replace('prefix = "BIKE"', 'prefix = "LLC"').replace("The bicycle", title)
    mine = mine.replace('stands_on = "nothing"', 'stands_on = "adult"')
    with pytest.raises(Refused, match="in force"):
        Submission.ask_also(shipped.read(mine, school.ira), school.ira)
    asked = [one["text"] for one in Submission.get_by_id(form.id).sections()[0].questions]
    assert "How many spokes?" not in asked


def test_the_history_tells_the_adult_nothing_of_a_concern(cast, school):
    """Alice, Level 5, reads all the history: with a signed concern about her it is the same."""
    known = cast.alice.get("/event/").text_only
    before = {event.id for event in visible(Event, school.alice)}
    form = concern(school)
    form = through(form, school.dina, None)
    for section in form.sections():
        if section.after:
            given = {
                question["id"]: question["choices"][0] if question["choices"] else "It was weighed."
                for question in section.questions
                if question["required"] and question["kind"] not in ("date", "date and time")
            }
            given |= {
                question["id"]: "2026-11-20"
                if question["kind"] == "date"
                else "2026-11-20T10:00:00+00:00"
                for question in section.questions
                if question["required"] and question["kind"] in ("date", "date and time")
            }
            form.fill_in(section, given, school.bob)
    form = Submission.get_by_id(form.id)
    form.sign(by=school.bob)
    assert form.status == "complete"
    more = [one for one in visible(Event, school.alice) if one.id not in before]
    assert [one.verb for one in more if form.reference in one.payload] == []
    assert [one.verb for one in more if one.subject in ("document", "submission")] == []
    assert form.reference not in known + cast.alice.get("/event/").text


def test_a_row_that_names_the_adult_is_no_task_of_theirs(cast, school):
    """In a restricted section of a form of an incident that is about Mark: he is told nothing."""
    template = in_force(OF_INCIDENT, school.alice)
    incident = report(school, by=school.dina, adults=[(school.mark, ABOUT)])
    form = Submission.begin(template, school.alice, incident=incident)
    asked = ids(form)
    form.fill_in(of(form, "The bicycle"), {asked["colour"]: "Red"}, school.alice)
    rows = [{"What": "Ask him where he was", "Who": school.mark.label, "By when": "2030-01-04"}]
    form.fill_in(of(form, "For the head alone"), {asked["thought"]: rows}, school.bob)
    form = Submission.get_by_id(form.id)
    form.submit(by=school.alice, figures=FIGURES)
    task = Task.get(Task.what == "Ask him where he was")
    assert task.owner != school.mark and not visible(Task, school.mark).exists()
    assert (
        not Notice.select()
        .where(Notice.user == school.mark, Notice.event > 0)
        .join(Event)
        .where(Event.subject == "task")
        .exists()
    )
    Task.update(owner=school.mark).where(Task.id == task.id).execute()  # named only later
    assert not visible(Task, school.mark).exists()
    assert cast.mark.get(f"/task/details/?id={task.id}").status_code == 404
    assert "Ask him" not in cast.mark.get("/").text + cast.mark.get("/task/").text


def test_nobody_names_the_adult_for_a_form_of_their_incident(school):
    template = in_force(OF_INCIDENT, school.alice)
    incident = report(school, by=school.dina, adults=[(school.mark, ABOUT)])
    form = Submission.begin(template, school.alice, incident=incident)
    with pytest.raises(Refused) as refused:
        form.name(school.mark, school.alice)
    assert "cannot be named" in refused.value.errors["person"] and not Reader.select().exists()


def test_a_form_about_an_adult_tells_nobody_who_begins_another(school):
    """One at a time would tell Bob, beginning one about himself, that there is one."""
    template = Template.get(Template.prefix == "LLC", Template.in_force)
    template.how_many = "one at a time"
    with pytest.raises(Refused) as refused:
        template.check()
    assert "how_many" in refused.value.errors


@pytest.mark.parametrize(
    "name", ["Mr Adeyemi", "B. Adeyemi", "adeyemi, the head", "Head teacher", "the head", "Bob"]
)
def test_an_adult_with_an_account_is_chosen_by_it_however_they_are_written(school, name):
    """Else the head would read what is written of “the head”."""
    template = Template.get(Template.prefix == "LLC", Template.in_force)
    with pytest.raises(Refused) as refused:
        Submission.begin(template, school.dina, about_name=name)
    assert "choose it above" in refused.value.errors["about_name"]
    Submission.begin(template, school.dina, about_name="Wren Adeyemi, coach")


def test_who_signs_a_form_in_use_is_not_for_it_to_change(school, bike):
    wanted = Right.of(bike)
    for signs in ([], wanted["signs"][:1], wanted["signs"][::-1]):
        Right.give(bike, wanted | {"signs": signs}, school.ira)
        assert Right.of(bike) == wanted, "it waits for a Level 5"
    asked = [one.given()[-1] for one in Proposal.select().order_by(Proposal.id)]
    assert asked == [
        ("Signatures", ["nobody signs it any more"]),
        ("Signatures", ["DSL"]),
        ("Signatures", ["Head, then DSL"]),
    ]
    Proposal.get().approve(by=school.bob)
    assert Right.of(bike)["signs"] == []
    Right.give(bike, wanted | {"signs": wanted["signs"][1:]}, school.alice)
    assert Right.of(bike)["signs"] == wanted["signs"][1:]


def test_who_signs_signs_what_is_there_now(school, bike):
    """Bob's page is open when the form is returned, changed and submitted again: he signs neither
    in Alice's place nor as the last.
    """
    form = filled(bike, school.dave)
    form.submit(by=school.dave, figures=FIGURES)
    form.sign(by=school.alice)
    form.name(school.mark, school.alice, does="reviews")
    opened = Submission.get_by_id(form.id)
    Submission.get_by_id(form.id).send_back("Count again.", by=school.mark)
    Submission.get_by_id(form.id).submit(by=school.dave, figures=FIGURES)
    with pytest.raises(Refused):
        opened.sign(by=school.bob)
    form = Submission.get_by_id(form.id)
    assert form.status == "submitted" and form.signatures() == []
    form.sign(by=school.alice)
    Submission.get_by_id(form.id).sign(by=school.bob)
    assert Submission.get_by_id(form.id).status == "complete"


def test_what_a_colleague_saved_meanwhile_is_not_lost(school, bike):
    """Dave's page was read before Alice saved: neither his save nor his submitting undoes hers."""
    form = filled(bike, school.dave)
    asked, section = ids(form), of(form, "The bicycle")
    stale = Submission.get_by_id(form.id)
    old = of(stale, "The bicycle")
    other = Submission.get_by_id(form.id)
    other.fill_in(of(other, "The bicycle"), {asked["comment"]: "Well looked after."}, school.bob)
    stale.fill_in(old, old.answers, school.dave)
    kept = of(Submission.get_by_id(form.id), "The bicycle").answers
    assert kept[asked["comment"]] == "Well looked after.", "for whoever reviews it, not for Dave"
    stale = Submission.get_by_id(form.id)
    assert section in stale.sections()
    other = Submission.get_by_id(form.id)
    answers = of(other, "The bicycle").answers | {asked["spokes"]: "32"}
    other.fill_in(of(other, "The bicycle"), answers, school.alice)
    stale.submit(by=school.dave, figures=FIGURES)
    kept = of(Submission.get_by_id(form.id), "The bicycle").answers
    assert (kept[asked["spokes"]], kept[asked["seen"]]) == ("32", "0")


def test_a_section_of_another_form_is_not_filled_in_through_ones_own(school, bike):
    mine, theirs = filled(bike, school.dave), filled(bike, school.alice)
    section = of(theirs, "The bicycle")
    with pytest.raises(Refused, match="Nothing was saved"):
        mine.fill_in(section, {ids(theirs)["spokes"]: "1"}, school.dave)
    assert of(Submission.get_by_id(theirs.id), "The bicycle").answers[ids(theirs)["spokes"]] == "36"


def test_the_public_reads_no_name_that_is_turned_round_or_broken(school, bike):
    text = TOML.replace("Bicycle check", "Open check").replace("BIKE", "OPEN")
    text = text.replace('key = "came"', 'key = "came"\npublic = true').replace("after = true\n", "")
    template = in_force(text, school.alice)
    for said in ("Łukasiewicz, Zofia", "Zo\u00adfia Lukasiewicz", "ZOFIA  ŁUKASIEWICZ’s bicycle"):
        form = Submission.begin(template, school.alice)
        asked = ids(form)
        form.fill_in(of(form, "Afterwards"), {asked["came"]: said}, school.alice)
        assert Submission.get_by_id(form.id).named_in_public() == ["Zofia Łukasiewicz"], said


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE submission_section SET answers = '{}' WHERE position = 1",
        "UPDATE submission_section SET title = 'Other'",
        "UPDATE submission_section SET questions = '[]'",
        "UPDATE submission SET status = 'open'",
        "UPDATE submission SET turn = 7",
        "UPDATE submission SET begun_by_id = 1",
        "UPDATE submission SET about_name = 'Another'",
        "UPDATE signature SET by_id = 1",
        "UPDATE signature SET at = '2020-01-01 00:00:00'",
        "DELETE FROM signature",
        "UPDATE reader SET user_id = 1",
        "UPDATE reader SET until = '2099-01-01 00:00:00'",
        f"UPDATE \"right\" SET does = 'stands in' WHERE does = 'begins' AND {LATEST}",
        f"UPDATE \"right\" SET role_id = 1 WHERE does = 'signs' AND position = 1 AND {LATEST}",
        "UPDATE document SET words = 'Nothing' WHERE id = (SELECT max(id) FROM document)",
        "UPDATE question SET public = 1",
        "UPDATE template_section SET restricted = 0",
    ],
)
@pytest.mark.only("sqlite")
def test_the_thief_with_the_database_is_noticed(school, bike, change):
    Event.write("template:edit", bike, None)  # put in force by the fixture alone
    form = filled(bike, school.dave)
    form.name(school.mark, school.alice)
    form.submit(by=school.dave, figures=FIGURES)
    form.sign(by=school.alice)
    form.sign(by=school.bob)
    fits()
    for (name,) in list(db.execute_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")):
        db.execute_sql(f'DROP TRIGGER "{name}"')
    db.execute_sql(change)
    with pytest.raises(Refused):
        fits()


def test_a_signer_of_another_turn_and_a_leaver_are_refused(school, bike):
    """Each verb at the wrong moment, by the wrong person, and by who has left."""
    form = filled(bike, school.dave)
    chair = User.create(name="Ann Out", email="out@thornley.example", active=False)
    UserRole.create(user=chair, role=Role.get(Role.name == "DSL"))
    assert not visible(Submission, chair).exists() and chair not in form.recipients()
    for press in (
        lambda: form.sign(by=school.alice),
        lambda: form.send_back("No.", by=school.bob),
        lambda: form.submit(by=school.dina),
        lambda: form.submit(by=school.ira),
    ):
        with pytest.raises(Refused):
            press()
    assert Submission.get_by_id(form.id).status == "open"


def test_nobody_signs_words_that_changed_while_they_looked(cast, school, bike):
    form = through(filled(bike, school.alice), school.alice, None)
    cast.alice.press("submission:sign", form)
    page = cast.bob.get(f"/submission/details/?id={form.id}").text
    seen = re.search(r'name="seen"[^>]* value="([^"]+)"', page)[1]
    again = Submission.get_by_id(form.id)
    again.send_back(reason="Count the spokes again.", by=school.bob)  # at another desk of his
    again = Submission.get_by_id(form.id)
    asked = ids(again)
    again.fill_in(of(again, "The bicycle"), {asked["spokes"]: "12"}, school.alice)
    through(Submission.get_by_id(form.id), school.alice, school.alice)
    page = cast.bob.press("submission:sign", form, seen=seen)
    assert "changed while you were looking at it" in page.text_only
    assert len(Submission.get_by_id(form.id).signatures()) == 1
    cast.bob.press("submission:sign", form, seen="")
    assert len(Submission.get_by_id(form.id).signatures()) == 1
    cast.bob.press("submission:sign", form)
    assert Submission.get_by_id(form.id).status == "complete"


def test_a_clock_from_the_last_day_of_all_stops_no_page(cast, school):
    restraint = Template.get(Template.prefix == "RES")
    form = Submission.begin(restraint, school.carol, incident=report(school))
    section, began = next(
        (section, one)
        for section in form.sections()
        for one in section.questions
        if one["kind"] == "date and time" and not one.get("within")
    )
    for moment in ("31/12/9999 23:50", "01/01/0001 00:10"):
        page = cast.carol.get(f"/submission-section/edit/?id={section.id}").text
        sent = dict(re.findall(r'name="(version|opened)" value="([^"]*)"', page))
        page = cast.carol.post(
            f"/submission-section/edit/?id={section.id}", sent | {f"q{began['id']}": moment}
        )
        assert page.status_code in (200, 422), moment
        for path in (f"/submission/details/?id={form.id}", "/submission/", "/"):
            assert cast.carol.get(path).status_code == 200, (moment, path)
