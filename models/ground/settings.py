"""What an installation can set, each from one SAFEGUARDING_… environment variable."""

import math
import os
import re
import secrets
import sys
import tempfile
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

EMAIL = re.compile(r"[^@\s<>]+@[^@\s<>]+|[^@<>\r\n]+ <[^@\s<>]+@[^@\s<>]+>")
UNPRINTED = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


class Wrong(Exception):
    """Settings cannot be read: a sentence for IT of each that is bad, on a line of its own."""


def yes(fine: bool) -> None:
    """Raise ValueError unless a value is fine: the kind that asks has the sentence."""
    if not fine:
        raise ValueError


def line(text: str) -> str:
    """One line of text."""
    yes(not UNPRINTED.search(text))
    return text


def folder(text: str) -> Path:
    """The whole path of a folder that is there, or that can be made."""
    path = Path(line(text)).resolve()
    yes(next(above for above in (path, *path.parents) if above.exists()).is_dir())
    return path


def file(text: str) -> Path:
    """The whole path of a file that is there."""
    path = Path(line(text)).resolve()
    yes(path.is_file())
    return path


def yes_or_no(text: str) -> bool:
    """Whether it says yes, not whether it says anything."""
    yes(text.lower() in ("yes", "no"))
    return text.lower() == "yes"


def whole(text: str) -> int:
    """A number without a sign or a point."""
    yes(text.isascii() and text.isdigit() and len(text) < 7)
    return int(text)


def port(text: str) -> int:
    """The number of a port."""
    yes(whole(text) < 65_536)
    return int(text)


def number(text: str) -> float:
    """A number above nothing, of a size that can be reckoned with."""
    yes(math.isfinite(float(text)) and 0 < float(text) <= 10_000)
    return float(text)


def socket_address(text: str) -> str:
    """HOST:PORT, or the whole path of a socket."""
    host, _colon, number = line(text).rpartition(":")
    yes(text.startswith("/") or bool(host) and bool(port(number)))
    return text


def web_address(text: str) -> str:
    """A web address as a browser takes it."""
    parts = urlsplit(line(text))
    yes(parts.scheme in ("http", "https") and bool(parts.hostname) and " " not in text)
    yes(parts.port is None or parts.port < 65_536)
    return text


def email(text: str) -> str:
    """An email address, perhaps with the name of its sender before it."""
    yes(bool(EMAIL.fullmatch(line(text))))
    return text


class Kind(NamedTuple):
    """How a setting is read from its text (ValueError or OSError when it is not of this kind), and
    what to do when it cannot be. What is secret is not repeated.
    """

    read: Callable[[str], object]
    cure: str
    secret: bool = False


TEXT = Kind(line, "give one line of text")
SECRET = Kind(line, "give one line of text", secret=True)
FOLDER = Kind(folder, "give the path of a folder that this account may open")
FILE = Kind(file, "give the path of a file that is there and that this account may read")
YES_NO = Kind(yes_or_no, "give yes or no")
WHOLE = Kind(whole, "give a whole number, for example 1")
PORT = Kind(port, "give the number of a port, for example 5000")
HOURS = Kind(number, "give a number of hours, for example 24")
MEGABYTES = Kind(number, "give a number of megabytes, for example 10")
SOCKET = Kind(socket_address, "give HOST:PORT or the path of a socket, for example 127.0.0.1:3310")
WEB = Kind(web_address, "give a web address, for example https://safeguarding.example")
MAILBOX = Kind(email, "give an email address, for example dsl@school.example")

# name: default, what it is, kind. Nothing is the default; where that is nothing too, it is None
# unless the kind is text.
ALL: dict[str, tuple[str, str, Kind]] = {
    "DATA": ("var", "Folder for the database, attachments and keys (created if missing).", FOLDER),
    "SCHOOL": ("Our school", "Name on every page, in emails and on the letterhead.", TEXT),
    "ADDRESS": ("", "Postal address for the letterhead and the Ofsted log.", TEXT),
    "URN": ("", "Unique reference number of the school or home.", TEXT),
    "PHONE": ("", "Telephone number for the letterhead.", TEXT),
    "URL": (
        "http://127.0.0.1:5000",
        "Address people use in the browser; links in emails start with it.",
        WEB,
    ),
    "LOCAL": (
        "no",
        "`yes` only when there is no TLS, on this machine alone: cookies then also go over plain "
        "http.",
        YES_NO,
    ),
    "PROXIES": (
        "0",
        "How many reverse proxies stand in front; the address and https that they report are "
        "then believed.",
        WHOLE,
    ),
    "PROCESSES": (
        "",
        "How many processes answer requests; empty for two where there are two cores, else one.",
        WHOLE,
    ),
    "NOTIFY_HOURS": (
        "24",
        "Hours within which Ofsted should be told; later is a warning, never a block.",
        HOURS,
    ),
    "ACKNOWLEDGE_HOURS": (
        "4",
        "Hours within which an incident should be acknowledged; after that every DSL is emailed.",
        HOURS,
    ),
    "SECOND_SIGN_OFF": (
        "no",
        "`yes` where a second person of Level 5 signs the closing of a case.",
        YES_NO,
    ),
    "PACK_SIGN_OFF": (
        "no",
        "`yes` where a second person approves a pack before its PDF can be fetched.",
        YES_NO,
    ),
    "CASE_DAYS": (
        "28",
        "Days after which a case without any change is one to look at again.",
        WHOLE,
    ),
    "UPLOAD_MB": (
        "10",
        "Largest file, in megabytes, that may be attached to an incident.",
        MEGABYTES,
    ),
    "CLAMD": (
        "",
        "Virus scanner (clamd): HOST:PORT or the path of its socket. A file is looked at before it "
        "is kept.",
        SOCKET,
    ),
    "BACKUPS": (
        "",
        "Folder that `flask backup` fills when it is given none, and whose age the home page "
        "watches.",
        FOLDER,
    ),
    "BACKUP_KEY": (
        "",
        "File whose content encrypts the keys in a backup; else a passphrase is asked for. Keep "
        "a copy elsewhere.",
        FILE,
    ),
    "TIMESTAMP_URL": (
        "",
        "Address of a time stamping authority (RFC 3161): proves what existed when; it gets "
        "hashes, never words.",
        WEB,
    ),
    "MAIL_SERVER": ("localhost", "SMTP server that takes our emails.", TEXT),
    "MAIL_PORT": ("25", "Its port.", PORT),
    "MAIL_TLS": ("no", "`yes` to require STARTTLS.", YES_NO),
    "MAIL_USERNAME": ("", "Its user name, if it wants one.", TEXT),
    "MAIL_PASSWORD": ("", "Its password, if it wants one.", SECRET),
    "MAIL_FROM": ("safeguarding@localhost", "Sender of our emails.", MAILBOX),
}
OTHERS = ("BACKUP_PASSPHRASE",)  # read where it is needed, and kept nowhere


