"""What every model says of itself, what every record can do, and how a rule says no."""

import traceback
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from peewee import AutoField, Field, IntegerField, Model, fn

from .clock import now
from .composed import composed
from .database import db

FEW = 5
KEEPS = ("free", "rows", "submitted", "fixed")


class Refused(Exception):
    """A rule said no. The text is a sentence for the reader; `errors` maps field names to
    sentences; `links` are (text, record, anchor).
    """

    def __init__(self, sentence, errors=None, links=()):
        super().__init__(sentence)
        self.errors, self.links = errors or {}, list(links)


def without_words(problem: BaseException) -> str:
    """A problem as the log of the process has it: its kind, and where it happened. Its own text may
    quote a record.
    """
    return f"{type(problem).__name__}\n{''.join(traceback.format_tb(problem.__traceback__))}"


ANYWHERE = -1  # of what is of no school or home: people, roles, lists, the installation


class NoIncident(str):
    """Why the rows of a model belong to no incident: what `belongs` says where it names no
    field.
    """


class Base(Model):
    """What every model says of itself, so that forgetting shuts a door instead of opening one.

    belongs: the name of the field that leads to its incident (itself, or by a record that is of
    one), or NoIncident with the reason why there is none. keeps: what the database itself refuses,
    "free" nothing, "rows" deleting, "submitted" also changing any column but those in `changes`,
    "fixed" all of it. sealed: an SQL condition on OLD and NEW under which no change is taken at
    all. part_of: the foreign key of the record whose digest covers these rows. unvouched: columns
    that may change without the history knowing, each with its reason. no_line: why a chronology has
    no line of these rows; a model that has says it by a method `line`.
    """

    id = AutoField()

    belongs: str = ""
    keeps: str = ""
    part_of: str | None = None
    changes: tuple[str, ...] = ()
    sealed = ""
    no_line = ""
    unvouched: dict[str, str] = {"version": "it counts the times a row was saved"}
    abstract: bool

    if (
        TYPE_CHECKING
    ):  # what Peewee adds: the id beside a foreign key, what leads back, what is joined

        def __getattr__(self, name: str) -> Any: ...

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
            raise TypeError(
                f"{cls.__name__} must say what the database keeps of it: keeps = one of {KEEPS}"
            )
        leads = cls.belongs == "id" or isinstance(vars(cls).get(cls.belongs), Field)
        if not isinstance(cls.belongs, NoIncident) and not leads:
            raise TypeError(
                f"{cls.__name__} must say where it belongs: belongs = the field that leads to its "
                "incident, or NoIncident with the reason why it is of none"
            )

    @classmethod
    def noun(cls) -> str:
        return cls._meta.table_name

    @classmethod
    def every(cls) -> list[type["Base"]]:
        """Every model there is, with the bases left out."""
        found = []
        for model in cls.__subclasses__():
            found += [] if model.abstract else [model]
            found += model.every()
        return found

    @classmethod
    def among(cls, seen: Callable[..., Any], rows: Any = None) -> Any:
        """The condition that a row's incident is one of those that `seen` (a function of a column)
        lets through. `rows`: the alias of this model that stands in the query, if any.

        Asked of each row by the key of what it belongs to, never by a list of all that are let
        through: that would be the whole history for one document.
        """
        if isinstance(cls.belongs, NoIncident):
            raise LookupError(f"{cls.__name__} is of no incident: {cls.belongs}")
        field = getattr(rows or cls, cls.belongs)
        parent = getattr(cls._meta.fields[cls.belongs], "rel_model", None)
        if parent is None or parent.belongs == "id":
            return seen(field)
        one = parent.alias()
        return fn.EXISTS(one.select(one.id).where(one.id == field, parent.among(seen, one)))

    @classmethod
    @composed
    def with_id(cls, id):
        return cls.select().where(cls._meta.primary_key == id)

    @classmethod
    def get_by_id(cls, id: Any) -> Any:
        """The row with this id; raises DoesNotExist."""
        for row in cls.with_id(id):
            return row
        raise cls.DoesNotExist(  # type: ignore[attr-defined]  # Peewee adds it
            f"There is no {cls.noun()} {id}."
        )

    def its_incident(self) -> int | None:
        """The id of the incident that this record belongs to, or None."""
        if isinstance(self.belongs, NoIncident):
            return None
        if self._meta.fields[self.belongs] is self._meta.primary_key:
            return self.id
        parent = getattr(self._meta.fields[self.belongs], "rel_model", None)
        direct = parent is None or parent.belongs == "id"
        return (
            self.__data__.get(self.belongs)
            if direct
            else getattr(self, self.belongs).its_incident()
        )

    def its_setting(self) -> int | None:
        """The id of the school or home of its incident (or its own: a child's), None where it is of
        none; ANYWHERE for what is of no incident.
        """
        if isinstance(self.belongs, NoIncident):
            return ANYWHERE
        if self._meta.fields[self.belongs] is self._meta.primary_key:
            return self.setting_id
        leads = getattr(self._meta.fields[self.belongs], "rel_model", None)
        parent = getattr(self, self.belongs) if leads else None
        return parent.its_setting() if parent else None

    def parts(self) -> Sequence["Base"]:
        """The rows that make up what this record says, itself first, as they are in the database;
        none for what another's digest covers.

        The history keeps a digest of them with each change. A new column must be null or empty in
        old rows, so that their digests stay.
        """
        if self.part_of or self.keeps == "free":
            return ()
        rows = [type(self).get_by_id(self.id)]
        for part in parts_of(type(self)):
            mine = part.select().where(getattr(part, part.part_of) == self.id)
            rows.extend(mine.order_by(part.id))
        return rows

    @classmethod
    def narrowed(cls, rows: Any, by: Any) -> Any:
        """Of `rows` (a query), whose incident the User `by` sees, those that they see: a noun that
        opens less than its incident says so here.
        """
        return rows

    def recipients(self) -> Iterable[Any]:
        """The people whom a step on this record emails."""
        return ()

    def moved(self, event: "Base") -> None:
        """Called by @step, in its transaction, after `event` has been written and the emails are
        queued: what else is kept.
        """


