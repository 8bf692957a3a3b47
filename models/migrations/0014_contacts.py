"""Contacts, rungs climbed, packs; what bodies ask, and duties with a clock."""

from peewee import *


def up(migrator, db):
    class User(Model):
        class Meta:
            database = db
            table_name = "user"

    class Incident(Model):
        class Meta:
            database = db
            table_name = "incident"

    class Profile(Model):
        version = IntegerField(default=1)
        key = CharField(null=True, unique=True, max_length=40)
        name = CharField(unique=True, max_length=120)
        purpose = TextField()
        kind = CharField(null=True)
        direction = CharField(null=True)
        questions = TextField()
        ladder = TextField()
        source = CharField(max_length=200)
        position = IntegerField()
        retired = BooleanField()

        class Meta:
            database = db
            table_name = "profile"

    class Duty(Model):
        version = IntegerField(default=1)
        key = CharField(null=True, unique=True, max_length=40)
        name = CharField(unique=True, max_length=160)
        says = TextField()
        appears = TextField()
        who = CharField(max_length=120)
        body = CharField(max_length=120)
        amount = IntegerField(null=True)
        unit = CharField(null=True)
        since = CharField()
        source = CharField(max_length=200)
        edition = CharField(max_length=80)
        position = IntegerField()
        switched_on = BooleanField()

        class Meta:
            database = db
            table_name = "duty"

    class Contact(Model):
        incident = ForeignKeyField(Incident, on_delete="RESTRICT")
        version = IntegerField(default=1)
        body = CharField(max_length=120, index=True)
        kind = CharField(max_length=40)
        direction = CharField(max_length=40)
        person = CharField(max_length=120)
        at = DateTimeField()
        how = CharField(max_length=120)
        their_reference = CharField(null=True, max_length=80)
        shared = TextField(null=True)
        ground = CharField(null=True)
        not_shared = TextField(null=True)
        advice = TextField(null=True)
        identifier = CharField(null=True, max_length=40)
        questions = JSONField()
        answers = JSONField()
        ladder = JSONField()
        status = CharField(max_length=20, index=True)
        recorded_by = ForeignKeyField(User, on_delete="RESTRICT")
        recorded_at = DateTimeField()
        acknowledged_at = DateTimeField(null=True)
        answer = TextField(null=True)
        outcome = TextField(null=True)
        concluded_at = DateTimeField(null=True)

        class Meta:
            database = db
            table_name = "contact"

    class Escalation(Model):
        incident = ForeignKeyField(Incident, on_delete="RESTRICT")
        version = IntegerField(default=1)
        contact = ForeignKeyField(Contact, on_delete="RESTRICT")
        by = ForeignKeyField(User, on_delete="RESTRICT")
        at = DateTimeField()
        rung = CharField(null=True, max_length=200)
        whom = CharField(max_length=120)
        what = TextField()

        class Meta:
            database = db
            table_name = "escalation"

    class Pack(Model):
        incident = ForeignKeyField(Incident, on_delete="RESTRICT")
        version = IntegerField(default=1)
        contact = ForeignKeyField(Contact, on_delete="RESTRICT")
        recipient = CharField(max_length=120)
        others = BooleanField()
        words = TextField()
        by = ForeignKeyField(User, on_delete="RESTRICT")
        at = DateTimeField()

        class Meta:
            database = db
            table_name = "pack"

    db.create_tables([Profile, Duty, Contact, Escalation, Pack])
