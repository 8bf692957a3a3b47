"""The outbox: every email waits here, in the transaction of its cause, until it is delivered or
visibly fails.

Whatever names a record or speaks of the installation has the one SUBJECT, for a subject is read
over somebody's shoulder, on a screen that a class sees. What one asked for oneself (an invitation,
a new passphrase) keeps a subject of its own: it names no case, and must be found among others.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from smtplib import SMTPRecipientsRefused, SMTPResponseException
from typing import Any
from urllib.parse import urlsplit

from peewee import CharField, Expression, ForeignKeyField, IntegerField, ModelSelect, TextField

from models.ground.clock import now
from models.ground.composed import composed
from models.ground.database import transaction
from models.ground.fields import Moment
from models.ground.record import Base, Record, Refused
from models.ground.settings import settings
from models.ground.words import pages
from models.people.user import User
from models.permissions import VOCABULARY

from .event import Event

BACK_OFF = [timedelta(minutes=m) for m in (1, 5, 15, 60, 240)]  # then every 4 hours
LEASE = timedelta(minutes=5)  # a worker that dies holds its email no longer than this
SUBJECT = "Safeguarding Tracker: something waits for you"
DIGEST = "user:digest"  # the event of the one email a day: see models/shelf/digest.py
HANDED = "user:handed_over"  # the event of the one email about a leaver's work
URGENT = (  # of what is about a case; what is about no case is always sent at once
    "log:trigger",
    "incident:alarm",
    "incident:report",  # told only where an adult was named in it
    "incident:name_adult",
    "incident:clear_adult",
)
PLAINLY = dict.fromkeys(  # where the words of the vocabulary would say what kind of case it is
    ("incident:name_adult", "incident:clear_adult"), "added to the incident"
)


class Withheld(Exception):
    """Its person may no longer see what an email is about, so it is not sent."""


class Notice(Record):
    no_line = "an email tells of a line, and is none"
    belongs, keeps = "event", "submitted"
    changes = ("email", "status", "due_at", "attempts", "sent_at", "problem", "version")
    unvouched = Record.unvouched | dict.fromkeys(
        ("due_at", "attempts", "problem"), "the work of sending; that it was sent is vouched for"
    )

    event = ForeignKeyField(Event, on_delete="RESTRICT")
    user = ForeignKeyField(User, on_delete="RESTRICT", verbose_name="To")
    email = CharField(max_length=254, verbose_name="Address")
    subject = CharField(max_length=200, verbose_name="Subject")
    body = TextField(verbose_name="Text")
    status = CharField(max_length=20, default="waiting", index=True, verbose_name="Status")
    queued_at = Moment(default=now, verbose_name="Queued")
    due_at = Moment(default=now)
    attempts = IntegerField(default=0, verbose_name="Attempts")
    sent_at = Moment(null=True, verbose_name="Sent")
    problem = TextField(null=True, verbose_name="Problem")

    def __str__(self):
        return f"Email to {self.user}"  # not the address: the history of a case goes on paper

    @classmethod
    def to_account(cls, user: User, subject: str, body: str) -> Event:
        """Queue an email about somebody's account. LINK in the text becomes a fresh link at each
        attempt to send, so none is stored.
        """
        return cls.queue("user:told", user, None, [(user, subject, body)], subject=subject)

    @classmethod
    def queue(
        cls,
        verb: str,
        record: Base,
        by: User | None,
        letters: Sequence[tuple[User, str, str]],
        changed: dict[str, tuple] | None = None,
        **detail: Any,
    ) -> Event:
        """Write an event and queue its emails, [(User, subject, body)], in one transaction; returns
        the event.

        The event names everyone whom it told and vouches for each email, so that `verify` finds one
        that is missing, changed, or without a cause.
        """
        with transaction():
            event = Event.write(verb, record, by, changed, letters=letters, **detail)
            rows = [
                {
                    "event": event,
                    "user": user,
                    "email": user.email,
                    "subject": subject,
                    "body": body,
                    "queued_at": event.at,
                }
                for user, subject, body in letters
            ]
            if rows:
                cls.insert_many(rows).execute()
        return event

    @classmethod
    def of_no_incident(cls) -> Expression:
        """The condition that an email is about an account or the installation."""
        return cls.event.in_(Event.select(Event.id).where(Event.incident.is_null()))

    @classmethod
    def announce(
        cls,
        verb: str,
        record: Base,
        by: User | None,
        users: Iterable[User],
        changed: dict[str, tuple] | None = None,
        about: Base | None = None,
        **detail: Any,
    ) -> Event:
        """Write the event of a step and queue one email to each of `users`, in the caller's
        transaction; returns the event.

        An email says who acted, what they did, the reference and a link to `about` (else `record`):
        no status, child, category or kind.
        """
        about = about or record
        body = pages.get_template("email/moved.txt").render(
            who=str(by or "The system"), did=PLAINLY.get(verb) or VOCABULARY[verb].says,
            reference=about.reference,
            link=f"{settings.url}/{about.noun()}/details/?id={about.id}",
        )  # fmt: skip
        return cls.queue(
            verb, record, by, [(user, SUBJECT, body) for user in users], changed, **detail
        )

    @classmethod
    @composed
    def of_incident(cls, incident: Any) -> Any:
        """The emails about one case, in the order they were queued, with their recipients."""
        rows = cls.select(cls, Event, *User.named()).join(User).switch(cls).join(Event)
        return rows.where(Event.incident == incident).order_by(cls.id)

    def about(self, by: User) -> str:
        """What it was about, in a sentence for `by`, who may see it: all have the same subject."""
        if self.event.verb == DIGEST:
            return "The emails of a day, in one."
        if self.event.incident or by.may("event:read_all"):
            return self.event.sentence
        return "About your account."

    @property
    def patient(self) -> bool:
        """Whether it may wait: it is about a case, and nothing of which people must know at
        once.
        """
        return self.event.incident is not None and self.event.verb not in URGENT

    @property
    def rests(self) -> bool:
        """Whether it waits now for the hours, or for the one email a day, that its person chose.
        Nothing of that is stored with it: a choice that is changed counts at once, and so does a
        clock that is put right.
        """
        digest = self.event.verb == DIGEST
        if not self.patient and not digest:
            return False
        daily = self.user.daily and not digest and not self.attempts
        return bool(daily) or self.user.quiet(now())

    @property
    def message_id(self) -> str:
        """The same at every attempt, so that a mail server can drop a repeat; another for what gets
        this number after a restore.
        """
        return f"<notice-{self.id}-{self.event.hash[:16]}@{urlsplit(settings.url).hostname}>"

    @classmethod
    def held(cls) -> Event | None:
        """The restore since which no email leaves, or None: what waits may have been sent long ago,
        so a Level 5 looks first.
        """
        event = Event.latest("event:restore", "notice:release")
        return event if event and event.verb == "event:restore" else None

    @classmethod
    def release(cls, by: User) -> None:
        """Let the emails go that a restore holds back."""
        with transaction():
            if by.level < 5:
                raise Refused("Only a Level 5 may release the emails. Nothing was changed.")
            if not cls.held():
                raise Refused("No emails are held back. Nothing was changed.")
            Event.write(
                "notice:release",
                Event(),
                by,
                waiting=cls.select().where(cls.status == "waiting").count(),
            )

    @classmethod
    def stuck(cls) -> "ModelSelect[Notice]":
        """The emails that failed, or that were tried more than once: a query."""
        return cls.select().where(
            (cls.status == "failed") | ((cls.status == "waiting") & (cls.attempts > 1))
        )

    @classmethod
    def retry(cls, by: User) -> int:
        """Try every stuck email again within five minutes, at the address that its person has
        today. Returns how many.
        """
        with transaction():
            found = list(cls.stuck().select(cls, User).join(User))
            moved = [notice.id for notice in found if notice.email != notice.user.email]
            soon = now() + LEASE  # a worker that has one in hand now is through with it by then
            for notice in found:
                cls.update(
                    status="waiting",
                    due_at=min(notice.due_at, soon) if notice.status == "waiting" else now(),
                    email=notice.user.email,
                ).where(cls.id == notice.id).execute()
            if found:
                Event.write(
                    "notice:retry", Event(), by, emails=len(found), readdressed=moved, also=found
                )
        return len(found)

    @classmethod
    def deliver(cls, send: Callable[["Notice"], Any]) -> int:
        """Deliver every email that is due with `send(notice)`, one after another, outside any
        transaction. Returns how many were sent.

        A refusal for good (SMTP 5xx) marks it failed; anything else is tried again after a growing
        wait. `send` returns the emails that one gathers and that it told of, and raises Withheld
        for one that its person may not get any more.
        """
        sent = 0
        if cls.held():
            return sent
        due = (cls.due_at <= now()) | (
            cls.due_at > now() + BACK_OFF[-1] + LEASE
        )  # later than any is put off: by a clock that was ahead
        waits = cls.select(cls, User, Event).join(User).switch(cls).join(Event)
        for waiting in list(waits.where(cls.status == "waiting", due).order_by(cls.id)):
            if not waiting.rests and waiting.claim():
                sent += waiting.attempt(send)
        return sent

    def claim(self) -> int:
        """True for exactly one of the workers that try at the same time."""
        cls = type(self)
        taken = cls.update(due_at=now() + LEASE, attempts=cls.attempts + 1, version=cls.version + 1)
        with transaction():  # waits its turn, where a bare update would fail at once
            return taken.where(
                cls.id == self.id, cls.status == "waiting", cls.attempts == self.attempts
            ).execute()

    def attempt(self, send: Callable[["Notice"], Any]) -> bool:
        tries = self.attempts + 1
        told: Iterable[Any] = ()
        values: dict[str, Any]
        try:
            told = send(self) or ()
        except Withheld:
            values = {"status": "withheld", "problem": None}
        except Exception as problem:  # whatever a mail server does, the others still go out
            code = problem.smtp_code if isinstance(problem, SMTPResponseException) else 0
            if isinstance(problem, SMTPRecipientsRefused):
                code = next(iter(problem.recipients.values()))[0]
            values = {
                "status": "failed" if 500 <= code < 600 else "waiting",
                "problem": f"{type(problem).__name__} {code or ''}".strip(),
                "due_at": now() + BACK_OFF[min(tries, len(BACK_OFF)) - 1],
            }
        else:
            values = {"status": "sent", "sent_at": now(), "problem": None}
        cls = type(self)
        # whoever took it over meanwhile, because this one hung longer than its lease, speaks for it
        # now
        with transaction():
            mine = (
                cls.update(**values)
                .where(cls.id == self.id, cls.attempts == tries, cls.status == "waiting")
                .execute()
            )
            if mine and values["status"] in ENDS:
                also = self.settle(told) if values["status"] != "failed" else ()
                Event.write(ENDS[values["status"]], cls.get_by_id(self.id), None, also=also)
        return values["status"] == "sent"

    def settle(self, told: Iterable[Any]) -> Sequence["Notice"]:
        """Note of the emails gathered in this one, which was sent, that those `told` of went with
        it, and that the others were withheld. Returns them.
        """
        if self.event.verb != DIGEST:
            return ()
        gathered = list(Notice.select().where(Notice.id.in_(self.event.detail.get("gathers", ()))))
        for one in gathered:
            one.set(
                **{"status": "sent", "sent_at": now()} if one in told else {"status": "withheld"}
            )
            one.save()
        return gathered


ENDS = {"sent": "notice:send", "failed": "notice:fail", "withheld": "notice:withhold"}
