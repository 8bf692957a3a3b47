"""Tasks: given, done, cancelled; by the right people, at the right moment, and shut to the adult
whom it is about.
"""

import re
from datetime import date, timedelta

import pytest

from models import Case, Event, Incident, Notice, Refused, Share, Task, User, visible
from models.case.incident import ABOUT
from models.case.task import later
from models.ground.clock import at, now

from .conftest import report, triage


def soon(days=3):
    return now().date() + timedelta(days=days)


@pytest.fixture
def task(school, incident):
    Share.share(incident, school.connor, "He drives her home.", school.mark)
    return Task.give(
        incident,
        school.carol,
        what="Ring the mother",
        owner=school.connor,
        due_on=soon(),
        visible=visible,
    )


@pytest.mark.both
def test_no_task_is_given_where_the_case_is_closed(cast, school, incident):
    given = {"what": "Ring the mother", "due_on": now().date(), "owner": school.alice}
    triage(school, incident, opens=True)
    case, path = Case.get(), f"/incident/details/?id={incident.id}"
    case.close_anyway(reason="She left.", by=school.alice)
    page = cast.carol.get(path)
    assert "Add a task" not in page.text_only
    assert f"{case} is closed. Reopen it to add a task." in page.text_only
    new = f"/task/new/?incident={incident.id}"
    cast.carol.get(new)
    typed = {"what": "Ring the mother", "owner": school.alice.label, "due_on": "today"}
    page = cast.carol.post(new, typed | {"urgency": "", "repeats": "Never"})
    assert page.status_code == 422 and not Task.select().exists()
    assert (
        f"{case} is closed. Reopen it first." in page.text_only and "Ring the mother" in page.text
    )
    second = report(school)
    triage(school, second, opens=True)
    Case.add(
        incident, Case.select().order_by(Case.id.desc()).get(), "Both had a part.", school.carol
    )
    assert "Add a task" in cast.carol.get(path).text_only, "it stands in an open one as well"
    Case.update(status="closed").execute()
    with pytest.raises(Refused, match="are closed. Reopen one first"):
        Task.give(incident, school.carol, visible=visible, **given)
    Case.get().reopen(reason="She is back.", by=school.alice)
    assert Task.give(incident, school.carol, visible=visible, **given).status == "open"


def test_of_a_closed_case_that_is_not_theirs_the_form_tells_nothing(school, incident):
    """Carol is shut out of the case, by another incident in it, and not of this one alone."""
    given = {"what": "Ring the mother", "due_on": now().date(), "owner": school.alice}
    triage(school, incident, opens=True)
    Case.get().close_anyway(reason="She left.", by=school.alice)

    def blind(model, person):
        rows = visible(model, person)
        return rows.where(model.id < 0) if model is Case else rows

    assert Case.all_closed(incident, school.carol, visible) == [Case.get()]
    assert Task.give(incident, school.carol, visible=blind, **given).status == "open"


def test_a_task_from_the_incident_to_done_in_the_browser(cast, school, incident):
    page = cast.carol.get(f"/incident/details/?id={incident.id}")
    assert f"/task/new/?incident={incident.id}" in page.text, "Add a task stands on the incident"
    form = {"what": "Ring the mother", "owner": school.alice.label, "due_on": soon().isoformat()}
    page = cast.carol.post(f"/task/new/?incident={incident.id}", form)
    assert "Ring the mother" in page.text_only and "Alice Brennan" in page.text_only
    task = Task.get()
    assert (task.status, task.given_by, task.owner) == ("open", school.carol, school.alice)
    told = Notice.select().order_by(Notice.id.desc()).first()
    assert told.user == school.alice and "Ring the mother" not in told.body + told.subject, (
        "an email says nothing of what is to be done"
    )
    home = cast.alice.get("/").text_only
    assert "Ring the mother" in home and "Do this" in home, "it stands among what needs Alice"
    page = cast.alice.press("task:done", task, effect="She will come on Friday.")
    assert "She will come on Friday." in page.text_only
    assert Task.get().status == "done" and "Ring the mother" not in cast.alice.get("/").text_only
    assert Event.last(task, "task:done").detail["changed"]["status"] == ["open", "done"]


