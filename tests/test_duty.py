"""Duty notes: when each appears, by when, what does it; working days over Christmas, Easter and a
change of the clocks.
"""

from datetime import UTC, date, datetime, timedelta

import pytest

from admin_views.contact import IN_WRITING
from models import Case, Contact, Duty, Event, Incident, Profile, Relation
from models.case.incident import ABOUT
from models.case.owed import owed
from models.ground.clock import LONDON, at, now
from models.ground.deadlines import after, limit, works

from .conftest import contact, report, triage
from .test_queries import counted


def london(*parts):
    return datetime(*parts, tzinfo=LONDON).astimezone(UTC)


@pytest.mark.parametrize(
    "moment, number, unit, due",
    [
        # Christmas Eve of 2026 is a Thursday; Boxing Day, a Saturday, is kept on the Monday
        ((2026, 12, 24, 15, 0), 1, "working days", (2026, 12, 29, 17, 0)),
        ((2026, 12, 24, 15, 0), 5, "working days", (2027, 1, 5, 17, 0)),
        ((2026, 12, 26, 2, 0), 1, "working days", (2026, 12, 29, 17, 0)),
        # Easter of 2026: Good Friday is 3 April
        ((2026, 4, 2, 16, 0), 1, "working days", (2026, 4, 7, 17, 0)),
        ((2026, 4, 2, 16, 0), 5, "school days", (2026, 4, 13, 17, 0)),
        # a day of the week, and a weekend
        ((2026, 11, 24, 9, 0), 1, "working days", (2026, 11, 25, 17, 0)),
        ((2026, 11, 27, 18, 0), 1, "working days", (2026, 11, 30, 17, 0)),
        # the clocks go back on 25 October, and forward on 29 March: hours are hours
        ((2026, 10, 24, 12, 0), 24, "hours", (2026, 10, 25, 11, 0)),
        ((2026, 3, 28, 12, 0), 24, "hours", (2026, 3, 29, 13, 0)),
        ((2026, 10, 23, 12, 0), 1, "working days", (2026, 10, 26, 17, 0)),
        ((2026, 3, 28, 12, 0), 5, "calendar days", (2026, 4, 2, 23, 59)),
        # before the next school day: at night, on a weekend, and at noon
        ((2026, 11, 24, 1, 40), 1, "school mornings", (2026, 11, 24, 8, 30)),
        ((2026, 11, 24, 12, 0), 1, "school mornings", (2026, 11, 25, 8, 30)),
        ((2026, 11, 28, 1, 40), 1, "school mornings", (2026, 11, 30, 8, 30)),
        ((2026, 12, 24, 23, 0), 1, "school mornings", (2026, 12, 29, 8, 30)),
    ],
)
@pytest.mark.both
def test_after(moment, number, unit, due):
    assert after(london(*moment), number, unit) == london(*due)


def test_england_works_when_england_works():
    assert not works(date(2026, 5, 25)), "the spring bank holiday"
    assert works(date(2026, 3, 17)) and works(date(2026, 11, 30)), "St Patrick’s and St Andrew’s"
    with pytest.raises(LookupError):
        after(now(), 1, "moons")
    assert limit(1, "working days") == "1 working day" and limit(None, None) == "no limit in law"


def stands(incident):
    """{name of the duty: what is owed} on an incident."""
    return {one.duty.key: one for one in owed([Incident.get_by_id(incident.id)])}


def test_fgm_is_reported_to_the_police_by_the_next_working_day(cast, school):
    friday = london(2026, 11, 20, 14, 0)
    with at(friday):
        incident = report(school)
        assert stands(incident) == {}, "nothing before it is triaged"
        triage(school, incident, categories=[(school.child, "Affected", "Honour-based")])
        found = stands(incident)["fgm"]
        assert found.due_at == london(2026, 11, 23, 17, 0) and not found.done
        page = cast.carol.get(f"/incident/details/?id={incident.id}")
        assert "FGM: report to the police" in page.text_only
        assert "The teacher who learned of it, in person" in page.text_only
        assert "Female Genital Mutilation Act 2003" in page.text_only, "with its source"
        assert "FGM" not in cast.carol.get("/").text_only, "not yet among what needs her"
        assert "FGM" not in cast.dave.get(f"/incident/details/?id={incident.id}").text_only, (
            "whoever reported reads no decision, so no note of it"
        )
    with at(london(2026, 11, 24, 9, 0)):
        home = cast.alice.get("/")
        assert "FGM: report to the police" in home.text_only and "16 h late" in home.text_only
        assert f"/contact/new/?incident={incident.id}&amp;body=Police" in home.text
        form = cast.alice.get(f"/contact/new/?incident={incident.id}&body=Police")
        assert "Police reference" in form.text_only
        contact(school, incident, body="Police", kind="Referral", direction="They told us")
        assert not stands(incident)["fgm"].done, "that they told us is no report to them"
        made = contact(school, incident, body="Police", kind="Referral", person="101")
        assert stands(incident)["fgm"].done == made, "derived, and stored nowhere"
        assert "FGM" not in cast.alice.get("/").text_only
        page = cast.alice.get(f"/incident/details/?id={incident.id}").text_only
        assert "Done: FGM: report to the police" in page
    triage(school, incident)
    assert "fgm" not in stands(incident), "the triage in force says something else"


