"""Cases: opened, filled by incidents, monitored, closed and opened again; and shut, with all that
stands in them, to the adult whom one incident is about and to relatives among the staff.
"""

from datetime import timedelta

import pytest

from models import (
    Addendum,
    Case,
    Child,
    Event,
    Incident,
    Involved,
    Link,
    Log,
    Notice,
    Refused,
    Relation,
    Role,
    Share,
    Task,
    Tracker,
    Triage,
    visible,
    who_sees,
)
from models.case import handing
from models.case.incident import ABOUT
from models.case.shut_out import ShutOut
from models.ground.clock import at, now
from models.ground.settings import settings
from models.policy import who_sees_case

from .conftest import answer_all, fits, report, triage
from .person import Person

pytestmark = pytest.mark.both


def fold(text):
    """A page as it stands in one line."""
    return " ".join(text.split())


@pytest.fixture
def opened(school, incident):
    """A case of Zofia's, led by Carol."""
    triage(school, incident, opens=True)
    return Case.get()


def finish(school, case):
    """Whatever is missing but what other nouns say."""
    for incident in Incident.select().where(Incident.status == "to decide"):
        incident.not_notifiable(reason="It is no event of the list.", by=school.mark)
    case.edit(
        school.carol,
        child_told="Yes",
        parents_told="Yes",
        risk_reviewed_on=now().date(),
        outcome="She is safe, and says so.",
    )


def test_a_notification_opens_a_case_where_there_is_none(school, incident):
    Log.trigger(incident, school.mark)
    case = Case.get()
    assert (case.incident, case.opened_by, case.subject) == (
        incident,
        school.mark,
        str(school.child),
    )
    second = report(school)
    triage(school, second, case=case)
    Log.trigger(second, school.mark)
    assert Case.select().count() == 1, "it stands in a case already"
    fits()


def test_all_who_were_affected_are_its_subjects(cast, school):
    """By the report Ngũgĩ was affected, 山田 花子 a witness; the triage says it better."""
    zofia, ngugi, hanako, sion = school.children
    one = report(school, others=[(ngugi, "Affected"), (hanako, "Witness")])
    triage(school, one, opens=True)
    case = Case.get()

    def subjects():
        head = fold(cast.carol.get(f"/case/details/?id={case.id}").text).split("opened")[0]
        return [child for child in school.children[1:] if str(child) in head.split("<h1>")[1]]

    assert subjects() == [ngugi]
    path = f'href="/child/details/?id={ngugi.id}">{ngugi}</a>'
    assert path in fold(cast.carol.get(f"/case/details/?id={case.id}").text)
    page = cast.carol.get(f"/child/details/?id={ngugi.id}")
    assert f"Open {case}" in page.text_only, "and on that child's page"
    kinds = [(zofia, "Affected", "Physical"), (hanako, "Affected", "Physical"), (ngugi, "Alleged to have caused harm", "Physical")]  # fmt: skip
    triage(school, one, case=case, categories=kinds)
    assert subjects() == [hanako]
    second = report(school, child=sion)
    triage(school, second, case=case, categories=[(sion, "Affected", "Physical")])
    assert subjects() == [hanako, sion]
    second.correct_child(wrong=sion, child=zofia, reason="The other class.", by=school.carol)
    assert subjects() == [hanako], "nor who was linked by mistake"


def test_a_child_whom_the_reader_may_not_see_is_another_child(cast, school, monkeypatch):
    one = report(school, others=[(school.children[1], "Affected")])
    triage(school, one, opens=True)

    def blind(model, person):
        rows = visible(model, person)
        return rows.where(model.id < 0) if model is Child else rows

    monkeypatch.setattr("admin_views.case.visible", blind)
    head = fold(cast.carol.get(f"/case/details/?id={Case.get().id}").text).split("<h1>")[1]
    assert "also about another child ·" in head.split("opened")[0]


def test_a_case_about_an_adult_at_risk_says_so_and_asks_nothing_of_a_child(cast, school, incident):
    triage(school, incident, opens=True, adult="Rosa Łukasiewicz")
    case = Case.get()
    page = cast.carol.get(f"/case/details/?id={case.id}")
    assert "<h1>Rosa Łukasiewicz</h1>" in page.text
    assert f"adult at risk, by what was reported about {school.child}" in page.text_only
    form = cast.carol.get(f"/case/edit/?id={case.id}")
    assert "Was the child told" not in form.text_only and "Were the parents" not in form.text_only
    assert "Risk reviewed on" in form.text_only and "for the child now" not in form.text_only
    assert "About" in cast.carol.get("/case/").text_only
    case.edit(school.carol, risk_reviewed_on=now().date(), outcome="She has a flat.")
    assert not [row for row in Case.get().missing() if row[1] == case]
    page = cast.carol.get(f"/case/details/?id={case.id}")
    assert "She has a flat." in page.text_only and "Was the child told" not in page.text_only