def test_wrong_person_wrong_moment_twice(cast, school, task):
    with pytest.raises(Refused, match="person who owns it"):
        task.done(effect="Not mine", by=school.dave)
    cast.dave.get("/")
    assert cast.dave.press("task:done", task, effect="Not mine").status_code == 404
    assert cast.dave.get(f"/task/details/?id={task.id}").status_code == 404, (
        "who reported does not follow what is done about it"
    )
    assert cast.dave.press("task:cancel", task, reason="No").status_code == 403
    cast.connor.get("/")
    assert "Rang" in cast.connor.press("task:done", task, effect="Rang twice").text_only
    page = cast.connor.press("task:done", task, effect="Again, with words")
    assert page.status_code == 409 and "Again, with words" in page.text, "the text is given back"
    assert Task.get().effect == "Rang twice"
    with pytest.raises(Refused, match="only while it is “open”"):
        Task.get().cancel(reason="Too late", by=school.carol)


def test_what_cannot_be_is_refused_with_a_sentence(cast, school, incident):
    give = {
        "what": "Ring the mother",
        "owner": school.alice,
        "due_on": soon(-1),
        "visible": visible,
    }
    with pytest.raises(Refused) as refused:
        Task.give(incident, school.carol, **give)
    assert "past" in refused.value.errors["due_on"] and not Task.select().exists()
    form = {"what": "Ring", "owner": school.dina.label, "due_on": soon().isoformat()}
    page = cast.carol.post(f"/task/new/?incident={incident.id}", form)
    assert page.status_code == 422 and "Share it with them first" in page.text_only, (
        "only who sees the incident can be given a task about it: share it first"
    )
    assert cast.dave.get(f"/task/new/?incident={incident.id}").status_code == 403
    assert cast.carol.get("/task/new/?incident=999").status_code == 404
    assert cast.carol.get("/task/new/").status_code == 404, "a task is about an incident"


def test_the_adult_whom_it_is_about_sees_none_of_it(cast, school):
    incident = report(school, adults=[(school.bob, ABOUT)])
    with pytest.raises(Refused) as refused:
        Task.give(
            incident, school.carol, what="Ring", owner=school.bob, due_on=soon(), visible=visible
        )
    assert "Bob Adeyemi" in refused.value.errors["owner"]
    task = Task.give(
        incident,
        school.carol,
        what="Ring the LADO",
        owner=school.alice,
        due_on=soon(),
        visible=visible,
    )
    assert not visible(Task, school.bob).exists() and visible(Task, school.alice).exists()
    assert "Ring the LADO" not in cast.bob.get("/task/").text + cast.bob.get("/").text
    assert cast.bob.get(f"/task/details/?id={task.id}").status_code == 404
    assert cast.bob.get(f"/task/new/?incident={incident.id}").status_code == 404


def test_named_later_its_owner_loses_it_with_the_incident(school, incident):
    task = Task.give(
        incident, school.carol, what="Ring", owner=school.mark, due_on=soon(), visible=visible
    )
    Share.name_adult(incident, school.mark, "The child said so.", school.alice)
    assert not visible(Task, User.get_by_id(school.mark.id)).exists()
    assert task.recipients() == []


def weekly(school, incident, owner=None, **more):
    given = {"what": "Ask how the week was", "owner": owner or school.alice, "due_on": soon()}
    given |= {"repeats": "Each week", "urgency": "24 hours", "visible": visible}
    return Task.give(incident, school.carol, **given | more)


def test_one_that_repeats_makes_the_next_one_exactly_once(cast, school, incident):
    form = {"what": "Ask how the week was", "owner": school.alice.label, "urgency": "24 hours"}
    form |= {"due_on": soon().isoformat(), "repeats": "Each week"}
    page = cast.carol.post(f"/task/new/?incident={incident.id}", form)
    assert "each week" in page.text_only and "24 hours" in page.text_only
    task = Task.get()
    emails = Notice.select().count()
    cast.alice.get("/")
    page = cast.alice.press("task:done", task, effect="She smiled.", evidence="Her drawing.")
    assert "It repeats: the next one is due" in page.text_only and "Her drawing." in page.text_only
    again = Task.select().order_by(Task.id.desc()).get()
    assert again.status == "open" and again.due_on == soon(10), "counted from the day it was due"
    for name in ("what", "owner", "given_by", "urgency", "repeats", "incident"):
        assert getattr(again, name) == getattr(task, name), name
    assert again.effect is None and Event.last(again, "task:give").by is None, "nobody pressed"
    assert Notice.select().count() == emails + 1, "told of her own step, not of the next one too"
    assert cast.alice.press("task:done", task, effect="Once more").status_code == 409
    stale = Task.get_by_id(task.id)
    stale.status = "open"  # as a second process read it, before the first was through
    with pytest.raises(Refused, match="only while"):
        stale.done(effect="At the same time", by=school.alice)
    assert Task.select().count() == 2 and Task.get_by_id(task.id).effect == "She smiled."
    home = cast.alice.get("/").text_only
    assert "Ask how the week was · 24 hours" in home, "the next one waits for her"


