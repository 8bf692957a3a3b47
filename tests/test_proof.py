"""Proof: what verify finds, what a paper is worth, the daily email, and the page History."""

import threading
from hashlib import sha256

import pytest
from peewee import IntegrityError

from models import (
    TABLES,
    Addendum,
    Attachment,
    Child,
    Document,
    Event,
    Incident,
    Log,
    Notice,
    Refused,
    Session,
    User,
    db,
)
from models.ground.clock import now
from models.ground.settings import put
from models.history.event import GENESIS, link, state
from models.shelf import proof

from . import engine
from .conftest import report
from .faults import untie, whole

pytestmark = pytest.mark.both


def test_everything_fits(signed):
    sentences = whole()
    assert (
        len(sentences) == 5
        and sentences[0].startswith(f"{Event.select().count():,} events")
        and "1 attachments" in sentences[2]
    )
    assert "1 kept copies" in sentences[3] and "1 completed logs" in sentences[4]


def rewrite_a_word():
    untie("event")
    event = Event.get(Event.verb == "log:trigger")
    Event.update(payload=event.payload.replace("Mark", "Dina")).where(
        Event.id == event.id
    ).execute()
    return f"at event {event.id}"


def rewrite_all():
    """The whole chain anew, every hash right: only what was written down elsewhere can tell."""
    untie("event")
    event = Event.get(Event.verb == "incident:report")
    Event.update(payload=event.payload.replace("Dave", "Dina")).where(
        Event.id == event.id
    ).execute()
    previous = GENESIS
    for event in Event.select().order_by(Event.id):
        event.digest, event.previous = sha256(event.payload.encode()).hexdigest(), previous
        event.hash = previous = link(event)
        event.save()
    return "was anchored to: the history was rewritten"


def cut_the_tail():
    """From the sign-off on, everything is as if it had never been."""
    signed = Event.get(Event.verb == "log:complete")
    untie("event")
    untie("notice")
    untie("document")
    Document.update(event=1).execute()
    Notice.delete().where(Notice.event >= signed.id).execute()
    Event.delete().where(Event.id >= signed.id).execute()
    return "its tail was cut off"


def remove_an_event():
    untie("event")
    untie("notice")
    event = Event.get(Event.verb == "section:save")
    Event.delete().where(Event.id == event.id).execute()
    return f"at event {event.id + 1}, where event {event.id} was expected"


def empty_a_payload():
    event = Event.get(Event.verb == "log:trigger")
    Event.update(payload="").where(Event.id == event.id).execute()
    return f"What event {event.id} said is gone, and no retention decision erased it"


def lose_an_email():
    untie("notice")
    notice = Notice.select().first()
    Notice.delete().where(Notice.id == notice.id).execute()
    return f"Event {notice.event_id} told 2 people, but what is queued for it is 1 email"


def add_an_email():
    notice = Notice.select().order_by(Notice.id.desc()).first()
    Notice.create(
        event=notice.event, user=notice.user, email="stranger@example.com", subject="OFS", body=""
    )
    return f"The notice {notice.id + 1} is not what the history says it was"


def redirect_an_email():
    Notice.update(email="stranger@example.com").where(Notice.id == 1).execute()
    return "or to other addresses"


def lose_a_record():
    if engine.current().name == "sqlite":
        db.pragma("foreign_keys", 0)
    else:
        db.execute_sql("SET session_replication_role = replica")
    Session.begin(User.get(), "127.0.0.1", "Firefox")
    db.execute_sql("UPDATE session SET user_id = 4711")
    return "session 1 names a user that is not there"


def lose_a_file():
    Attachment.get().path.unlink()
    return "The file of attachment 1 is missing"


def change_a_file():
    Attachment.get().path.write_bytes(b"Another note.")
    return "The file of attachment 1 is damaged or was changed"


def change_the_copy():
    untie("document")
    document = Document.get()
    Document.update(pdf=document.content().replace(b"obj", b"Obj", 1)).execute()
    return "The document 1 is not what the history says it was"


def change_the_words():
    untie("document")
    Document.update(words=Document.get().words.replace("red mark", "small mark")).execute()
    return "The document 1 is not what the history says it was"


def lose_the_paper():
    untie("document")
    Document.update(pdf=None).execute()
    return "The document 1 is not what the history says it was"


def complete_by_hand():
    other = Log.get()
    log = Log.create(
        reference="OFS-2020-0001",
        status="completed",
        incident=report_more(),
        triggered_by=other.triggered_by,
        triggered_at=now(),
        setting="x",
    )
    Event.write("log:edit", log, None)
    return f"{log} is completed, but who signed it off"


def report_more():
    from types import SimpleNamespace

    from models import Child, User

    return report(SimpleNamespace(child=Child.get()), by=User.get_by_id(1))


def change_an_incident():
    untie("incident")
    Incident.update(what_happened="Nothing.").execute()
    return "The incident 1 is not what the history says it was"


def replace_an_incident():
    if engine.current().name == "sqlite":
        db.pragma("recursive_triggers", 0)
        with pytest.raises(IntegrityError, match="nothing is replaced"):
            db.execute_sql("REPLACE INTO incident SELECT * FROM incident")
    return change_an_incident()


def change_a_status():
    db.execute_sql("UPDATE log SET status = 'open'")
    return "is not what the history says it was"


def change_a_completed_log():
    db.execute_sql("UPDATE log SET status = 'open'")
    db.execute_sql("UPDATE log SET summary = 'Other words.'")
    db.execute_sql("UPDATE log SET status = 'completed'")
    return "The log 1 is not what the history says it was"


def change_an_answer():
    db.execute_sql("UPDATE section SET answers = '{}'")
    return "The section 1 is not what the history says it was"


