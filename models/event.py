"""History: who did what to which record, when. Append-only, hash-chained, written in the transaction of the change."""

import json
from contextvars import ContextVar
from datetime import date, datetime
from hashlib import sha256

from peewee import CharField, ForeignKeyField, IntegerField, TextField

from .base import Base, Model, Moment, Refused, now, transaction
from .people import User
from .permissions import VOCABULARY

GENESIS = "0" * 64
address = ContextVar("address", default="")  # the network address of the request, set by the app


def plain(value):
    """A value as JSON can hold it, and as a reader can read it in 75 years: names, not ids."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Model):
        return str(value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


class Event(Base):
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

    closed = False

    class Meta:
        indexes = ((("subject", "record"), False),)

    @classmethod
    def write(cls, verb, record, by, changed=None, **detail):
        """Append one event and return it.

        verb: "noun:verb" of the vocabulary. record: what it was done to. by: User, or None for the system.
        changed: {field: (before, after)}. detail: anything else worth keeping (reason=…).
        """
        if verb not in VOCABULARY:
            raise LookupError(f"{verb} is not in models/permissions.py VOCABULARY: add it with the words the history says.")
        payload = {"by": str(by or "The system"), "record": str(record) if record.id else "", "address": address.get()}
        payload |= {key: plain(value) for key, value in detail.items() if value}
        if changed:
            payload["changed"] = {name: [plain(before), plain(after)] for name, (before, after) in changed.items()}
        text = json.dumps(payload, sort_keys=True, ensure_ascii=False)
        with transaction():
            last = cls.head()
            event = cls(
                id=last.id + 1 if last else 1,
                at=now(),
                by=by,
                verb=verb,
                subject=record.noun(),
                record=record.id,
                incident=record.case(),
                payload=text,
                digest=sha256(text.encode()).hexdigest(),
                previous=last.hash if last else GENESIS,
            )
            event.hash = event.link()
            event.save(force_insert=True)
        return event

    def link(self):
        """The hash that this event must have: over the previous hash and a digest of the payload, so that a payload can be erased."""
        parts = (self.previous, self.id, self.at.isoformat(), self.by_id, self.verb, self.subject, self.record, self.incident, self.digest)
        return sha256("\n".join(map(str, parts)).encode()).hexdigest()

    @classmethod
    def verify(cls):
        """Walk the chain; return the number of events. Raises Refused naming the first event that does not fit."""
        previous, count = GENESIS, 0
        for event in cls.select().order_by(cls.id).iterator():
            count += 1
            fits = (event.id, event.previous, event.link(), sha256(event.payload.encode()).hexdigest())
            if fits != (count, previous, event.hash, event.digest):
                raise Refused(f"History does not fit at event {event.id}, where event {count} was expected.")
            previous = event.hash
        return count

    @classmethod
    def head(cls):
        """The last event: its number and hash say which history a paper was printed from."""
        return cls.select(cls.id, cls.hash).order_by(cls.id.desc()).first()

    @classmethod
    def of_case(cls, incident, restricted=True):
        """The history of one case (incident, log, tracker), oldest first. `restricted`: also what restricted sections said."""
        events = list(cls.select().where(cls.incident == incident).order_by(cls.id))
        for event in events:
            event.closed = not restricted
        return events

    @classmethod
    def last(cls, record, *verbs):
        """The latest event of `record` with one of `verbs`, with who did it; None if there is none."""
        return (
            cls.select(cls, User)
            .join(User)
            .where(cls.subject == record.noun(), cls.record == record.id, cls.verb.in_(verbs))
            .order_by(cls.id.desc())
            .first()
        )

    @property
    def detail(self):
        """The payload as a dict, without what a restricted section said when the history was asked for without it."""
        detail = json.loads(self.payload) if self.payload else {}
        if self.closed and detail.get("restricted"):
            detail.pop("changed", None)
        return detail

    @property
    def sentence(self):
        """What happened, in words: 'Mark Osei triggered the notification OFS-2026-0007.'"""
        detail = self.detail
        said = f"{detail.get('by', 'Someone')} {VOCABULARY[self.verb][1]}"
        return f"{said}: {detail['record']}. {detail.get('reason', '')}".rstrip() if detail.get("record") else f"{said}."