def test_what_stops_the_closing_stands_where_the_button_would(cast, school, opened):
    path, button = f"/case/details/?id={opened.id}", ">Close case</button>"
    page = cast.mark.get(path)
    many = len(opened.missing())
    assert f'href="#before">Cannot be closed yet: {many} things missing' in fold(page.text)
    assert button not in page.text, "it would be refused"
    finish(school, opened)
    assert button in cast.mark.get(path).text
    page = cast.carol.get(path)
    assert button not in page.text and "your role does not close cases" in page.text_only
    settings.second_sign_off = True
    Case.get().close(by=school.alice)
    assert "Waits for the signature of another Level 5." in cast.alice.get(path).text_only
    assert "Waits for the signature" not in cast.bob.get(path).text_only, "he may sign"


def test_a_closed_case_offers_nothing_that_would_be_refused(cast, school, opened):
    path = f"/case/details/?id={opened.id}"
    page = cast.alice.get(path).text_only
    assert "Add a task" in page and "Add a contact" in page and "Record it" not in page
    triage(school, opened.incident, decision="LADO")
    assert "Record it" in cast.alice.get(path).text_only
    Case.get().close_anyway(reason="She left.", by=school.alice)
    page = cast.alice.get(path).text_only
    for offer in ("Add a task", "Add a contact", "Record it", "Triage it", "Close case", "Edit"):
        assert offer not in page, offer
    assert "Reopen" in page and "End monitoring" not in page and "Cannot be closed" not in page


def test_monitoring_is_ended_by_a_step_of_that_name(cast, school, opened):
    opened.monitor(until=now().date() + timedelta(days=9), reason="Calm.", by=school.carol)
    page = cast.mark.get(f"/case/details/?id={opened.id}")
    assert ">End monitoring</button>" in page.text and "Reopen" not in page.text_only
    page = cast.mark.press("case:reopen", opened, reason="It flared up.")
    assert Case.get().status == "open" and "is open again" in page.text_only


def test_the_forms_of_its_logs_stand_on_its_page(cast, school, opened):
    log = Log.trigger(opened.incident, school.mark)
    path = f"/case/details/?id={opened.id}"
    page = cast.carol.get(path)
    link = f'href="/log/details/?id={log.id}#tracker">Safeguarding tracker of {log}'
    assert link in fold(page.text) and "not begun" in page.text_only
    tracker = Tracker.begin(log, school.carol)
    count = len(tracker.in_order())
    left = sum(bool(section.unfinished) for section in tracker.in_order())
    assert f"{count - left} of {count} sections complete" in cast.carol.get(path).text_only
    answer_all(tracker, school.carol)
    assert f"{count} of {count} sections complete" in cast.carol.get(path).text_only
    Log.get().complete_anyway(reason="It is done.", seen=Log.get().seen, by=school.alice)
    assert "signed off" in cast.carol.get(path).text_only
    role = Role.get(Role.name == "Safeguarding team")
    role.permissions = [one for one in role.permissions if not one.startswith("log:")]
    role.save()
    assert "Safeguarding tracker" not in cast.carol.get(path).text, "only whoever sees the log"


def test_the_gate_names_what_is_missing_each_a_link(cast, school, opened):
    Task.give(
        opened.incident,
        school.carol,
        what="Ring the mother",
        owner=school.alice,
        due_on=now().date(),
        visible=visible,
    )
    page = cast.mark.press("case:close", opened)
    assert page.status_code == 409
    for lacks in (
        "Was the child told",
        "Were the parents told",
        "Outcome",
        "Task: Ring the mother",
        "is a notification due?",
    ):
        assert lacks in page.text_only, lacks
    task = Task.get()
    assert f'href="/task/details/?id={task.id}"' in page.text, "each is a link to where it is done"
    assert f'href="/case/edit/?id={opened.id}#child_told"' in page.text
    task.done(effect="Rang.", by=school.alice)
    case = Case.get()
    finish(school, case)
    page = cast.mark.press("case:close", case)
    assert page.status_code == 200 and "Closed by Mark" in page.text_only
    assert Case.get().status == "closed"


def test_a_reason_is_needed_where_nobody_was_told(school, opened):
    finish(school, opened)
    opened.edit(school.carol, parents_told="Unsafe to tell them")
    assert [name for _text, _record, name in Case.get().missing()] == ["parents_why"]


