"""History: append-only in the database, chained, in the same transaction as the change."""

import json
import re

import pytest
from peewee import DatabaseError

from models import TABLES, Addendum, Event, Incident, Log, Notice, Refused
from models.history.event import GENESIS
from models.shelf import proof

from .conftest import report
from .faults import untie

pytestmark = pytest.mark.both


def test_the_chain_fits_and_names_the_first_break(school, log):
    assert (
        proof.history(TABLES) == Event.select().count() and Event.get_by_id(1).previous == GENESIS
    )
    untie("event")
    event = Event.get(Event.verb == "incident:report")
    Event.update(payload=event.payload.replace("Dave", "Dina")).where(
        Event.id == event.id
    ).execute()
    with pytest.raises(Refused, match=f"at event {event.id}"):
        proof.history(TABLES)


def test_a_removed_event_is_found(school, log):
    untie("event")
    Event.delete().where(Event.id == 2).execute()
    with pytest.raises(Refused, match="at event 3, where event 2 was expected"):
        proof.history(TABLES)


@pytest.mark.parametrize("change", [lambda: Event.delete().execute(), lambda: Event.update(verb="log:read").execute(), lambda: Incident.delete().execute(), lambda: Incident.update(what_happened="Nothing").execute(), lambda: Log.delete().execute(), lambda: Addendum.update(text="x").execute(), lambda: Notice.delete().execute()])  # fmt: skip
def test_the_database_itself_refuses(school, log, change):
    log.incident.amend(text="Seen again.", by=school.dave)
    with pytest.raises(DatabaseError, match="never change|nothing is deleted"):
        change()


def test_if_the_history_cannot_be_written_nothing_is_saved(school, monkeypatch):
    incident = report(school)
    monkeypatch.setattr("models.history.event.link", lambda event: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        Log.trigger(incident, school.mark)
    with pytest.raises(ZeroDivisionError):
        report(school)
    assert (
        Incident.select().count(),
        Log.select().count(),
        Notice.select().count(),
        Incident.get().status,
    ) == (1, 0, 0, "to decide")


def test_an_unexpected_fault_saves_nothing_and_tells_nothing(
    cast, school, answers, monkeypatch, caplog
):
    cast.dave.get("/incident/new/")
    monkeypatch.setattr("models.history.event.link", lambda event: 1 / 0)
    page = cast.dave.post("/incident/new/", answers)
    assert page.status_code == 500 and Incident.select().count() == 0
    id = re.search(r"quote problem (\w+)", page.text_only).group(1)
    assert (
        id in caplog.text
        and "Zofia" not in caplog.text
        and answers["what_happened"] not in caplog.text
    )
    assert "ZeroDivisionError" not in page.text and "Traceback" not in page.text


def test_a_verb_outside_the_vocabulary_is_refused_with_the_cure(school, incident):
    with pytest.raises(LookupError, match="add it with the words the history says"):
        Event.write("incident:dance", incident, school.dave)


def test_names_are_kept_as_they_were(school, incident):
    event = Event.get(Event.verb == "incident:report")
    school.dave.name = "Dave Pritchard-Jones"
    school.dave.save()
    assert event.sentence == f"Dave Pritchard reported the incident: {incident.reference}."
    assert json.loads(event.payload)["by"] == "Dave Pritchard"


@pytest.mark.parametrize(
    "typed", ["2026-13-45", "2026-02-30T10:00:00+00:00", "0000-00-00", "2026-11-22T14:05"]
)
def test_a_text_that_looks_like_a_date_and_is_none_is_shown_as_typed(cast, school, log, typed):
    log.edit(school.carol, told_reference=typed)
    page = cast.alice.get(f"/log/details/?id={log.id}")
    assert page.status_code == 200 and typed in page.text_only.partition("History")[2]
    assert cast.alice.get(f"/log/pdf/?id={log.id}").status_code == 200
