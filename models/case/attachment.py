"""A file on an incident: checked by its content, kept under its SHA-256, never replaced; what is
handed out of it says nothing of place, camera or author.
"""

import re
import unicodedata
from hashlib import sha256
from pathlib import Path
from typing import Any

import filetype
from peewee import CharField, ForeignKeyField, IntegerField

from models.ground.clock import now, today
from models.ground.database import transaction
from models.ground.dates import stretched
from models.ground.fields import Day, Moment
from models.ground.record import Refused
from models.ground.settings import put, settings
from models.ground.words import counted, day
from models.history.event import Event
from models.people.user import User

from .child import EARLIEST
from .incident import Incident, OfIncident
from .line import Line
from .scanner import Quarantine

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ALLOWED = {  # what may be kept: how it is called, and what the name of such a file ends with
    "application/pdf": ("PDF", (".pdf",)),
    "image/jpeg": ("JPEG", (".jpg", ".jpeg")),
    "image/png": ("PNG", (".png",)),
    "audio/mpeg": ("MP3", (".mp3",)),
    "audio/mp4": ("M4A", (".m4a", ".mp4")),
    "audio/x-m4a": ("M4A", (".m4a",)),
    DOCX: ("Word (.docx)", (".docx",)),
    "text/plain": ("plain text", (".txt", ".md", ".csv", ".eml")),
}
PICTURES = ("image/jpeg", "image/png")


def place(folder: Path, digest: str) -> Path:
    """Where a data folder, or a folder of backups, keeps the file with this SHA-256: once, for it
    never changes.
    """
    return folder / "attachments" / digest[:2] / digest


def kind_of(content: bytes) -> str | None:
    """The media type that the bytes themselves show, or None. Text is text only if it is UTF-8
    without NUL.
    """
    guess = filetype.guess_mime(content)
    if guess:
        return guess
    try:
        return "text/plain" if b"\0" not in content and content.decode("utf-8").strip() else None
    except UnicodeDecodeError:
        return None


