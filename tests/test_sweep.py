"""A sweep over every column of every table, with the database in hand: what is changed, deleted or
forged is named by verify.
"""

import json
import shutil
from datetime import date, datetime, timedelta

import pytest
from peewee import (
    BlobField,
    BooleanField,
    DateField,
    DateTimeField,
    ForeignKeyField,
    IntegerField,
    JSONField,
)

from models import Event, Refused, User, db
from models.case import shipped
from models.ground.record import Base

from .conftest import fits, people_and_children, prepared
from .faults import untie

pytestmark = pytest.mark.both

FEW = ("safeguarding.toml", "restraint.toml")  # the tracker, and a form of an incident
FREE = {  # tables that the history does not vouch for, each with its reason
    "session": "where somebody is signed in; that they signed in is an event",
    "calendar": "a secret address that shows days; that it was made, or ended, is an event",
    "device": "by which a browser is known again; it opens nothing",
    "attempt": "failed sign-ins, counted for a quarter of an hour; each is an event of the person",
    "setup_link": "of the first start, before there is anybody",
    "draft": "what somebody is still writing is no record yet",
    "held": "a file that goes with such a draft",
    "quarantine": "what keeps a file from being handed out; the file itself is vouched for",
    "roll": "a file that waits to be imported; what is done with it is an event",
    "roll_columns": "how the headings of such files were matched; a person looks at it each time",
    "sheet": "the lock of an emergency sheet; that it was chosen, made and fetched are events",
    "listed": "what lists show of a form, drawn anew from it whenever it is saved",
    "receipt": "by which a form that is sent again finds what it made",
}


@pytest.fixture(scope="module")
def blank(app, tmp_path_factory):
    """The school with two of the templates that we ship: each change is looked for in all that
    there is, and nine hundred questions are changed like one.
    """
    folder = tmp_path_factory.mktemp("few")
    for name in FEW:
        shutil.copy(shipped.SHIPPED / name, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shipped, "SHIPPED", folder)
        return prepared(tmp_path_factory, "blank_few", lambda: people_and_children(app))


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """Of these tests alone: what others keep there has all templates."""
    return tmp_path_factory.mktemp("shelf") / "signed"


def other(field, value):
    """Another value of the same kind, as the database holds it."""
    if isinstance(field, JSONField):
        return json.dumps({"other": [value]})
    if isinstance(field, BooleanField):
        return not value
    if isinstance(field, DateTimeField):
        return (value or datetime(2026, 1, 1)).replace(tzinfo=None) + timedelta(days=1)
    if isinstance(field, DateField):
        return (value or date(2026, 1, 1)) + timedelta(days=1)
    if isinstance(field, BlobField):
        return bytes(value or b"") + b"x"
    if isinstance(field, IntegerField | ForeignKeyField) or field.name == "id":
        return (value or 0) + 1000
    if not isinstance(value, str | None):
        return "other"
    # no longer than it was
    return f"{(value or '')[:-1]}{'y' if (value or '').endswith('x') else 'x'}"


def found(tamper):
    """What is found when `tamper()` is done to a database without refusals; None for nothing. All
    is as it was afterwards.
    """
    head = Event.head()
    with db.atomic() as undone:
        try:
            tamper()
            fits(f"history {head.id} {head.hash}")
        except Refused as problem:
            return str(problem)
        finally:
            undone.rollback()
    return None


def lawless():
    """No trigger and no foreign key stands in the way."""
    untie()
    db.execute_sql("SET session_replication_role = replica") if engine_is(
        "postgresql"
    ) else db.pragma("foreign_keys", 0)


def engine_is(name):
    from . import engine

    return engine.current().name == name


def put(model, row, name, value):
    column, mark = model._meta.fields[name].column_name, "%s" if engine_is("postgresql") else "?"
    db.execute_sql(
        f'UPDATE "{model.noun()}" SET "{column}" = {mark} WHERE id = {mark}', (value, row.id)
    )


def test_every_table_has_its_row(full):
    assert [model.noun() for model in Base.every() if not model.select().exists()] == []


@pytest.mark.long
@pytest.mark.only("sqlite")  # a digest is reckoned by us, the same on every engine
def test_every_column_that_is_changed_is_noticed_but_those_that_say_why_not(full):
    lawless()
    unnoticed, noticed = [], []
    for model in Base.every():
        first, last = (
            model.select().order_by(order).first() for order in (model.id, model.id.desc())
        )
        for name, field in model._meta.fields.items():
            free = name in model.unvouched or model.noun() in FREE
            key = field.primary_key or isinstance(field, ForeignKeyField)
            for row in {first.id: first, last.id: last}.values() if key else (last,):
                value = other(field, row.__data__[name])
                problem = found(lambda m=model, r=row, n=name, v=value: put(m, r, n, v))
                if free:
                    noticed += (
                        [f"{model.noun()}.{name}: {problem}"]
                        if problem and not isinstance(field, ForeignKeyField)
                        else []
                    )
                elif not problem and (model.noun(), name, row.id) != (
                    "notice",
                    "id",
                    last.id,
                ):  # has no number before it is sent
                    unnoticed.append(f"{model.noun()}.{name} of row {row.id}")
    assert not unnoticed, (
        "changed behind the system's back and not noticed; vouch for it, or say why not in "
        f"`unvouched`: {unnoticed}"
    )
    assert not noticed, f"noticed, so take it out of `unvouched` or FREE: {noticed}"
    assert all(reason for model in Base.every() for reason in model.unvouched.values())


def test_every_row_that_is_deleted_is_missed(full):
    lawless()
    for model in Base.every():
        for row in {
            model.select().order_by(order).first().id for order in (model.id, model.id.desc())
        }:
            problem = found(lambda m=model, r=row: m.delete().where(m.id == r).execute())
            assert problem or model.noun() in FREE, (
                f"{model.noun()} {row} is gone, and nobody knows"
            )


def test_every_row_that_is_forged_is_found(full):
    lawless()
    for model in Base.every():
        row = model.select().order_by(model.id.desc()).dicts().first()
        for name, field in model._meta.fields.items():
            one_of = [
                names for names, unique in model._meta.indexes if unique and names[-1] == name
            ]
            if name == "id" or one_of or (field.unique and row[name] is not None):
                row[name] = other(field, row[name])
        problem = found(lambda m=model, r=row: m.insert(**r).execute())
        assert problem or model.noun() in FREE, f"a {model.noun()} was put there, and nobody knows"


def test_nothing_goes_unnoticed_for_want_of_a_reason():
    for model in Base.every():
        kept = model.keeps != "free" or model.part_of
        assert kept or model.noun() in FREE, f"{model.noun()} is free: write its reason in FREE"
    assert set(FREE) == {
        model.noun() for model in Base.every() if model.keeps == "free" and not model.part_of
    }
    assert isinstance(User.unvouched, dict)