def test_a_note_never_blocks(school, incident):
    triage(school, incident, decision="LADO", opens=True)
    assert "lado" in stands(incident)
    assert not [one for one in Case.get().missing() if "LADO" in one[0]]


def test_an_adult_who_is_named_asks_for_the_lado_until_that_is_withdrawn(school):
    from models import Share
    from models.case.incident import ABOUT

    incident = report(school, adults=[(school.mark, ABOUT)])
    assert "lado" in stands(incident)
    Share.clear_adult(incident, school.mark, "Another person.", school.alice)
    assert "lado" not in stands(incident)


def test_the_three_clocks_of_a_restraint(school):
    moment = london(2026, 10, 24, 12, 0)
    with at(moment):
        incident = report(school, intervention=True)
        found = stands(incident)
    due = {key: one.due_at for key, one in found.items()}
    assert due == {
        "restraint-record": moment + timedelta(hours=24),
        "restraint-review": moment + timedelta(hours=48),
        "restraint-child": london(2026, 10, 29, 23, 59),
    }, "24 hours are 24 hours when the clocks go back"
    contact(school, incident, body="Restraint: the record", kind="Notification")
    assert (
        stands(incident)["restraint-record"].done and not stands(incident)["restraint-child"].done
    )


def test_a_return_home_interview_is_counted_from_the_return(school, incident):
    made = contact(school, incident, body="Missing child")
    assert stands(incident) == {}
    number = next(one["id"] for one in made.questions if "return?" in one["text"])
    moment = now() - timedelta(hours=70)
    contact(school, incident, body="Missing child", answers={number: moment})
    assert stands(incident)["return-home-interview"].due_at == moment + timedelta(hours=72)
    contact(school, incident, body="Return-home interview", kind="Meeting")
    assert stands(incident)["return-home-interview"].done


def test_operation_encompass_before_school_and_the_form_after_a_telephone_call(school, incident):
    with at(london(2026, 11, 28, 9, 0)):
        heard = {"shared": None, "ground": None, "direction": "They told us"}
        contact(school, incident, body="Operation Encompass", kind="Information received", **heard)
        found = stands(incident)
        assert found["operation-encompass"].due_at == london(2026, 11, 30, 8, 30)
        contact(school, incident, body="MASH", kind="Referral")
        found = stands(incident)["marf"]
        assert found.due_at == now() + timedelta(hours=24) and not found.done
        contact(school, incident, body="MASH", kind="Referral", person="Another, rung up")
        assert not stands(incident)["marf"].done, "a second call is no form"
    with at(london(2026, 11, 28, 12, 0)):
        contact(school, incident, body="MASH", kind="Referral", how="Online form or portal")
        assert stands(incident)["marf"].done
        contact(school, incident, body="Key adult in school")
        assert stands(incident)["operation-encompass"].done


def test_what_ends_the_note_after_a_call_is_said_and_begun_with_what_is_known(
    cast, school, incident
):
    with at(london(2026, 11, 25, 9, 0)):
        call = contact(school, incident, body="MASH", kind="Referral", person="Ann Pryce")
        path = f"/incident/details/?id={incident.id}"
        page = cast.carol.get(path)
        ends = "Done once a contact with “MASH” is recorded, in any way but by telephone."
        assert ends in page.text_only
        url = f"/contact/new/?incident={incident.id}&body=MASH&after={call.id}"
        assert url.replace("&", "&amp;") in page.text
        form = cast.carol.get(url)
        for name, value in {"body": "MASH", "kind": "Referral", "how": IN_WRITING}.items():
            chosen = form.text.split(f'name="{name}"', 1)[1].split("</select>")[0]
            assert f'<option selected value="{value}">' in chosen, name
        assert 'value="We told them" checked' in form.text and 'value="Ann Pryce"' in form.text
        sent = {"body": "MASH", "asked": "MASH", "kind": "Referral", "direction": "We told them"}
        sent |= {"person": "Ann Pryce", "at": "now", "how": IN_WRITING, "shared": "The form."}
        page = cast.carol.post(url, sent | {"ground": "Public task"})
        assert stands(incident)["marf"].done and ends not in page.text_only, "which ends it"
        assert "Done: Write the form after a referral by telephone" in page.text_only
        other = report(school, adults=[(school.carol, ABOUT)])
        hidden = contact(school, other, school.alice, body="MASH", kind="Referral")
        assert cast.carol.get(f"{url[:-1]}{hidden.id}").status_code == 404, "through the policy"


