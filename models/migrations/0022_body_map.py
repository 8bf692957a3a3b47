"""Marks that are added later; the child's words in their own language, and who interpreted."""

from peewee import CharField, JSONField, TextField


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("addendum", "injuries", JSONField(null=True)),
        migrator.add_column("incident", "words_language", CharField(max_length=80, null=True)),
        migrator.add_column("incident", "interpreter", CharField(max_length=200, null=True)),
        migrator.add_column("incident", "words_original", TextField(null=True)),
    )
