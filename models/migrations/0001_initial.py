"""The tables as first released. A frozen copy: it does not follow the models."""
from peewee import *


def up(migrator, db):
    class User(Model):
        version = IntegerField(default=1)
        name = CharField(max_length=120)
        job_title = CharField(max_length=120, default='')
        email = CharField(unique=True, max_length=254)
        password = TextField(null=True)
        active = BooleanField(default=True)
        fs_uniquifier = CharField(unique=True, max_length=64)
        last_login_at = DateTimeField(null=True)
        current_login_at = DateTimeField(null=True)
        last_login_ip = CharField(null=True, max_length=64)
        current_login_ip = CharField(null=True, max_length=64)
        login_count = IntegerField(default=0)
        class Meta:
            database = db
            table_name = 'user'
    db.create_tables([User])

    class Child(Model):
        version = IntegerField(default=1)
        name = CharField(index=True, max_length=120)
        date_of_birth = DateField()
        upn = CharField(unique=True, null=True, max_length=13)
        year = CharField(max_length=20, default='')
        left_on = DateField(null=True)
        class Meta:
            database = db
            table_name = 'child'
    db.create_tables([Child])

    class Incident(Model):
        version = IntegerField(default=1)
        reference = CharField(unique=True, max_length=20)
        status = CharField(index=True, max_length=20)
        reported_by = ForeignKeyField(User, on_delete='RESTRICT')
        reported_at = DateTimeField(index=True)
        child = ForeignKeyField(Child, on_delete='RESTRICT')
        other_adults = TextField(null=True)
        noticed_at = DateTimeField()
        happened = CharField()
        happened_at = DateTimeField(null=True)
        place = CharField()
        place_detail = CharField(null=True, max_length=200)
        known = CharField()
        what_happened = TextField()
        child_words = TextField(null=True)
        questions_asked = TextField(null=True)
        wishes = TextField(null=True)
        opinion = TextField(null=True)
        injuries = JSONField(default=list)
        immediate_danger = BooleanField()
        immediate_action = TextField()
        told_dsl = BooleanField(null=True)
        told_dsl_at = DateTimeField(null=True)
        parents_told = CharField(null=True)
        parents_why = TextField(null=True)
        intervention = BooleanField(null=True)
        safeguarding_alert = BooleanField()
        topic = CharField(null=True, max_length=120)
        class Meta:
            database = db
            table_name = 'incident'
    db.create_tables([Incident])

    class Addendum(Model):
        version = IntegerField(default=1)
        incident = ForeignKeyField(Incident, on_delete='RESTRICT')
        by = ForeignKeyField(User, on_delete='RESTRICT')
        at = DateTimeField()
        text = TextField()
        class Meta:
            database = db
            table_name = 'addendum'
    db.create_tables([Addendum])

    class Log(Model):
        version = IntegerField(default=1)
        reference = CharField(unique=True, max_length=20)
        status = CharField(index=True, max_length=20)
        incident = ForeignKeyField(Incident, unique=True, on_delete='RESTRICT')
        triggered_by = ForeignKeyField(User, on_delete='RESTRICT')
        triggered_at = DateTimeField(index=True)
        setting = CharField(max_length=200)
        urn = CharField(null=True, max_length=20)
        address = TextField(null=True)
        kind = CharField(null=True)
        basis = CharField(null=True)
        decided_by = ForeignKeyField(User, null=True, on_delete='RESTRICT')
        decided_at = DateTimeField(null=True)
        decided_why = TextField(null=True)
        aware_at = DateTimeField(null=True)
        told_at = DateTimeField(null=True)
        told_by = ForeignKeyField(User, null=True, on_delete='RESTRICT')
        told_how = CharField(null=True)
        told_reference = CharField(null=True, max_length=80)
        late_because = TextField(null=True)
        summary = TextField(null=True)
        done_at_once = TextField(null=True)
        prevention = TextField(null=True)
        enquiry = CharField(null=True)
        enquiry_outcome = TextField(null=True)
        class Meta:
            database = db
            table_name = 'log'
    db.create_tables([Log])

    class Assignee(Model):
        version = IntegerField(default=1)
        log = ForeignKeyField(Log, on_delete='RESTRICT')
        user = ForeignKeyField(User, on_delete='RESTRICT')
        by = ForeignKeyField(User, null=True, on_delete='RESTRICT')
        assigned_at = DateTimeField()
        ended_at = DateTimeField(null=True)
        class Meta:
            database = db
            table_name = 'assignee'
            indexes = ((('log', 'user'), True),)
    db.create_tables([Assignee])

    class Attachment(Model):
        version = IntegerField(default=1)
        incident = ForeignKeyField(Incident, on_delete='RESTRICT')
        name = CharField(max_length=200)
        kind = CharField(max_length=100)
        size = IntegerField()
        sha256 = CharField(max_length=64)
        added_by = ForeignKeyField(User, on_delete='RESTRICT')
        added_at = DateTimeField()
        class Meta:
            database = db
            table_name = 'attachment'
    db.create_tables([Attachment])

    class Choice(Model):
        version = IntegerField(default=1)
        list = CharField(index=True, max_length=40)
        name = CharField(max_length=120)
        meaning = TextField(default='')
        use_when = TextField(default='')
        position = IntegerField(default=0)
        retired = BooleanField(default=False)
        class Meta:
            database = db
            table_name = 'choice'
            indexes = ((('list', 'name'), True),)
    db.create_tables([Choice])

    class Event(Model):
        id = IntegerField(primary_key=True)
        at = DateTimeField()
        by = ForeignKeyField(User, null=True, on_delete='RESTRICT')
        verb = CharField(max_length=60)
        subject = CharField(max_length=40)
        record = IntegerField(null=True)
        incident = IntegerField(index=True, null=True)
        payload = TextField()
        digest = CharField(max_length=64)
        previous = CharField(max_length=64)
        hash = CharField(unique=True, max_length=64)
        class Meta:
            database = db
            table_name = 'event'
            indexes = ((('subject', 'record'), False),)
    db.create_tables([Event])

    class Document(Model):
        event = ForeignKeyField(Event, unique=True, on_delete='RESTRICT')
        restricted = BooleanField()
        words = TextField()
        pdf = BlobField(null=True)
        sha256 = CharField(null=True, max_length=64)
        made_at = DateTimeField()
        class Meta:
            database = db
            table_name = 'document'
    db.create_tables([Document])

    class Flag(Model):
        version = IntegerField(default=1)
        child = ForeignKeyField(Child, on_delete='RESTRICT')
        kind = CharField()
        since = DateField()
        until = DateField(null=True)
        class Meta:
            database = db
            table_name = 'flag'
    db.create_tables([Flag])

    class Involved(Model):
        version = IntegerField(default=1)
        incident = ForeignKeyField(Incident, on_delete='RESTRICT')
        child = ForeignKeyField(Child, null=True, on_delete='RESTRICT')
        adult = ForeignKeyField(User, null=True, on_delete='RESTRICT')
        part = CharField(max_length=60)
        class Meta:
            database = db
            table_name = 'involved'
    db.create_tables([Involved])

    class Notice(Model):
        version = IntegerField(default=1)
        event = ForeignKeyField(Event, on_delete='RESTRICT')
        user = ForeignKeyField(User, on_delete='RESTRICT')
        email = CharField(max_length=254)
        subject = CharField(max_length=200)
        body = TextField()
        status = CharField(index=True, max_length=20, default='waiting')
        queued_at = DateTimeField()
        due_at = DateTimeField()
        attempts = IntegerField(default=0)
        sent_at = DateTimeField(null=True)
        problem = TextField(null=True)
        class Meta:
            database = db
            table_name = 'notice'
    db.create_tables([Notice])

    class Template(Model):
        version = IntegerField(default=1)
        name = CharField(unique=True, max_length=120)
        purpose = TextField(default='')
        in_force = BooleanField(default=False)
        class Meta:
            database = db
            table_name = 'template'
    db.create_tables([Template])

    class TemplateSection(Model):
        version = IntegerField(default=1)
        template = ForeignKeyField(Template, on_delete='RESTRICT')
        position = IntegerField(default=0)
        title = CharField(max_length=120)
        help = TextField(default='')
        restricted = BooleanField(default=False)
        retired = BooleanField(default=False)
        class Meta:
            database = db
            table_name = 'template_section'
    db.create_tables([TemplateSection])

    class Question(Model):
        version = IntegerField(default=1)
        section = ForeignKeyField(TemplateSection, on_delete='RESTRICT')
        position = IntegerField(default=0)
        text = CharField(max_length=300)
        help = TextField(default='')
        kind = CharField(default='long text')
        options = TextField(default='')
        required = BooleanField(default=False)
        source = CharField(max_length=200, default='')
        retired = BooleanField(default=False)
        class Meta:
            database = db
            table_name = 'question'
    db.create_tables([Question])

    class Role(Model):
        version = IntegerField(default=1)
        name = CharField(unique=True, max_length=80)
        level = IntegerField()
        description = TextField(default='')
        permissions = TextField(default=list)
        class Meta:
            database = db
            table_name = 'role'
    db.create_tables([Role])

    class Tracker(Model):
        version = IntegerField(default=1)
        log = ForeignKeyField(Log, unique=True, on_delete='RESTRICT')
        template = ForeignKeyField(Template, on_delete='RESTRICT')
        begun_by = ForeignKeyField(User, on_delete='RESTRICT')
        begun_at = DateTimeField()
        class Meta:
            database = db
            table_name = 'tracker'
    db.create_tables([Tracker])

    class Section(Model):
        version = IntegerField(default=1)
        tracker = ForeignKeyField(Tracker, on_delete='RESTRICT')
        position = IntegerField()
        title = CharField(max_length=120)
        help = TextField(default='')
        restricted = BooleanField(default=False)
        questions = JSONField()
        answers = JSONField(default=dict)
        saved_by = ForeignKeyField(User, null=True, on_delete='RESTRICT')
        saved_at = DateTimeField(null=True)
        class Meta:
            database = db
            table_name = 'section'
    db.create_tables([Section])

    class UserRole(Model):
        version = IntegerField(default=1)
        user = ForeignKeyField(User, on_delete='RESTRICT')
        role = ForeignKeyField(Role, on_delete='RESTRICT')
        class Meta:
            database = db
            table_name = 'user_role'
            indexes = ((('user', 'role'), True),)
    db.create_tables([UserRole])
