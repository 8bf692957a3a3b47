"""Files: what a document is and of when; those kept with a draft; those that wait for the virus
scanner.
"""

from peewee import *


def up(migrator, db):
    class User(Model):
        class Meta:
            database = db
            table_name = "user"

    class Held(Model):
        user = ForeignKeyField(User, on_delete="RESTRICT")
        path = CharField(max_length=200)
        name = CharField(max_length=200)
        size = IntegerField()
        sha256 = CharField(max_length=64)
        content = BlobField()

        class Meta:
            database = db
            table_name = "held"
            indexes = ((("user", "path"), False),)

    class Quarantine(Model):
        sha256 = CharField(max_length=64, unique=True)
        since = DateTimeField()
        tried_at = DateTimeField()
        found = CharField(max_length=80, default="")

        class Meta:
            database = db
            table_name = "quarantine"

    for column, kind in (
        ("what", "VARCHAR(160)"),
        ("dated_on", "DATE"),
        ("until", "DATE"),
        ("period", "VARCHAR(60)"),
        ("pages", "INTEGER"),
    ):
        db.execute_sql(f'ALTER TABLE "attachment" ADD COLUMN "{column}" {kind}')
    db.create_tables([Held, Quarantine])
