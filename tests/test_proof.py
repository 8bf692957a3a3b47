"""Proof: what verify finds, what a paper is worth, the daily email, and the page History."""

import threading
from datetime import timedelta
from hashlib import sha256
from io import BytesIO

import pytest
from peewee import IntegrityError
from pypdf import PdfReader

from models import TABLES, Addendum, Attachment, Child, Document, Event, Incident, Log, Notice, Refused, User, db, proof, transaction
from models.base import at, now
from models.document import to_pdf
from models.event import GENESIS, link
from models.seal import certificate
from models.settings import put, settings

from . import engine
from .conftest import report


@pytest.fixture
def signed(school, ready):
    """A completed log with an attachment and its signed copy."""
    Attachment.add(ready.incident, school.dave, "note.txt", b"A note.")
    ready.incident.amend(text="Seen again at lunch.", by=school.dave)
    school.child.set(year="Year 8")
    school.child.save()
    Event.write("child:edit", school.child, school.carol, {"year": ("Year 6", "Year 8")})
    ready.complete(by=school.mark)
    Document.finish()
    return ready


def found():
    return list(proof.findings(TABLES))


def untie(table, *names):
    """What somebody with the database in hand does first."""
    for name in names:
        engine.current().remove_trigger(table, f"{table}_{name}_refused")


def test_everything_fits(signed):
    sentences = found()
    assert len(sentences) == 5 and sentences[0].startswith(f"{Event.select().count():,} events") and "1 attachments" in sentences[2]
    assert "1 kept copies" in sentences[3] and "1 completed logs" in sentences[4]


def rewrite_a_word():
    untie("event", "payload")
    event = Event.get(Event.verb == "log:trigger")
    Event.update(payload=event.payload.replace("Mark", "Dina")).where(Event.id == event.id).execute()
    return f"at event {event.id}"


def rewrite_all():
    """The whole chain anew, every hash right: only what was written down elsewhere can tell."""
    untie("event", "payload", "update")
    event = Event.get(Event.verb == "incident:report")
    Event.update(payload=event.payload.replace("Dave", "Dina")).where(Event.id == event.id).execute()
    previous = GENESIS
    for event in Event.select().order_by(Event.id):
        event.digest, event.previous = sha256(event.payload.encode()).hexdigest(), previous
        event.hash = previous = link(event)
        event.save()
    return "was anchored to: the history was rewritten"


def cut_the_tail():
    """From the sign-off on, everything is as if it had never been."""
    signed = Event.get(Event.verb == "log:complete")
    untie("event", "delete")
    untie("notice", "delete")
    untie("document", "update")
    Document.update(event=1).execute()
    Notice.delete().where(Notice.event >= signed.id).execute()
    Event.delete().where(Event.id >= signed.id).execute()
    return "its tail was cut off"


def remove_an_event():
    untie("event", "delete")
    untie("notice", "delete")
    event = Event.get(Event.verb == "section:save")
    Event.delete().where(Event.id == event.id).execute()
    return f"at event {event.id + 1}, where event {event.id} was expected"


def empty_a_payload():
    event = Event.get(Event.verb == "log:trigger")
    Event.update(payload="").where(Event.id == event.id).execute()
    return f"What event {event.id} said is gone, and no retention decision erased it"


def lose_an_email():
    untie("notice", "delete")
    notice = Notice.select().first()
    Notice.delete().where(Notice.id == notice.id).execute()
    return f"Event {notice.event_id} told 2 people, but 1 emails"


def add_an_email():
    notice = Notice.select().order_by(Notice.id.desc()).first()
    Notice.create(event=notice.event, user=notice.user, email="stranger@example.com", subject="OFS", body="")
    return f"Event {notice.event_id} told"


def redirect_an_email():
    Notice.update(email="stranger@example.com").where(Notice.id == 1).execute()
    return "or to other addresses"


def lose_a_record():
    if engine.current().name == "sqlite":
        db.pragma("foreign_keys", 0)
    else:
        db.execute_sql("SET session_replication_role = replica")
    db.execute_sql("UPDATE notice SET user_id = 4711")
    return "notice 1 names a user that is not there"


def lose_a_file():
    Attachment.get().path.unlink()
    return "The file of attachment 1 is missing"


def change_a_file():
    Attachment.get().path.write_bytes(b"Another note.")
    return "The file of attachment 1 is damaged or was changed"


