"""The outbox: what an email says, and its delivery over a real SMTP server."""

from datetime import timedelta
from smtplib import SMTPResponseException

import pytest

import app as application
from models import Event, Notice, Refused, db, transaction
from models.ground.clock import at, now
from models.history.notice import SUBJECT

from .faults import post_office, untie, whole

pytestmark = pytest.mark.both


@pytest.fixture
def inbox(app):
    with post_office(app) as office:
        yield office


def deliver(app):
    with app.app_context():
        return Notice.deliver(application.send)


def test_level_5_get_an_email_that_says_who_what_and_where_and_nothing_else(
    app, inbox, school, log
):
    assert deliver(app) == 2
    assert {letter["To"] for letter in inbox.letters} == {
        "alice@thornley.example",
        "bob@thornley.example",
    }
    letter = inbox.letters[0]
    text = "\n".join(letter.get_content().splitlines())
    assert letter["Subject"] == SUBJECT
    assert text.split("\n\n") == [
        "Mark Kowalczyk triggered the notification.", f"Reference: {log.reference}",
        f"http://127.0.0.1:5000/log/details/?id={log.id}", "Thornley Beck School",
    ]  # fmt: skip
    assert "Zofia" not in str(letter) and "mark" not in text.replace("Mark Kowalczyk", "")
    assert len({letter["Message-ID"] for letter in inbox.letters}) == 2
    assert all(notice.sent_at and notice.status == "sent" for notice in Notice.select())


def test_nothing_is_sent_twice(app, inbox, school, log):
    assert (deliver(app), deliver(app), len(inbox.letters)) == (2, 0, 2)


def test_a_refused_address_fails_visibly_and_does_not_stop_the_others(app, inbox, cast, log):
    inbox.addresses["alice@thornley.example"] = "550 No such person"
    assert deliver(app) == 1
    failed = Notice.get(Notice.status == "failed")
    assert (failed.email, failed.problem) == ("alice@thornley.example", "SMTPRecipientsRefused 550")
    assert (
        "could not be delivered" in cast.mark.get("/").text_only
        and "failed" in cast.mark.get("/notice/?status=failed").text_only
    )


def test_a_full_mailbox_is_tried_again_later(app, inbox, log):
    inbox.addresses["bob@thornley.example"] = "452 Mailbox full"
    assert deliver(app) == 1
    assert deliver(app) == 0, "not at once"
    inbox.addresses.clear()
    with at(now() + timedelta(minutes=2)):
        assert deliver(app) == 1
    assert sorted(notice.attempts for notice in Notice.select()) == [1, 2]
    assert Notice.select().where(Notice.status == "sent").count() == 2


def test_a_server_that_is_away_loses_nothing(app, inbox, log):
    app.extensions["mailman"].port = 9
    assert deliver(app) == 0 and {notice.status for notice in Notice.select()} == {"waiting"}


def test_two_workers_send_each_email_once(log):
    sent = []
    notice = Notice.select().first()
    first, second = Notice.get_by_id(notice.id), Notice.get_by_id(notice.id)
    for worker in (first, second):
        if worker.claim():
            worker.attempt(sent.append)
    assert len(sent) == 1


def test_a_worker_that_dies_holds_an_email_no_longer_than_its_lease(log):
    sent = []
    notice = Notice.select().first()
    notice.claim()
    assert Notice.deliver(sent.append) == 1, "the other one"
    with at(now() + timedelta(minutes=6)):
        assert Notice.deliver(sent.append) == 1


def test_an_email_is_queued_with_its_cause_or_not_at_all(school, log):
    from models import transaction

    before = Notice.select().count(), Event.select().count()
    with pytest.raises(RuntimeError), transaction():
        log.complete_anyway(reason="Because.", by=school.alice)
        raise RuntimeError
    assert (Notice.select().count(), Event.select().count()) == before


def test_waits_grow_and_never_end(log):
    def busy(_notice):
        raise SMTPResponseException(451, b"try later")

    moment, waits = now(), []
    for _attempt in range(8):
        with at(moment):
            Notice.deliver(busy)
        due = Notice.select().first().due_at
        waits.append(round((due - moment).total_seconds() / 60))
        moment = due
    assert waits == [1, 5, 15, 60, 240, 240, 240, 240]


def test_sent_emails_are_for_those_who_may_read_the_case(cast, school, log):
    notice = Notice.select().first()
    assert (
        log.reference in cast.carol.get("/notice/").text
        and cast.carol.get(f"/notice/details/?id={notice.id}").status_code == 200
    )
    assert (
        log.reference not in cast.dave.get("/notice/").text
        and cast.dave.get(f"/notice/details/?id={notice.id}").status_code == 404
    )
    assert log.reference not in cast.ira.get("/notice/").text


def test_the_commands(app, school, log, inbox):
    db.close()
    runner = app.test_cli_runner()
    assert "2 emails sent, 0 PDFs made." in runner.invoke(args=["deliver"]).output
    assert "all fit" in runner.invoke(args=["verify"]).output
    db.connect()
    untie("event")
    Event.update(payload="{}").where(Event.id == 4).execute()
    broken = runner.invoke(args=["verify"])
    assert broken.exit_code == 1 and "event 4" in broken.output
    assert "up to date" in runner.invoke(args=["migrate"]).output


def test_held_emails_wait_for_a_level_5(cast, school, log):
    with transaction():
        Event.write("event:restore", Event(), None)
    sent = []
    assert Notice.deliver(sent.append) == 0 and not sent
    assert "held back" in cast.ira.get("/").text_only
    cast.ira.get("/event/")
    assert cast.ira.post("/event/action/", {"action": "notice:release"}).status_code == 403
    cast.alice.get("/event/")
    assert (
        "on their way" in cast.alice.post("/event/action/", {"action": "notice:release"}).text_only
    )
    assert (
        "No emails are held back"
        in cast.alice.post("/event/action/", {"action": "notice:release"}).text_only
    )
    assert Notice.deliver(sent.append) == 2


def test_stuck_emails_are_tried_again_at_the_address_of_today(cast, school, log):
    Notice.update(status="failed", attempts=1).where(Notice.user == school.bob).execute()
    school.bob.email = "bob.adeyemi@thornley.example"
    school.bob.save()
    Event.write("user:edit", school.bob, school.ira)
    for notice in Notice.select().where(Notice.user == school.bob):
        Event.write("notice:fail", notice, None)
    cast.ira.get("/event/")
    assert (
        "1 will be tried again"
        in cast.ira.post("/event/action/", {"action": "notice:retry"}).text_only
    )
    assert (
        "No email is stuck" in cast.ira.post("/event/action/", {"action": "notice:retry"}).text_only
    )
    sent = []
    Notice.deliver(lambda notice: sent.append(notice.email))
    assert "bob.adeyemi@thornley.example" in sent and whole()


def test_it_cannot_give_itself_the_release_of_held_emails(school):
    from models import Role
    from models.access.accounts import edit_role

    role = Role.get(Role.name == "IT")
    assert edit_role(
        role,
        school.ira,
        name=role.name,
        level=role.level,
        description=role.description,
        permissions=[*role.permissions, "notice:release"],
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