def test_a_note_that_no_contact_ends_says_so(school, incident):
    Duty.update(body="").where(Duty.key == "lado").execute()
    triage(school, incident, decision="LADO")
    assert "No contact ends it" in stands(incident)["lado"].ends


def test_a_body_without_a_form_of_its_own_is_filled_in_too(cast, school, incident):
    form = cast.carol.get(f"/contact/new/?incident={incident.id}&body=DBS").text
    assert '<option selected value="DBS">' in form and 'value="We told them" checked' in form


def test_the_file_goes_to_the_next_school_once_for_a_case(school, incident):
    triage(school, incident, opens=True)
    school.child.left_on = date(2026, 11, 20)
    school.child.save()
    assert stands(incident)["cp-file"].due_at == london(2026, 11, 27, 17, 0)
    assert "cp-file" not in stands(report(school)), "with the incident of the case, and no other"


def test_child_sexual_abuse_is_shipped_switched_off(school, incident):
    triage(school, incident, categories=[(school.child, "Affected", "Sexual")])
    duty = Duty.get(Duty.key == "child-sexual-abuse")
    assert not duty.switched_on and stands(incident) == {}
    duty.switched_on = True
    duty.save()
    assert "child-sexual-abuse" in stands(incident)


def test_what_a_duty_came_of_does_not_do_it(school, incident):
    duty = Duty.get(Duty.key == "prevent")
    duty.appears, duty.body = "contact: Police", "Police"
    duty.save()
    contact(school, incident, body="Police", kind="Referral")
    assert not stands(incident)["prevent"].done
    contact(school, incident, body="Police", kind="Referral")
    assert stands(incident)["prevent"].done


def test_a_word_of_the_topic(school):
    duty = Duty.get(Duty.key == "prevent")
    duty.appears = "topic: SLOGAN"
    duty.save()
    assert "prevent" in stands(report(school, topic="Slogans in a debate"))
    assert "prevent" not in stands(report(school))


def test_a_duty_is_edited_in_the_panel(cast, school):
    duty = Duty.get(Duty.key == "fgm")
    path = f"/duty/edit/?id={duty.id}"
    assert "Honour-based" in cast.alice.get(path).text
    form = {
        "name": duty.name, "appears": "category: Honour-based", "since": duty.since, "amount": "2", "unit": "working days",
        "switched_on": "yes", "position": "1", "version": "1",
    }  # fmt: skip
    page = cast.alice.post(path, form | {"appears": "moon: full"})
    assert page.status_code == 422 and "“moon: full” says not when" in page.text_only
    page = cast.alice.post(path, form | {"unit": ""})
    assert page.status_code == 422 and "Give both a number and what it counts" in page.text_only
    page = cast.alice.post(path, form | {"amount": "4000"})
    assert page.status_code == 422 and "Give a number from 1 to 400" in page.text_only
    cast.alice.post(path, form)
    assert Duty.get_by_id(duty.id).limit == "2 working days"
    assert Event.last(duty, "duty:edit").by == school.alice
    assert cast.carol.get(path).status_code == 403


def test_what_is_shipped_is_whole_and_comes_once(school):
    for row in (*Duty.select(), *Profile.select()):
        row.check()
    bodies = set(Profile.bodies())
    assert {one.body for one in Duty.select()} <= bodies
    counts = Duty.select().count(), Profile.select().count()
    Duty.update(name="Ours").where(Duty.key == "fgm").execute()
    Duty.ship(), Profile.ship()
    assert counts == (Duty.select().count(), Profile.select().count()), "also where it was renamed"


def test_the_adult_and_a_relative_are_told_of_no_duty(cast, school):
    from models.case.incident import ABOUT

    named = report(school, adults=[(school.bob, ABOUT)])
    other = report(school, child=school.children[1], intervention=True)
    Relation.relate(school.children[1], school.alice, kind="Father", user=school.mark)
    with at(now() + timedelta(days=4)):
        assert "LADO" in cast.alice.get("/").text and "Restraint" in cast.alice.get("/").text
        assert "LADO" not in cast.bob.get("/").text
        assert "Restraint" not in cast.mark.get("/").text
    assert {named.id, other.id} == {one.id for one in Incident.select()}


def test_many_cost_the_same(cast, school):
    costs = []
    for rows in (5, 30):
        for _row in range(rows):
            incident = report(school, intervention=True)
            triage(school, incident, decision="LADO", opens=True)
            contact(school, incident, body="Missing child")
        with at(now() + timedelta(days=4)):
            cast.carol.get("/")
            with counted() as statements:
                assert cast.carol.get("/").text_only.count("Record it") == 12
        costs.append(len(statements))
    assert costs[0] == costs[1], costs
    assert Contact.select().count() == 35
