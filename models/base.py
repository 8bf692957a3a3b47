"""The database, the base of every record, the clock, and how a rule says no."""

import codecs
import json
import sqlite3
import traceback
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import partial
from threading import Lock
from time import monotonic
from unicodedata import normalize
from zoneinfo import ZoneInfo

from peewee import (
    AutoField,
    BooleanField,
    CharField,
    DatabaseProxy,
    DateField,
    DateTimeField,
    Field,
    IntegerField,
    JSONField,
    Model,
    OperationalError,
    SqliteDatabase,
    TextField,
    fn,
)
from playhouse import db_url
from playhouse.pool import PooledDatabase

LONDON = ZoneInfo("Europe/London")
FEW = 5
WAIT = 10  # seconds that a writer waits when nobody comes to an end before it
DAMAGED = "[damaged]"  # stands where bytes are no text any more; a date that is none is LONG_AGO
LONG_AGO = datetime(1, 1, 2, tzinfo=UTC)
codecs.register_error("damaged", lambda problem: (DAMAGED, problem.end))
db = DatabaseProxy()
writers = Lock()
moved_at = 0.0  # when a writer of this process last came to the end of its turn
_clock = ContextVar("clock", default=None)


class Refused(Exception):
    """A rule said no. The text is a sentence for the reader; `errors` maps field names to sentences; `links` are (text, record, anchor)."""

    def __init__(self, sentence, errors=None, links=()):
        super().__init__(sentence)
        self.errors, self.links = errors or {}, list(links)


class Unsafe(RuntimeError):
    """The database is set up so that it may lose what it acknowledged. The text is a sentence for IT."""


def without_words(problem):
    """A problem as the log of the process has it: its kind, and where it happened. Its own text may quote a record."""
    return f"{type(problem).__name__}\n{''.join(traceback.format_tb(problem.__traceback__))}"


def now():
    """The time, UTC, aware, whole seconds; or the time set by `at`."""
    return _clock.get() or datetime.now(UTC).replace(microsecond=0)


@contextmanager
def at(moment):
    """Within the block `now()` is `moment` (aware). For the demonstration school and for tests."""
    token = _clock.set(moment.astimezone(UTC))
    try:
        yield moment
    finally:
        _clock.reset(token)


def fold(text):
    """Lower case without accents, for searching: 'Siôn Ŵyn' is found by 'sion wyn'."""
    text = text.decode(errors="damaged") if isinstance(text, bytes) else text
    plain = normalize("NFKD", (text or "").casefold().replace("ł", "l").replace("ø", "o"))
    return "".join(c for c in plain if not "\u0300" <= c <= "\u036f")


