"""A disk that changes bytes: what it did is seen, named by verify without a word of it, and blocks
nobody.
"""

import sqlite3

import pytest

from models import (
    TABLES,
    Child,
    Draft,
    Event,
    Incident,
    Log,
    Notice,
    Proposal,
    Refused,
    Role,
    Section,
    User,
    db,
)
from models.ground.database import DAMAGED
from models.ground.settings import settings
from models.shelf import proof, upkeep

from .conftest import report

pytestmark = pytest.mark.only(
    "sqlite"
)  # PostgreSQL takes no text that is not UTF-8, and gives none

WORDS = "She said “he pulled me” and showed her wrist."
LISTS = (
    "/",
    "/incident/",
    "/log/",
    "/child/",
    "/notice/",
    "/event/",
    "/proposal/",
    "/role/",
    "/user/",
    "/template/",
    "/choice/",
)


def spoil(model, id, *columns, put=None):
    """Change the second byte of each column to one that no UTF-8 holds, or put other bytes there,
    as a dying disk does: nothing refuses it.
    """
    db.close()
    with sqlite3.connect(settings.folder / "safeguarding.db") as disk:
        for (trigger,) in disk.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            disk.execute(f"DROP TRIGGER {trigger}")
        for name in columns:
            value = (
                "?"
                if put is not None
                else f'CAST(substr("{name}", 1, 1) AS BLOB) || x\'ff\' || CAST(substr("{name}", 3) AS BLOB)'
            )
            disk.execute(
                f'UPDATE "{model.noun()}" SET "{name}" = CAST({value} AS TEXT) WHERE id = {id}',
                [put][: put is not None],
            )
    disk.close()
    db.connect()


def run(app, *args):
    """A command as IT types it."""
    db.close()
    result = app.test_cli_runner().invoke(args=args)
    db.connect(reuse_if_open=True)
    return result


def texts(model):
    """The columns of a model that hold text, dates among them."""
    return [
        f.column_name
        for f in model._meta.sorted_fields
        if f.field_type in ("VARCHAR", "TEXT", "JSON", "DATETIME", "DATE")
    ]


@pytest.fixture
def case(school, tracker):
    """A record of each kind besides those that the others are read through: {model: id}."""
    Draft.keep(school.dina, "/incident/new/", [("topic", "Not yet sent")])
    Proposal.make(school.ira, "grant", user=school.dave, role=Role.get(Role.name == "Manager"))
    ids = {
        model: row.id
        for model in TABLES
        if (row := model.select(model.id).order_by(model.id).first())
    }
    return ids | {
        User: school.dina.id,
        Role: Role.get(Role.name == "Contributor").id,
        Child: school.children[1].id,
    }


@pytest.mark.parametrize("model", TABLES, ids=lambda model: model.noun())
def test_a_damaged_row_stops_no_list(school, cast, case, model):
    people = [cast.alice, cast.ira, cast.dave]
    for person in people:
        person.get("/")
    if model not in case or model.noun() == "session":  # a session that is damaged is ended
        return
    spoil(model, case[model], *texts(model))
    for person in people:
        for path in LISTS:
            assert person.get(path).status_code in (200, 403), f"{path} for {person.user}"
    assert cast.alice.get("/incident/?search=wrist").status_code == 200
    assert cast.alice.get(f"/incident/details/?id={case[Incident]}").status_code in (200, 404)
    assert cast.alice.get(f"/log/details/?id={case[Log]}").status_code in (200, 404)
    assert cast.alice.get("/incident/export/csv/").status_code == 200


@pytest.mark.parametrize("put", [None, b"{", b""], ids=["a byte", "half of it", "empty"])
@pytest.mark.parametrize("name", ["questions", "answers"])
def test_damaged_answers_are_shown_as_they_are_and_not_written_over(
    school, cast, tracker, put, name
):
    section = tracker.in_order()[0]
    asked = section.questions[0]["id"]
    section.save_answers({asked: WORDS}, school.carol)
    spoil(Section, section.id, name, put=put)
    page = cast.carol.get(f"/section/edit/?id={section.id}")
    assert (
        page.status_code == 200
        and DAMAGED in page.text_only
        and "damaged" in cast.carol.get(f"/log/details/?id={tracker.log_id}").text
    )
    assert ("he pulled me" in page.text_only) == (name == "questions" or put is None), (
        "what can still be read is shown"
    )
    answer = cast.carol.post(
        f"/section/edit/?id={section.id}",
        {"version": section.version + 1, f"q{asked}": "Written over."},
    )
    assert answer.status_code == 409 and "Nothing was saved" in answer.text_only
    assert (
        "Written over."
        not in db.execute_sql("SELECT answers FROM section WHERE id = ?", (section.id,)).fetchone()[
            0
        ]
    )
    assert any("damaged" in text for text, _section, _anchor in tracker.missing()), (
        "it cannot be signed off as if nothing were"
    )
    assert DAMAGED in tracker.log.paper()
    with pytest.raises(Refused, match=f"The section {section.id} "):
        proof.findings(TABLES)


@pytest.mark.parametrize("name", ["what_happened", "topic", "injuries", "reported_at"])
def test_verify_names_the_record_and_no_word_of_it(school, cast, name):
    good = report(school, topic="A good one", child=school.children[1])
    bad = report(
        school,
        what_happened=WORDS,
        topic="Red wrist",
        injuries=[{"place": "Wrist", "note": "Showed it."}],
    )
    spoil(Incident, bad.id, name)
    result = run(school.app, "verify")
    assert result.exit_code == 1 and f"incident {bad.id}" in result.output
    assert not any(word in result.output for word in ("pulled", "wrist", "Wrist", "Red", "Showed"))
    page = cast.mark.get(f"/incident/details/?id={bad.id}")
    assert page.status_code == 200 and DAMAGED in page.text_only, "shown as damaged"
    assert DAMAGED not in cast.mark.get(f"/incident/details/?id={good.id}").text_only
    log = Log.trigger(bad, school.mark)
    assert (
        DAMAGED in log.paper()
        and Notice.select().where(Notice.event == Event.last(log, "log:trigger").id).exists()
    )


def test_an_event_whose_words_are_damaged_is_named(school, cast, incident):
    event = Event.last(incident, "incident:report")
    spoil(Event, event.id, "payload", put=b'{"by": "Dave')
    assert "damaged" in cast.alice.get("/event/").text_only
    with pytest.raises(Refused, match=f"event {event.id}"):
        proof.findings(TABLES)


def test_a_command_that_fails_says_what_kind_of_failure_and_no_word_of_a_record(
    school, monkeypatch
):
    for problem in (
        ValueError(WORDS),
        sqlite3.OperationalError(WORDS),
        RuntimeError(WORDS),
        UnicodeDecodeError("utf-8", WORDS.encode(), 9, 10, "x"),
    ):

        def fails(*args, problem=problem):
            raise problem

        monkeypatch.setattr(proof, "verify", fails)
        result = run(school.app, "verify")
        assert (
            result.exit_code == 1
            and type(problem).__name__ in result.output
            and "pulled" not in result.output + repr(result.exception)
        )


def test_the_log_of_the_process_has_no_word_of_a_record_either(school, monkeypatch, caplog):
    def fails(*args):
        raise ValueError(WORDS)

    monkeypatch.setattr(proof, "verify", fails)
    assert (
        upkeep.daily(TABLES)
        and "ValueError" in caplog.text
        and "test_damage.py" in caplog.text
        and "pulled" not in caplog.text
    )
    assert "THE CHECK COULD NOT BE RUN" in Notice.select().order_by(Notice.id.desc()).first().body
