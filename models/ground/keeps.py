"""What the database itself refuses, made from what each model says of itself: a new column is kept
without a word.
"""

from collections.abc import Iterator

from peewee import Database, SqliteDatabase

from .record import Base


def refusals(model: type[Base]) -> Iterator[tuple[str, str, str, str]]:
    """[(name, statement refused, SQL condition or "", sentence)] of a table, from its `keeps`,
    `changes` and `sealed`.
    """
    table = model.noun()
    if model.keeps != "free":
        yield "delete", "DELETE", "", f"{table}: nothing is deleted"
    if model.keeps == "fixed":
        yield "update", "UPDATE", "", f"{table}: this never changes"
    if model.keeps == "submitted":
        kept = [f for f in model._meta.sorted_fields if f.name not in model.changes]
        columns = ", ".join(f'"{field.column_name}"' for field in kept)
        yield "update", f"UPDATE OF {columns}", "", f"{table}: what was submitted never changes"
    if model.sealed:
        yield "sealed", "UPDATE", model.sealed, f"{table}: it is sealed and never changes"


def triggers(database: Database) -> list[tuple[str, str]]:
    """The refusals that there are: [(name, table)]."""
    if isinstance(database, SqliteDatabase):
        found = "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'"
    else:
        found = (
            "SELECT tgname, relname FROM pg_trigger JOIN pg_class ON tgrelid = pg_class.oid "
            "WHERE NOT tgisinternal"
        )
    return [row for row in database.execute_sql(found).fetchall() if row[0].endswith("_refused")]


def loosen(database: Database) -> None:
    """Take every refusal away, for a migration; guard() follows."""
    for name, table in triggers(database):
        on = "" if isinstance(database, SqliteDatabase) else f' ON "{table}"'
        database.execute_sql(f'DROP TRIGGER "{name}"{on}')


def guard(database: Database) -> None:
    """Make every refusal of every model in `database`, in place of those that are there."""
    lite = isinstance(database, SqliteDatabase)
    with database.atomic():
        loosen(database)
        if not lite:
            database.execute_sql(
                "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ "
                "BEGIN RAISE EXCEPTION '%%', TG_ARGV[0]; END $$"
            )
        for model in Base.every():
            table = model.noun()
            for name, statement, when, sentence in refusals(model):
                when = f"WHEN ({when})" if when else ""
                head = f'CREATE TRIGGER {table}_{name}_refused BEFORE {statement} ON "{table}"'
                if lite:
                    database.execute_sql(
                        f"{head} {when} BEGIN SELECT RAISE(ABORT, '{sentence}'); END"
                    )
                else:
                    database.execute_sql(
                        f"{head} FOR EACH ROW {when} EXECUTE FUNCTION refuse('{sentence}')"
                    )
            if model.keeps != "free":
                database.execute_sql(wholesale(table, lite))


def wholesale(table: str, lite: bool) -> str:
    """The trigger against REPLACE INTO, which asks no trigger of DELETE, and on PostgreSQL against
    TRUNCATE.
    """
    if lite:
        there = f'EXISTS (SELECT 1 FROM "{table}" WHERE id = NEW.id)'  # noqa: S608 the name of a model
        return (
            f'CREATE TRIGGER {table}_replace_refused BEFORE INSERT ON "{table}" WHEN {there} '
            f"BEGIN SELECT RAISE(ABORT, '{table}: nothing is replaced'); END"
        )
    return (
        f'CREATE TRIGGER {table}_truncate_refused BEFORE TRUNCATE ON "{table}" EXECUTE '
        f"FUNCTION refuse('{table}: nothing is deleted')"
    )
