"""The database: opened as promised, written in turn, searched without accents."""

import codecs
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import lru_cache, partial
from threading import Lock
from time import monotonic, sleep
from typing import Any
from unicodedata import normalize

from peewee import DatabaseProxy, Expression, Field, OperationalError, SqliteDatabase, fn
from playhouse import db_url
from playhouse.pool import PooledDatabase

from . import quick
from .settings import settings

try:
    import fcntl
except ImportError:  # Windows, where one process writes
    fcntl = None  # type: ignore[assignment]

WAIT = 10  # seconds that a writer waits when nobody comes to an end before it
GATES = ("writers.queue", "writers.lock")  # in the data folder
DAMAGED = "[damaged]"  # stands where bytes are no text any more; a date that is none is LONG_AGO
quick.install()
codecs.register_error("damaged", lambda problem: (DAMAGED, problem.end))  # type: ignore[attr-defined]
db = DatabaseProxy()
writers = Lock()
moved_at = 0.0  # when a writer of this process last came to the end of its turn


class Unsafe(RuntimeError):
    """The database is set up so that it may lose what it acknowledged. The text is a sentence for
    IT.
    """


def fold(text: str | bytes | None) -> str:
    """Lower case without accents, for searching: 'Siôn Ŵyn' is found by 'sion wyn'."""
    if text and text.isascii():  # most are: a search reads every word that there is
        return (text.decode() if isinstance(text, bytes) else text).lower()
    text = text.decode(errors="damaged") if isinstance(text, bytes) else text
    plain = normalize("NFKD", (text or "").casefold().replace("ł", "l").replace("ø", "o"))
    return "".join(c for c in plain if not "\u0300" <= c <= "\u036f")


class Reader(sqlite3.Connection):
    """A connection to SQLite that reads a damaged text as damaged, where sqlite3 refuses the whole
    query and quotes the text.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.text_factory = partial(str, encoding="utf-8", errors="damaged")


def connect(url: str) -> DatabaseProxy:
    """Open the database named by `url` and check what we rely on: WAL, full sync and foreign keys;
    on PostgreSQL its like.
    """
    if db.obj is not None:
        let_go()
    if not url.startswith("sqlite"):
        db.initialize(db_url.connect(url))
        with db.connection_context():
            found = tuple(
                db.execute_sql(f"SHOW {name}").fetchone()[0]
                for name in ("fsync", "synchronous_commit", "server_encoding")
            )
        if found[0] != "on" or found[1] == "off" or found[2] != "UTF8":
            raise Unsafe(
                "PostgreSQL must run with fsync=on, synchronous_commit on, and a database in "
                f"UTF8: {found}"
            )
        return db
    pragmas = {
        "journal_mode": "wal",
        "synchronous": "full",
        "foreign_keys": 1,
        "recursive_triggers": 1,
        "busy_timeout": WAIT * 1_000,
    }
    db.initialize(
        db_url.connect(url, pragmas=pragmas, lock_type="immediate", timeout=WAIT, factory=Reader)
    )
    db.obj.register_function(fold, "fold", 1)
    with db.connection_context():
        found = (db.pragma("journal_mode"), db.pragma("synchronous"), db.pragma("foreign_keys"))
    if found != ("wal", 2, 1):
        raise Unsafe(
            f"SQLite did not accept journal_mode=wal, synchronous=full, foreign_keys=1: {found}"
        )
    return db


def sqlite() -> bool:
    """True on SQLite, False on PostgreSQL."""
    return isinstance(db.obj, SqliteDatabase)


@lru_cache(maxsize=8)
def gates(_process, folder):
    """Two files, open for the locks of this process, between which the writers of several processes
    queue; none where the folder takes no file.
    """
    try:
        return [os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o600) for name in GATES]
    except OSError:  # full or read-only: then there is nothing to write either
        return []


def enter(gate: Any, until: float) -> Any:
    """Take the lock of a gate, as soon as nobody has it."""
    while True:
        with suppress(BlockingIOError):
            return fcntl.flock(gate, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if monotonic() >= until:
            raise OperationalError("database is locked")
        sleep(0.0005)


@contextmanager
def before_other_processes():
    """The writers of several processes one after another, fairly: whoever waits holds the first
    gate, which whoever comes from the second has to pass again.

    SQLite itself lets whoever asks at the right moment in, and the unlucky wait for seconds.
    """
    found = gates(os.getpid(), settings.folder) if fcntl and sqlite() else []
    if not found:
        yield
        return
    first, second = found
    until = monotonic() + WAIT  # nobody's turn takes as long
    enter(first, until)
    try:
        enter(second, until)
    finally:
        fcntl.flock(first, fcntl.LOCK_UN)
    try:
        yield
    finally:
        fcntl.flock(second, fcntl.LOCK_UN)


@contextmanager
def in_turn() -> Iterator[None]:
    """The writers one after another: left to the database, each would ask again and again, and the
    unlucky wait long.

    While the queue moves they wait, however busy the machine is. Raises OperationalError when
    nobody's turn came to its end for WAIT seconds.
    """
    global moved_at
    begun = monotonic()
    while not writers.acquire(timeout=max(0, max(begun, moved_at) + WAIT - monotonic())):
        if monotonic() - max(begun, moved_at) >= WAIT:
            raise OperationalError("database is locked")
    try:
        with before_other_processes():
            yield
    finally:
        moved_at = monotonic()
        writers.release()


def let_go() -> None:
    """Close every connection of this process, so that it can be forked."""
    if not db.is_closed():
        db.close()
    if isinstance(db.obj, PooledDatabase):
        db.obj.close_all()


@contextmanager
def transaction() -> Iterator[None]:
    """All or nothing. Writers queue in their process, then for the database: BEGIN IMMEDIATE on
    SQLite, one advisory lock on PostgreSQL.
    """
    outermost = not db.in_transaction()
    with in_turn() if outermost else nullcontext(), db.atomic():
        if outermost and not sqlite():
            db.execute_sql(f"SET LOCAL lock_timeout = '{WAIT}s'")  # as on SQLite
            db.execute_sql("SELECT pg_advisory_xact_lock(7202611)")
        yield


def contains(field: Field, term: str) -> Expression:
    """An SQL condition: `field` contains `term`, whatever the case and the accents."""
    if sqlite():
        return (
            fn.INSTR(fn.fold(field.cast("BLOB")), fold(term)) > 0
        )  # a text that is damaged would stop the search
    return fn.STRPOS(fn.fold(field), fold(term)) > 0