@cache
def parts_of(model: type[Base]) -> list[Any]:
    """The models whose rows are parts of a record of `model`: those that name it as `part_of`."""
    parts: list[Any] = [one for one in Base.every() if one.part_of]
    return [one for one in parts if one._meta.fields[one.part_of].rel_model is model]


class Record(Base, abstract=True):
    STATUSES: Sequence[str]  # of those that have a status, and a reference
    status: Any
    reference: Any

    version = IntegerField(default=1)

    def set(self, **values: Any) -> dict[str, tuple[Any, Any]]:
        """Set fields; return {field: (before, after)} for those that changed. Nothing is nothing,
        whether "" or None.
        """
        changed = {}
        for name, value in values.items():
            before = getattr(self, name)
            if before != value and not (before in (None, "") and value in (None, "")):
                setattr(self, name, value)
                changed[name] = (before, value)
        return changed

    def check(self) -> None:
        """Raise Refused when this would be a second record with what must be unique; asked before a
        record without steps is saved.
        """
        meta = type(self)._meta
        unique = [[f.name] for f in meta.sorted_fields if f.unique and not f.primary_key] + [
            list(names) for names, yes in meta.indexes if yes
        ]
        for names in unique:
            same = [
                getattr(type(self), name) == getattr(self, name)
                for name in names
                if getattr(self, name) is not None
            ]
            if (
                len(same) == len(names)
                and type(self).select().where(*same, type(self).id != (self.id or 0)).exists()
            ):
                label = meta.fields[names[-1]].verbose_name
                said = f"There is already one with this {label[0].lower() + label[1:]}"
                raise Refused("Nothing was saved.", {names[-1]: f"{said}: write another."})

    def takes_along(self) -> Sequence[Base]:
        """Change what must change with this record, once it is saved, and return it for the event
        that says so.
        """
        return ()

    def save(self, *args, **kwargs):
        if self.id and self._dirty:
            self.version += 1
        return super().save(*args, **kwargs)

    @classmethod
    def counts(cls, where: Any = None) -> dict[str, str]:
        """How many there are in each of STATUSES, as {status: text}: for those who only count, so
        without the policy. `where`: a condition on those that count.

        No names, and no small numbers: who knows of one case must not see it come and go.
        """
        query = cls.select(cls.status, fn.COUNT(cls.id)).group_by(cls.status)
        query = query if where is None else query.where(where)
        found: dict = dict(query.tuples())  # type: ignore[arg-type]  # its stubs still see records
        return {
            status: f"{n:,}" if (n := found.get(status, 0)) >= FEW else f"fewer than {FEW}"
            for status in cls.STATUSES
        }

    @classmethod
    def number(cls, prefix: str) -> str:
        """The next reference of this year (UTC), as INC-2026-0042. Call it inside a transaction."""
        stem = f"{prefix}-{now().year}-"
        latest = cls.select(cls.reference).order_by(cls.id.desc()).limit(1)
        last = latest.scalar()
        if last and not last.startswith(stem):  # the first of a year, or a clock that went back
            last = latest.where(cls.reference.startswith(stem)).scalar()
        return f"{stem}{int(last[len(stem) :]) + 1 if last else 1:04d}"
