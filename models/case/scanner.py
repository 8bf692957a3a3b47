"""The virus scanner that the settings name: clamd, asked over its socket, and what is done while it
does not answer.

A file is never lost for want of a scanner: what could not be looked at is kept with its report and
held in quarantine, so that it is handed out to nobody until the scanner has looked at it.
"""

import logging
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from peewee import CharField

from models.ground.clock import now
from models.ground.fields import Moment
from models.ground.record import Base, NoIncident, Refused
from models.ground.settings import settings

PATIENCE = 10  # seconds for each answer of the scanner
PIECE = 1 << 16  # bytes sent at a time
AGAIN = timedelta(minutes=5)  # after which a file that could not be looked at is tried once more
DOUBT = timedelta(days=1)  # after which it is asked again about a file that it found bad
FEW = 20  # files looked at by the deliverer in one go
log = logging.getLogger("safeguarding")


class Infected(Refused):
    """The scanner found something."""


class Away(Exception):
    """The scanner did not answer, or not so that it could be understood."""


def connected(address: str) -> socket.socket:
    """A connection to clamd at HOST:PORT, or at the path of its socket."""
    if address.startswith("/"):
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            line.settimeout(PATIENCE)
            line.connect(address)
        except OSError:
            line.close()
            raise
        return line
    host, _colon, port = address.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), PATIENCE)


@contextmanager
def away() -> Iterator[None]:
    """What goes wrong with the connection is Away."""
    try:
        yield
    except (OSError, ValueError) as problem:
        log.warning("the virus scanner does not answer: %s", type(problem).__name__)
        raise Away from None


def asked(content: bytes) -> str:
    """What clamd finds in `content`: the name of it, "" for nothing. Raises Away."""
    with away(), connected(settings.clamd or "") as line:
        line.sendall(b"zINSTREAM\0")
        for start in range(0, len(content), PIECE):
            piece = content[start : start + PIECE]
            line.sendall(struct.pack("!L", len(piece)) + piece)
        line.sendall(struct.pack("!L", 0))
        answer = b""
        while not answer.endswith(b"\0") and len(answer) < 1_000:
            more = line.recv(1_000)
            if not more:
                break
            answer += more
        said = answer.rstrip(b"\0\n").decode("ascii", "replace").removeprefix("stream: ")
        if said == "OK":
            return ""
        if not said.endswith(" FOUND"):
            raise ValueError(said)
        return said.removesuffix(" FOUND")


def looked_at(name: str, content: bytes) -> bool:
    """Whether the scanner has looked at a file (bytes) and found nothing. False: there is no
    scanner, or it is away. Raises Infected with a sentence where it found something.

    Never within a transaction: it may take seconds, and all other writers would wait.
    """
    if not settings.clamd:
        return False
    try:
        found = asked(content)
    except Away:
        return False
    if found:
        log.warning("the virus scanner refused a file: %s", plain(found))
        raise Infected(
            f"“{name}” was left out: the virus scanner found something in it ({plain(found)}). "
            "Tell IT. The rest is as you typed it."
        )
    return True


def plain(found: str) -> str:
    """What the scanner calls it, as a short line."""
    return "".join(letter for letter in found if letter.isprintable())[:80]


class Quarantine(Base):
    """A content that the scanner has yet to look at, or found something in. A row of it keeps the
    file from being handed out; the file stays where it is.
    """

    belongs = NoIncident("says only whether a content was looked at, not of what it is")
    keeps = "free"

    sha256 = CharField(max_length=64, unique=True)
    since = Moment(default=now)
    tried_at = Moment(default=now)
    found = CharField(max_length=80, default="")

    @classmethod
    def hold(cls, digest: str) -> None:
        """Keep the content with this SHA-256 from being handed out until it was looked at."""
        if not cls.select().where(cls.sha256 == digest).exists():
            cls.create(sha256=digest)

    @classmethod
    def warnings(cls) -> Iterator[str]:
        """What IT should know, without a number: it could tell of a case to whom that is shut."""
        if not settings.clamd:
            return
        late = (cls.found != "") | (cls.since < now() - 2 * AGAIN)
        kinds = {bool(row.found) for row in cls.select(cls.found).where(late).distinct()}
        if False in kinds:
            yield (
                "The virus scanner does not answer, or not about every file. What waits for it is "
                "kept, and handed out to nobody."
            )
        if True in kinds:
            yield "The virus scanner found something in a file that was kept: the history has it."

    @classmethod
    def of(cls, digests: list[str]) -> "dict[str, Quarantine]":
        """{SHA-256: row} of those of these contents that are not handed out. Nothing waits for a
        scanner where there is none any more.
        """
        rows = cls.select().where(cls.sha256.in_(digests))
        return {row.sha256: row for row in rows if row.found or settings.clamd}

    @property
    def says(self) -> str:
        """Why the file is not handed out."""
        if self.found:
            return f"The virus scanner found something in it ({self.found}). Ask IT."
        return "It waits for the virus scanner, which did not answer when it came. It is kept."

    @classmethod
    def due(cls) -> "list[Quarantine]":
        """What is to be looked at now, a few at a time, for the deliverer has more to do: what
        waits, and each day what was found bad, for a scanner may be mistaken.
        """
        waits = (cls.found == "") & (cls.tried_at <= now() - AGAIN)
        doubted = (cls.found != "") & (cls.tried_at <= now() - DOUBT)
        rows = cls.select().where(waits | doubted).order_by(cls.tried_at).limit(FEW)
        return list(rows) if settings.clamd else []

    def look(self, content: bytes) -> str | None:
        """What the scanner finds in the content: "" for nothing; None where it did not answer, and
        is to be asked later. For the deliverer, never while somebody waits.
        """
        try:
            return plain(asked(content))
        except Away:
            Quarantine.update(tried_at=now()).where(Quarantine.id == self.id).execute()
            return None

    def settle(self, found: str) -> str:
        """Let it go, or keep it from being handed out. Returns what is news for the history:
        "infected", "cleared" or nothing.
        """
        before = self.found
        if not found:
            self.delete_instance()
            return "cleared" if before else ""
        log.warning("the virus scanner found something in a file that was kept: %s", found)
        self.found, self.tried_at = found, now()
        self.save()
        return "" if before else "infected"