def flush(path: Path) -> None:
    """Have what was written to a file or folder on disk before going on."""
    if os.name == "nt" and path.is_dir():
        return  # Windows keeps folders by itself
    number = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def put(path: Path, content: bytes) -> None:
    """Write a file (bytes) whole and onto the disk, or not at all, making its folder where that is
    missing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        part.write_bytes(content)
        flush(part)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    flush(path.parent)


class Settings:
    """Attributes named as in ALL, in lower case, each of its kind; `demo` is true only under the
    demo command.
    """

    data: Path
    school: str
    address: str
    urn: str
    phone: str
    url: str
    local: bool
    proxies: int
    processes: int | None
    notify_hours: float
    acknowledge_hours: float
    second_sign_off: bool
    pack_sign_off: bool
    case_days: int
    upload_mb: float
    clamd: str | None
    backups: Path | None
    backup_key: Path | None
    timestamp_url: str | None
    mail_server: str
    mail_port: int
    mail_tls: bool
    mail_username: str
    mail_password: str
    mail_from: str
    demo: bool
    folder: Path
    database: str

    def load(self, demo: bool = False, **given: Any) -> "Settings":
        """Read every setting: from `given` (upper-case names, as in ALL), else the environment,
        else its default. Raises Wrong, which names all that are bad, with nothing changed.
        """
        typed, found, bad = os.environ.get("PORT", "").strip() or "5000", {}, []

        def read(name: str, text: str, kind: Kind) -> object:
            try:
                return kind.read(text)
            except (ValueError, OSError):
                shown = "cannot be read" if kind.secret else f"is “{text}”"
                bad.append(f"{name} {shown}: {kind.cure}.")
                return None

        port_is = read("PORT", typed, PORT)
        for name, (default, _help, kind) in ALL.items():
            if name == "URL" and port_is is not None:
                default = default.replace(":5000", f":{port_is}")
            value = given.get(name, os.environ.get(f"SAFEGUARDING_{name}", ""))
            text = str(value).strip() or default
            asked = text or kind.read is line
            found[name.lower()] = read(f"SAFEGUARDING_{name}", text, kind) if asked else None
        if bad:
            raise Wrong("\n".join(bad))
        vars(self).update(found)
        self.demo, self.folder, self.url = demo, self.data, self.url.rstrip("/")
        self.database = (
            given.get("DATABASE_URL")
            or os.environ.get("DATABASE_URL")
            or f"sqlite:///{self.folder}/safeguarding.db"
        )
        return self

    def secret(self, name: str, make: Callable[[], bytes]) -> bytes:
        """The content (bytes) of a key file in the data folder, made by `make()` at first use:
        whole or not at all, for this account only.

        Two processes that start at once get the same one.
        """
        file = self.folder / name
        if not file.exists():
            os.umask(0o077)  # what we write, from the folder on, is for this account alone
            self.folder.mkdir(parents=True, exist_ok=True)
            number, part = tempfile.mkstemp(dir=self.folder)  # mode 0600
            with os.fdopen(number, "wb") as out:
                out.write(make())
                out.flush()
                os.fsync(out.fileno())
            try:
                os.link(part, file)  # refused when another process was first
            except FileExistsError:
                pass
            finally:
                os.unlink(part)
        return file.read_bytes()


def unknown() -> list[str]:
    """A sentence for each variable of the environment that looks like a setting and is none."""
    sentences, known = [], [*ALL, *OTHERS]
    for variable in sorted(os.environ):
        name = variable.removeprefix("SAFEGUARDING_")
        if name != variable and name not in known:
            near = get_close_matches(name, known, 1)
            meant = f": perhaps SAFEGUARDING_{near[0]} was meant." if near else "."
            sentences.append(f"{variable} is not a setting, and does nothing{meant}")
    return sentences


try:
    settings = Settings().load()
except Wrong as problem:
    sys.exit(str(problem))  # whoever starts: IT reads what to mend, not where it was met
for sentence in unknown():
    print(sentence, file=sys.stderr)