def change_the_copy():
    untie("document", "update")
    document = Document.get()
    Document.update(pdf=document.content().replace(b"obj", b"Obj", 1)).execute()
    return "is not the one that the history names"


def change_the_words():
    untie("document", "update")
    Document.update(words=Document.get().words.replace("red mark", "small mark")).execute()
    return "is not the one that the history names"


def lose_the_paper():
    untie("document", "update")
    Document.update(pdf=None).execute()
    return "is not the one that the history names"


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
    return f"{log} is completed, but who signed it off"


def report_more():
    from types import SimpleNamespace

    from models import Child, User

    return report(SimpleNamespace(child=Child.get()), by=User.get_by_id(1))


def change_an_incident():
    untie("incident", "update")
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
    untie("addendum", "update")
    Addendum.update(text="Other words.").execute()
    return "The incident 1 is not what the history says it was"


def swap_a_file():
    untie("attachment", "update")
    row = Attachment.get()
    Attachment.update(sha256=sha256(b"Another note.").hexdigest()).execute()
    put(Attachment.get().path, b"Another note.")
    return f"The attachment {row.id} is not what the history says it was"


def remove_a_file():
    untie("attachment", "delete")
    Attachment.get().path.unlink()
    Attachment.delete().execute()
    return "The attachment 1 is gone, though the history knows it"


def lose_an_earlier_copy():
    log = Log.get()
    log.reopen(reason="More came up.", by=User.get(User.name == "Alice Brennan"))
    untie("document", "delete")
    Document.delete().execute()
    return "The copy of the sign-off in event"


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
    assert found()
    expected = tamper()
    with pytest.raises(Refused, match=expected.replace("(", r"\(")):
        found()


def test_words_that_look_like_an_anchor_are_only_words(school, ready):
    """Whoever types such a line, in spite or to note a paper that was lost, stops neither verify nor backups."""
    ready.incident.amend(text=f'The paper said: history 99999 {"0" * 32}. <div id="foot"> history 99999 {"0" * 32}', by=school.dave)
    ready.complete(by=school.mark)
    assert found()


def test_what_is_given_as_an_anchor_and_is_none_is_refused(school, incident):
    for line in ("rubbish", "history 3 deadbeef", "history 3"):
        with pytest.raises(Refused, match="holds no line"):
            proof.findings(TABLES, line)
    head = Event.head()
    assert proof.findings(TABLES, f"History {head.id} {head.hash.upper()}")


def test_a_forged_row_does_not_make_a_paper_genuine(signed):
    untie("document", "update")
    forged = to_pdf("<html><body>/* fonts */ Another paper</body></html>")
    Document.update(pdf=forged, sha256=sha256(forged).hexdigest()).execute()
    with pytest.raises(Refused, match="carries no signature"):
        proof.of_paper(forged)


def test_a_record_of_before_is_taken_into_the_history_once(school, signed):
    assert Event.select().where(Event.verb == "event:adopt").count() == 1
    proof.adopt(TABLES)
    assert Event.select().where(Event.verb == "event:adopt").count() == 1 and found()


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
    assert found()
    busy[0].join()
    monkeypatch.setattr(proof, "references", references)
    assert Log.select().count() == 2 and found()


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
    number = Event.erase(case, school.alice, "Retention ended on 1 September 2026; decided with the head teacher.")
    assert number == Event.select().where(Event.incident == case).count() - 1 > 5 and Event.get_by_id(kept.id).payload, (
        "hashes are no words"
    )
    assert found(), "the chain, the emails and the copies still fit"
    assert all("erased under a retention decision" in event.sentence for event in Event.of_case(case) if event.id != kept.id)
    assert Event.latest("event:erase").detail["decision"].startswith("Retention ended")
    assert Event.erase(case, school.alice, "Again.") == 0


def test_the_result_is_kept_and_shown(cast, signed):
    proof.verify(TABLES)
    page = cast.alice.get("/event/")
    assert "Last checked on" in page.text_only and "events, with their anchors, records and emails, all fit" in page.text_only
    change_a_file()
    with pytest.raises(Refused):
        proof.verify(TABLES)
    for person in (cast.alice, cast.ira):
        assert "The file of attachment 1 is damaged" in person.get("/event/").text_only
        assert "Something does not fit" in person.get("/").text_only


