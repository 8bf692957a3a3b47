"""Changes that would let somebody read records: they wait until a Level 5 who neither asked nor gains approves them."""

from uuid import uuid4

from peewee import CharField, ForeignKeyField

from .base import DAMAGED, Json, Moment, Record, Refused, now, transaction
from .event import Event
from .notice import Notice
from .people import Role, User, UserRole
from .permissions import OPENS
from .settings import settings
from .signin import Session
from .steps import step
from .words import pages

KINDS = {
    "role": "widen the role {role}: {value}",
    "grant": "give {user} the role {role}",
    "email": "change the email of {user} to {value}",
    "factor": "reset the second factor of {user}",
}


class Proposal(Record):
    kind = CharField(max_length=20, verbose_name="Kind")
    user = ForeignKeyField(User, null=True, on_delete="RESTRICT", verbose_name="Person")
    role = ForeignKeyField(Role, null=True, on_delete="RESTRICT", verbose_name="Role")
    value = Json(null=True)
    status = CharField(max_length=20, default="waiting", index=True, verbose_name="Status")
    by = ForeignKeyField(User, backref="proposals", on_delete="RESTRICT", verbose_name="Asked for by")
    at = Moment(default=now, verbose_name="Asked for")

    def __str__(self):
        return self.what

    @property
    def reference(self):
        return f"Change {self.id}"

    @property
    def damaged(self):
        """Whether what was asked for can no longer be read."""
        return self.kind not in KINDS or isinstance(self.value, dict) and DAMAGED in self.value

    @property
    def what(self):
        """What is asked for, in words, without any record's content."""
        if self.damaged:
            return DAMAGED
        value = ", ".join(self.value["permissions"] + [f"level {self.value['level']}"]) if self.kind == "role" else self.value
        return KINDS[self.kind].format(user=self.user, role=self.role, value=value)

    def told(self):
        return list(User.level_5())

    @classmethod
    def make(cls, by, kind, user=None, role=None, value=None):
        """Ask for a change; the same one asked for again is not asked twice. All Level 5 are told."""
        same = cls.select().where(cls.kind == kind, cls.status == "waiting", cls.user == user, cls.role == role)
        if not [proposal for proposal in same if proposal.value == value]:
            proposal = cls.create(kind=kind, user=user, role=role, value=value, by=by)
            Notice.announce("proposal:make", proposal, by, User.level_5())

    @classmethod
    def joined(cls, query):
        """`query` with the people and the role that the words of a proposal name: no query per row."""
        by = User.alias()
        query = query.select(cls, User, Role, by).left_outer_join(User, on=(cls.user == User.id))
        return query.switch(cls).left_outer_join(Role).switch(cls).join(by, on=(cls.by == by.id), attr="by")

    @classmethod
    def waiting_for(cls, by):
        """What waits for a decision that `by` may take: not what they asked for, nor what is about them."""
        query = cls.joined(cls.select()).where(cls.status == "waiting", cls.by != by, cls.user.is_null() | (cls.user != by))
        return list(query.order_by(cls.id))

    def gainers(self):
        """Those who would read more: the person, or everyone who has the role."""
        return [self.user] if self.user else list(User.select().join(UserRole).where(UserRole.role == self.role))

    @step("waiting", "approved")
    def approve(self, by):
        if by.level < 5 or by == self.by or by in self.gainers():
            raise Refused("Only a Level 5 who neither asked for this nor gains by it may approve it.")
        if self.damaged:
            raise Refused("What was asked for is damaged. Refuse it, and have it asked for again.")
        for person in self.gainers():
            Session.end_all(person)
        if self.kind == "role":
            self.role.set(**self.value)
            self.role.save()
        elif self.kind == "grant":
            UserRole.get_or_create(user=self.user, role=self.role)
        elif self.kind == "email":
            self.user.set(email=self.value)
            self.user.check()
            self.user.save()
        else:
            self.user.forget_factor()
            self.user.save()

    @step("waiting", "refused")
    def refuse(self, by):
        if by == self.by:
            raise Refused("Whoever asked for a change does not decide on it.")


