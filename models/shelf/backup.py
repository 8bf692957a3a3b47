"""Backups: all that an empty machine needs, read back before it is called good; and the way back
from one.
"""

import json
import shutil
import tempfile
import time
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from hashlib import file_digest
from os import urandom
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from models.access.calendar import Calendar
from models.access.signin import Session
from models.case.attachment import Kept, place
from models.ground.clock import now
from models.ground.database import connect, db, transaction
from models.ground.record import Base, Refused
from models.ground.settings import flush, put, settings
from models.history.event import Event
from models.history.notice import Notice
from models.history.seal import FILE as SIGNING
from models.history.seal import certificate

from . import proof
from .copying import alone, copy_to, fingerprint, migrate, plain_file, reading, snapshot

STAMP = "%Y-%m-%dT%H%M%SZ"  # the name of a backup: when it was begun, UTC
RULE = (
    ("%Y-%m-%d", 7),
    ("%G-W%V", 4),
    ("%Y-%m", 12),
)  # the newest of each of the last 7 days, 4 weeks and 12 months stays
KEYS = ("secret.key", SIGNING)


def cipher(secret: bytes, salt: bytes) -> Fernet:
    """What locks the keys: `secret` is a passphrase or the content of a key file (bytes)."""
    return Fernet(urlsafe_b64encode(Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(secret)))


def hash_of(path):
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def fetch(source: Path, target: Path, name: str) -> None:
    """Copy a file that is known by its SHA-256 `name`. Raises Refused when it is missing or is not
    what it should be.
    """
    if not source.exists() or hash_of(source) != name:
        raise Refused(f"The attachment {name[:12]}… is missing or damaged at {source.parent}.")
    put(target, source.read_bytes())


def sweep(folders: Iterable[Path]) -> None:
    """Remove those that a process left which was killed a day ago or longer."""
    for folder in folders:
        with suppress(FileNotFoundError):  # another process was first
            if time.time() - folder.stat().st_mtime > 86_400:
                shutil.rmtree(folder)


@contextmanager
def beside() -> Iterator[Path]:
    """A folder for a while in the data folder: records may lie nowhere else, and a system’s own
    place for such may be small.
    """
    sweep(settings.folder.glob("work-*"))
    with tempfile.TemporaryDirectory(prefix="work-", dir=settings.folder) as folder:
        yield Path(folder)


def make(folder: Path, secret: bytes, tables: list[type[Base]]) -> Path:
    """Back up database, attachments and keys into `folder` while people work; returns the path of
    the new backup.

    secret: passphrase or content of a key file (bytes), which locks the keys. Nothing is called a
    backup before all of it was read back and fits; what went wrong is raised, and leaves earlier
    backups as they were. Earlier ones are kept by RULE.
    """
    if not (settings.folder / "secret.key").exists():
        raise Refused(
            f"There is no secret.key in {settings.folder}. Either SAFEGUARDING_DATA is not the "
            "folder of this installation, "
            "or it was never served: flask serve makes the key. Nothing was backed up."
        )
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder):
        theirs = {
            manifest["installation"]
            for path in good(folder).values()
            if (manifest := manifest_of(path))
        }
        if theirs - {identity()}:
            raise Refused(
                f"{folder} holds the backups of another installation. Give each a folder of its "
                "own. Nothing was backed up."
            )
        return make_one(folder, secret, tables)


def identity() -> str:
    """What tells this installation from any other: the fingerprint of its certificate."""
    return certificate().fingerprint(SHA256()).hex()


