"""The last day of an account: of an outside reviewer, of a supply teacher."""

from peewee import DateField


def up(migrator, db):
    migrator.migrate(migrator.add_column("user", "ends_on", DateField(null=True)))
