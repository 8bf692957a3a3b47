"""History: who did what to which record, when. Append-only, hash-chained, written in the
transaction of the change.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from contextvars import ContextVar
from datetime import date, datetime
from hashlib import sha256
from typing import Any, NamedTuple

from peewee import CharField, ForeignKeyField, IntegerField, Model, ModelSelect, TextField, fn

from models.ground.clock import now
from models.ground.composed import composed
from models.ground.database import DAMAGED, db, transaction
from models.ground.fields import Moment
from models.ground.record import Base, Refused
from models.ground.words import from_history
from models.people.user import User
from models.permissions import VOCABULARY

GENESIS = "0" * 64
LOOKS = (":read", ":read_original", ":pdf", ":export", ":refused")  # verbs that change nothing
LOOKING = [verb for verb in VOCABULARY if verb.endswith(LOOKS)]
MOST = 2**31 - 1  # rows: all of them
READS = 20  # of those who looked at a case, the latest that its page lists
address = ContextVar("address", default="")  # the network address of the request, set by the app


def plain(value: Any) -> Any:
    """A value as JSON can hold it, and as a reader can read it in 75 years: names with what tells
    two apart, not ids.
    """
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return sha256(value).hexdigest()
    if isinstance(value, Model):
        return getattr(value, "label", str(value))
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def values(row: Base) -> list[tuple[str, Any]]:
    """What the history vouches for of one row: its columns, but those that it says may change, and
    what is empty.
    """
    given = (
        (name, plain(row.__data__[name])) for name in row._meta.fields if name not in row.unvouched
    )
    return sorted(pair for pair in given if pair[1] not in (None, "", []))


def state(record: "Base | Nothing") -> str | None:
    """A digest of what `record` and the rows that belong to it say in the database now, the same on
    every engine: empty answers do not count.

    None for a record that the history does not vouch for.
    """
    return digest(record.parts())


def digest(parts: Iterable[Base]) -> str | None:
    """The digest of rows that make up one record; None of none."""
    rows = [[row.noun(), *values(row)] for row in parts]
    return (
        sha256(json.dumps(rows, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
        if rows
        else None
    )


def letter(subject: str, body: str) -> str:
    """The digest of an email, by which the event that caused it vouches for it until it is sent."""
    return sha256(f"{subject}\n{body}".encode()).hexdigest()


def link(event: Any) -> str:
    """The hash that an event must have: over the previous hash and a digest of the payload, so that
    a payload can be erased.
    """
    parts = (
        event.previous,
        event.id,
        event.at.isoformat(),
        event.by_id,
        event.verb,
        event.subject,
        event.record,
        event.incident,
        event.digest,
    )
    return sha256("\n".join(map(str, parts)).encode()).hexdigest()


def of_records(verb: str, records: Sequence[Base]) -> "list[Event]":
    """The events with `verb` of several records of one noun, the first first, with who did it. One
    query.
    """
    if not records:
        return []
    rows = Event.select(Event, *User.named()).left_outer_join(User)
    rows = rows.where(Event.subject == records[0].noun(), Event.verb == verb)
    return list(rows.where(Event.record.in_([one.id for one in records])).order_by(Event.id))


class Story(NamedTuple):
    """The history of one case as its page shows it."""

    done: list
    looks: list
    looked: int  # how many there are of those, with the ones that are not listed


class Nothing:
    """A record that was asked for and is not there: that it was asked for is written down like any
    other refusal.
    """

    def __init__(self, model, id):
        self.noun, self.id = model.noun, id

    def its_incident(self):
        return None

    def parts(self):
        return ()

    def __str__(self):
        return ""


class Event(Base):
    no_line = "the few that are decisions are in models/case/chronology.py STEPS"
    belongs, keeps = "incident", "submitted"
    changes, sealed = ("payload",), "NEW.payload <> ''"  # only a retention decision takes words out

    id = IntegerField(primary_key=True)  # the sequence number: no gaps
    at = Moment()
    by = ForeignKeyField(User, null=True, on_delete="RESTRICT")
    verb = CharField(max_length=60)
    subject = CharField(max_length=40)  # the noun of the record
    record = IntegerField(null=True)
    incident = IntegerField(null=True, index=True)
    payload = TextField()
    digest = CharField(max_length=64)
    previous = CharField(max_length=64)
    hash = CharField(max_length=64, unique=True)

    closed = True  # what a restricted section said is read only by who asked for it

    class Meta:
        indexes = ((("subject", "record"), False),)

    def parts(self) -> Sequence[Base]:
        """None: the chain vouches for its links."""
        return ()

    @classmethod
    def write(
        cls,
        verb: str,
        record: "Base | Nothing",
        by: User | None,
        changed: dict[str, tuple] | None = None,
        letters: Sequence[tuple[User, str, str]] = (),
        also: Iterable[Base] = (),
        **detail: Any,
    ) -> "Event":
        """Append one event and return it.

        verb: "noun:verb" of the vocabulary. record: what it was done to. by: User, or None for the
        system. changed: {field: (before, after)}. letters: the emails that go out because of it, as
        [(User, subject, body)]. also: further records that changed with it. detail: anything else
        worth keeping (reason=…). Raises LookupError for a verb that is in no vocabulary, and for a
        record of an incident that does not lead to one.
        """
        if verb not in VOCABULARY:
            raise LookupError(
                f"{verb} is not in models/permissions.py VOCABULARY: add it with the words the "
                "history says."
            )
        payload: dict[str, Any] = {
            "by": str(by or "The system"),
            "record": str(record) if record.id else "",
            "address": address.get(),
        }
        payload |= {key: plain(value) for key, value in detail.items() if value}
        if changed:
            payload["changed"] = {
                name: [plain(before), plain(after)] for name, (before, after) in changed.items()
            }
        changes = () if verb.endswith(LOOKS) else (record, *also)
        if states := {
            f"{one.noun()} {one.id}": digest for one in changes if one.id and (digest := state(one))
        }:
            payload["states"] = states
        if letters:
            payload["told"] = {user.email: letter(subject, body) for user, subject, body in letters}
        text = json.dumps(payload, sort_keys=True, ensure_ascii=False)
        with nullcontext() if db.in_transaction() else transaction():
            last = cls.head()
            event = cls(
                id=last.id + 1 if last else 1,
                at=now(),
                by=by,
                verb=verb,
                subject=record.noun(),
                record=record.id,
                incident=record.its_incident(),
                payload=text,
                digest=sha256(text.encode()).hexdigest(),
                previous=last.hash if last else GENESIS,
            )
            event.hash = link(event)
            event.save(force_insert=True)
        return event

    @classmethod
    def walk(cls, size: int = 5_000) -> Iterator[Any]:
        """Every event in order, fetched by `size`, so that a long history needs no memory."""
        last, columns = (
            0,
            [
                field.alias("by_id") if field.name == "by" else field
                for field in cls._meta.sorted_fields
            ],
        )
        while batch := list(
            cls.select(*columns).where(cls.id > last).order_by(cls.id).limit(size).namedtuples()
        ):
            yield from batch
            last = batch[-1].id

    @classmethod
    def erase(cls, incident: int, by: User, decision: str) -> int:
        """Take the words out of the history of one case under a retention decision; returns how
        many events. For a Level 5 only.

        Who did what to which record and when stays, the chain still verifies, and the decision is
        an event of its own; it names the records that the history no longer vouches for. What the
        database refuses is every other change of an event (trust: payloads due for erasure can go).
        """
        if by.level < 5 or not decision.strip():
            raise Refused(
                "Only a Level 5 may erase what the history says, and only with the retention "
                "decision. Nothing was erased."
            )
        with transaction():
            events = list(
                cls.select()
                .where(cls.incident == incident, cls.payload != "", cls.verb != "document:keep")
                .order_by(cls.id)
            )
            ids = [event.id for event in events]
            unvouched = sorted({key for event in events for key in event.detail.get("states", ())})
            cls.write("event:erase", cls(), by, decision=decision, erased=ids, unvouched=unvouched)
            return cls.update(payload="").where(cls.id.in_(ids)).execute()

    @classmethod
    def head(cls) -> "Event | None":
        """The last event: its number and hash say which history a paper was printed from."""
        return next(iter(cls.end_of_chain()), None)

    @classmethod
    @composed
    def end_of_chain(cls):
        return cls.select(cls.id, cls.hash).order_by(cls.id.desc()).limit(1)

    @classmethod
    def of_incident(cls, incident: int, restricted: bool = False) -> list["Event"]:
        """The history of one case (incident, log, tracker), oldest first. `restricted`: also what
        restricted sections said.
        """
        events = list(cls.select().where(cls.incident == incident).order_by(cls.id))
        for event in events:
            event.closed = not restricted
        return events

    @classmethod
    def shown_of_incident(
        cls,
        incident: int,
        restricted: bool = False,
        reads: int | None = READS,
        record: Base | None = None,
    ) -> "Story":
        """The history of one case as its page shows it, oldest first: what was done; the latest
        `reads` of who looked, or all for None; and how many looked. Restricted as in of_incident().
        record: only what was done to this one.
        """
        done, latest = cls.done_in(incident), cls.looks_at(incident, reads or MOST)[::-1]
        if record:
            of = record.noun(), record.id
            done = [event for event in done if (event.subject, event.record) == of]
            latest = [event for event in latest if (event.subject, event.record) == of]
        for event in (*done, *latest):
            event.closed = not restricted
        looked = cls.select().where(cls.incident == incident, cls.verb.in_(LOOKING))
        return Story(done, latest, looked.count() if len(latest) == reads else len(latest))

    @classmethod
    @composed
    def done_in(cls, incident):
        mine = cls.select().where(cls.incident == incident, cls.verb.not_in(LOOKING))
        return mine.order_by(cls.id)

    @classmethod
    @composed
    def looks_at(cls, incident, most):
        mine = cls.select().where(cls.incident == incident, cls.verb.in_(LOOKING))
        return mine.order_by(cls.id.desc()).limit(most)

    @classmethod
    def story(cls, incident: Any) -> "ModelSelect[Event]":
        """A query of the events by which a case changed, oldest first: not who looked, nor the work
        of sending and keeping.
        """
        mine = cls.select().where(cls.incident == incident, cls.verb.not_in(LOOKING))
        return mine.where(cls.subject.not_in(("notice", "document"))).order_by(cls.id)

    @classmethod
    def last(cls, record: Base, *verbs: str) -> "Event | None":
        """The latest event of `record` with one of `verbs`, with who did it; None if there is
        none.
        """
        return (
            cls.select(cls, *User.named())
            .left_outer_join(User)
            .where(cls.subject == record.noun(), cls.record == record.id, cls.verb.in_(verbs))
            .order_by(cls.id.desc())
            .first()
        )

    @classmethod
    def latest(cls, *verbs: str) -> "Event | None":
        """The latest event about the installation itself (no record) with one of `verbs`, or
        None.
        """
        return max(cls.latest_of_each(*verbs).values(), key=lambda event: event.id, default=None)

    @classmethod
    def latest_of_each(cls, *verbs: str) -> dict[str, "Event"]:
        """The latest event about the installation itself with each of `verbs` that there is."""
        own = cls.subject == cls.noun(), cls.record.is_null(), cls.verb.in_(verbs)
        last = cls.select(fn.MAX(cls.id)).where(*own).group_by(cls.verb)
        return {event.verb: event for event in cls.select().where(cls.id.in_(last))}

    @property
    def detail(self) -> dict[str, Any]:
        """The payload as a dict, without what a restricted section said when the history was asked
        for without it.
        """
        try:
            detail = json.loads(self.payload) if self.payload else {}
        except ValueError:
            detail = {"by": DAMAGED}
        if self.closed and detail.get("restricted"):
            detail.pop("changed", None)
        return detail

    def called(self, name: str) -> str:
        """What people call a field that changed: its label on the form, or the question itself."""
        model = next((model for model in Base.every() if model.noun() == self.subject), None)
        field: Any = model._meta.fields.get(name) if model else None
        return (
            field.verbose_name
            if field and field.verbose_name
            else name
            if " " in name
            else name.replace("_", " ").capitalize()
        )

    @property
    def did(self) -> str:
        """What was done, in the words of the vocabulary."""
        row = VOCABULARY.get(self.verb)  # a verb can be damaged
        return row.says if row and row.says else "did something"

    @property
    def sentence(self) -> str:
        """What happened, in words: 'Mark Osei triggered the notification OFS-2026-0007.'"""
        detail = self.detail
        said = f"{detail.get('by', 'Someone')} {self.did}"
        if not self.payload:
            return f"{said} (what it said was erased under a retention decision)."
        if "read_at" in detail:
            said = f"{said} on {from_history(detail['read_at'])}, while nothing could be written"
        what = detail.get("record")
        return (
            f"{said}: {what}. {detail.get('reason', '')}".rstrip()
            if what and what != detail.get("by")
            else f"{said}."
        )
