"""A file on an incident: checked by its content, kept under its SHA-256, never replaced, never
shown in the browser.
"""

import io
from hashlib import sha256
from pathlib import Path
from typing import Any

import filetype
from peewee import CharField, ForeignKeyField, IntegerField
from PIL import Image

from models.ground.clock import now
from models.ground.database import transaction
from models.ground.fields import Moment
from models.ground.record import Refused
from models.ground.settings import put, settings
from models.history.event import Event
from models.people.user import User

from .incident import Incident, OfIncident
from .line import Line

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


UPRIGHT = 0x0112  # the EXIF tag that says which way up a picture is


def without_metadata(content: bytes, name: str) -> bytes:
    """A JPEG or PNG (bytes) with nothing beside its picture but which way up it is and what its
    colours mean.
    """
    try:
        with Image.open(io.BytesIO(content)) as picture:
            kept, out = Image.Exif(), io.BytesIO()
            if turned := picture.getexif().get(UPRIGHT):
                kept[UPRIGHT] = turned
            form = "PNG" if picture.format == "PNG" else "JPEG"
            same = {"quality": "keep", "comment": b""} if picture.format == "JPEG" else {}
            colours = picture.info.get("icc_profile")
            picture.info.clear()
            picture.save(out, form, exif=kept, icc_profile=colours, **same)
            return out.getvalue()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise Refused(
            f"The picture “{name}” cannot be read, so it cannot be shown without what it says of "
            "place and camera. Nothing was changed."
        ) from None


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

    def keep(self, name: str, content: bytes) -> None:
        """Save this row with the file that it names. The file is on disk before the row is."""
        self.name, self.kind = name.replace("\0", "")[-200:], kind_of(content)
        self.size, self.sha256 = len(content), sha256(content).hexdigest()
        if not self.path.exists():
            put(self.path, content)
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
        limit = settings.upload_mb
        if len(content) > limit * 1_000_000:
            sentence = f"“{name}” is larger than {limit:g} MB. Attach a smaller copy."
            raise Refused("Nothing was saved.", {"files": sentence})
        if kind_of(content) not in ALLOWED:
            kinds = ", ".join(dict.fromkeys(called for called, _endings in ALLOWED.values()))
            sentence = f"“{name}” is not a kind of file that can be kept here. Allowed: {kinds}."
            raise Refused("Nothing was saved.", {"files": sentence})

    @property
    def is_photograph(self):
        return self.kind in ("image/jpeg", "image/png")

    def shown(self) -> bytes:
        """The bytes that are handed out: a photograph without what it says of place, camera and
        owner; anything else as it is.

        The picture is the same to the eye, and which way up it is stays. Raises Refused where it
        cannot be read.
        """
        content = self.read()
        return without_metadata(content, self.name) if self.is_photograph else content

    def read(self) -> bytes:
        """The bytes. Raises Refused when the file is missing or is not what was attached."""
        content = self.path.read_bytes() if self.path.exists() else b""
        if sha256(content).hexdigest() != self.sha256:
            raise Refused(
                f"The file “{self.name}” is missing or damaged. Ask IT to restore it from a backup."
            )
        return content


class Attachment(Kept, OfIncident):
    keeps = "fixed"

    name = CharField(max_length=200)
    kind = CharField(max_length=100)
    size = IntegerField()
    sha256 = CharField(max_length=64)
    added_by = ForeignKeyField(User, on_delete="RESTRICT")
    added_at = Moment()

    def __str__(self):
        return self.name

    @classmethod
    def add(cls, incident: Incident, by: User, name: str, content: bytes) -> "Attachment":
        """Keep `content` (bytes) on the incident."""
        cls.admit(name, content)
        row = cls(incident=incident, added_by=by, added_at=now())
        with transaction():  # a backup in between would find a file that the history does not know
            row.keep(name, content)
            Event.write("attachment:add", row, by, sha256=row.sha256)
        return row

    def line(self) -> Line:
        """As the chronology has it."""
        return Line(
            self.added_at,
            f"File: {self.name}",
            "file",
            self.added_at,
            self.added_by,
            [self.incident.reference],
        )
