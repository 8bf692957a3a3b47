"""To whom it was told in person, in a report and in one of a visitor."""

from peewee import BooleanField, CharField, DateTimeField


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("incident", "told_whom", CharField(max_length=200, null=True)),
        migrator.add_column("slip", "told_dsl", BooleanField(null=True)),
        migrator.add_column("slip", "told_whom", CharField(max_length=200, null=True)),
        migrator.add_column("slip", "told_dsl_at", DateTimeField(null=True)),
    )
