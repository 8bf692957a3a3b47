"""What an installation can set, each from one SAFEGUARDING_… environment variable."""

import os
import secrets
import tempfile
from pathlib import Path

ALL = {
    "DATA": ("var", "Folder for the database, attachments and keys (created if missing)."),
    "SCHOOL": ("Our school", "Name on every page, in emails and on the letterhead."),
    "ADDRESS": ("", "Postal address for the letterhead and the Ofsted log."),
    "URN": ("", "Unique reference number of the school or home."),
    "PHONE": ("", "Telephone number for the letterhead."),
    "URL": (
        "http://127.0.0.1:5000",
        "Address people use in the browser; links in emails start with it.",
    ),
    "LOCAL": (
        "no",
        "`yes` only when there is no TLS, on this machine alone: cookies then also go over plain "
        "http.",
    ),
    "PROXIES": (
        "0",
        "How many reverse proxies stand in front; the address and https that they report are "
        "then believed.",
    ),
    "PROCESSES": (
        "",
        "How many processes answer requests; empty for two where there are two cores, else one.",
    ),
    "NOTIFY_HOURS": (
        "24",
        "Hours within which Ofsted should be told; later is a warning, never a block.",
    ),
    "UPLOAD_MB": ("10", "Largest file, in megabytes, that may be attached to an incident."),
    "BACKUPS": (
        "",
        "Folder that `flask backup` fills when it is given none, and whose age the home page "
        "watches.",
    ),
    "BACKUP_KEY": (
        "",
        "File whose content encrypts the keys in a backup; else a passphrase is asked for. Keep "
        "a copy elsewhere.",
    ),
    "TIMESTAMP_URL": (
        "",
        "Address of a time stamping authority (RFC 3161): proves what existed when; it gets "
        "hashes, never words.",
    ),
    "MAIL_SERVER": ("localhost", "SMTP server that takes our emails."),
    "MAIL_PORT": ("25", "Its port."),
    "MAIL_TLS": ("no", "`yes` to require STARTTLS."),
    "MAIL_USERNAME": ("", "Its user name, if it wants one."),
    "MAIL_PASSWORD": ("", "Its password, if it wants one."),
    "MAIL_FROM": ("safeguarding@localhost", "Sender of our emails."),
}


def flush(path):
    """Have what was written to a file or folder on disk before going on."""
    if os.name == "nt" and path.is_dir():
        return  # Windows keeps folders by itself
    number = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def put(path, content):
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
    """Attributes named as in ALL, in lower case; `demo` is true only under the demo command."""

    def load(self, demo=False, **given):
        """Read every setting: from `given` (upper-case names, as in ALL), else the environment,
        else its default.
        """
        self.demo = demo
        for name, (default, _help) in ALL.items():
            default = (
                default.replace(":5000", f":{os.environ.get('PORT', '5000')}")
                if name == "URL"
                else default
            )
            setattr(
                self,
                name.lower(),
                str(given.get(name, os.environ.get(f"SAFEGUARDING_{name}", default))).strip(),
            )
        self.folder = Path(self.data).resolve()
        self.backups = Path(self.backups).resolve() if self.backups else None
        self.database = (
            given.get("DATABASE_URL")
            or os.environ.get("DATABASE_URL")
            or f"sqlite:///{self.folder}/safeguarding.db"
        )
        return self

    def secret(self, name, make):
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


settings = Settings().load()
