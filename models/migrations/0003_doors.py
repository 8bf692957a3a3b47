"""Doors: sessions, failed attempts, second factors, shares, emergencies, drafts, and changes that
wait for approval.
"""
from peewee import *


def up(migrator, db):
    class Incident(Model):
        class Meta:
            database = db
            table_name = 'incident'

    class Role(Model):
        class Meta:
            database = db
            table_name = 'role'

    class User(Model):
        class Meta:
            database = db
            table_name = 'user'

    class Attempt(Model):
        account = CharField(index=True, max_length=254)
        address = CharField(index=True, max_length=64)
        at = DateTimeField(index=True)
        class Meta:
            database = db
            table_name = 'attempt'
    db.create_tables([Attempt])

    class Draft(Model):
        user = ForeignKeyField(User, on_delete='RESTRICT')
        path = CharField(max_length=200)
        fields = JSONField()
        saved_at = DateTimeField()
        class Meta:
            database = db
            table_name = 'draft'
            indexes = ((('user', 'path'), True),)
    db.create_tables([Draft])

    class Emergency(Model):
        user = ForeignKeyField(User, on_delete='RESTRICT')
        reason = TextField()
        begun_at = DateTimeField()
        class Meta:
            database = db
            table_name = 'emergency'
    db.create_tables([Emergency])

    class Proposal(Model):
        version = IntegerField(default=1)
        kind = CharField(max_length=20)
        user = ForeignKeyField(User, null=True, on_delete='RESTRICT')
        role = ForeignKeyField(Role, null=True, on_delete='RESTRICT')
        value = JSONField(null=True)
        status = CharField(index=True, max_length=20, default='waiting')
        by = ForeignKeyField(User, on_delete='RESTRICT')
        at = DateTimeField()
        class Meta:
            database = db
            table_name = 'proposal'
    db.create_tables([Proposal])

    class Session(Model):
        token = CharField(unique=True, max_length=64)
        user = ForeignKeyField(User, on_delete='RESTRICT')
        begun_at = DateTimeField()
        seen_at = DateTimeField()
        ended_at = DateTimeField(null=True)
        address = CharField(max_length=64, default='')
        browser = CharField(max_length=200, default='')
        class Meta:
            database = db
            table_name = 'session'
    db.create_tables([Session])

    class SetupLink(Model):
        token = CharField(unique=True, max_length=64)
        made_at = DateTimeField()
        used_at = DateTimeField(null=True)
        class Meta:
            database = db
            table_name = 'setup_link'
    db.create_tables([SetupLink])

    class Share(Model):
        version = IntegerField(default=1)
        incident = ForeignKeyField(Incident, on_delete='RESTRICT')
        user = ForeignKeyField(User, on_delete='RESTRICT')
        by = ForeignKeyField(User, on_delete='RESTRICT')
        reason = TextField()
        at = DateTimeField()
        ended_at = DateTimeField(null=True)
        class Meta:
            database = db
            table_name = 'share'
    db.create_tables([Share])

    class WebAuthn(Model):
        version = IntegerField(default=1)
        user = ForeignKeyField(User, on_delete='RESTRICT')
        name = CharField(max_length=80)
        credential_id = BlobField(unique=True)
        public_key = BlobField()
        sign_count = IntegerField(default=0)
        transports = TextField(null=True)
        backup_state = BooleanField()
        device_type = CharField(max_length=40)
        extensions = CharField(null=True)
        lastuse_datetime = DateTimeField()
        usage = CharField(max_length=20)
        class Meta:
            database = db
            table_name = 'web_authn'
    db.create_tables([WebAuthn])

    migrator.migrate(migrator.add_column('user', 'tf_primary_method', CharField(null=True, max_length=20)))
    migrator.migrate(migrator.add_column('user', 'tf_totp_secret', TextField(null=True)))
    migrator.migrate(migrator.add_column('user', 'tf_last_counter', BigIntegerField(null=True)))
    migrator.migrate(migrator.add_column('user', 'mf_recovery_codes', TextField(null=True)))
    migrator.migrate(migrator.add_column('user', 'fs_webauthn_user_handle', CharField(unique=True, null=True, max_length=64)))

    for table in ("share", "emergency", "proposal"):
        if db.__class__.__name__ == "SqliteDatabase":
            db.execute_sql(f"""CREATE TRIGGER {table}_delete_refused BEFORE DELETE ON "{table}" BEGIN SELECT RAISE(ABORT, '{table}: nothing is deleted'); END""")
        else:
            db.execute_sql(f"""CREATE TRIGGER {table}_delete_refused BEFORE DELETE ON "{table}" FOR EACH ROW EXECUTE FUNCTION refuse('{table}: nothing is deleted')""")
