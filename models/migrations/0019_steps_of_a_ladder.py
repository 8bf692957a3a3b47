"""How far up its ladder a contact came; and which of the bodies are records with a clock."""

from peewee import BooleanField, IntegerField


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("escalation", "reached", IntegerField(null=True)),
        migrator.add_column("profile", "own_record", BooleanField(null=True)),
    )