def test_wrong_person_wrong_moment_twice(cast, school, opened):
    for name in ("dave", "connor", "ira"):
        person = getattr(cast, name)
        assert person.get(f"/case/details/?id={opened.id}").status_code == 403, name
        assert person.press("case:monitor", opened, until="tomorrow", reason="x").status_code == 403
    assert cast.carol.press("case:close", opened).status_code == 403, "a manager closes"
    assert cast.mark.press("case:close_anyway", opened, reason="x").status_code == 403
    opened.close_anyway(reason="The family moved.", by=school.alice)
    assert "Outcome" in Event.last(opened, "case:close_anyway").detail["missing"]
    with pytest.raises(Refused, match="only while it is"):
        Case.get().close_anyway(reason="Again.", by=school.alice)
    with pytest.raises(Refused, match="is closed"):
        Case.get().edit(school.carol, outcome="Later.")
    page = cast.carol.post(f"/case/edit/?id={opened.id}", {"outcome": "Later."})
    assert "is closed" in page.text_only and "Later." in page.text
    Case.get().reopen(reason="She came back.", by=school.mark)
    assert Case.get().status == "open"
    with pytest.raises(Refused):
        Case.get().reopen(reason="Twice.", by=school.mark)
    fits()


def test_monitor_until_a_day_that_comes(cast, school, opened):
    tomorrow = now().date() + timedelta(days=1)
    with pytest.raises(Refused) as refused:
        opened.monitor(until=now().date(), reason="To see.", by=school.carol)
    assert "still to come" in refused.value.errors["until"]
    page = cast.carol.press("case:monitor", opened, until="tomorrow", reason="To see.")
    assert "monitoring" in page.text_only and Case.get().monitor_until == tomorrow
    assert "look again" not in cast.carol.get("/").text_only
    with at(now() + timedelta(days=2)):
        assert "look again" in Person(school.app, school.carol).sign_in().get("/").text_only


def test_a_second_person_signs_where_the_school_wants_that(cast, school, opened, monkeypatch):
    monkeypatch.setattr(settings, "second_sign_off", True)
    finish(school, opened)
    Case.get().close(by=school.alice)
    assert Case.get().status == "to confirm"
    with pytest.raises(Refused, match="Another person"):
        Case.get().confirm(by=school.alice)
    assert cast.mark.press("case:confirm", opened).status_code == 403
    assert "Sign" in cast.bob.get("/").text_only and "to be closed" in cast.bob.get("/").text_only
    assert "to be closed" not in cast.alice.get("/").text_only
    page = cast.bob.press("case:send_back", opened, reason="Ring once more.")
    assert Case.get().status == "open", page.text_only
    Case.get().close(by=school.alice)
    assert cast.bob.press("case:confirm", opened).status_code == 200
    assert Case.get().status == "closed"


def test_moved_with_a_reason_and_both_say_so(cast, school, opened):
    second = report(school)
    triage(school, second, case=opened)
    page = cast.carol.press("case:move", second, origin=str(opened.id), case="", reason="His own.")
    assert "was moved" in page.text_only
    other = Case.select().order_by(Case.id.desc()).get()
    assert [row.id for row in Case.of(second)] == [other.id]
    assert Event.last(opened, "case:move").detail["to"].startswith(other.reference)
    assert Link.select().where(Link.ended_at.is_null(False)).count() == 1, "nothing is deleted"
    with pytest.raises(Refused) as refused:
        Case.move(opened.incident, opened, other, "It", by=school.carol)
    assert "opened for" in refused.value.errors["origin"]
    with pytest.raises(Refused) as refused:
        Case.move(second, opened, other, "Twice", by=school.carol)
    assert "does not stand" in refused.value.errors["origin"]
    other.close_anyway(reason="x", by=school.alice)
    with pytest.raises(Refused, match="is closed"):
        Case.add(opened.incident, other, "x", by=school.carol)
    fits()


def test_it_stands_in_the_cases_of_both_children(school, opened):
    second = report(school, child=school.children[1])
    triage(school, second, opens=True)
    other = Case.select().order_by(Case.id.desc()).get()
    Case.add(opened.incident, other, "He was there.", by=school.carol)
    Case.add(opened.incident, other, "He was there.", by=school.carol)
    assert [row.id for row in Case.of(opened.incident)] == [opened.id, other.id]
    assert Case.select().where(Case.about(school.child)).count() == 2