def test_it_sees_how_it_stands_and_no_record(cast, signed):
    Notice.update(attempts=3, problem="SMTPRecipientsRefused 452").execute()
    page = cast.ira.get("/event/")
    assert "452" in page.text_only and "alice@thornley.example" in page.text_only and "No backup has been made yet" in page.text_only
    for secret in ("OFS-", "INC-", "Zofia", "Red mark", "Who did what"):
        assert secret not in page.text, secret
    assert "Who did what" in cast.alice.get("/event/").text_only


def test_level_5_read_who_did_what_but_for_what_is_about_them(cast, school):
    from models.incident import ABOUT

    closed = report(school, by=school.dina, adults=[(school.bob, ABOUT)])
    cast.dave.get(f"/incident/details/?id={closed.id}")
    assert closed.reference in cast.alice.get("/event/?what=Changes").text
    assert "was refused" in cast.alice.get("/event/?what=Refusals").text_only
    assert closed.reference not in cast.bob.get("/event/").text
    assert "signed in" not in cast.alice.get("/event/?what=Exports").text_only


def test_a_history_without_end_is_not_counted_to_its_end(cast, school, log, monkeypatch):
    from admin_views.history import EventView

    monkeypatch.setattr(EventView, "at_most", 3)
    page = cast.alice.get("/event/")
    assert Event.select().count() > 3 and "3 events" in page.text_only and str(Event.head().id) in page.text_only


def test_a_kept_line_is_compared_on_the_page(cast, school, incident):
    head = Event.head()
    assert "It fits" in cast.alice.get("/event/", query_string={"anchor": f"history {head.id} {head.hash}"}).text_only
    assert "Tell the DSL and IT today" in cast.alice.get("/event/", query_string={"anchor": f"history {head.id} {'0' * 64}"}).text_only


def test_the_copy_is_signed_and_carries_its_digest_and_the_head(signed):
    document = Document.get()
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(document.content())).pages)
    assert f"history {document.event_id} {document.event.hash[:32]}" in text and f"record {document.digest[:32]}" in text
    said = proof.of_paper(document.content())
    assert (
        "kept when Mark Kowalczyk signed it off" in said
        and "signature is this installation’s and whole" in said
        and document.digest in said
    )
    assert certificate().not_valid_after_utc.year > now().year + 75


def test_the_command_says_it_in_one_line(app, signed, tmp_path):
    file, runner = tmp_path / "kept.pdf", app.test_cli_runner()
    file.write_bytes(Document.get().content())
    db.close()
    good = runner.invoke(args=["verify", str(file)])
    assert good.exit_code == 0 and "byte for byte" in good.output and not good.stderr
    file.write_bytes(file.read_bytes().replace(b"endobj", b"endObj", 1))
    bad = runner.invoke(args=["verify", str(file)])
    assert bad.exit_code == 1 and bad.stderr == "Error: This is not what was signed off: the file was changed after it was signed.\n"
    assert "all fit" in runner.invoke(args=["verify"]).output
    db.connect(reuse_if_open=True)
    assert "1 kept copies" in Event.latest("event:verify").detail["found"][3]


