"""The glossary: abbreviations and their meanings."""

from peewee import *


def up(migrator, db):
    class Abbreviation(Model):
        version = IntegerField(default=1)
        key = CharField(max_length=40, null=True, unique=True)
        short = CharField(max_length=40, unique=True)
        meaning = CharField(max_length=200)
        source = CharField(max_length=200, default="")
        retired = BooleanField(default=False)

        class Meta:
            database = db
            table_name = "abbreviation"

    db.create_tables([Abbreviation])