def test_who_is_named_in_one_incident_sees_none_of_the_case(cast, school, opened):
    second = report(school, adults=[(school.bob, ABOUT)])
    assert cast.bob.get(f"/incident/details/?id={opened.incident_id}").status_code == 200
    triage(school, second, case=opened)
    for model in (Incident, Case, Triage, Link):
        assert not visible(model, school.bob).exists(), model
    assert cast.bob.get(f"/case/details/?id={opened.id}").status_code == 404
    assert cast.bob.get(f"/incident/details/?id={opened.incident_id}").status_code == 404
    assert "Zofia" not in cast.bob.get("/").text + cast.bob.get("/case/").text
    assert "Zofia" not in cast.bob.get("/triage/").text
    assert school.bob not in [person for person, _why in who_sees_case(opened)]
    Share.clear_adult(second, school.bob, "A mistake.", by=school.alice)
    assert visible(Case, school.bob).exists(), "and it opens again when that was a mistake"


def test_a_relative_sees_none_of_it_whatever_their_role(cast, school, opened):
    relation = Relation.relate(school.child, school.alice, kind="Aunt or uncle", user=school.carol)
    assert not visible(Incident, school.carol).exists() and not visible(Case, school.carol).exists()
    assert not visible(Child, school.carol).where(Child.id == school.child.id).exists()
    assert cast.carol.get(f"/child/details/?id={school.child.id}").status_code == 404
    assert "Zofia" not in cast.carol.get("/child/").text + cast.carol.get("/").text
    assert school.carol not in [person for person, _why in who_sees(opened.incident)]
    assert Case.get().recipients() == [], "the lead gets no email about it"
    linked = report(school, child=school.children[1], others=[(school.child, "Witness")])
    assert not visible(Incident, school.carol).where(Incident.id == linked.id).exists()
    linked.correct_child(
        wrong=school.child, child=school.children[2], reason="Her twin.", by=school.alice
    )
    assert visible(Incident, school.carol).where(Incident.id == linked.id).exists()
    with pytest.raises(Refused, match="Level 5"):
        relation.unrelate("Not mine.", by=school.mark)
    relation.unrelate("Another Carol.", by=school.alice)
    assert visible(Case, school.carol).exists()


def test_a_relative_cannot_open_it_to_themselves(school, opened):
    relation = Relation.relate(school.child, school.carol, kind="Other", user=school.alice)
    with pytest.raises(Refused):
        relation.unrelate("It is nothing.", by=school.alice)
    with pytest.raises(Refused) as refused:
        Relation.relate(school.child, school.carol, kind="Aunt or uncle", user=school.alice)
    assert "already" in refused.value.errors["user"]
    with pytest.raises(Refused):
        Relation.relate(school.child, school.carol, kind="Mother")


def test_a_wrong_child_is_corrected_and_both_stay_in_the_history(cast, school, incident):
    page = cast.mark.press(
        "incident:correct_child",
        incident,
        wrong=str(school.child.id),
        child=school.children[3].label,
        reason="Two of one name.",
    )
    assert "the child was corrected" in page.text_only
    assert Incident.get().child == school.children[3]
    assert "Zofia Łukasiewicz" in Addendum.get().text
    before, after = Event.last(incident, "incident:correct_child").detail["changed"]["child"]
    assert "Zofia" in before and "Siôn" in after
    with pytest.raises(Refused) as refused:
        Incident.get().correct_child(school.child, school.children[1], "Again", by=school.mark)
    assert "not linked" in refused.value.errors["wrong"]
    assert cast.carol.press("incident:correct_child", incident).status_code == 403
    fits()


def test_another_child_is_corrected_too(school):
    incident = report(school, others=[(school.children[1], "Witness")])
    incident.correct_child(school.children[1], school.children[2], "Wrong Kamau", by=school.mark)
    assert [(one.child.name, one.part) for one in Involved.of(incident)] == [
        ("山田 花子", "Witness")
    ]
    found = Incident.select().where(Incident.id.in_(Incident.concerning(school.children[1])))
    assert not found.exists()
    incident.correct_child(school.children[2], school.children[1], "Right before", by=school.mark)
    assert [one.child.name for one in Involved.of(incident)] == ["Ngũgĩ wa Kamau"]
    assert (
        Incident.select().where(Incident.id.in_(Incident.concerning(school.children[1]))).exists()
    )