def led():
    """(whether there is an active Level 5, whether one of them may approve changes), as the database says now."""
    level_5 = list(User.level_5())
    return bool(level_5), any(person.may("proposal:approve") for person in level_5)


def keep_led(before, field):
    """Raise Refused, at `field`, when what `led` said before no longer holds. Inside the transaction, after the change: so nothing is saved."""
    if any(was and not still for was, still in zip(before, led(), strict=True)):
        raise Refused(
            "Nothing was saved.", {field: "This would leave no active Level 5 who can approve changes. Give somebody else Level 5 first."}
        )


def edit_person(person, by, roles, **values):
    """Set a person's fields and roles. What opens records is asked for, the rest counts at once; returns how many requests were made.

    Raises Refused when no active Level 5 who may approve would be left, and for a change of one's own roles.
    """
    before = Proposal.select().where(Proposal.status == "waiting").count()
    with transaction():
        well = led()
        old = {role.id: role for role in person.roles}
        new = {role.id: role for role in roles}
        if by == person and set(old) != set(new):
            raise Refused("Nothing was saved.", {"roles": "Nobody changes their own roles. Ask a colleague who may."})
        if person.id and values.get("email", person.email) != person.email:  # whoever has the mailbox may become the person
            Proposal.make(by, "email", user=person, value=values.pop("email"))
        changed = person.set(**values)
        person.check()
        person.save()
        for role in [role for id, role in old.items() if id not in new]:
            UserRole.delete().where(UserRole.user == person, UserRole.role == role).execute()
            changed[f"role {role}"] = (True, False)
        for role in [role for id, role in new.items() if id not in old]:
            if role.reads:
                Proposal.make(by, "grant", user=person, role=role)
            else:
                UserRole.create(user=person, role=role)
                changed[f"role {role}"] = (False, True)
        keep_led(well, "roles")
        if changed:
            Event.write("user:edit", person, by, changed)
            person.roles = None
            if set(changed) - {"name", "job_title"}:
                Session.end_all(person)
    return Proposal.select().where(Proposal.status == "waiting").count() - before


def add_person(by, roles, **values):
    """Create a person who has no passphrase yet, give the roles that open nothing, ask for the others."""
    with transaction():
        person = User(fs_uniquifier=uuid4().hex, **values)
        person.check()
        person.save()
        Event.write("user:add", person, by)
        edit_person(person, by, roles)
        Notice.to_account(
            person, f"Your account at {settings.school}", pages.get_template("email/invitation.txt").render(person=person, by=by)
        )
    return person


def reset_factor(person, by):
    """Ask for the removal of a person's second factor; at once only while they have never chosen a passphrase.

    For everyone, not only for those whose roles read: roles could be taken away first and given back afterwards.
    """
    with transaction():
        if by == person:
            raise Refused("Nobody resets their own second factor here. Use a recovery code, or ask a colleague.")
        if person.password:
            Proposal.make(by, "factor", user=person)
            return False
        person.forget_factor()
        person.save()
        Session.end_all(person)
        Event.write("user:reset_factor", person, by)
    return True


def edit_role(role, by, level, permissions, **values):
    """Set a role's fields. A higher level of 5, or permissions that open records, wait for approval; the rest counts at once."""
    if level not in range(6):
        raise Refused("Nothing was saved.", {"level": "A level is a number from 0 to 5."})
    with transaction():
        well = led()
        wider = (OPENS & set(permissions)) - set(role.permissions)
        raised = level == 5 and (role.level or 0) < 5
        waits = bool(wider) or raised
        now_level = (role.level or 0) if raised else level
        changed = role.set(level=now_level, permissions=[p for p in permissions if p not in wider], **values)
        role.check()
        new = not role.id
        role.save()
        keep_led(well, "permissions")
        if changed:
            Event.write("role:add" if new else "role:edit", role, by, changed)
            for link in role.user_roles:
                Session.end_all(link.user)
        if waits:
            Proposal.make(by, "role", role=role, value={"level": level, "permissions": permissions})
    return waits
