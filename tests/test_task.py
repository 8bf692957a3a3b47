"""Tasks: given, done, cancelled; by the right people, at the right moment, and shut to the adult
whom it is about.
"""

from datetime import timedelta

import pytest

from models import Event, Notice, Refused, Share, Task, visible
from models.case.incident import ABOUT
from models.ground.clock import at, now

from .conftest import report

pytestmark = pytest.mark.both


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
    assert not visible(Task, school.mark).exists()
    assert task.recipients() == []


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