def test_nothing_shuts_everybody_out_who_could_decide(school, opened):
    second = report(school, adults=[(school.bob, ABOUT)])
    Relation.relate(school.child, school.carol, kind="Other", user=school.grace)
    Relation.relate(school.children[1], school.carol, kind="Other", user=school.alice)
    third = report(school, child=school.children[1])
    triage(school, second, case=opened)
    assert ShutOut.of(opened.incident_id) == {school.bob.id, school.grace.id}
    with pytest.raises(Refused, match="chair of governors"):
        triage(school, third, by=school.mark, case=opened)
    with pytest.raises(Refused, match="chair of governors"):
        Share.name_adult(opened.incident, school.alice, "She said so.", by=school.mark)
    assert not Involved.select().where(Involved.adult == school.alice).exists(), "nothing was saved"


def test_the_lead_is_somebody_who_may_read_it_and_is_told(cast, school, opened):
    with pytest.raises(Refused) as refused:
        opened.edit(school.carol, lead=school.dave)
    assert "may not read" in refused.value.errors["lead"]
    with pytest.raises(Refused) as refused:
        Case.get().edit(school.carol, deputy=school.carol)
    assert "the lead" in refused.value.errors["deputy"]
    Case.get().edit(school.carol, lead=school.alice, deputy=school.carol)
    told = Notice.select().order_by(Notice.id.desc()).get()
    assert told.user == school.alice and "Zofia" not in told.body
    Share.share(opened.incident, school.connor, "He drives her home.", school.mark)
    no = handing.held(school.alice, school.connor, school.bob, visible)
    assert [one.why for one in no] == ["Connor Ó Briain may not hold it, by their role."]
    held = [one.key for one in handing.held(school.alice, school.mark, school.bob, visible)]
    assert handing.hand_over(school.alice, school.mark, held, school.bob, visible) == 1
    assert Case.get().lead == school.mark


def test_a_case_in_which_nothing_happens_is_named(cast, school, opened):
    with at(now() + timedelta(days=29)):
        assert "no change" in cast.carol.get("/").text_only
        assert "chip soon" in cast.carol.get("/case/").text
        opened.incident.amend(text="Seen again.", by=school.dave)
        assert "no change" not in cast.carol.get("/").text_only


def test_the_list_finds_and_filters(cast, school, opened):
    triage(school, report(school, child=school.children[1]), by=school.alice, opens=True)
    page = cast.carol.get("/case/?search=lukasiewicz").text_only
    assert "Zofia" in page and "Ngũgĩ" not in page
    assert "Ngũgĩ" not in cast.carol.get("/case/?whose=me").text_only
    assert "Zofia" not in cast.carol.get("/case/?tab=closed").text_only


def test_whoever_reports_learns_no_more_than_they_may(cast, school, answers, opened):
    said = "There is an open case about this child"
    page = cast.dave.post("/incident/new/", answers | {"safeguarding_alert": "no"})
    assert said in page.text_only and "CASE-" not in page.text, "his report stands in it"
    assert said not in cast.dina.post("/incident/new/", answers).text_only, (
        "she reported none of it"
    )
    page = cast.carol.post("/incident/new/", answers | {"topic": "Another"})
    assert f"{said}: {opened}" in page.text_only
    other = answers | {"child": school.children[1].label}
    assert said not in cast.dave.post("/incident/new/", other).text_only


def test_what_came_in_before_the_second_signature_stops_it(cast, school, opened, monkeypatch):
    monkeypatch.setattr(settings, "second_sign_off", True)
    finish(school, opened)
    Case.get().close(by=school.alice)
    Task.give(
        opened.incident,
        school.carol,
        what="Ring the mother",
        owner=school.alice,
        due_on=now().date(),
        visible=visible,
    )
    page = cast.bob.press("case:confirm", opened)
    assert page.status_code == 409 and "Task: Ring the mother" in page.text_only
    assert Case.get().status == "to confirm"
    Case.get().send_back(reason="A task came in.", by=school.bob)
    Case.get().close_anyway(reason="She cannot be reached.", by=school.alice)
    Case.get().confirm(by=school.bob)
    assert Case.get().status == "closed", "what is missing was said"


def test_nothing_is_moved_out_of_a_closed_case(cast, school, opened):
    """It would open the case to whoever is named in what is taken out, though it is read-only."""
    second = report(school, adults=[(school.bob, ABOUT)])
    triage(school, second, case=opened)
    Case.get().close_anyway(reason="x", by=school.alice)
    page = cast.carol.press("case:move", second, origin=str(opened.id), case="", reason="Hers.")
    assert page.status_code == 409 and "is closed" in page.text_only
    assert not visible(Case, school.bob).exists() and Case.select().count() == 1
    Case.get().reopen(reason="It was filed wrongly.", by=school.mark)
    page = cast.carol.press("case:move", second, origin=str(opened.id), case="", reason="Hers.")
    assert page.status_code == 200 and visible(Case, school.bob).count() == 1
