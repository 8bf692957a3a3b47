"""How far the words go of what opens less than its incident: a case, a contact, a task. The history
on another page, a paper, a refusal and an addendum say no more than the pages themselves.
"""

from datetime import timedelta

import pytest

from models import (
    Case,
    Child,
    Clarification,
    Feedback,
    Flag,
    Incident,
    Log,
    Pack,
    Refused,
    Relation,
    Setting,
    Share,
    Task,
    Tracker,
    UserRole,
    visible,
)
from models.case.incident import ABOUT, OfIncident
from models.case.shut_out import ShutOut
from models.ground.clock import now
from models.policy import who_sees_case

from .conftest import besides, contact, report, triage

pytestmark = pytest.mark.both


@pytest.fixture
def helped(school):
    """A log that is shared with Connor, a helper, and what others do about it beside the log."""
    incident = report(school)
    log = Log.trigger(incident, school.mark)
    Tracker.begin(log, school.carol)
    besides(school, incident)
    told = contact(school, incident, body="LADO", kind="Referral")
    told.escalate(whom="The head of the LADO’s service", what="She rings back.", by=school.carol)
    case = Case.get()
    case.edit(school.carol, outcome="It was an allegation.", parents_told="Unsafe to tell them")
    case.monitor(until=now().date() + timedelta(days=3), reason="He is back.", by=school.carol)
    Case.add(
        incident, Case.open_for(report(school), school.carol), "The same bus.", by=school.carol
    )
    Share.share(incident, school.connor, "He drives him home.", school.mark)
    return Log.get_by_id(log.id)


WORDS = ("LADO", "MASH", "allegation", "Unsafe", "He is back", "The same bus", "gave a task")


def test_a_helper_reads_of_no_case_or_contact_in_the_history_of_the_log(cast, school, helped):
    told = contact(school, helped.incident, body="LADO")
    cast.alice.get(f"/contact/details/?id={told.id}")
    path = f"/log/details/?id={helped.id}&history=all&reads=all"
    text = cast.connor.get(path).text_only
    assert "began the safeguarding tracker" in text, "what is of the log itself is there"
    assert not [word for word in WORDS if word in text]
    text = cast.alice.get(path).text_only
    assert not [word for word in WORDS if word not in text], "and whoever follows them reads all"
    assert "read the contact" in text


def test_the_paper_of_a_log_holds_no_case_and_no_contact(cast, school, helped):
    cast.alice.get(f"/contact/details/?id={contact(school, helped.incident, body='LADO').id}")
    paper = helped.paper(restricted=True)
    assert "began the safeguarding tracker" in paper and "triggered the notification" in paper
    assert not [word for word in (*WORDS, "read the contact") if word in paper]
    assert {"case", "contact", "task", "clarification", "triage"} <= OfIncident.narrower()


def test_why_an_incident_was_moved_is_not_told_where_the_case_opens_again(cast, school):
    """Bob is named in an incident that stood in a case and was moved out: the case is open to him
    from then on, and says nothing of why.
    """
    first = report(school)
    triage(school, first, opens=True)
    case = Case.get()
    named = report(school, child=school.children[1])
    Case.add(named, case, "Both were on the bus.", by=school.carol)
    Share.name_adult(named, school.bob, "The child said so.", school.mark)
    case.close_anyway(reason="The family moved.", by=school.alice)
    Case.get().reopen(reason="They came back.", by=school.mark)
    Case.move(named, Case.get(), None, "It is about the head.", by=school.carol)
    for path in (
        f"/case/details/?id={case.id}&history=all",
        f"/incident/details/?id={first.id}&history=all",
        "/event/",
    ):
        page = cast.bob.get(path)
        assert page.status_code == 200 and "The family moved" in page.text_only, path
        for words in ("on the bus", "about the head", named.reference):
            assert words not in page.text, (path, words)
    text = cast.alice.get(f"/incident/details/?id={named.id}&history=all").text_only
    assert "on the bus" in text and "about the head" in text, "who may see it reads why"


