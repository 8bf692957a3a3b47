"""The copies that are kept for good: the words of a record at its sign-off, and the signed PDF made
of them.
"""

import logging
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from peewee import BlobField, CharField, ForeignKeyField, ModelSelect, TextField

from models.ground.clock import now
from models.ground.database import transaction
from models.ground.fields import Moment, YesNo
from models.ground.record import Base, Refused
from models.ground.settings import settings

from .event import Event
from .paper import to_pdf
from .seal import seal

log = logging.getLogger("safeguarding")
HOUR = timedelta(hours=1)  # after which a PDF that could not be made is warned of, and tried again
# {kept copy that could not be made: when this process tries it again}
AGAIN: dict[int, datetime] = {}
UNSTAMPED = (
    "It carries no time stamp, for the authority did not answer: the next of the history "
    "stands for it."
)


class Document(Base):
    """The copy kept at a sign-off: the words are frozen in its transaction, the PDF is made of them
    right after.
    """

    no_line = "a copy of the log, which has its line"
    belongs, keeps = "event", "submitted"
    changes, sealed = ("pdf", "sha256"), "OLD.pdf IS NOT NULL"

    event = ForeignKeyField(
        Event, unique=True, on_delete="RESTRICT"
    )  # the sign-off: names the record, the case, the person and the time
    restricted = YesNo()
    words = TextField()
    pdf = BlobField(null=True)
    sha256 = CharField(max_length=64, null=True)
    made_at = Moment(default=now)

    def __str__(self):
        return f"the copy kept of {self.event.detail.get('record', '')}"

    @classmethod
    def of_incident(cls, query: "ModelSelect[Document]", incident: int) -> list["Document"]:
        """The copies in `query` that were kept for one case, newest first, without their
        contents.
        """
        events = Event.select(Event.id).where(Event.incident == incident)
        return list(
            query.select(cls.id, cls.event, cls.sha256, cls.made_at, cls.restricted)
            .where(cls.event.in_(events))
            .order_by(cls.id.desc())
        )

    @property
    def kept(self) -> dict[str, Any] | None:
        """What the history says was kept: {sha256, digest, signed, stamped}; None before the PDF is
        made. The first counts.
        """
        event = (
            Event.select()
            .where(
                Event.subject == self.noun(), Event.record == self.id, Event.verb == "document:keep"
            )
            .order_by(Event.id)
            .first()
        )
        return event and event.detail

    @property
    def digest(self) -> str:
        """The SHA-256 of the words that were signed off; its first half is printed at the foot of
        the paper.
        """
        return sha256(self.words.encode()).hexdigest()

    def content(self) -> bytes:
        """The signed PDF, byte for byte the same for ever: made at the first call after the
        sign-off, kept from then on.

        The history keeps its hash, so that neither the words nor the paper can be changed unseen. A
        time stamp comes with the signature or never, for the bytes stay: waiting for an authority
        would leave a sign-off without its paper.
        """
        if self.pdf is None:
            if self.kept is not None:
                raise Refused(
                    "This copy was kept once and is gone: restore it from a backup. Another is "
                    "not made in its place."
                )
            pdf, stamped = seal(
                to_pdf(self.words, seconds=900),
                f"Signed off: {self.event.detail.get('record', '')}",
            )
            why = UNSTAMPED if settings.timestamp_url and not stamped else ""
            with transaction():
                if (
                    Document.update(pdf=pdf, sha256=sha256(pdf).hexdigest())
                    .where(Document.id == self.id, Document.pdf.is_null())
                    .execute()
                ):
                    said: dict[str, Any] = {
                        "sha256": sha256(pdf).hexdigest(),
                        "digest": self.digest,
                        "signed": True,
                    }
                    Event.write("document:keep", self, None, **said, stamped=stamped, reason=why)
            fresh = Document.get_by_id(self.id)
            self.pdf, self.sha256 = fresh.pdf, fresh.sha256
        return bytes(self.pdf)

    @classmethod
    def adopt(cls) -> None:
        """Put the hashes of copies that were kept before the history took them (schema 0003) into
        the history, once.
        """
        known = Event.select(Event.record).where(
            Event.subject == cls.noun(), Event.verb == "document:keep"
        )
        for document in (
            cls.select().where(cls.pdf.is_null(False), cls.id.not_in(known)).order_by(cls.id)
        ):
            Event.write(
                "document:keep", document, None, sha256=document.sha256, digest=document.digest
            )

    @classmethod
    def late(cls) -> "ModelSelect[Document]":
        """The copies that are still only words an hour after the sign-off."""
        return cls.select().where(cls.pdf.is_null(), cls.made_at < now() - HOUR)

    @classmethod
    def finish(cls) -> int:
        """Make the PDFs that are still only words. Returns how many. One that cannot be made holds
        up none of the others: the home page warns of it.
        """
        made = 0
        for row in list(cls.select(cls.id).where(cls.pdf.is_null()).order_by(cls.id)):
            if AGAIN.get(row.id, now()) > now():
                continue
            try:
                made += bool(cls.get_by_id(row.id).content())
            except Exception as problem:  # its text may quote the record
                AGAIN[row.id] = now() + HOUR
                log.error("kept copy %s could not be made: %s", row.id, type(problem).__name__)
        return made
