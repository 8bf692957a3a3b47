"""Contacts: recorded, answered, gone up with, concluded; shut to the adult whom it is about and to
a relative among the staff.
"""

import re
from datetime import timedelta

import pytest

from admin_views.contact import ContactView
from models import (
    Case,
    Contact,
    Escalation,
    Event,
    Incident,
    Log,
    Pack,
    Profile,
    Refused,
    Relation,
    Role,
    Share,
    Task,
    User,
    visible,
)
from models.case.incident import ABOUT
from models.ground.clock import at, now
from models.ground.words import clock

from .conftest import contact, referral, report, triage
from .test_queries import counted

FORM = {
    "body": "MASH", "kind": "Referral", "direction": "We told them", "person": "Ann Pryce, duty social worker", "at": "2026-03-04T10:15",
    "how": "Telephone", "shared": "The mark, and what she said.", "ground": "Public task", "asked": "MASH",
}  # fmt: skip


@pytest.fixture
def mash(school, incident):
    return contact(school, incident, body="MASH", kind="Referral", person="Ann Pryce")


@pytest.mark.both
def test_a_contact_from_the_incident_to_its_outcome_in_the_browser(cast, school, incident):
    carol = cast.carol
    page = carol.get(f"/incident/details/?id={incident.id}")
    assert (
        f"/contact/new/?incident={incident.id}" in page.text and "Add a contact" in page.text_only
    )
    path = f"/contact/new/?incident={incident.id}"
    page = carol.post(path, {"more": "body", "body": "MASH", "person": "Ann"})
    assert "Is a parent aware, and do they agree?" in page.text_only, "MASH’s form asks more"
    assert 'value="Ann"' in page.text and not Contact.select().exists(), "nothing is lost or saved"
    page = carol.post(path, FORM | {"asked": ""})
    assert page.status_code == 422 and "MASH asks more" in page.text_only
    page = carol.post(path, FORM | {"q9": "The mark is on the wrist.", "q12": "High"})
    assert "MASH" in page.text_only and "no answer" in page.text_only, "it waits, and is late"
    made = Contact.get()
    assert (made.status, made.recorded_by, made.body) == ("waiting", school.carol, "MASH")
    assert ("Risk", "High") in made.answered()
    assert Event.last(made, "contact:add").by == school.carol
    page = carol.get(f"/contact/details/?id={made.id}")
    assert "The mark is on the wrist." in page.text_only and "Chase the duty desk" in page.text_only
    page = carol.press(
        "contact:acknowledge", made, at="2026-03-04T16:00", answer="They assess within ten days."
    )
    assert "They assess within ten days." in page.text_only
    page = carol.press("contact:conclude", made, outcome="A child in need plan.")
    assert "A child in need plan." in page.text_only and Contact.get().status == "concluded"
    assert Event.last(made, "contact:conclude").detail["changed"]["status"] == [
        "acknowledged",
        "concluded",
    ]


STEPS = {
    "contact:acknowledge": ({"at": "today 00:00", "answer": "Received."}, "acknowledged"),
    "contact:escalate": (
        {"whom": "Tom Reed, team manager", "what": "Nobody rang back."},
        "waiting",
    ),
    "contact:conclude": ({"outcome": "No further action by them."}, "concluded"),
}


@pytest.mark.parametrize("verb", STEPS)
def test_each_step_works_and_not_for_the_wrong_person_moment_or_twice(verb, cast, school, incident):
    typed, after = STEPS[verb]
    made = contact(
        school, incident, body="MASH", kind="Referral", at=now() - timedelta(days=9)
    )  # with the first rung long due
    cast.dave.get("/")
    assert cast.dave.press(verb, made, **typed).status_code == 403, "who reported it may not"
    assert cast.dave.get(f"/contact/details/?id={made.id}").status_code == 403
    assert Contact.get().status == "waiting"
    cast.carol.get("/")
    assert cast.carol.press(verb, made, **dict.fromkeys(typed, "")).status_code == 422
    assert cast.carol.press(verb, made, **typed).status_code == 200
    assert Contact.get().status == after and Event.last(made, verb).by == school.carol
    again = cast.carol.press(verb, made, **typed)
    if verb == "contact:escalate":
        assert Escalation.select().count() == 2, "pressed again it is another rung"
        Contact.get().conclude(outcome="Done.", by=school.alice)
        again = cast.carol.press(verb, made, whom="Somebody", what="Too late")
    assert again.status_code in (409, 200)
    done = contact(school, incident, person="Another").conclude(outcome="Done.", by=school.alice)
    cast.carol.get("/")
    late = cast.carol.press(verb, done, **{name: f"{text}" for name, text in typed.items()})
    assert late.status_code == 409 and "only while it is" in late.text_only
    assert all(text in late.text for name, text in typed.items() if name != "at"), "given back"