def make_one(folder, secret, tables):
    begun = now()
    done, part = folder / begun.strftime(STAMP), Path(tempfile.mkdtemp(".part", dir=folder))
    try:
        snapshot(part / "safeguarding.db", tables)
        with reading(plain_file(part / "safeguarding.db"), tables):
            rows = (row for model in Kept.models() for row in model.select(model.sha256))
            names = sorted({row.sha256 for row in rows})
            head = Event.head()
            content = fingerprint(tables)
        for name in names:
            kept = place(folder, name)
            if not kept.exists() or hash_of(kept) != name:
                fetch(place(settings.folder, name), kept, name)
        manifest = {
            "made_at": begun.isoformat(),
            "installation": identity(),
            "school": settings.school,
            "head": f"history {head.id} {head.hash}" if head else "",
            "database": hash_of(part / "safeguarding.db"),
            "content": content,
            "attachments": names,
        }
        put(part / "manifest.json", json.dumps(manifest, indent=1).encode())
        keys = {
            name: b64encode((settings.folder / name).read_bytes()).decode()
            for name in KEYS
            if (settings.folder / name).exists()
        }
        keys["manifest"] = hash_of(
            part / "manifest.json"
        )  # sealed with them: a changed manifest does not open
        salt = urandom(16)
        put(part / "keys.bin", salt + cipher(secret, salt).encrypt(json.dumps(keys).encode()))
        examine(part, secret, tables)
        flush(part)
        part.rename(done)
        flush(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    Event.write(
        "event:backup", Event(), None, name=done.name, head=manifest["head"], attachments=len(names)
    )
    prune(folder, done)
    return done


def examine(
    backup: Path, secret: bytes, tables: list[type[Base]]
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Read a whole backup; returns (manifest, keys as {name: bytes}). Raises Refused naming the
    first thing that is not as it was made.
    """
    manifest = manifest_of(backup)
    if not manifest:
        raise Refused(f"{backup.name} is not a whole backup: its manifest cannot be read.")
    try:
        locked = (backup / "keys.bin").read_bytes()
        keys = json.loads(cipher(secret, locked[:16]).decrypt(locked[16:]))
    except InvalidToken:
        raise Refused(
            "The keys do not open: this is not the passphrase or key file of the backup, or "
            "keys.bin is damaged."
        ) from None
    except (OSError, ValueError) as problem:
        raise Refused(f"{backup.name} is not a whole backup: {problem}") from None
    if keys.pop("manifest") != hash_of(backup / "manifest.json"):
        raise Refused("manifest.json was changed after the backup was made.")
    file = backup / "safeguarding.db"
    if not file.exists() or hash_of(file) != manifest["database"]:
        raise Refused("safeguarding.db is missing or is not the one that was backed up.")
    for name in manifest["attachments"]:
        kept = place(backup.parent, name)
        if not kept.exists() or hash_of(kept) != name:
            raise Refused(f"The attachment {name[:12]}… is missing from the backup or damaged.")
    with (
        beside() as folder
    ):  # an old schema is read as of today, and the backup itself stays as it is
        copy = Path(shutil.copyfile(file, folder / file.name))
        with reading(plain_file(copy), tables) as database:
            (found,) = database.execute_sql("PRAGMA integrity_check").fetchone()
            if found != "ok":
                raise Refused(f"safeguarding.db is damaged: {found}")
            migrate(database)
            proof.history(tables, manifest["head"])
            proof.references(tables)
    return manifest, {name: b64decode(content) for name, content in keys.items()}


def kept(moments: Iterable[datetime]) -> set[datetime]:
    """Those of `moments` (datetimes) that RULE keeps."""
    keep = set()
    for form, number in RULE:
        newest = {moment.strftime(form): moment for moment in sorted(moments)}
        keep |= {newest[period] for period in sorted(newest)[-number:]}
    return keep


def good(folder: Path) -> dict[datetime, Path]:
    """The backups in `folder` that were finished: {when (UTC): path}."""
    found = {}
    for path in folder.glob("*Z/manifest.json"):
        with suppress(ValueError):  # a folder of another name is none of ours
            found[datetime.strptime(path.parent.name, STAMP).replace(tzinfo=UTC)] = path.parent
    return found


def manifest_of(backup: Path) -> dict[str, Any] | None:
    """The manifest of a backup, or None when it cannot be read."""
    with suppress(OSError, ValueError):
        return json.loads((backup / "manifest.json").read_text(encoding="utf-8"))
    return None


def prune(folder: Path, made: Path) -> None:
    """Remove the backups that RULE does not keep, but never `made`, the latest whatever the clock
    says; and files that none of those left needs.
    """
    there = good(folder)
    for moment in set(there) - kept(there):
        if there[moment] != made:
            shutil.rmtree(
                there[moment].rename(there[moment].with_suffix(".part"))
            )  # killed here, it is swept later
    sweep(folder.glob("*.part"))
    manifests = [manifest_of(path) for path in good(folder).values()]
    if all(manifests):  # one that cannot be read may need any file
        wanted = {name for manifest in manifests if manifest for name in manifest["attachments"]}
        for file in (folder / "attachments").glob("*/*"):
            if file.name not in wanted:
                file.unlink()


def newest(source: Path) -> Path:
    """The backup that `source` names: itself, or the newest in it, not one of a clock that was days
    ahead. Raises Refused when there is none.
    """
    if (source / "manifest.json").exists():
        return source
    there = good(source) if source.exists() else {}
    if not there:
        raise Refused(f"There is no finished backup in {source}.")
    return there[max([moment for moment in there if moment <= now() + timedelta(days=1)] or there)]


def restore(source: Path, secret: bytes, tables: list[type[Base]]) -> str:
    """Bring a backup back onto an empty machine, checked, with its emails held until a Level 5
    releases them. Returns its name.

    Raises Refused, and leaves the machine as it was, when the backup is not whole or there is
    already an installation here. The database comes last, in one move or one transaction, with the
    emails already held: killed before, it is all to be done again.
    """
    backup, url = newest(source), settings.database
    if not empty(tables):
        raise Refused(
            "There is an installation here already. Restore into an empty data folder and an "
            "empty database. Nothing was changed."
        )
    manifest, keys = examine(backup, secret, tables)
    if other := [
        name
        for name in keys
        if (settings.folder / name).exists() and (settings.folder / name).read_bytes() != keys[name]
    ]:
        raise Refused(
            f"There is another {other[0]} in {settings.folder}. Restore into an empty data "
            "folder. Nothing was changed."
        )
    made = [settings.folder / name for name in keys if not (settings.folder / name).exists()]
    work = settings.folder / "restoring.db"
    db.close()
    for path in settings.folder.glob(
        "restoring.db*"
    ):  # of one that was killed: its log would be played into this one
        path.unlink()
    try:
        for name in manifest["attachments"]:
            fetch(place(backup.parent, name), place(settings.folder, name), name)
        for name, content in keys.items():
            settings.secret(name, lambda content=content: content)  # type: ignore[misc]
        flush(Path(shutil.copyfile(backup / "safeguarding.db", work)))  # not its mode
        connect(f"sqlite:///{work}").connect()
        migrate(db.obj)
        with transaction():
            Session.update(ended_at=now()).where(Session.ended_at.is_null()).execute()
            Calendar.delete().execute()  # one that was ended since must not come back
            Event.write(
                "event:restore",
                Event(),
                None,
                name=backup.name,
                waiting=Notice.select().where(Notice.status == "waiting").count(),
            )
        if url.startswith("sqlite"):
            db.execute_sql("PRAGMA journal_mode=delete")  # one file, no sidecars
            db.close()
            flush(work)
            connect(url)
            work.replace(db.obj.database)
            flush(settings.folder)
        else:
            copy_to(url, tables)
    except BaseException:
        for path in made:
            path.unlink(missing_ok=True)
        raise
    finally:
        db.close()
        for path in settings.folder.glob("restoring.db*"):
            path.unlink()
        connect(url).connect()
    return backup.name


def empty(tables: list[type[Base]]) -> bool:
    """Whether the open database has no content: no tables, or neither a person nor a child in
    them.
    """
    return not db.table_exists("user") or not any(
        model.select().exists() for model in tables if model.noun() in ("user", "child")
    )


def drill(source: Path, secret: bytes, tables: list[type[Base]]) -> list[str]:
    """Restore a backup into a folder of its own, verify it there, and note in the history of the
    real one that this was done. Returns sentences.
    """
    backup, before = newest(source), dict(settings.__dict__)
    db.close()
    with beside() as folder:
        try:
            settings.__dict__.update(
                folder=folder, database=f"sqlite:///{folder}/safeguarding.db", backups=None
            )
            connect(settings.database).connect()
            restore(backup, secret, tables)
            found = proof.verify(tables)
        finally:
            db.close()
            settings.__dict__.update(before)
            connect(settings.database).connect()
    Event.write("event:drill", Event(), None, name=backup.name, found=found)
    return found