class Reader(sqlite3.Connection):
    """A connection to SQLite that reads a damaged text as damaged, where sqlite3 refuses the whole query and quotes the text."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.text_factory = partial(str, encoding="utf-8", errors="damaged")


def connect(url):
    """Open the database named by `url` and check what we rely on: WAL, full sync and foreign keys; on PostgreSQL its like."""
    if db.obj is not None and not db.is_closed():
        db.close()
    if isinstance(db.obj, PooledDatabase):
        db.obj.close_all()
    if not url.startswith("sqlite"):
        db.initialize(db_url.connect(url))
        with db.connection_context():
            found = tuple(db.execute_sql(f"SHOW {name}").fetchone()[0] for name in ("fsync", "synchronous_commit", "server_encoding"))
        if found[0] != "on" or found[1] == "off" or found[2] != "UTF8":
            raise Unsafe(f"PostgreSQL must run with fsync=on, synchronous_commit on, and a database in UTF8: {found}")
        return db
    pragmas = {"journal_mode": "wal", "synchronous": "full", "foreign_keys": 1, "recursive_triggers": 1, "busy_timeout": WAIT * 1_000}
    db.initialize(db_url.connect(url, pragmas=pragmas, lock_type="immediate", timeout=WAIT, factory=Reader))
    db.obj.register_function(fold, "fold", 1)
    with db.connection_context():
        found = (db.pragma("journal_mode"), db.pragma("synchronous"), db.pragma("foreign_keys"))
    if found != ("wal", 2, 1):
        raise Unsafe(f"SQLite did not accept journal_mode=wal, synchronous=full, foreign_keys=1: {found}")
    return db


def sqlite():
    """True on SQLite, False on PostgreSQL."""
    return isinstance(db.obj, SqliteDatabase)


@contextmanager
def in_turn():
    """The writers of this process one after another: left to the database, each would ask again and again, and the unlucky wait long.

    While the queue moves they wait, however busy the machine is. Raises OperationalError when nobody's turn came to its end for WAIT seconds.
    """
    global moved_at
    begun = monotonic()
    while not writers.acquire(timeout=max(0, max(begun, moved_at) + WAIT - monotonic())):
        if monotonic() - max(begun, moved_at) >= WAIT:
            raise OperationalError("database is locked")
    try:
        yield
    finally:
        moved_at = monotonic()
        writers.release()


@contextmanager
def transaction():
    """All or nothing. Writers queue in their process, then for the database: BEGIN IMMEDIATE on SQLite, one advisory lock on PostgreSQL."""
    outermost = not db.in_transaction()
    with in_turn() if outermost else nullcontext(), db.atomic():
        if outermost and not sqlite():
            db.execute_sql(f"SET LOCAL lock_timeout = '{WAIT}s'")  # as on SQLite
            db.execute_sql("SELECT pg_advisory_xact_lock(7202611)")
        yield


def contains(field, term):
    """An SQL condition: `field` contains `term`, whatever the case and the accents."""
    if sqlite():
        return fn.INSTR(fn.fold(field.cast("BLOB")), fold(term)) > 0  # a text that is damaged would stop the search
    return fn.STRPOS(fn.fold(field), fold(term)) > 0


class Moment(DateTimeField):
    """A point in time: stored in UTC, read back aware in UTC, shown in Europe/London."""

    def db_value(self, value):
        return super().db_value(value.astimezone(UTC).replace(tzinfo=None) if value and value.tzinfo else value)

    def python_value(self, value):
        value = super().python_value(value)
        return LONG_AGO if isinstance(value, str) else value.replace(tzinfo=UTC) if value else None


class Day(DateField):
    """A date."""

    def python_value(self, value):
        value = super().python_value(value)
        return LONG_AGO.date() if isinstance(value, str) else value


class Strings(TextField):
    """A list of short strings, one line each."""

    def db_value(self, value):
        return None if value is None else "\n".join(value)

    def python_value(self, value):
        return value.split("\n") if value else []


class Pick(CharField):
    """One of a list: `of` names an editable list (models/lists.toml), `fixed` is a list that the rules know."""

    def __init__(self, of=None, fixed=(), **kwargs):
        super().__init__(**kwargs)
        self.of, self.fixed = of, fixed


class YesNo(BooleanField):
    """A question with the answers Yes and No and, when null, not answered."""


def careful(text):
    """JSON read; what is damaged as {DAMAGED: text}, so that no page breaks, and nothing is taken for empty."""
    try:
        return json.loads(text)
    except ValueError:
        return {DAMAGED: text}


class Json(JSONField):
    """What JSON can hold."""

    def __init__(self, **kwargs):
        super().__init__(loads=careful, **kwargs)


class Rows(Json):
    """A small table: a list of dicts with the keys of `columns` ({key: label, or (label, options)})."""

    def __init__(self, columns=None, **kwargs):
        super().__init__(**kwargs)
        self.columns = columns or {}

    def python_value(self, value):
        value = super().python_value(value)
        if isinstance(value, dict):  # one row that says so, wherever rows are shown
            first, *_others, last = self.columns
            return [{first: DAMAGED, last: value.get(DAMAGED, "")}]
        return value


class NoCase(str):
    """Why the rows of a model belong to no incident: what `belongs` says where it names no field."""


KEEPS = ("free", "rows", "submitted", "fixed")


class Base(Model):
    """What every model says of itself, so that forgetting shuts a door instead of opening one.

    belongs: the name of the field that leads to its incident (itself, or by a record that is of
    one), or a NoCase with the reason why there is none. keeps: what the database itself refuses,
    "free" nothing, "rows" deleting, "submitted" also changing any column but those in `changes`,
    "fixed" all of it. sealed: an SQL condition on OLD and NEW under which no change is taken at
    all. part_of: the foreign key of the record whose digest covers these rows. unvouched: columns
    that may change without the history knowing, each with its reason.
    """

    id = AutoField()

    belongs = keeps = part_of = None
    changes, sealed, unvouched = (), "", {"version": "it counts the times a row was saved"}

    class Meta:
        database = db
        legacy_table_names = False
        only_save_dirty = True

    def __init_subclass__(cls, abstract=False, **kwargs):
        super().__init_subclass__(**kwargs)
        cls.abstract = abstract
        if abstract:
            return
        if cls.keeps not in KEEPS:
            raise TypeError(f"{cls.__name__} must say what the database keeps of it: keeps = one of {KEEPS}")
        leads = cls.belongs == "id" or isinstance(vars(cls).get(cls.belongs), Field)
        if not isinstance(cls.belongs, NoCase) and not leads:
            raise TypeError(
                f"{cls.__name__} must say where it belongs: belongs = the field that leads to its "
                "incident, or NoCase with the reason why it is of none"
            )

    @classmethod
    def noun(cls):
        return cls._meta.table_name

    @classmethod
    def every(cls):
        """Every model there is, with the bases left out."""
        found = []
        for model in cls.__subclasses__():
            found += [] if model.abstract else [model]
            found += model.every()
        return found

    @classmethod
    def among(cls, seen):
        """The condition that a row's incident is one of those that `seen` (a function of a column) lets through."""
        if isinstance(cls.belongs, NoCase):
            raise LookupError(f"{cls.__name__} is of no incident: {cls.belongs}")
        field = cls._meta.fields[cls.belongs]
        parent = getattr(field, "rel_model", None)
        if parent is None or parent.belongs == "id":
            return seen(field)
        return field.in_(parent.select(parent.id).where(parent.among(seen)))

    def case(self):
        """The id of the incident that this record belongs to, or None."""
        if isinstance(self.belongs, NoCase):
            return None
        if self._meta.fields[self.belongs] is self._meta.primary_key:
            return self.id
        parent = getattr(self._meta.fields[self.belongs], "rel_model", None)
        direct = parent is None or parent.belongs == "id"
        return self.__data__.get(self.belongs) if direct else getattr(self, self.belongs).case()

    def parts(self):
        """The rows that make up what this record says, itself first, as they are in the database; none for what another's digest covers.

        The history keeps a digest of them with each change. A new column must be null or empty in old rows, so that their digests stay.
        """
        return () if self.part_of or self.keeps == "free" else [type(self).get_by_id(self.id)]

    def told(self):
        """The people whom a step on this record emails."""
        return ()

    def moved(self, event):
        """Called by @step, in its transaction, after `event` has been written and the emails are queued: what else is kept."""


