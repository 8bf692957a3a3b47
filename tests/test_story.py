"""The whole main job over HTTP, as the people of the school do it, by the names they see."""

import pytest
from pypdf import PdfReader

from admin_views.rails.moments import in_cell
from models import TABLES, Document, Event, Incident, Log, Notice, Section
from models.case.template import columns
from models.shelf import proof

pytestmark = pytest.mark.both


def words_of(response):
    from io import BytesIO

    return " ".join(
        " ".join(page.extract_text() for page in PdfReader(BytesIO(response.data)).pages).split()
    )


def test_from_an_incident_to_a_signed_off_log(cast, school, answers):
    # Dave reports
    home = cast.dave.get("/")
    assert "Report an incident" in home.text_only
    cast.dave.get("/incident/new/")
    saved = cast.dave.post("/incident/new/", answers)
    incident = Incident.get()
    assert f"Saved as {incident.reference}" in saved.text_only and incident.reference.startswith(
        "INC-"
    )
    assert incident.reference in cast.dave.get("/").text_only, (
        "Dave sees his own report on his home page"
    )
    assert "Trigger notification" not in saved.text and Notice.select().count() == 0, (
        "saving tells nobody and triggers nothing"
    )

    # Mark decides
    page = cast.mark.get(f"/incident/details/?id={incident.id}")
    assert "Trigger notification" in page.text and "Not notifiable" in page.text
    page = cast.mark.press("log:trigger", incident, "incident")
    log = Log.get()
    assert page.request.path == "/log/details/" and log.reference in page.text_only, (
        "he lands on the log"
    )
    assert incident.reference in page.text_only and "Level 5, automatically" in page.text_only
    assert log.reference in cast.mark.get(f"/incident/details/?id={incident.id}").text_only, (
        "and the incident shows the log"
    )
    assert {notice.user.name for notice in Notice.select()} == {"Alice Brennan", "Bob Adeyemi"}

    # Alice fills in, assigns Connor, begins
    assert (
        'class="ofsted"' in cast.alice.get("/").text
        and 'class="ofsted"' not in cast.dave.get("/").text
    )
    cast.alice.get(f"/log/edit/?id={log.id}")
    fields = {
        "version": Log.get().version, "setting": log.setting, "kind": "Other serious event", "basis": "Judged serious", "decided_by": school.mark.label,
        "decided_at": "2026-03-04T10:00", "decided_why": "A mark and a frightened child.", "aware_at": "2026-03-04T09:15", "told_at": "2026-03-04T11:00",
        "told_by": school.alice.label, "told_how": "Telephone", "told_reference": "CR-1", "summary": "A red mark; the child is safe.",
        "assigned": [school.connor.id],
    }  # fmt: skip
    page = cast.alice.post(f"/log/edit/?id={log.id}", fields)
    assert "Saved" in page.text_only and "Assigned by Alice Brennan" in page.text_only
    assert cast.connor.get(f"/log/details/?id={log.id}").status_code == 200
    page = cast.alice.press("tracker:begin", log, "log")
    assert (
        "The safeguarding tracker was begun by Alice Brennan" in page.text_only
        and "not started" in page.text_only
    )

    # Complete is refused with links to what is missing; Carol answers section by section
    page = cast.mark.press("log:complete", log)
    assert (
        page.status_code == 409
        and page.text_only.count("Closure summary: ") >= 2
        and "/section/edit/?id=" in page.text
    )
    from .conftest import answer_to

    for section in Section.select().order_by(Section.position):
        path = f"/section/edit/?id={section.id}"
        by = cast.mark if section.restricted else cast.carol
        by.get(path)
        data = {"version": section.version}
        for question in section.questions:
            if question["required"] and "depends" not in question:  # it follows from a Yes
                data |= as_typed(question, answer_to(question))
        page = by.post(path, data)
        assert "It is complete" in page.text_only, (section.title, page.text_only[:900])

    # Mark signs off; everything is read-only; the copy is kept
    page = cast.mark.press("log:complete", log)
    assert (
        "completed and signed off by Mark Kowalczyk" in page.text_only
        and "Read-only" in page.text_only
    )
    assert (
        cast.alice.post(
            f"/log/edit/?id={log.id}", fields | {"version": Log.get().version}
        ).status_code
        == 422
    )
    copy = Document.get()
    first, second = (
        cast.alice.get(f"/log/copy/?id={copy.id}"),
        cast.bob.get(f"/log/copy/?id={copy.id}"),
    )
    assert first.data == second.data and first.data[:5] == b"%PDF-"
    assert "Mark Kowalczyk completed and signed off the log" in words_of(first)

    # Bob reopens with a reason; all of it is in the history, and the chain fits
    page = cast.bob.press("log:reopen", log, reason="The police gave new information.")
    assert "The police gave new information." in page.text_only and Log.get().status == "tracking"
    verbs = {event.verb for event in Event.of_incident(incident.id)}
    steps = {
        "incident:report",
        "log:trigger",
        "log:edit",
        "log:assign",
        "tracker:begin",
        "section:save",
        "log:complete",
        "log:reopen",
        "log:read",
    }
    assert verbs >= steps
    assert proof.history(TABLES) == Event.select().count()


def as_typed(question, answer):
    name = f"q{question['id']}"
    if question["kind"] == "table of rows":
        kinds = {one.name: one.kind for one in columns(question)}
        cells = {
            f"{name}-0-{column}": in_cell(value, kinds[column])
            for column, value in answer[0].items()
        }
        return {f"{name}-rows": "1"} | cells
    if question["kind"] == "yes/no":
        return {name: "yes" if answer else "no"}
    return {name: answer}
