"""Reports by who has no account, what was written on paper first, what the school wants recorded,
and the emergency sheets.
"""

from peewee import *


def up(migrator, db):
    def known(name):
        meta = type("Meta", (), {"database": db, "table_name": name})
        return type(name.capitalize(), (Model,), {"Meta": meta})

    User, Setting, Incident = known("user"), known("setting"), known("incident")

    class VisitorPass(Model):
        version = IntegerField(default=1)
        status = CharField(max_length=20)
        for_whom = CharField(max_length=160)
        setting = ForeignKeyField(Setting, null=True, on_delete="RESTRICT")
        code = CharField(unique=True, max_length=64)
        made_by = ForeignKeyField(User, on_delete="RESTRICT")
        made_at = DateTimeField()
        until = DateTimeField()
        own = CharField(null=True, unique=True, max_length=64)
        draft = JSONField(null=True)
        drafted_at = DateTimeField(null=True)

        class Meta:
            database = db
            table_name = "visitor_pass"

    class Slip(Model):
        version = IntegerField(default=1)
        reference = CharField(unique=True, max_length=20)
        status = CharField(max_length=20, index=True)
        visitor_pass = ForeignKeyField(VisitorPass, unique=True, on_delete="RESTRICT")
        setting = ForeignKeyField(Setting, null=True, on_delete="RESTRICT")
        at = DateTimeField()
        writer = CharField(max_length=120)
        writer_role = CharField(max_length=120)
        writer_contact = CharField(max_length=200)
        child_name = CharField(max_length=160)
        about_adult = BooleanField()
        adult = CharField(null=True, max_length=160)
        noticed_at = DateTimeField()
        happened = CharField()
        happened_at = DateTimeField(null=True)
        place = CharField()
        place_detail = CharField(null=True, max_length=200)
        known = CharField()
        what_happened = TextField()
        child_words = TextField(null=True)
        immediate_danger = BooleanField()
        immediate_action = TextField()
        incident = ForeignKeyField(Incident, null=True, unique=True, on_delete="RESTRICT")

        class Meta:
            database = db
            table_name = "slip"

    class SlipShut(Model):
        slip = ForeignKeyField(Slip, on_delete="RESTRICT")
        user = ForeignKeyField(User, on_delete="RESTRICT")
        why = CharField(max_length=40)

        class Meta:
            database = db
            table_name = "slip_shut"

    class Guidance(Model):
        version = IntegerField(default=1)
        setting = ForeignKeyField(Setting, null=True, unique=True, on_delete="RESTRICT")
        text = TextField()
        duty = CharField(max_length=120)
        numbers = TextField()
        elsewhere = TextField()

        class Meta:
            database = db
            table_name = "guidance"

    class Sheet(Model):
        user = ForeignKeyField(User, unique=True, on_delete="RESTRICT")
        lock = TextField()
        chosen_at = DateTimeField()
        made_at = DateTimeField(null=True)
        sha256 = CharField(null=True, max_length=64)
        holds = JSONField()

        class Meta:
            database = db
            table_name = "sheet"

    db.create_tables([VisitorPass, Slip, SlipShut, Guidance, Sheet])
    migrator.migrate(
        migrator.add_column("incident", "written_at", DateTimeField(null=True)),
        migrator.add_column("incident", "written_by", CharField(null=True, max_length=250)),
    )
