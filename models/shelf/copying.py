"""The whole content on the move: a snapshot while people work, a new schema, another engine; each
proved by hashes.
"""

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from peewee import Database, SqliteDatabase, fn
from playhouse import db_url
from playhouse.migrations import Runner

from models.ground.clock import now
from models.ground.database import Reader, db, sqlite
from models.ground.keeps import guard
from models.ground.record import Base, Refused
from models.ground.settings import flush, settings

MIGRATIONS = str(Path(__file__).parents[1] / "migrations")
BATCH = 1_000  # rows


@contextmanager
def reading(database: Database, tables: Sequence[type[Base]]) -> Iterator[Any]:
    """Within the block every model reads and writes `database`, which is opened for it. For
    commands only: the change is seen by all threads.
    """
    with (
        database.bind_ctx(tables, bind_refs=False, bind_backrefs=False),
        database.connection_context(),
    ):
        yield database


def batches(model: type[Base]) -> Iterator[list[dict[str, Any]]]:
    """The rows of `model` as dicts of Python values by field name, by BATCH, in the order of their
    ids.
    """
    last, fields = 0, model._meta.sorted_fields
    while rows := list(
        model.select(*fields).where(model.id > last).order_by(model.id).limit(BATCH).tuples()
    ):
        yield [dict(zip((field.name for field in fields), row, strict=True)) for row in rows]
        last = rows[-1][fields.index(model.id)]  # type: ignore[index]


def fingerprint(tables: Sequence[type[Base]]) -> dict[str, str]:
    """{table: SHA-256 over all of its rows}, the same on every engine for the same content."""
    found = {}
    for model in tables:
        digest = sha256()
        for rows in batches(model):
            for row in rows:
                digest.update(
                    json.dumps(
                        row,
                        sort_keys=True,
                        default=lambda it: (
                            bytes(it).hex() if isinstance(it, memoryview | bytes) else str(it)
                        ),
                    ).encode()
                )
        found[model.noun()] = digest.hexdigest()
    return found


def pour(source: Database, target: Database, tables: Sequence[type[Base]]) -> dict[str, str]:
    """Copy every row of `tables` from one database to another that has the same schema and no rows,
    in one transaction of each.

    Returns the fingerprint. Raises Refused when the target is not empty, or holds afterwards
    anything but the same.
    """
    target.connect(reuse_if_open=True)
    with target.atomic(), source.connection_context() if source.is_closed() else source.atomic():
        if not isinstance(source, SqliteDatabase):
            source.execute_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        with target.bind_ctx(tables, False, False):
            if full := [model.noun() for model in tables if model.select().exists()]:
                raise Refused(
                    f"The other database is not empty: it has rows in {', '.join(full)}. Nothing "
                    "was copied."
                )
        for model in tables:
            for rows in moved(source, model):
                with target.bind_ctx([model], False, False):
                    model.insert_many(rows).execute()
            if not isinstance(target, SqliteDatabase):
                counter = fn.pg_get_serial_sequence(f'"{model.noun()}"', "id")
                with target.bind_ctx([model], False, False):
                    model.select(
                        fn.setval(counter, fn.COALESCE(fn.MAX(model.id), 0) + 1, False)
                    ).execute()
        with source.bind_ctx(tables, False, False):
            before = fingerprint(tables)
        with target.bind_ctx(tables, False, False):
            after = fingerprint(tables)
        if wrong := [name for name in before if before[name] != after[name]]:
            raise Refused(f"The copy differs in {', '.join(wrong)}. Nothing was copied.")
    return after


def moved(source: Database, model: type[Base]) -> Iterator[list[dict[str, Any]]]:
    """The batches of `model` in `source`, bound for just as long as each is read."""
    found = batches(model)
    while True:
        with source.bind_ctx([model], False, False):
            rows = next(found, None)
        if rows is None:
            return
        yield rows


def copy_to(url: str, tables: Sequence[type[Base]]) -> dict[str, str]:
    """Move everything in the open database to the empty database that `url` names; returns {table:
    hash}. The old one stays as it is.
    """
    try:
        target = db_url.connect(url)
    except (RuntimeError, ValueError) as problem:
        raise Refused(
            "This is not the address of a database, such as "
            f"postgresql://user:password@host/name: {problem}"
        ) from None
    with target.connection_context():
        if (
            target.table_exists("user")
            and target.execute_sql('SELECT COUNT(*) FROM "user"').fetchone()[0]
        ):
            raise Refused("The other database is not empty. Nothing was copied.")
        migrate(target)
        return pour(db.obj, target, tables)


def plain_file(path: Path) -> Database:
    """The SQLite file at `path`, opened as it is, without the settings for people at work."""
    return SqliteDatabase(str(path), pragmas={"foreign_keys": 1}, factory=Reader)


def snapshot(file: Path, tables: Sequence[type[Base]]) -> None:
    """Write the content of the open database, as of one moment, to the SQLite file `file`, while
    people go on working.
    """
    if not sqlite():
        target = plain_file(file)
        with target.connection_context():
            migrate(target)
            pour(db.obj, target, tables)
    else:
        with closing(sqlite3.connect(file)) as target:  # type: ignore[assignment]
            db.connection().backup(target)
            target.execute("PRAGMA journal_mode=delete")  # one file, no sidecars
    flush(file)


@contextmanager
def alone(folder: Path | None = None) -> Iterator[None]:
    """Only one process of this folder (the data folder) at a time; the others wait up to a minute.
    A process that dies lets go by itself.
    """
    folder = folder or settings.folder
    folder.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(folder / "one.lock", timeout=60, isolation_level=None)) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        yield


def migrate(database: Any) -> list[str]:
    """Apply to `database` the migrations that it lacks, each whole or not at all, and make its
    refusals anew; returns their names.
    """
    applied = Runner(database, MIGRATIONS).up()
    guard(database)
    return applied


def pending() -> list[str]:
    """The names of the migrations that the open database still lacks."""
    return [one.name for one in Runner(db.obj, MIGRATIONS).status() if one.path and not one.applied]


def dump(file: Path) -> None:
    """Copy the open PostgreSQL database to `file` with pg_dump. Raises Refused when that is not to
    be had, or does not suit the server.
    """
    tool, server = shutil.which("pg_dump") or "", db.connection().info
    command = [
        tool,
        "--format=custom",
        f"--file={file}",
        f"--dbname={server.dsn}",
    ]  # the password goes where `ps` does not show it
    given = os.environ | {"PGPASSWORD": server.password}
    done = tool and subprocess.run(  # noqa: S603 no shell, and nothing that anybody typed
        command, capture_output=True, text=True, env=given
    )
    if not done or done.returncode:
        why = done.stderr.strip() if done else "pg_dump is not here."
        raise Refused(
            f"This version changes the database, and no copy of it could be taken first: {why} "
            "Copy it yourself, then: flask migrate --backed-up"
        )


def upgrade(backed_up: bool = False) -> list[str]:
    """Bring the open database to this version's schema, each migration whole or not at all, after a
    copy of what is there.

    Returns the names of the migrations applied. Raises Refused on PostgreSQL when pg_dump is not
    there to make the copy, unless `backed_up`.
    """
    runner, waiting = Runner(db.obj, MIGRATIONS), pending()
    if waiting and runner.applied() and not backed_up:
        file = (
            settings.folder
            / f"before-{waiting[0]}-{now():%Y-%m-%dT%H%M%SZ}.{'db' if sqlite() else 'dump'}"
        )
        if sqlite():
            snapshot(file, ())
        else:
            dump(file)
    return migrate(db.obj)
