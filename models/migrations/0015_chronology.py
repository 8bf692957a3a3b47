"""What stands on the page of a child: flags to be looked at again, entries by hand, earlier schools,
marks, copies, absence.
"""

from peewee import *


def up(migrator, db):
    class User(Model):
        class Meta:
            database = db
            table_name = "user"

    class Child(Model):
        class Meta:
            database = db
            table_name = "child"

    class Entry(Model):
        version = IntegerField(default=1)
        child = ForeignKeyField(Child, backref="a", on_delete="RESTRICT")
        happened_on = DateField()
        until = DateField(null=True)
        period = CharField(null=True, max_length=60)
        headline = CharField(max_length=160)
        text = TextField()
        source = CharField(max_length=60)
        origin = CharField(null=True, max_length=160)
        pages = CharField(null=True, max_length=60)
        significant = BooleanField(default=False)
        entered_by = ForeignKeyField(User, backref="b", on_delete="RESTRICT")
        entered_at = DateTimeField()
        withdrawn_at = DateTimeField(null=True)
        withdrawn_by = ForeignKeyField(User, null=True, backref="c", on_delete="RESTRICT")
        withdrawn_why = TextField(null=True)

        class Meta:
            database = db
            table_name = "entry"

    class Scan(Model):
        version = IntegerField(default=1)
        child = ForeignKeyField(Child, backref="d", on_delete="RESTRICT")
        entry = ForeignKeyField(Entry, on_delete="RESTRICT")
        name = CharField(max_length=200)
        kind = CharField(max_length=100)
        size = IntegerField()
        sha256 = CharField(max_length=64)

        class Meta:
            database = db
            table_name = "scan"

    class School(Model):
        version = IntegerField(default=1)
        child = ForeignKeyField(Child, backref="e", on_delete="RESTRICT")
        name = CharField(max_length=160)
        since = DateField(null=True)
        until = DateField(null=True)
        received = BooleanField(null=True)
        received_on = DateField(null=True)
        added_at = DateTimeField()

        class Meta:
            database = db
            table_name = "school"

    class Mark(Model):
        version = IntegerField(default=1)
        child = ForeignKeyField(Child, backref="f", on_delete="RESTRICT")
        noun_of = CharField(max_length=40)
        record = IntegerField()
        significant = BooleanField()
        headline = CharField(null=True, max_length=160)
        impact = CharField(null=True, max_length=40)
        by = ForeignKeyField(User, backref="g", on_delete="RESTRICT")
        at = DateTimeField()

        class Meta:
            database = db
            table_name = "mark"

    class Extract(Model):
        version = IntegerField(default=1)
        child = ForeignKeyField(Child, backref="h", on_delete="RESTRICT")
        recipient = CharField(max_length=160)
        reason = TextField()
        which = CharField(max_length=40)
        columns = CharField(max_length=40)
        form = CharField(max_length=10)
        words = TextField()
        lines = IntegerField()
        incidents = JSONField(default=list)
        by = ForeignKeyField(User, backref="i", on_delete="RESTRICT")
        at = DateTimeField()

        class Meta:
            database = db
            table_name = "extract"

    class Absence(Model):
        version = IntegerField(default=1)
        child = ForeignKeyField(Child, backref="j", on_delete="RESTRICT")
        on = DateField()
        half_days = IntegerField()
        kind = CharField(max_length=80)
        read_at = DateTimeField()

        class Meta:
            database = db
            table_name = "absence"
            indexes = ((("child", "on", "kind"), True),)

    db.create_tables([Entry, Scan, School, Mark, Extract, Absence])
    migrator.migrate(
        migrator.add_column("flag", "review_on", DateField(null=True)),
        migrator.add_column("flag", "told", CharField(null=True)),
        migrator.add_column("flag", "told_why", TextField(null=True)),
        migrator.add_column("flag", "added_at", DateTimeField(null=True)),
    )
