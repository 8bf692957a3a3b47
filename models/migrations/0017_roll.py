"""The roll handed in on the screen, and how the columns of such files were matched."""

from peewee import *


def up(migrator, db):
    class User(Model):
        class Meta:
            database = db
            table_name = "user"

    class RollColumns(Model):
        headings = CharField(max_length=64, unique=True)
        columns = JSONField()
        at = DateTimeField()

        class Meta:
            database = db
            table_name = "roll_columns"

    class Roll(Model):
        version = IntegerField(default=1)
        by = ForeignKeyField(User, on_delete="RESTRICT")
        at = DateTimeField()
        name = CharField(max_length=200)
        digest = CharField(max_length=64)
        status = CharField(max_length=20)
        problem = TextField(null=True)
        headings = JSONField()
        columns = JSONField()
        found = JSONField(null=True)
        bad = JSONField(null=True)
        leavers = JSONField(null=True)
        counts = JSONField(null=True)
        total = IntegerField(default=0)
        upto = IntegerField(default=0)

        class Meta:
            database = db
            table_name = "roll"

    db.create_tables([RollColumns, Roll])