@pytest.mark.parametrize(
    "given, field",
    [
        ({"at": now() + timedelta(days=1)}, "at"),
        ({"ground": None}, "ground"),
        ({"shared": None}, "shared"),
        ({"shared": None, "ground": None}, "shared"),
    ],
)
def test_what_contradicts_itself_is_refused(school, incident, given, field):
    with pytest.raises(Refused) as refused:
        contact(school, incident, **given)
    assert field in refused.value.errors and not Contact.select().exists()


def test_why_nothing_was_shared_is_a_record_too(school, incident):
    kept = "The mother asked for time, and the child is safe."
    made = contact(school, incident, shared=None, ground=None, not_shared=kept)
    assert made.not_shared == kept and made.status == "noted"
    heard = contact(school, incident, direction="They told us", shared=None, ground=None)
    assert heard.status == "noted", "what they told us needs no ground"


def test_an_acknowledgement_is_neither_before_the_contact_nor_ahead(school, mash):
    for when in (mash.at - timedelta(hours=1), now() + timedelta(hours=1)):
        with pytest.raises(Refused) as refused:
            mash.acknowledge(at=when, answer=None, by=school.carol)
        assert "at" in refused.value.errors
    assert Contact.get().status == "waiting"


def test_the_ladder_rung_by_rung(cast, school, mash):
    first, due = mash.awaited.rung, mash.awaited.due_at
    assert first.what == "Chase the duty desk" and due > now()
    assert "has not answered" not in cast.carol.get("/").text_only
    with at(due + timedelta(hours=2)):
        home = cast.alice.get("/").text_only
        assert "MASH has not answered: Chase the duty desk" in home and "2 h late" in home
        page = cast.alice.get(f"/contact/details/?id={mash.id}")
        assert "No answer came by" in page.text_only and 'chip late">no answer' in page.text
        page = cast.alice.get(f"/incident/details/?id={mash.incident_id}")
        assert "no answer, 2 h late" in page.text_only
        assert 'chip late">waiting, 2 h late' in cast.alice.get("/contact/").text
        mash.escalate(whom="Duty desk", what="They look into it.", by=school.carol)
        assert Contact.get().awaited.rung.what == "Ask for the team manager"
        assert Escalation.get().rung == "Chase the duty desk"
        assert "has not answered" not in cast.alice.get("/").text_only, "until the next is due"
    with at(now() + timedelta(days=30)):
        for _rung in range(2):
            Contact.get().escalate(whom="Manager", what="…", by=school.carol)
        assert Contact.get().awaited is None, "there is no step above the last"
        assert "has not answered" not in cast.mark.get("/").text_only
    answered = contact(school, mash.incident, body="MASH", kind="Referral")
    answered.acknowledge(at=now(), answer=None, by=school.carol)
    assert answered.awaited is None, "an answer stops it"
    answered.escalate(whom="Service manager", what="We disagree.", by=school.carol)
    assert Contact.get_by_id(answered.id).status == "acknowledged", "one may disagree with it"


