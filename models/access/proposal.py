"""Changes that would let somebody read records: they wait until a Level 5 who neither asked nor
gains approves them.
"""

import secrets
from collections.abc import Callable, Iterable
from datetime import date
from hashlib import sha256
from typing import Any, ClassVar

from peewee import CharField, ForeignKeyField, IntegerField, ModelSelect

from models.ground.clock import now
from models.ground.composed import composed
from models.ground.database import DAMAGED, transaction
from models.ground.fields import Json, Moment
from models.ground.record import NoIncident, Record, Refused
from models.ground.words import pages
from models.history.event import Event
from models.history.notice import SUBJECT, Notice
from models.history.step import starts, step
from models.people.role import Role
from models.people.setting import Setting
from models.people.user import User, UserRole
from models.permissions import PERMISSIONS, by_noun

from .signin import Session

KINDS = {
    "role": "change the role {role}",
    "grant": "give {user} the role {role}",
    "active": "let {user} sign in again",
    "ends": "let {user} sign in {value[words]}",
    "email": "change the email of {user} to {value}",
    "factor": "reset the second factor of {user}",
    "form": "let more people into the form {value[form]}",
    "offer": "put the form {value[form]} in force",
}
OF_A_FORM = ("form", "offer")
# approved; it counts once the person has typed what the approver handed over
CODE = "code to be typed"
TRIES = 5


def hashed(code: str) -> str:
    """What is kept of a code: however it is typed, capitals, spaces and hyphens do not count."""
    return sha256("".join(c for c in code.upper() if c.isalnum()).encode()).hexdigest()


def not_oneself(person: User, by: User) -> bool:
    """Nobody resets their own second factor here: use a recovery code, or ask a colleague."""
    return by != person


