"""Handing over a leaver's work: one press, one email, one event each; and nothing that the receiver
may not see.
"""

import re
from datetime import timedelta

import pytest

from models import TABLES, Event, Notice, Refused, Share, Task, User, visible
from models.access.accounts import edit_person
from models.case.handing import HandsOver, hand_over, held, holders
from models.case.incident import ABOUT
from models.ground.clock import now
from models.ground.record import Base
from models.shelf import proof

from .conftest import report
from .test_queries import counted


def give(school, incident, what, owner=None):
    return Task.give(
        incident,
        school.alice,
        what=what,
        owner=owner or school.carol,
        due_on=now().date() + timedelta(days=3),
        visible=visible,
    )


@pytest.fixture
def tasks(school, incident):
    """Carol leaves, and was to do three things about two incidents."""
    other = report(school, by=school.dina)
    return [
        give(school, incident, "Ring the mother"),
        give(school, incident, "Write to the school nurse"),
        give(school, other, "Ask the driver"),
    ]


def keys(tasks):
    return [f"task-{task.id}-owner" for task in tasks]


def shown(person, school, to):
    sent = {"person": school.carol.label, "to": to.label}
    return person.get("/hand-over/", query_string=sent)


def press(person, school, to, things):
    sent = {"person": school.carol.label, "to": to.label, "things": things}
    return person.post("/hand-over/action/", sent)


@pytest.mark.both
def test_all_in_one_press_and_one_email(cast, school, tasks):
    assert "Handing over" in cast.mark.get("/set-up/").text_only
    page = shown(cast.mark, school, school.alice)
    for task in tasks:
        assert task.what in page.text_only
    assert page.text.count('name="things"') == 3 and len(re.findall(r"\schecked", page.text)) == 3
    before = Notice.select().count()
    edit_person(school.carol, school.ira, school.carol.roles, active=False)  # she has left already
    page = press(cast.mark, school, school.alice, keys(tasks))
    assert "3 things are handed over to Alice Brennan" in page.text_only
    assert {task.owner for task in Task.select()} == {school.alice}
    told = list(Notice.select().where(Notice.id > before))
    assert [one.user for one in told] == [school.alice], "one email, to the receiver"
    assert "has handed over 3 things to you" in told[0].body
    for word in ("mother", "nurse", "INC-", "task", "Zofia", "Carol"):
        assert word not in told[0].body + told[0].subject, "and neutral"
    for task in tasks:
        event = Event.last(task, "task:hand_over")
        assert event.by == school.mark and event.incident == task.incident_id
        assert [name.split(",")[0] for name in event.detail["changed"]["owner"]] == [
            "Carol Vaughan-Ŵyn",
            "Alice Brennan",
        ]
    assert "Ask the driver" in cast.alice.get("/").text_only
    assert proof.history(TABLES) == Event.select().count()


def test_what_is_left_out_goes_to_somebody_else(cast, school, tasks):
    cast.mark.get("/hand-over/")
    press(cast.mark, school, school.alice, keys(tasks[:1]))
    page = shown(cast.mark, school, school.bob).text_only
    assert "Ring the mother" not in page and "Ask the driver" in page
    press(cast.mark, school, school.bob, keys(tasks[1:]))
    assert [task.owner for task in Task.select().order_by(Task.id)] == [
        school.alice,
        school.bob,
        school.bob,
    ]


def test_only_what_the_receiver_may_see_and_the_rest_is_named_with_why(cast, school, tasks):
    incident = tasks[0].incident
    Share.share(incident, school.connor, "He drives her home.", school.mark)
    page = shown(cast.mark, school, school.connor)
    assert page.text.count('name="things"') == 2 and "Ask the driver" in page.text_only
    assert "Share each incident with them first" in page.text_only
    assert f"/incident/details/?id={tasks[2].incident_id}" in page.text
    page = press(cast.mark, school, school.connor, keys(tasks))
    assert page.status_code == 409 and "Share it with them first" in page.text_only
    assert Task.select().where(Task.owner == school.connor).count() == 0, "all or nothing"
    page = press(cast.mark, school, school.connor, keys(tasks[:2]))
    assert "2 things are handed over" in page.text_only
    assert Task.get_by_id(tasks[2].id).owner == school.carol


def test_twice_loses_and_doubles_nothing(cast, school, tasks):
    cast.mark.get("/hand-over/")
    emails = Notice.select().count()
    form = {"person": school.carol.label, "to": school.alice.label, "things": keys(tasks)}
    cast.mark.post("/hand-over/action/", form | {"once": "a token"})
    again = cast.mark.post("/hand-over/action/", form | {"once": "a token"})
    assert "saved already" in again.text_only
    page = press(cast.mark, school, school.alice, keys(tasks))
    assert page.status_code == 422 or page.status_code == 409, "Carol holds nothing any more"
    with pytest.raises(Refused, match="Nothing was handed over"):
        hand_over(school.carol, school.alice, keys(tasks), school.mark, visible)
    assert Notice.select().count() == emails + 1
    assert Event.select().where(Event.verb == "task:hand_over").count() == 3