def test_one_chooses_which_step_of_the_ladder_and_those_left_out_are_not_marked(cast, school, mash):
    path = f"/contact/details/?id={mash.id}"
    page = cast.carol.get(path)
    chosen = re.findall(r'value="(\d?)" checked>\s+([^<]+)</label>', page.text)
    assert ("1", "Step 1: Chase the duty desk") in [(id, " ".join(w.split())) for id, w in chosen]
    assert "rung" not in page.text_only.lower(), "nobody says rung"
    first, second = mash.steps[:2]
    assert f"after 1 working day: {clock(first.due_at)}" in page.text_only
    typed = {"whom": "Tom Reed", "what": "He refuses."}
    page = cast.carol.press("contact:escalate", mash, level="2", **typed)
    assert Escalation.get().rung == "Ask for the team manager"
    said = "If no answer comes: Service manager, by the partnership’s escalation policy, due"
    assert said in page.text_only
    assert '<li class="done">Step 2: Ask for the team manager' in page.text
    assert '<li class="done">Step 1' not in page.text, "nobody went there"
    assert "after 1 working day, left out" in page.text_only
    assert 'name="level" value="3" checked' in " ".join(page.text.split()), "the next one"
    row = ContactView.joined(None, Contact.select()).get()
    assert row.climbed == 2 and row.next_step.id == 3, "the list says the same"
    page = cast.carol.press("contact:escalate", mash, level="9", **typed)
    assert page.status_code == 422 and Escalation.select().count() == 1
    cast.carol.press("contact:escalate", mash, level="", **typed)
    assert Contact.get().next_step.id == 3, "somebody on no step of it leads to no other"
    cast.carol.press("contact:escalate", mash, level="1", **typed)
    assert Contact.get().next_step.id == 3, "nor does one that was left out"
    page = cast.carol.press("contact:escalate", mash, **typed)
    assert "No date: the last step for MASH was taken." in page.text_only


def test_after_an_acknowledgement_it_says_why_no_step_has_a_date(cast, school, mash):
    cast.carol.get("/")
    page = cast.carol.press("contact:acknowledge", mash, at="now", answer="")
    assert page.text_only.count("No date: MASH acknowledged it on") == 2, "said, and on the page"
    bare = contact(school, mash.incident, body="DBS", kind="Referral")
    page = cast.carol.press("contact:acknowledge", bare, at="now", answer="")
    assert "No date: no steps are written down for DBS." in page.text_only


def test_rungs_from_before_steps_were_chosen_are_counted(school, mash):
    for _rung in range(2):
        Escalation.create(
            incident=mash.incident, contact=mash, by=school.carol, at=now(), whom="A", what="B"
        )
    assert mash.next_step.id == 3


def test_bodies_are_apart_from_the_records_with_a_clock(cast, school, incident):
    page = cast.carol.get(f"/contact/new/?incident={incident.id}").text
    bodies, records = (part.split("</optgroup>")[0] for part in page.split("<optgroup ")[1:])
    assert 'label="Bodies and people"' in bodies and 'label="Records with a clock"' in records
    for name in ("MASH", "Police", "DBS", "Key adult in school"):
        assert f">{name}</option>" in bodies, name
    for name in ("Missing child", "Restraint: the record", "Return-home interview"):
        assert f">{name}</option>" in records and f">{name}</option>" not in bodies, name
    Profile.update(own_record=None).execute()  # as a school that had them before
    assert "Missing child" not in Profile.grouped()["Bodies and people"]
    Profile.update(own_record=False).where(Profile.name == "Missing child").execute()
    assert "Missing child" in Profile.grouped()["Bodies and people"], "the school says"
    assert "Consistent identifier" not in page, "the law has yet to name it"
    made = contact(school, incident, identifier="X-1")
    assert "X-1" in cast.carol.get(f"/contact/details/?id={made.id}").text


def test_the_questions_are_kept_as_they_were_asked(school, incident):
    made = contact(
        school,
        incident,
        body="Police",
        kind="Referral",
        answers={"1": "CR/1", "99": "nobody asked"},
    )
    profile = Profile.get(Profile.name == "Police")
    profile.questions, profile.ladder = "Another question", ""
    profile.save()
    fresh = Contact.get_by_id(made.id)
    assert fresh.answered() == [("Police reference", "CR/1")] and len(fresh.ladder) == 3