def test_a_step_that_fails_makes_no_next_one(school, incident, monkeypatch):
    task = weekly(school, incident)

    def full(*_args, **_kwargs):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(Task, "moved", full)
    with pytest.raises(RuntimeError):
        task.done(effect="Done", by=school.alice)
    assert Task.select().count() == 1 and Task.get().status == "open"


def test_cancelled_it_comes_no_more(school, incident):
    weekly(school, incident).cancel(reason="She has left.", by=school.carol)
    assert [task.status for task in Task.select()] == ["cancelled"]


def test_once_is_once(school, incident):
    for repeats in (None, "Never"):
        weekly(school, incident, repeats=repeats).done(effect="Done", by=school.alice)
    assert {task.repeats for task in Task.select()} == {None}, "as in those from before"
    Task.create(
        incident=incident, what="Once", owner=school.alice, due_on=soon(), given_by=school.carol
    ).done(effect="Done", by=school.alice)
    assert Task.select().count() == 3


def test_done_late_the_next_one_is_not_late_already(school, incident):
    task = weekly(school, incident)
    with at(now() + timedelta(days=30)):
        task.done(effect="At last", by=school.alice)
        again = Task.select().order_by(Task.id.desc()).get()
        assert again.due_on == task.due_on + timedelta(days=28) >= now().date()


def test_who_left_or_is_shut_out_gets_no_more_of_them(school, incident):
    task = weekly(school, incident, owner=school.mark)
    Share.name_adult(incident, school.mark, "The child said so.", school.alice)
    task.done(effect="By me", by=school.alice)
    again = Task.select().order_by(Task.id.desc()).get()
    assert again.owner == school.carol, "then it is the one's who gave it"
    school.carol.active = False
    school.carol.save()
    again.done(effect="By me again", by=school.alice)
    assert Task.select().order_by(Task.id.desc()).get().owner == school.alice


def test_whoever_no_longer_sees_it_gets_no_more_but_the_lead_of_its_case_does(
    cast, school, incident
):
    Share.share(incident, school.dina, "She sees her each day.", school.mark)
    task = weekly(school, incident, owner=school.dina)
    triage(school, incident, school.mark, opens=True)
    Share.unshare(incident, school.dina, school.mark)
    assert not visible(Incident, school.dina).exists() and Case.get().lead == school.mark
    cast.carol.get("/")
    page = cast.carol.press("task:done", task, effect="I asked her.")
    again = Task.select().order_by(Task.id.desc()).get()
    assert again.owner == school.mark and "It is Mark Kowalczyk’s now." in page.text_only
    case = Case.get()
    case.lead = None
    case.save()
    school.carol.active = False
    school.carol.save()
    Task.update(owner=school.dina).where(Task.id == again.id).execute()
    Task.get_by_id(again.id).done(effect="I.", by=school.alice, visible=visible)
    assert Task.select().order_by(Task.id.desc()).get().owner == school.alice, "who asks"


def test_the_last_time_is_said_when_it_is_done(cast, school, incident):
    task = weekly(school, incident)
    once = weekly(school, incident, repeats=None)
    assert "This was the last time" not in cast.alice.get(f"/task/details/?id={once.id}").text
    assert "This was the last time" in cast.alice.get(f"/task/details/?id={task.id}").text
    last = "This was the last time: it is not to be done again"
    page = cast.alice.press("task:done", task, effect="All is well.", last=last)
    assert "It does not come again." in page.text_only and Task.select().count() == 2
    assert Event.last(task, "task:done").detail["reason"] == "It was the last time."


