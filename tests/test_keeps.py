"""What the database itself refuses: DELETE on every table, UPDATE on every column, made from what
each model says it keeps.
"""

import pytest
from peewee import CharField, DatabaseError

from models import Draft, Log, db
from models.ground.keeps import guard, refusals, triggers
from models.ground.record import Base

from . import engine
from .test_sweep import other, put

pytestmark = pytest.mark.both


def refused(act):
    """The sentence with which the database refuses `act()`, or None; nothing of it stays."""
    with db.atomic() as undone:
        try:
            act()
        except DatabaseError as problem:
            return str(problem)
        finally:
            undone.rollback()
    return None


def test_delete_on_every_table(full):
    for model in Base.every():
        row = model.select().order_by(model.id.desc()).first()
        problem = refused(lambda m=model, r=row: m.delete().where(m.id == r.id).execute())
        if model.keeps == "free":
            assert not problem or "nothing is deleted" not in problem, f"{model.noun()} is free"
        else:
            assert problem and "nothing is deleted" in problem, (
                f"{model.noun()}: DELETE went through"
            )


def test_update_of_every_column(full):
    """A column that nobody said may change is refused; one that may is not, but in a sealed row."""
    for model in Base.every():
        row = model.select().order_by(model.id).first()
        for name, field in model._meta.fields.items():
            kept = (
                model.keeps == "fixed" or model.keeps == "submitted" and name not in model.changes
            )
            value = other(field, row.__data__[name])
            problem = refused(lambda m=model, r=row, n=name, v=value: put(m, r, n, v))
            if (
                kept or model.sealed and name != "status"
            ):  # the log is completed, the copy kept, the events written
                assert problem and ("never changes" in problem), (
                    f"{model.noun()}.{name}: UPDATE went through"
                )
            else:
                assert not problem or "never changes" not in problem, (
                    f"{model.noun()}.{name} may change: {problem}"
                )


def test_a_completed_log_is_sealed_and_an_open_one_is_not(school, log):
    put(Log, log, "summary", "Words.")
    put(Log, log, "status", "completed")
    for name, value in (("summary", "Other words."), ("late_because", None), ("version", 9)):
        assert "sealed" in refused(lambda n=name, v=value: put(Log, log, n, v))
    put(Log, log, "status", "tracking")


def test_a_column_that_is_added_later_is_kept_without_a_word(school, incident, monkeypatch):
    """Two lines of a migration, and nothing else: the database refuses to change what was submitted
    in it.
    """
    from models import Incident

    db.execute_sql('ALTER TABLE incident ADD COLUMN "weather" VARCHAR(20)')
    field = CharField(null=True, max_length=20)
    monkeypatch.setattr(Incident._meta, "sorted_fields", [*Incident._meta.sorted_fields, field])
    field.name = field.column_name = "weather"
    guard(db.obj)
    update = "UPDATE incident SET weather = 'Rain'"
    assert "what was submitted never changes" in refused(lambda: db.execute_sql(update))


def test_the_refusals_come_back_where_somebody_took_them_away(school):
    before = set(triggers(db.obj))
    expected = {
        f"{model.noun()}_{name}_refused"
        for model in Base.every()
        for name, *_more in refusals(model)
    }
    assert expected <= {name for name, _table in before}
    engine.current().remove_trigger("incident", "incident_delete_refused")
    guard(db.obj)
    assert set(triggers(db.obj)) == before and Draft.keeps == "free"


@pytest.mark.only("sqlite")
def test_replace_deletes_nothing_either(full):
    db.pragma("recursive_triggers", 0)
    for model in Base.every():
        problem = refused(
            lambda m=model: db.execute_sql(f'REPLACE INTO "{m.noun()}" SELECT * FROM "{m.noun()}"')
        )
        assert model.keeps == "free" or problem and "nothing is replaced" in problem, model.noun()


@pytest.mark.only("postgresql")
def test_truncate_deletes_nothing_either(full):
    for model in Base.every():
        problem = refused(lambda m=model: db.execute_sql(f'TRUNCATE "{m.noun()}" CASCADE'))
        assert model.keeps == "free" or problem and "nothing is deleted" in problem, model.noun()