def test_a_body_is_edited_in_the_panel(cast, school, incident):
    mash = Profile.get(Profile.name == "MASH")
    page = cast.alice.get(f"/profile/edit/?id={mash.id}")
    assert "Chase the duty desk" in page.text
    form = {
        "name": "MASH",
        "questions": "Ours? | yes/no",
        "position": "1",
        "retired": "no",
        "version": "1",
    }
    page = cast.alice.post(f"/profile/edit/?id={mash.id}", form | {"ladder": "tomorrow, ring"})
    assert page.status_code == 422 and "“tomorrow, ring” is no step" in page.text_only
    page = cast.alice.post(
        f"/profile/edit/?id={mash.id}",
        form | {"ladder": "1 hour | Ring", "questions": "X | list: no"},
    )
    assert page.status_code == 422 and "There is no list “no”" in page.text_only
    cast.alice.post(f"/profile/edit/?id={mash.id}", form | {"ladder": "4 hours | Ring"})
    assert Event.last(mash, "profile:edit").by == school.alice
    page = cast.carol.get(f"/contact/new/?incident={incident.id}&body=MASH")
    assert "Ours?" in page.text_only and "Risk" not in page.text_only
    assert cast.carol.get("/profile/").status_code == 403


def test_a_case_does_not_close_over_a_referral_without_an_outcome(school, incident):
    triage(school, incident, opens=True)
    case = Case.get()
    made = referral(school, incident)
    contact(school, incident)
    lacks = [text for text, record, _anchor in case.missing() if record == made]
    assert lacks == ["Referral to MASH: its outcome"]
    Contact.get_by_id(made.id).conclude(outcome="They assess.", by=school.carol)
    assert not [one for one in case.missing() if isinstance(one[1], Contact)]


def test_a_case_shows_the_contacts_of_all_its_incidents(cast, school, incident):
    triage(school, incident, opens=True)
    case, second = Case.get(), report(school)
    Case.add(second, case, "Also.", school.carol)
    contact(school, second, person="Grace Hill, mother")
    view = school.app.view_functions["contact.index_view"].__self__
    with cast.carol.client as client:
        client.get("/account/")
        card = view.card("case", case)
    assert [one.person for one in card["contacts"]] == ["Grace Hill, mother"]
    assert card["several"] and card["incident"] == incident.id


def test_of_a_case_somebody_sees_what_is_of_the_incidents_that_they_see(cast, school, incident):
    """Connor follows cases and contacts, and one incident of two is shared with him."""
    role = Role.get(Role.name == "Contributor")
    role.permissions = [*role.permissions, "case:read", "contact:read"]
    role.save()
    triage(school, incident, opens=True)
    second = report(school, intervention=True)
    Case.add(second, Case.get(), "Also.", school.carol)
    referral(school, second, at=now() - timedelta(days=9))
    Share.share(incident, school.connor, "He drives her home.", school.mark)
    view = school.app.view_functions["contact.index_view"].__self__
    with cast.connor.client as client:
        client.get("/account/")
        assert view.card("case", Case.get()) is None, "neither contacts nor duties of the other"
    Share.share(second, school.connor, "Her, too.", school.mark)
    with cast.connor.client as client:
        client.get("/account/")
        card = view.card("case", Case.get())
        assert len(card["contacts"]) == 1 and len(card["open"]) == 4 and not card["adds"]
    assert "has not answered" not in cast.connor.get("/").text, "it is for those who record"
    assert "has not answered" in cast.carol.get("/").text


DOORS = ["/contact/", "/contact/?search=pryce", "/", "/incident/", "/notice/"]


def shut(cast, school, person, made):
    """Nothing of a contact, its rungs and its packs comes through any door to `person`."""
    who = getattr(cast, person)
    user = getattr(school, person)
    for model in (Contact, Escalation, Pack):
        assert not visible(model, user).exists() and visible(model, school.alice).exists()
    for path in DOORS:
        text = who.get(path).text
        assert "Pryce" not in text and made.incident.reference not in text, path
    pack = Pack.get()
    for path in (
        f"/contact/details/?id={made.id}",
        f"/contact/copy/?id={pack.id}",
        f"/contact/new/?incident={made.incident_id}",
    ):
        assert who.get(path).status_code == 404, path
    who.get("/")
    for verb, (typed, _after) in STEPS.items():
        assert who.press(verb, made, **typed).status_code == 404, verb
    sent = who.press("contact:pack", made, recipient="Me", asked="All of it")
    assert sent.status_code == 404 and Pack.select().count() == 1