def test_what_keeps_a_case_open_in_another_home_is_not_told(cast, school):
    """The page said only that there is something; pressing Close said what."""
    one, two = Setting.create(name="Hollow Lane"), Setting.create(name="Mill House")
    for child, setting in zip(school.children, (one, two), strict=False):
        child.setting = setting
        child.save()
    UserRole.update(setting=one).where(UserRole.user == school.mark).execute()
    here = report(school, by=school.dina, alert=False)
    triage(school, here, opens=True)
    case = Case.get()
    there = report(school, by=school.dina, child=school.children[1], alert=False)
    triage(school, there, case=case)
    Task.give(
        there, school.carol, what="Ring the mother of Kamau", owner=school.alice,
        due_on=now().date(), visible=visible,
    )  # fmt: skip
    page = cast.mark.press("case:close", case)
    assert page.status_code == 409 and "Something that you may not see" in page.text_only
    assert "Outcome" in page.text_only and "Kamau" not in page.text
    page = cast.alice.press("case:close", case)
    assert page.status_code == 409 and "Ring the mother of Kamau" in page.text_only
    Case.get().close_anyway(reason="They moved.", by=school.alice)
    page = cast.mark.get(f"/case/details/?id={case.id}&history=all")
    assert "Missing at the time" in page.text_only and "Kamau" not in page.text


@pytest.fixture
def bridged(school):
    """Two cases, and an incident that stands in both: (the case of the second child, what was
    reported of a third and stands in the first case).
    """
    first = report(school)
    triage(school, first, opens=True)
    second = report(school, child=school.children[1])
    triage(school, second, opens=True)
    one, two = Case.select().order_by(Case.id)
    Case.add(first, two, "Both were on the bus.", by=school.carol)
    third = report(school, child=school.children[2])
    triage(school, third, case=one)
    return two, third


def test_a_case_with_one_incident_that_is_shut_is_shut_although_it_was_opened_for_another(
    cast, school, bridged
):
    two, third = bridged
    two.edit(school.carol, lead=school.bob)
    assert cast.bob.get(f"/case/details/?id={two.id}").status_code == 200
    Share.name_adult(third, school.bob, "The child said so.", school.mark)
    assert cast.bob.get(f"/incident/details/?id={two.incident_id}").status_code == 200
    assert cast.bob.get(f"/case/details/?id={two.id}").status_code == 404
    assert not visible(Case, school.bob).exists()
    for path in ("/case/", "/event/", f"/incident/details/?id={two.incident_id}&history=all"):
        assert "CASE-" not in cast.bob.get(path).text_only, path
    assert school.bob not in [person for person, _why in who_sees_case(two)]
    assert Case.get_by_id(two.id).recipients() == []
    with pytest.raises(Refused, match="not saved"):
        Case.get_by_id(two.id).edit(school.alice, deputy=school.bob)
    assert cast.alice.get(f"/case/details/?id={two.id}").status_code == 200


def test_nobody_is_left_is_asked_of_all_that_stands_in_a_case_with_it(school, bridged):
    """Alice is named in one case, Bob in the other: of what stands in both, nobody would decide."""
    two, third = bridged
    Share.name_adult(Incident.get_by_id(two.incident_id), school.alice, "She said so.", school.mark)
    with pytest.raises(Refused, match="chair of governors"):
        Share.name_adult(third, school.bob, "He said so.", school.mark)
    with pytest.raises(Refused, match="chair of governors"):
        Relation.relate(third.child, school.carol, kind="Other", user=school.bob)
    named = report(school, child=school.children[3], adults=[(school.bob, ABOUT)])
    with pytest.raises(Refused, match="chair of governors"):
        triage(school, named, case=Case.get())
    for incident in Incident.select():
        assert ShutOut.of(incident) < {school.alice.id, school.bob.id}, incident