def change_an_addendum():
    untie("addendum")
    Addendum.update(text="Other words.").execute()
    return "The incident 1 is not what the history says it was"


def swap_a_file():
    untie("attachment")
    row = Attachment.get()
    Attachment.update(sha256=sha256(b"Another note.").hexdigest()).execute()
    put(Attachment.get().path, b"Another note.")
    return f"The attachment {row.id} is not what the history says it was"


def remove_a_file():
    untie("attachment")
    Attachment.get().path.unlink()
    Attachment.delete().execute()
    return "The attachment 1 is gone, though the history knows it"


def lose_an_earlier_copy():
    log = Log.get()
    log.reopen(reason="More came up.", by=User.get(User.name == "Alice Brennan"))
    untie("document")
    Document.delete().execute()
    return "The document 1 is gone, though the history knows it"


def change_a_name():
    Child.update(name="Somebody Else").where(Child.id == 1).execute()
    return "The child 1 is not what the history says it was"


TAMPERING = [
    change_a_name, change_an_incident, replace_an_incident, change_a_status, change_a_completed_log, change_an_answer, change_an_addendum, swap_a_file, remove_a_file, lose_an_earlier_copy,
    rewrite_a_word, rewrite_all, cut_the_tail, remove_an_event, empty_a_payload, lose_an_email, add_an_email, redirect_an_email, lose_a_record,
    lose_a_file, change_a_file, change_the_copy, change_the_words, lose_the_paper, complete_by_hand,
]  # fmt: skip


@pytest.mark.parametrize("tamper", TAMPERING, ids=lambda tamper: tamper.__name__)
def test_verify_names_what_does_not_fit(signed, tamper):
    assert whole()
    expected = tamper()
    with pytest.raises(Refused, match=expected.replace("(", r"\(")):
        whole()


def test_words_that_look_like_an_anchor_are_only_words(school, ready):
    """Whoever types such a line, in spite or to note a paper that was lost, stops neither verify
    nor backups.
    """
    ready.incident.amend(
        text=f'The paper said: history 99999 {"0" * 32}. <div id="foot"> history 99999 {"0" * 32}',
        by=school.dave,
    )
    ready.complete(by=school.mark)
    assert whole()


def test_what_is_given_as_an_anchor_and_is_none_is_refused(school, incident):
    for line in ("rubbish", "history 3 deadbeef", "history 3"):
        with pytest.raises(Refused, match="holds no line"):
            proof.findings(TABLES, line)
    head = Event.head()
    assert proof.findings(TABLES, f"History {head.id} {head.hash.upper()}")


def test_a_record_of_before_is_taken_into_the_history_once(school, signed):
    before = Event.select().where(Event.verb == "event:adopt").count()
    proof.adopt(TABLES)
    assert Event.select().where(Event.verb == "event:adopt").count() == before and whole()


def test_people_who_work_while_it_checks_cause_no_alarm(school, signed, monkeypatch):
    """A log is signed off in the middle of the check."""
    references, busy = proof.references, []

    def slow(tables):
        def work():
            with db.connection_context():
                other = Log.trigger(report(school), school.mark)
                other.complete_anyway(reason="Meanwhile.", by=school.alice)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join(1)  # on SQLite and PostgreSQL alike a reader stops no writer
        busy.append(thread)
        return references(tables)

    monkeypatch.setattr(proof, "references", slow)
    assert whole()
    busy[0].join()
    monkeypatch.setattr(proof, "references", references)
    assert Log.select().count() == 2 and whole()


def test_an_anchor_kept_elsewhere_finds_a_rewritten_history_that_fits_in_itself(school, incident):
    line = f"history {Event.head().id} {Event.head().hash[:32]}"
    assert proof.compare(f"It says: {line}.") and proof.history(TABLES, line)
    rewrite_all()
    with pytest.raises(Refused, match="rewritten"):
        proof.history(TABLES, line)
    with pytest.raises(Refused, match="changed or cut"):
        proof.compare(line)
    with pytest.raises(Refused, match="changed or cut"):
        proof.compare("history 99999999999 " + "0" * 32)
    with pytest.raises(Refused, match="holds no line"):
        proof.compare("history of art")


def test_words_are_erased_under_a_decision_and_the_chain_still_fits(school, signed):
    case = signed.incident_id
    for person, decision in ((school.mark, "Due."), (school.alice, " ")):
        with pytest.raises(Refused, match="Nothing was erased"):
            Event.erase(case, person, decision)
    kept = Event.get(Event.verb == "document:keep")
    number = Event.erase(
        case, school.alice, "Retention ended on 1 September 2026; decided with the head teacher."
    )
    assert (
        number == Event.select().where(Event.incident == case).count() - 1 > 5
        and Event.get_by_id(kept.id).payload
    ), "hashes are no words"
    assert whole(), "the chain, the emails and the copies still fit"
    assert all(
        "erased under a retention decision" in event.sentence
        for event in Event.of_incident(case)
        if event.id != kept.id
    )
    assert Event.latest("event:erase").detail["decision"].startswith("Retention ended")
    assert Event.erase(case, school.alice, "Again.") == 0


def test_words_are_erased_that_were_there_before_the_history_vouched_for_records(school, log):
    Event.write("event:adopt", Event(), None, states={"incident 1": state(log.incident)})
    log.incident.amend(text="Seen again at lunch.", by=school.dave)
    assert (
        Event.erase(log.its_incident(), school.alice, "Retention ended on 1 September 2026.")
        and whole()
    )
    assert Event.latest("event:erase").detail["unvouched"] == ["case 1", "incident 1", "log 1"]
    log.incident.amend(text="Seen once more.", by=school.dave)
    untie("addendum")
    assert whole() and Addendum.update(text="Never seen.").execute()
    with pytest.raises(Refused, match="incident 1 is not what the history says"):
        whole()