def test_done_while_the_page_is_read_it_is_left(school, tasks):
    stale = Task.get_by_id(tasks[0].id)
    tasks[0].done(effect="Rang", by=school.carol)
    assert not stale.hand_over("owner", school.alice, school.mark), (
        "the row is claimed, not written"
    )
    assert hand_over(school.carol, school.alice, keys(tasks), school.mark, visible) == 2
    assert Task.get_by_id(tasks[0].id).owner == school.carol


def test_wrong_people(cast, school, tasks):
    cast.carol.get("/")
    assert cast.carol.get("/hand-over/").status_code == 403
    assert press(cast.carol, school, school.alice, keys(tasks)).status_code == 403
    cast.mark.get("/hand-over/")
    assert press(cast.mark, school, school.carol, keys(tasks)).status_code == 409
    page = press(cast.mark, school, school.alice, [])
    assert page.status_code == 409 and "nothing was ticked" in page.text_only
    User.update(active=False).where(User.id == school.alice.id).execute()
    with pytest.raises(Refused) as refused:
        left = User.get_by_id(school.alice.id)
        hand_over(school.carol, left, keys(tasks), school.mark, visible)
    assert "may not sign in" in refused.value.errors["to"]
    sent = {"person": "Nobody Known", "to": school.bob.label}
    page = cast.mark.get("/hand-over/", query_string=sent)
    assert page.status_code == 200 and "fits no person" in page.text_only
    assert {task.owner for task in Task.select()} == {school.carol}


def test_the_adult_whom_it_is_about_neither_hands_over_nor_hears_of_it(cast, school):
    incident = report(school, by=school.dina, adults=[(school.bob, ABOUT)])
    task = give(school, incident, "Ring the LADO")
    assert holders(school.bob, visible) == [] and school.carol in holders(school.alice, visible)
    page = shown(cast.bob, school, school.alice)
    assert "Ring the LADO" not in page.text and incident.reference not in page.text
    press(cast.bob, school, school.alice, keys([task]))
    assert Task.get().owner == school.carol
    other = give(school, report(school), "Ask the driver")
    page = shown(cast.bob, school, school.alice)
    assert page.text.count('name="things"') == 1 and "Ring the LADO" not in page.text
    press(cast.bob, school, school.alice, keys([task, other]))
    assert [one.owner for one in Task.select().order_by(Task.id)] == [school.carol, school.alice]
    page = shown(cast.mark, school, school.bob)
    assert 'name="things"' not in page.text and "may not see these" in page.text_only
    hand_over(school.carol, school.alice, keys([task]), school.mark, visible)
    history = cast.bob.get("/event/").text_only
    assert history.count("handed over") == 1, "that there was more would tell him"
    assert "handed over a colleague’s work" not in history
    assert "handed over" in cast.alice.get("/event/").text_only


def test_a_task_that_repeats_goes_on_with_the_new_owner(school, incident):
    task = give(school, incident, "Ask how the week was")
    weekly = Task.give(
        incident,
        school.alice,
        what="Each week",
        owner=school.carol,
        due_on=now().date(),
        repeats="Each week",
        visible=visible,
    )
    hand_over(school.carol, school.mark, keys([task, weekly]), school.alice, visible)
    Task.get_by_id(weekly.id).done(effect="Done", by=school.mark)
    assert Task.select().order_by(Task.id.desc()).get().owner == school.mark


def test_the_page_costs_the_same_however_much_there_is(cast, school, tasks):
    costs = []
    shown(cast.mark, school, school.alice)
    for more in (0, 20):
        for number in range(more):
            give(school, report(school), f"Task {number}")
        with counted() as statements:
            assert "Ask the driver" in shown(cast.mark, school, school.alice).text_only
        costs.append(len(statements))
    assert costs[0] == costs[1] <= 30, costs


def test_a_noun_joins_by_saying_who_holds_it(school, tasks):
    nouns = [model for model in Base.every() if issubclass(model, HandsOver)]
    assert Task in nouns
    for model in nouns:
        assert model.holders and set(model.unfinished) <= set(model.STATUSES)
        for column in model.holders:
            assert model._meta.fields[column].rel_model is User
            assert model.keeps != "submitted" or column in model.changes
    found = held(school.carol, school.dina, school.alice, visible)
    assert [one.why == "" for one in found] == [False, False, True], "Dina reported the last one"
