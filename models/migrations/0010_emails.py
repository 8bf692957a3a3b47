"""Emails: when a person gets those that can wait, as they choose."""

from peewee import *


def up(migrator, db):
    for name, column in (
        ("daily", BooleanField(null=True)),
        ("progress", BooleanField(null=True)),
        ("quiet_from", CharField(null=True, max_length=5)),
        ("quiet_until", CharField(null=True, max_length=5)),
    ):
        migrator.migrate(migrator.add_column("user", name, column))