def test_a_corrected_child_tells_the_reporter_no_date_of_birth(cast, school, incident):
    """Where two are of one name and year, nothing else tells them apart."""
    incident.correct_child(school.child, school.children[1], "Beside her.", by=school.mark)
    text = cast.dave.get(f"/incident/details/?id={incident.id}").text_only
    assert "Ngũgĩ wa Kamau, Year 7, not about Zofia Łukasiewicz, Year 6" in text
    assert "born" not in text and "2013" not in text
    twin = Child.create(
        name="Ngũgĩ wa Kamau", date_of_birth=school.child.date_of_birth, year="Year 7"
    )
    Incident.get().correct_child(school.children[1], twin, "Of one name.", by=school.mark)
    text = cast.dave.get(f"/incident/details/?id={incident.id}").text_only
    assert "born 17 January 2013, not about Ngũgĩ wa Kamau, Year 7, born 17 February" in text


def test_a_pack_holds_nothing_of_a_child_who_is_of_another_home_by_now(cast, school):
    """Mark looks after one home; the child moved to the other, which keeps flags and relatives."""
    one, two = Setting.create(name="Hollow Lane"), Setting.create(name="Mill House")
    child = school.child
    child.setting = one
    child.save()
    UserRole.update(setting=one).where(UserRole.user == school.mark).execute()
    told = contact(school, report(school, by=school.dina), body="MASH", kind="Referral")
    Flag.flag(child, school.alice, kind="Young carer", since=now().date(), told="Yes")
    Relation.relate(
        child, school.alice, kind="Mother", name="Helena Marsh-Iwu", responsible=True,
        reached="07700 900123",
    )  # fmt: skip
    cast.mark.press("contact:pack", told, recipient="Ann Pryce", asked="An assessment.")
    words = Pack.get().words
    assert "Young carer" in words and "07700 900123" in words, "while the child is theirs"
    child.setting = two
    child.save()
    assert cast.mark.get(f"/child/details/?id={child.id}").status_code == 404
    cast.mark.press("contact:pack", told, recipient="Ann Pryce", asked="An assessment.")
    words = Pack.select().order_by(Pack.id.desc()).get().words
    assert "Young carer" not in words and "07700 900123" not in words
    assert words.count("kept where the child is now") == 2, "it does not say that there is none"
    cast.alice.press("contact:pack", told, recipient="Ann Pryce", asked="An assessment.")
    words = Pack.select().order_by(Pack.id.desc()).get().words
    assert "Young carer" in words and "07700 900123" in words


def test_a_child_who_is_hidden_is_named_by_no_answer_to_ending_a_relation(cast, school):
    """Carol is related to one child, who is a brother or sister of another: hers to end there, and
    not to be told whose it was.
    """
    hidden, other = school.children[:2]
    relation = Relation.relate(other, school.alice, kind="Brother or sister", other=hidden)
    Relation.relate(hidden, school.alice, kind="Aunt or uncle", user=school.carol)
    page = cast.carol.press("child:unrelate", relation, reason="A mistake.")
    assert "Ended" in page.text_only and hidden.name not in page.text
    page = cast.carol.press("child:unrelate", relation, reason="Again.")
    assert page.status_code == 409 and "ended already" in page.text_only
    assert hidden.name not in page.text


def test_of_a_relative_it_is_not_said_that_the_concern_is_about_them(school):
    incident = report(school, by=school.dina)
    Relation.relate(school.child, school.alice, kind="Aunt or uncle", user=school.dina)
    with pytest.raises(Refused, match="Dina El-Sayed is shut out of it: as a relative"):
        Clarification.ask(incident, school.carol, "Which wrist?", now().date())
    with pytest.raises(Refused, match="Dina El-Sayed is shut out of it: as a relative"):
        Feedback.give(incident, school.carol, "Thank you", "Clear.")