def test_a_case_ends_its_repeating_task_in_one_press_at_the_gate(cast, school, incident):
    triage(school, incident, school.mark, opens=True)
    case, task = Case.get(), weekly(school, incident)
    weekly(school, incident, repeats=None, what="Write to them")
    page = cast.mark.get(f"/case/details/?id={case.id}")
    gate = page.text.split('id="before"', 1)[1].split("</section>")[0]
    assert "Task: Ask how the week was, each week" in gate
    assert gate.count("End the repeating") == 1, "of the one that repeats"
    sent = dict(re.findall(r'name="(action|rowid|case|reason)" value="([^"]*)"', gate))
    assert sent["reason"] == f"{case} is to be closed."
    page = cast.mark.post("/task/action/", sent)
    assert page.request.path == "/case/details/" and "It does not come again." in page.text_only
    assert "End the repeating" not in page.text and "Task: Write to them" in page.text_only
    fresh = Task.get_by_id(task.id)
    assert fresh.status == "cancelled" and Task.select().count() == 2
    assert Event.last(fresh, "task:cancel").detail["reason"] == f"{case} is to be closed."
    assert cast.mark.post("/task/action/", sent).status_code == 409, "twice"
    assert cast.dave.post("/task/action/", sent).status_code in (400, 403), "wrong person"


def test_on_its_own_page_it_says_what_cancelling_ends(cast, school, incident):
    page = cast.carol.get(f"/task/details/?id={weekly(school, incident).id}").text_only
    assert "This one is cancelled, and no other comes." in page and "End the repeating" in page
    once = weekly(school, incident, repeats=None)
    page = cast.carol.get(f"/task/details/?id={once.id}").text_only
    assert "Cancel this task" in page and "no other comes" not in page


def test_when_it_is_next_due():
    assert later(date(2026, 3, 4), days=7) == date(2026, 3, 11)
    assert later(date(2026, 1, 31), months=1) == date(2026, 2, 28)
    assert later(date(2026, 2, 28), months=1) == date(2026, 3, 31), "the last day stays the last"
    assert later(date(2026, 12, 4), months=1) == date(2027, 1, 4)
    assert later(date(2028, 2, 29), months=12) == date(2029, 2, 28)


def test_my_tasks_is_what_those_find_who_have_some(cast, school, task):
    other = weekly(school, task.incident, what="Write to the parents")
    page = cast.connor.get("/task/")
    assert "My tasks" in page.text_only and "Ring the mother" in page.text_only
    assert 'tab=mine" aria-current="page"' in " ".join(page.text.split())
    page = cast.alice.get("/task/").text_only
    assert "Write to the parents" in page and "Ring the mother" not in page, "Alice's own first"
    page = cast.alice.get("/task/?tab=all").text_only
    assert "Write to the parents" in page and "Ring the mother" in page
    page = cast.carol.get("/task/")
    assert 'tab=all" aria-current="page"' in " ".join(page.text.split()), (
        "Carol has none: all that she follows"
    )
    assert "Ring the mother" not in cast.carol.get("/task/?tab=overdue").text_only
    with at(now() + timedelta(days=5)):
        other.done(effect="Done", by=school.alice)
        page = cast.mark.get("/task/?tab=overdue").text_only
        assert "2 days late" in page and "Write to the parents" not in page
    page = cast.alice.get(f"/task/details/?id={task.id}")
    assert page.status_code == 200, "a tab shuts no door: it is Connor's, and Alice follows it"
    assert cast.dave.get("/task/?tab=all").text_only.count("Ring the mother") == 0


def test_an_alert_stays_until_it_is_done(cast, school, task):
    for _time in range(2):
        cast.connor.get(f"/task/details/?id={task.id}")
        assert "Ring the mother" in cast.connor.get("/").text_only, "reading is not doing"


def test_late_is_said_in_words(cast, school, task):
    with at(now() + timedelta(days=5)):
        assert "2 days late" in cast.carol.get("/task/").text_only


def test_the_list_finds_without_accents_and_filters(cast, school, task):
    Task.give(
        task.incident,
        school.carol,
        what="Écrire à la mère",
        owner=school.alice,
        due_on=soon(),
        visible=visible,
    )
    found = cast.carol.get("/task/?search=ecrire").text_only
    assert "Écrire à la mère" in found and "Ring the mother" not in found
    assert "Ring the mother" not in cast.carol.get("/task/?status=done").text_only