OTHER_KINDS = {  # what telephones and scanners make, and what to do instead
    "image/heic": "is a picture as an iPhone keeps it (HEIC), which few computers open. Take it "
    "again with Settings, Camera, Formats, Most Compatible; or send it to yourself as JPEG.",
    "image/gif": "is a GIF, which may move. Save the picture as PNG or JPEG.",
    "image/webp": "is a WebP picture. Save it as PNG or JPEG, or take a picture of the screen.",
    "image/tiff": "is a TIFF. Have the scanner save a PDF or JPEG.",
    "application/zip": "is packed (ZIP). Unpack it, and attach the files that are in it.",
    "application/msword": "is a Word document of the old kind. Save it as .docx or PDF.",
}
OTHER_KINDS["image/heif"] = OTHER_KINDS["image/avif"] = OTHER_KINDS["image/heic"]
TURNED = re.compile(  # what turns a name round on the screen, or is not seen in it
    "[\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)
LONGEST_NAME = 200


def plain_name(name: str | None) -> str:
    """The name of a file as it may stand on a page: without folders, without what is not seen or
    turns it round (“exe.gpj” for “jpg.exe”), and with its ending where it is long.
    """
    last = re.split(r"[/\\]", name or "")[-1]
    seen = "".join(
        " " if unicodedata.category(letter).startswith("C") else letter
        for letter in unicodedata.normalize("NFC", TURNED.sub("", last))
    )
    return " ".join(seen.split())[-LONGEST_NAME:] or "file"


class Kept:
    """What every record of a file can do; it has the columns name, kind, size and sha256."""

    name: Any
    kind: Any
    size: Any
    sha256: Any

    @classmethod
    def models(cls) -> list[Any]:
        """The models whose rows name a file: a backup takes them along, and a check reads them."""
        return cls.__subclasses__()

    def keep(self, name: str, content: bytes, looked: bool = False) -> None:
        """Save this row with the file that it names. The file is on disk before the row is.

        looked: whether the virus scanner has looked at it and found nothing. Where there is a
        scanner and it has not, the file waits for it: it is kept, and handed out to nobody.
        """
        self.name, self.kind = plain_name(name), kind_of(content)
        self.size, self.sha256 = len(content), sha256(content).hexdigest()
        if not self.path.exists():
            put(self.path, content)
        if settings.clamd and not looked:
            Quarantine.hold(self.sha256)
        self.save()  # type: ignore[attr-defined]  # of the record

    @property
    def download_name(self) -> str:
        """The name it is handed out under: with the ending of what it is, so that no text runs as a
        program.
        """
        _called, endings = ALLOWED[self.kind]
        return self.name if self.name.lower().endswith(endings) else self.name + endings[0]

    @property
    def path(self) -> Path:
        return place(settings.folder, self.sha256)

    @staticmethod
    def admit(name: str, content: bytes) -> None:
        """Raise Refused unless the file may be kept: size, and kind by content."""
        from . import cleaned

        name, limit, kind = plain_name(name), settings.upload_mb, kind_of(content)
        why = ""
        if len(content) > limit * 1_000_000:
            why = f"is larger than {limit:g} MB. Attach a smaller copy."
        elif not content:
            why = "is empty. Choose it again, or take it once more."
        elif kind not in ALLOWED:
            kinds = ", ".join(dict.fromkeys(called for called, _endings in ALLOWED.values()))
            allowed = f"is not a kind of file that can be kept here. Allowed: {kinds}."
            why = OTHER_KINDS.get(kind or "", allowed)
        elif kind == DOCX and cleaned.bomb(content):
            why = "cannot be unpacked, or unpacks to more than any letter does. Save it as PDF."
        elif kind == DOCX and cleaned.programs(content):
            why = "holds a program (macros). Save it without, or as PDF."
        elif kind in PICTURES and cleaned.too_large(content):
            why = "has more than 50 million dots. Take it smaller, or save a smaller copy."
        if why:
            raise Refused("Nothing was saved.", {"files": f"“{name}” {why}"})

    @property
    def is_photograph(self):
        return self.kind in PICTURES

    @property
    def says_more(self):
        """Whether what was attached may say more than what is handed out."""
        return self.kind in (*PICTURES, "application/pdf", DOCX)

    def shown(self) -> bytes:
        """The bytes that are handed out: without what they say of place, camera, owner and author,
        as far as that can be taken out (see cleaned); anything else as it is.

        A picture is the same to the eye, and which way up it is stays. Raises Refused where it
        cannot be read.
        """
        from . import cleaned

        content = self.read()
        if self.is_photograph:
            return cleaned.without_metadata(content, self.name)
        if self.kind == "application/pdf":
            return cleaned.pdf_without_metadata(content)
        return cleaned.word_without_metadata(content) if self.kind == DOCX else content

    def for_a_page(self) -> bytes:
        """A picture drawn anew, for a page. Raises Refused where it cannot be read."""
        from . import cleaned

        return cleaned.for_a_page(self.read(), self.name)

    def held_back(self) -> "Quarantine | None":
        """What keeps the file from being handed out, if anything does."""
        return Quarantine.of([self.sha256]).get(self.sha256)

    @classmethod
    def look(cls) -> None:
        """Have the scanner look at what waits for it. Of what it finds the history has a line for
        each record that names the file.
        """
        for waiting in Quarantine.due():
            path = place(settings.folder, waiting.sha256)
            found = waiting.look(path.read_bytes()) if path.exists() else ""
            if found is None:
                return  # the next one would wait as long for nothing
            with transaction():
                news = waiting.settle(found)
                for model in cls.models() if news else ():
                    for row in model.select().where(model.sha256 == waiting.sha256):
                        Event.write(f"{row.noun()}:{news}", row, None, found=found)

    def read(self) -> bytes:
        """The bytes. Raises Refused when the file is missing or is not what was attached."""
        content = self.path.read_bytes() if self.path.exists() else b""
        if sha256(content).hexdigest() != self.sha256:
            raise Refused(
                f"The file “{self.name}” is missing or damaged. Ask IT to restore it from a backup."
            )
        return content


class Attachment(Kept, OfIncident):
    """A file on an incident. One that was a paper says what it is, of when, and how many pages."""

    keeps = "fixed"

    name = CharField(max_length=200)
    kind = CharField(max_length=100)
    size = IntegerField()
    sha256 = CharField(max_length=64)
    added_by = ForeignKeyField(User, on_delete="RESTRICT", verbose_name="Attached by")
    added_at = Moment(verbose_name="Attached")
    what = CharField(
        null=True,
        max_length=160,
        verbose_name="What it is",
        help_text="For example: Paper file of 2019. Of a scan: whose file it was.",
    )
    dated_on = Day(
        null=True,
        roughly=True,
        verbose_name="Date of the document",
        help_text="The day on it, or on its first page; where it has none, the month or the year.",
    )
    until = Day(
        null=True, roughly=True, verbose_name="Until", help_text="The day on its last page."
    )
    period = CharField(
        null=True,
        max_length=60,
        verbose_name="As it says itself",
        help_text="Where it has no day: Autumn term 2018. Left empty, it is the month or the year "
        "that you gave.",
    )
    pages = IntegerField(null=True, verbose_name="Pages")

    def __str__(self):
        return self.what or self.name

    @classmethod
    def add(
        cls,
        incident: Incident,
        by: User,
        name: str,
        content: bytes,
        looked: bool = False,
        **described: Any,
    ) -> "Attachment":
        """Keep `content` (bytes) on the incident. looked: see Kept.keep; described: what, dated_on,
        until, period, pages. Raises Refused for what cannot be kept or contradicts itself.
        """
        cls.admit(name, content)
        dated_on, until, period = (described.get(key) for key in ("dated_on", "until", "period"))
        dated_on, until, period = stretched(dated_on, until, period, today())
        described |= {"dated_on": dated_on, "until": until, "period": period}
        if errors := cls.wrong(**described):
            raise Refused("Nothing was saved.", errors)
        row = cls(incident=incident, added_by=by, added_at=now(), **described)
        with transaction():  # a backup in between would find a file that the history does not know
            row.keep(name, content, looked)
            Event.write("attachment:add", row, by, sha256=row.sha256)
        return row

    @staticmethod
    def wrong(dated_on: Any = None, until: Any = None, pages: Any = None, **_: Any) -> dict:
        """What contradicts itself in what is said of a document: {field: sentence}."""
        errors = {}
        if dated_on and not EARLIEST <= dated_on <= today():
            errors["dated_on"] = "This is in the future, or before 1900. Give the day on it."
        if until and (not dated_on or not dated_on <= until <= today()):
            errors["until"] = "This is in the future, or before the date of the document."
        if pages is not None and not 0 < pages <= 10_000:
            errors["pages"] = "Count the pages: from 1 to 10,000."
        return errors

    @property
    def described(self) -> str:
        """What it is, of when, and how many pages, as far as that was said."""
        dated = self.period or self.dated
        pages = counted(self.pages, "page") if self.pages else ""
        return ", ".join(filter(None, [self.what, dated, pages]))

    @property
    def dated(self) -> str:
        """The days of the document, in words."""
        if not self.dated_on:
            return ""
        until = f" to {day(self.until)}" if self.until and self.until != self.dated_on else ""
        return f"{day(self.dated_on)}{until}"

    def line(self) -> Line:
        """As the chronology has it: a document with a date stands where it is dated."""
        pages = counted(self.pages, "page") if self.pages else ""
        return Line(
            self.dated_on or self.added_at,
            f"File: {self}",
            "file",
            self.added_at,
            self.added_by,
            [pages, self.name if self.what else "", self.incident.reference],
            until=self.until,
            period=self.period or "",
        )