class Record(Base, abstract=True):
    version = IntegerField(default=1)

    def set(self, **values):
        """Set fields; return {field: (before, after)} for those that changed. Nothing is nothing, whether "" or None."""
        changed = {}
        for name, value in values.items():
            before = getattr(self, name)
            if before != value and not (before in (None, "") and value in (None, "")):
                setattr(self, name, value)
                changed[name] = (before, value)
        return changed

    def check(self):
        """Raise Refused when this would be a second record with what must be unique; asked before a record without steps is saved."""
        meta = type(self)._meta
        unique = [[f.name] for f in meta.sorted_fields if f.unique and not f.primary_key] + [
            list(names) for names, yes in meta.indexes if yes
        ]
        for names in unique:
            same = [getattr(type(self), name) == getattr(self, name) for name in names if getattr(self, name) is not None]
            if len(same) == len(names) and type(self).select().where(*same, type(self).id != (self.id or 0)).exists():
                label = meta.fields[names[-1]].verbose_name
                raise Refused("Nothing was saved.", {names[-1]: f"There is already one with this {label[0].lower() + label[1:]}."})

    def takes_along(self):
        """Change what must change with this record, once it is saved, and return it for the event that says so."""
        return ()

    def save(self, *args, **kwargs):
        if self.id and self._dirty:
            self.version += 1
        return super().save(*args, **kwargs)

    @classmethod
    def counts(cls):
        """How many there are in each of STATUSES, as {status: text}: for those who only count, so without the policy.

        No names, and no small numbers: who knows of one case must not see it come and go.
        """
        found = dict(cls.select(cls.status, fn.COUNT(cls.id)).group_by(cls.status).tuples())
        return {status: f"{n:,}" if (n := found.get(status, 0)) >= FEW else f"fewer than {FEW}" for status in cls.STATUSES}

    @classmethod
    def number(cls, prefix):
        """The next reference of this year (UTC), as INC-2026-0042. Call it inside a transaction."""
        stem = f"{prefix}-{now().year}-"
        latest = cls.select(cls.reference).order_by(cls.id.desc()).limit(1)
        last = latest.scalar()
        if last and not last.startswith(stem):  # the first of a year, or a clock that went back
            last = latest.where(cls.reference.startswith(stem)).scalar()
        return f"{stem}{int(last[len(stem) :]) + 1 if last else 1:04d}"