def test_one_changed_byte_is_found_wherever_it_is(signed):
    pdf = Document.get().content()
    for place in (60, len(pdf) // 3, len(pdf) // 2, len(pdf) - 2000, len(pdf) - 8):
        changed = bytearray(pdf)
        changed[place] ^= 1
        with pytest.raises(Refused, match="not what was signed off|carries no signature|not, byte for byte"):
            proof.of_paper(bytes(changed))
    with pytest.raises(Refused, match="changed after it was signed"):
        proof.of_paper(pdf + b"\n%% one more line")


def test_other_papers_are_called_what_they_are(signed, tmp_path):
    with pytest.raises(Refused, match="carries no signature"):
        proof.of_paper(to_pdf(signed.paper()))
    with pytest.raises(Refused, match="carries no signature"):
        proof.of_paper(b"not a PDF at all")
    from models.seal import sign

    ours = sign(to_pdf("<html><body>/* fonts */ A paper</body></html>"), "Signed off")
    with pytest.raises(Refused, match="not, byte for byte, a copy kept here"):
        proof.of_paper(ours)
    (settings.folder / "signing.pem").unlink()  # another installation makes its own
    with pytest.raises(Refused, match="the signature is another’s"):
        proof.of_paper(ours)


def test_copies_kept_before_the_history_took_their_hashes_are_taken_in(school, signed):
    untie("event", "delete")
    last = Event.head()
    assert last.id == Event.get(Event.verb == "document:keep").id
    Event.delete().where(Event.id == last.id).execute()
    with pytest.raises(Refused):
        found()
    Document.adopt()
    Document.adopt()
    assert found() and Event.select().where(Event.verb == "document:keep").count() == 1


def test_level_5_get_the_head_once_a_day(school, incident):
    moment = now().replace(hour=12)
    with at(moment):
        assert proof.daily(TABLES) and not proof.daily(TABLES)
    letters = list(Notice.select().where(Notice.subject.startswith("History")))
    anchor = Event.latest("event:anchor")
    assert {letter.email for letter in letters} == {"alice@thornley.example", "bob@thornley.example"}
    assert (
        f"history {anchor.id} {anchor.hash}" in letters[0].body
        and "all fit" in letters[0].body
        and incident.reference not in letters[0].body
    )
    with at(moment + timedelta(days=1)):
        assert proof.daily(TABLES)
    assert found()


def test_the_daily_email_says_when_something_does_not_fit(school, signed):
    change_a_file()
    assert proof.daily(TABLES)
    assert "SOMETHING DOES NOT FIT" in Notice.select().order_by(Notice.id.desc()).first().body


def test_two_workers_send_the_daily_email_once(school, monkeypatch):
    """The other worker gets there while this one is still checking."""
    verify = proof.verify

    def slow(tables):
        monkeypatch.setattr(proof, "verify", verify)
        assert proof.daily(tables)
        return verify(tables)

    monkeypatch.setattr(proof, "verify", slow)
    assert not proof.daily(TABLES)
    assert Event.select().where(Event.verb == "event:anchor").count() == 1


def test_held_emails_wait_for_a_level_5(cast, school, log):
    with transaction():
        Event.write("event:restore", Event(), None)
    sent = []
    assert Notice.deliver(sent.append) == 0 and not sent
    assert "held back" in cast.ira.get("/").text_only
    cast.ira.get("/event/")
    assert cast.ira.post("/event/release/").status_code == 403
    cast.alice.get("/event/")
    assert "on their way" in cast.alice.post("/event/release/").text_only
    assert "No emails are held back" in cast.alice.post("/event/release/").text_only
    assert Notice.deliver(sent.append) == 2


def test_stuck_emails_are_tried_again_at_the_address_of_today(cast, school, log):
    Notice.update(status="failed", attempts=1).where(Notice.user == school.bob).execute()
    school.bob.email = "bob.adeyemi@thornley.example"
    school.bob.save()
    cast.ira.get("/event/")
    assert "1 will be tried again" in cast.ira.post("/event/retry/").text_only
    assert "No email is stuck" in cast.ira.post("/event/retry/").text_only
    sent = []
    Notice.deliver(lambda notice: sent.append(notice.email))
    assert "bob.adeyemi@thornley.example" in sent and found()


def test_what_changed_is_highlighted(cast, school, log):
    log.edit(school.carol, summary="A red mark on the left wrist.")
    log.edit(school.carol, summary="A red mark on the right wrist.")
    text = " ".join(cast.alice.get(f"/log/details/?id={log.id}").text.split())
    assert '<del><span class="sr">removed: </span> left</del><ins><span class="sr">added: </span> right</ins> wrist.' in text


def test_it_cannot_give_itself_the_release_of_held_emails(school):
    from models import Role
    from models.proposal import edit_role

    role = Role.get(Role.name == "IT")
    assert edit_role(
        role, school.ira, name=role.name, level=role.level, description=role.description, permissions=[*role.permissions, "notice:release"]
    )
    assert "notice:release" not in Role.get(Role.name == "IT").permissions, "it waits for a Level 5"
    Event.write("event:restore", Event(), None)
    with pytest.raises(Refused, match="Only a Level 5"):
        Notice.release(by=school.ira)


def test_try_again_leaves_what_a_worker_has_in_hand(school, log):
    notice = Notice.select().first()
    Notice.update(attempts=2).where(Notice.id == notice.id).execute()
    assert Notice.get_by_id(notice.id).claim()
    Notice.retry(by=school.ira)
    sent = []
    Notice.deliver(lambda other: sent.append(other.id))
    assert notice.id not in sent


def test_the_daily_email_goes_out_although_the_check_cannot_be_run(school, monkeypatch, caplog):
    monkeypatch.setattr(proof, "findings", lambda *args: 1 / 0)
    assert proof.daily(TABLES) and not proof.daily(TABLES)
    assert "THE CHECK COULD NOT BE RUN" in Notice.select().order_by(Notice.id.desc()).first().body