def test_the_adult_whom_it_is_about_sees_none_of_it(cast, school):
    incident = report(school, adults=[(school.bob, ABOUT)])
    shut(cast, school, "bob", referral(school, incident, at=now() - timedelta(days=5)))


def test_a_relative_among_the_staff_sees_none_of_it(cast, school, incident):
    made = referral(school, incident, at=now() - timedelta(days=5))
    assert visible(Contact, User.get_by_id(school.mark.id)).exists()
    Relation.relate(school.child, school.alice, kind="Father", user=school.mark)
    shut(cast, school, "mark", made)


def test_whoever_reported_it_does_not_follow_who_was_told(cast, school, incident):
    made = referral(school, incident)
    page = cast.dave.get(f"/incident/details/?id={incident.id}")
    assert page.status_code == 200 and "Pryce" not in page.text and "Contacts" not in page.text
    assert not visible(Contact, school.dave).exists()
    assert cast.dave.get(f"/contact/copy/?id={Pack.get().id}").status_code == 403
    assert cast.dave.get(f"/contact/details/?id={made.id}").status_code == 403


def test_an_enquiry_that_is_opened_makes_one_task_and_its_end_does_it(school, log):
    log.edit(school.carol, enquiry="Opened")
    task = Task.get()
    assert task.what == "Tell Ofsted the conclusion of the enquiry" and task.owner == school.carol
    assert task.due_on > now().date() + timedelta(days=15), "15 working days are three weeks"
    log = Log.get()
    log.edit(school.carol, enquiry="None")
    Log.get().edit(school.alice, enquiry="Opened")
    assert Task.select().count() == 1, "once"
    Log.get().edit(school.alice, enquiry="Concluded", enquiry_outcome="No continuing risk.")
    task = Task.get()
    assert (task.status, task.effect) == ("done", "No continuing risk.")
    assert Event.last(task, "task:done").by == school.alice


def test_the_list_and_the_pages_cost_the_same_however_many(cast, school, incident):
    costs = []
    pages = ("/", "/contact/", f"/incident/details/?id={incident.id}")
    for rows in (1, 12):
        for _row in range(rows):
            made = referral(school, incident, at=now() - timedelta(days=5))
        one = f"/contact/details/?id={made.id}"
        for page in (*pages, one):
            cast.carol.get(page)
            with counted() as statements:
                assert cast.carol.get(page).status_code == 200
            costs.append(len(statements))
    assert costs[:4] == costs[4:], costs


@pytest.mark.only("sqlite")
@pytest.mark.parametrize("column", ["questions", "answers", "ladder"])
def test_a_damaged_contact_stops_no_page(cast, school, mash, column):
    from models import db
    from models.ground import keeps

    cast.carol.get("/")
    keeps.loosen(db.obj)
    db.execute_sql(f"UPDATE contact SET {column} = ?", ["[{"])
    keeps.guard(db.obj)
    for page in ("contact", "incident"):
        record = mash.id if page == "contact" else mash.incident_id
        assert cast.carol.get(f"/{page}/details/?id={record}").status_code == 200
    for page in ("/", "/contact/"):
        assert cast.carol.get(page).status_code == 200


def test_nothing_of_a_contact_changes_once_it_is_submitted(school, mash):
    from peewee import DatabaseError

    from models import db

    for column in ("person", "shared", "questions", "recorded_by"):
        with pytest.raises(DatabaseError, match="never changes"), db.atomic():
            Contact.update({column: getattr(mash, column)}).execute()
    assert Incident.get().contacts.count() == 1


def test_the_history_vouches_for_its_rungs_and_packs(school, incident):
    told = referral(school, incident)
    nouns = [row.noun() for row in told.parts()]
    assert nouns == ["contact", "escalation", "pack"], "another order is not the digests of before"