class Proposal(Record):
    belongs, keeps = NoIncident("about people and roles"), "submitted"
    changes = ("status", "version", "code", "tries")

    kind = CharField(max_length=20, verbose_name="Kind")
    user = ForeignKeyField(User, null=True, on_delete="RESTRICT", verbose_name="Person")
    role = ForeignKeyField(Role, null=True, on_delete="RESTRICT", verbose_name="Role")
    setting = ForeignKeyField(Setting, null=True, on_delete="RESTRICT")  # nothing: for all
    value = Json(null=True)
    status = CharField(max_length=20, default="waiting", index=True, verbose_name="Status")
    by = ForeignKeyField(User, backref="proposals", on_delete="RESTRICT", verbose_name="Asked by")
    at = Moment(default=now, verbose_name="Asked on")
    code = CharField(null=True, max_length=64)  # a hash of the last one handed over
    tries = IntegerField(null=True)

    # {kind: what does it when it is approved, giving the record that it changed}, of what stands
    # in rooms above this one
    brought: ClassVar[dict[str, Callable[[str, dict[str, Any], User], Record]]] = {}
    unvouched = Record.unvouched | dict.fromkeys(
        ("code", "tries"), "of a code that is typed once; that it was typed is an event"
    )
    fresh_code = (
        None  # the code itself, on the object that has just made it, for the approver to see once
    )

    def __str__(self):
        return self.what

    @property
    def reference(self):
        return f"Change {self.id}"

    @property
    def damaged(self) -> bool:
        """Whether what was asked for can no longer be read."""
        return self.kind not in KINDS or isinstance(self.value, dict) and DAMAGED in self.value

    @property
    def whom(self) -> Any:
        """Whom or what it is about."""
        return self.user or self.role or (None if self.damaged else self.value["form"])

    @property
    def what(self) -> str:
        """What is asked for, in words, without any record's content."""
        if self.damaged:
            return DAMAGED
        said = KINDS[self.kind].format(user=self.user, role=self.role, value=self.value)
        said += f" for {self.setting} only" if self.setting_id else ""
        return f"{said}: {'; '.join(self.differences())}" if self.kind == "role" else said

    def differences(self) -> list[str]:
        """What would become of a role, in sentences for whoever decides."""
        if self.damaged:
            return [DAMAGED]
        if self.kind != "role":
            return []
        given = opened(self.added(), self.value["level"])
        return [f"will also be able to: {line}" for line in given] + self.besides()

    def besides(self) -> list[str]:
        """What would become of a role besides what it would get, in sentences."""
        if self.damaged or self.kind != "role":
            return []
        value = self.value
        said = [f"will no longer be able to: {line}" for line in opened(value.get("removed", ()))]
        return said + [
            f"{name} will be “{value[name]}”" for name in ("name", "description") if value.get(name)
        ]

    def given(self) -> list[tuple[str, list[str]]]:
        """What it lets people do who could not, by noun: [("Incidents", [end of a sentence])]."""
        if self.damaged or self.kind not in ("grant", "role", *OF_A_FORM):
            return []
        if self.kind in OF_A_FORM:
            return self.let_in()
        if self.kind == "grant":
            added, level = self.role.permissions, self.role.level
        else:
            added, level = self.added(), self.value["level"]
        found = [(noun, opened(verbs)) for noun, verbs in by_noun(added)]
        return found + ([("Level 5", opened((), level))] if level == 5 else [])

    def let_in(self) -> list[tuple[str, list[str]]]:
        """[(role, [what it will do with a form, and does not now])]."""
        before, wanted = self.value["before"], self.value["wanted"]
        more = {does: [one for one in wanted[does] if one not in before[does]] for does in wanted}
        names = {role.id: role.name for role in Role.select().order_by(Role.name)}
        found = ((name, [d for d in more if id in more[d]]) for id, name in names.items())
        let_in = [(name, doing) for name, doing in found if doing]
        if wanted["signs"] == before["signs"]:
            return let_in
        signers = ", then ".join(names[one] for one in wanted["signs"] if one in names)
        return [*let_in, ("Signatures", [signers or "nobody signs it any more"])]

    def added(self) -> list[str]:
        """The permissions that a role would get; the whole list in those asked for before."""
        return self.value.get("added", self.value.get("permissions", []))

    @property
    def reaches(self) -> set[int] | None:
        """The schools and homes in which it lets somebody read: None for all of them."""
        if self.kind == "grant":
            return {self.setting_id} if self.setting_id else None
        return self.user.grants.where(lambda role: role.reads) if self.user else None

    def recipients(self) -> list[User]:
        """Every Level 5 of where it lets somebody read."""
        reaches = self.reaches
        return list(User.level_5(*((None,) if reaches is None else reaches)))

    @classmethod
    def make(
        cls,
        by: User,
        kind: str,
        user: User | None = None,
        role: Role | None = None,
        value: Any = None,
        setting: Setting | None = None,
    ) -> None:
        """Ask for a change; the same one asked for again is not asked twice. The Level 5 who may
        decide are told. setting: what a role is to be given for, None for all.
        """
        same = cls.select().where(
            cls.kind == kind, cls.status == "waiting", cls.user == user, cls.role == role
        )
        same = same.where(cls.setting == setting)
        if not [proposal for proposal in same if proposal.value == value]:
            proposal = cls.create(
                kind=kind, user=user, role=role, setting=setting, value=value, by=by
            )
            Notice.announce("proposal:make", proposal, by, proposal.recipients())

    @classmethod
    def joined(cls, query: "ModelSelect[Proposal]") -> "ModelSelect[Proposal]":
        """`query` with the people and the role that the words of a proposal name: no query per
        row.
        """
        by = User.alias()
        query = query.select(cls, User, Role, Setting, by)
        query = query.left_outer_join(User, on=(cls.user == User.id))
        return (
            query.switch(cls)
            .left_outer_join(Role)
            .switch(cls)
            .left_outer_join(Setting)
            .switch(cls)
            .join(by, on=(cls.by == by.id), attr="by")
        )

    @classmethod
    def waiting_for(cls, by: User) -> list["Proposal"]:
        """What waits for a decision that `by` may take: not what they asked for, nor what is about
        them, nor what reaches further than they do.
        """
        query = cls.joined(cls.select()).where(
            cls.status == "waiting", cls.by != by, cls.user.is_null() | (cls.user != by)
        )
        return [one for one in query.order_by(cls.id) if one.within_reach(by)]

    @classmethod
    def with_code(cls, user: User) -> list["Proposal"]:
        """What was approved for `user` and counts once they have typed the code."""
        return list(cls.select().where(cls.status == CODE, cls.user == user).order_by(cls.id))

    @classmethod
    def holds_back(cls, user: User) -> bool:
        """Whether `user` signs in with a new second factor and has not yet shown, by a code, that
        it is they who set it up.
        """
        return bool(cls.held_back(user))

    @classmethod
    @composed
    def held_back(cls, user):
        waiting = cls.status == CODE, cls.user == user, cls.kind == "factor"
        return cls.select(cls.id).where(*waiting)

    def gainers(self) -> list[User]:
        """Those who would read more: the person, or everyone who has the role."""
        if self.user:
            return [self.user]
        roles = self.value["gain"] if self.kind in OF_A_FORM else [self.role]
        people = User.select().join(UserRole).where(UserRole.role.in_(roles))
        return list(people.distinct().order_by(User.name))

    def accounts(self) -> list[tuple[User, Event | None, list[User]]]:
        """Who stands behind it: [(User, event by which the account was made or None, [namesakes])]
        of the person whom it is about.

        Or of everybody who has the role and does not read yet. The same number of queries for one
        and for a hundred.
        """
        readers = set() if self.user else User.readers()
        people = [person for person in self.gainers() if person.id not in readers]
        added = (
            Event.select(Event, User)
            .left_outer_join(User)
            .where(Event.verb == "user:add", Event.record.in_([p.id for p in people]))
        )
        made, alike = {event.record: event for event in added}, User.namesakes(people)
        return [(person, made.get(person.id), alike[person.id]) for person in people]

    def apart(self, by: User) -> bool:
        """Only a Level 5 who neither asked for this nor gains by it may approve it."""
        known = by.level == 5 and by != self.by and by not in self.gainers()
        return known and self.within_reach(by)

    def within_reach(self, by: User) -> bool:
        """Whether `by` is Level 5 wherever it lets somebody read."""
        leads = by.grants.level_5
        return leads is None or (self.reaches is not None and self.reaches <= leads)

    def not_asker(self, by: User) -> bool:
        """Whoever asked for a change does not decide on it."""
        return by != self.by

    def theirs(self, by: User) -> bool:
        """The code is typed by the person whom the change is about."""
        return bool(by == self.user)

    def decided(self) -> str:
        """Where an approval leads: to a code, when somebody will read who did not, or has a new
        second factor.
        """
        binds = (
            self.kind == "grant"
            and not self.user.reads
            or self.kind == "factor"
            and self.user.reads
        )
        return CODE if binds else "approved"

    def hand_over(self) -> None:
        """Make the code that the approver hands over, face to face; it is shown once and only its
        hash is kept.
        """
        letters = "".join(secrets.choice("ABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(12))
        self.fresh_code = "-".join(letters[i : i + 4] for i in (0, 4, 8))
        self.code, self.tries = hashed(self.fresh_code), 0

    @step("waiting", decided, who=apart)
    def approve(self, by: User) -> dict[str, Any]:
        if self.damaged:
            raise Refused("What was asked for is damaged. Refuse it, and have it asked for again.")
        if self.kind in OF_A_FORM:
            return {"also": [self.brought[self.kind](self.kind, self.value, by)]}
        for person in self.gainers():
            Session.end_all(person)
        if self.kind == "role":
            self.widen()
        elif self.kind == "email":
            tell(self.user, by, f"Their email changes from {self.user.email} to {self.value}")
            self.user.set(email=self.value)
            self.user.check()
            self.user.save()
        elif self.kind == "ends":
            on = self.value["on"]
            self.user.set(ends_on=date.fromisoformat(on) if on else None)
            self.user.save()
        elif self.kind == "active":
            self.user.set(active=True)
            self.user.save()
        elif self.kind == "factor":
            self.user.forget_factor()
            self.user.save()
        elif self.status != CODE:
            self.give()
        if self.status == CODE:
            self.hand_over()
        return {"also": [self.user or self.role]}

    def give(self) -> None:
        """Give the role that was asked for; one for all takes the place of those for some."""
        UserRole.get_or_create(user=self.user, role=self.role, setting=self.setting)
        if not self.setting_id:
            mine = UserRole.user == self.user, UserRole.role == self.role
            UserRole.delete().where(*mine, UserRole.setting.is_null(False)).execute()

    def widen(self) -> None:
        """Give the role what was asked for, on top of what it has by now.

        Who has it and has never signed in is asked for anew, person by person: nobody begins to
        read by an emailed link alone.
        """
        value, role = self.value, self.role
        new = [person for person in self.gainers() if not person.password and not person.reads]
        added, removed = self.added(), value.get("removed", ())
        permissions = [p for p in role.permissions if p not in removed]
        permissions += [p for p in added if p not in permissions]
        more = {name: value[name] for name in ("name", "description") if value.get(name)}
        role.set(permissions=permissions, level=value["level"], **more)
        role.check()
        role.save()
        for person in new if role.reads else ():
            links = list(UserRole.select().where(UserRole.user == person, UserRole.role == role))
            for link in links:
                link.delete_instance()
            Event.write("user:edit", person, self.by, {f"role {role}": (True, False)})
            for link in links:
                Proposal.make(self.by, "grant", user=person, role=role, setting=link.setting)

    @step("waiting", "refused", who=not_asker)
    def refuse(self, by: User) -> None:
        """Nothing changes."""

    @step(CODE, CODE, who=apart)
    def new_code(self, by: User) -> Any:
        """Another code in place of the one that was lost or mistyped too often."""
        self.hand_over()

    def fits(self, code: str) -> bool:
        """Whether `code` is the one handed over, and has not been guessed at too often."""
        return self.code == hashed(code) and (self.tries or 0) < TRIES

    @step(CODE, "approved", who=theirs)
    def claim(self, code: str, by: User) -> dict[str, Any]:
        """The person types the code that the approver handed over: from now on it counts."""
        if not self.fits(code):
            raise Refused("This is not the code.")
        if self.kind == "grant":
            self.give()
        self.code = None
        return {"also": [self.user]}

    @classmethod
    def type_code(cls, code: str, by: User) -> "Proposal | None":
        """Claim what the typed code opens; returns it, or None when it opens nothing, which counts
        as a try (TRIES, then a new code is needed).
        """
        with transaction():
            for proposal in cls.with_code(by):
                if proposal.fits(code):
                    return proposal.claim(code, by=by)
            cls.update(tries=cls.tries + 1).where(cls.status == CODE, cls.user == by).execute()
            Event.write("user:failed", by, by, way="code of an approval")
        return None

    @staticmethod
    @starts(who=not_oneself)
    def reset_factor(person: User, by: User) -> bool:
        """Ask for the removal of a person's second factor; at once only while they have never
        chosen a passphrase.

        For everyone, not only for those whose roles read: roles could be taken away first and given
        back afterwards.
        """
        with transaction():
            if person.password:
                Proposal.make(by, "factor", user=person)
                return False
            person.forget_factor()
            person.save()
            Session.end_all(person)
            Event.write("user:reset_factor", person, by)
        return True


def opened(permissions: Iterable[str], level: int = 0) -> list[str]:
    """What permissions allow, as the ends of a sentence."""
    lines = [
        f"{text[0].lower()}{text[1:].rstrip('.')}"
        for verb in permissions
        if (text := PERMISSIONS.get(verb))
    ]
    return lines + (["be assigned to every Ofsted log (level 5)"] if level == 5 else [])


def tell(person: User, by: User, what: str) -> None:
    """Email a person and every Level 5 what was changed about the person's account: who stands
    behind an account is no secret.
    """
    body = pages.get_template("email/person.txt").render(person=person, by=by, what=what)
    for one in {*User.level_5(), person}:
        Notice.to_account(one, SUBJECT, body)
