"""Signing in: browsers that are known, why a session ended, how long a draft is, and one form of
each email.
"""

from peewee import *

from models.people.user import normal


def up(migrator, db):
    class User(Model):
        email = CharField(unique=True, max_length=254)

        class Meta:
            database = db
            table_name = "user"

    class Device(Model):
        token = CharField(max_length=64)
        user = ForeignKeyField(User, on_delete="RESTRICT")
        seen_at = DateTimeField()

        class Meta:
            database = db
            table_name = "device"
            indexes = ((("token", "user"), True),)

    db.create_tables([Device])
    migrator.migrate(migrator.add_column("session", "why", CharField(null=True, max_length=100)))
    migrator.migrate(migrator.add_column("attempt", "device", IntegerField(null=True)))
    migrator.migrate(migrator.add_column("draft", "size", IntegerField(null=True)))
    one_form(User)


def one_form(User):
    """Write each email in its one form. Of two accounts that are spelled as one, the second gets an
    address that is nobody's.
    """
    known = {user.email for user in User.select()}
    for user in User.select().order_by(User.id):
        email = normal(user.email)
        if email != user.email:
            if email in known:  # nobody signs in with it any more, and IT sees why
                email = f"{email.replace('@', '.at.')[:200]}.duplicate-{user.id}@example.invalid"
            known.add(email)
            User.update(email=email).where(User.id == user.id).execute()
