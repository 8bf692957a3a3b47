"""Hide: since when a session is locked until its passphrase is typed, and the page it was at."""

from peewee import *


def up(migrator, db):
    migrator.migrate(migrator.add_column("session", "hidden_at", DateTimeField(null=True)))
    migrator.migrate(
        migrator.add_column("session", "hidden_path", CharField(null=True, max_length=500))
    )
