"""Who may what with a form: by a right of a role, by standing in, because they were named, or
because they began it.
"""

from collections.abc import Iterable
from typing import Any

from peewee import Expression, fn

from models.people.role import Role
from models.people.user import User, UserRole

from .form_part import Reader
from .right import (
    BEGAN,
    BEGINS,
    FILLS,
    OPEN,
    READING,
    READS,
    REVIEWS,
    SIGNS,
    STANDS_IN,
    WRITING,
    Right,
)
from .template import Template


class Opened:
    """The part of a Submission that says who may what with it. `allowed` and `narrowed` say it of
    many, as a condition; `can` of one.
    """

    template: Any
    template_id: Any
    setting: Any
    setting_id: Any
    incident: Any
    incident_id: Any
    about: Any
    about_id: Any
    begun_by: Any
    begun_by_id: Any
    status: Any
    id: Any
    next_signer: Any
    signatures: Any

    @classmethod
    def allowed(cls, by: User, *does: str) -> Expression:
        """The condition that `by` may do one of `does` by a role of theirs, by standing in for the
        adult it is about, or because they were named.
        """
        theirs = cls.of_roles([role for role, setting in by.grants if setting is None], *does)
        for setting in {setting for _role, setting in by.grants if setting}:
            there = [role for role, where in by.grants if where in (None, setting)]
            theirs |= (cls.setting == setting) & cls.of_roles(there, *does)
        roles = [role.id for role, _setting in by.grants if role.reads]
        own = Right.alias()
        reader = (
            own.select(own.id)
            .join(UserRole, on=(UserRole.role == own.role))
            .where(own.template == cls.template, own.does.in_(READING), UserRole.user == cls.about)
        )
        stands = cls.template.in_(Right.templates(roles, STANDS_IN)) & fn.EXISTS(reader)
        return theirs | stands | cls.id.in_(Reader.of(by, *does))

    @classmethod
    def of_roles(cls, roles: Iterable[Role], *does: str) -> Expression:
        """The condition that one of `roles` may do one of `does`.

        On a form of no incident a right counts only for a role that opens records: else whoever
        gives roles, which opens nothing and waits for nobody, would open forms.
        """
        opening = Right.templates([role.id for role in roles if role.reads], *does)
        of_incident = Right.templates([role.id for role in roles], *does)
        return cls.template.in_(opening) | (
            cls.incident.is_null(False) & cls.template.in_(of_incident)
        )

    @classmethod
    def narrowed(cls, rows: Any, by: User) -> Any:
        """Those that a right or a name opens to `by`, and what they began; never what is about
        them, but for what they report of themselves, until it is submitted.
        """
        if by.within("submission:read") == set():
            return rows.where(False)
        own = cls.begun_by == by
        other = cls.about.is_null() | (cls.about != by) | (own & (cls.status == OPEN))
        return rows.where(cls.allowed(by, *READING) | own, other)

    def can(self, by: User) -> set[str]:
        """What `by` may do with this one: some of DOES. The same rules as `allowed`, of one
        record.
        """
        known = self.__dict__.setdefault("_can", {})
        if by.id not in known:
            roles = {
                role.id
                for role, where in by.grants
                if where in (None, self.setting_id) and (role.reads or self.incident_id)
            }
            rows = Right.select().where(Right.template == self.template_id)
            rights = list(rows)
            found = {right.does for right in rights if right.role_id in roles}
            if STANDS_IN in found and self.about_id:
                reading = {right.role_id for right in rights if right.does in READING}
                links = UserRole.select().where(UserRole.user == self.about_id)
                if any(link.role_id in reading for link in links):
                    found |= set(READING)
            for reader in Reader.now(self):
                if reader.user_id == by.id:
                    found |= {READS, reader.does}
            if self.begun_by_id == by.id and self.status in WRITING:
                found.add(BEGAN)
            known[by.id] = found if self.about_id != by.id else found & {BEGAN}
        return known[by.id]

    def handles(self, by: User) -> bool:
        """Only those who fill this form in, or review it, do that."""
        return bool({FILLS, REVIEWS, BEGAN} & self.can(by))

    def names(self, by: User) -> bool:
        """Only those whose right it is to fill this form in, or review it, name others for it."""
        return bool({FILLS, REVIEWS} & self.can(by))

    def reviews(self, by: User) -> bool:
        """Only those who review this form do that."""
        return REVIEWS in self.can(by)

    def returns(self, by: User) -> bool:
        """Only those who review this form, or sign it next, send it back."""
        return REVIEWS in self.can(by) or self.signs(by)

    def signs(self, by: User) -> bool:
        """It is signed in the order of its template, each time by another person."""
        role = self.next_signer()
        if not role or self.about_id == by.id or by in [one.by for one in self.signatures()]:
            return False
        holds = any(own == role and where in (None, self.setting_id) for own, where in by.grants)
        return holds or (STANDS_IN in self.can(by) and SIGNS in self.can(by))

    @staticmethod
    def readers_of(template: Template, about: User | None, setting: int | None) -> set[User]:
        """Those whose role would read a form about this adult: with who stands in where the adult
        is one of them, and never the adult.
        """
        rights = list(Right.select().where(Right.template == template))
        reading = {right.role_id for right in rights if right.does in READING}
        standing = {right.role_id for right in rights if right.does == STANDS_IN}
        links = UserRole.select(UserRole, User, Role).join(User).switch(UserRole).join(Role)
        there = links.where(User.active, UserRole.covering([setting] if setting else []))
        held = [(link.user, link.role_id) for link in there if link.role.reads]
        found = {user for user, role in held if role in reading}
        if about in found:
            found |= {user for user, role in held if role in standing}
        return found - {about}

    @staticmethod
    def begins(template: Template, by: User) -> bool:
        """Only those whose role begins this form, while it is in force, begin one."""
        roles = [role.id for role, _setting in by.grants]
        mine = Right.templates(roles, BEGINS).where(Right.template == template)
        return bool(template.in_force) and not template.is_tracker and mine.exists()

    @classmethod
    def offered(cls, by: User, stands_on: str | None = None) -> list[Template]:
        """The templates from which `by` may begin a form, that stand on `stands_on` or, without it,
        on anything; in their order. One query.
        """
        if by.within("submission:read") == set():
            return []
        roles = sorted({role.id for role, _setting in by.grants})
        rows = Right.begun_by(roles)
        return [one for one in rows if stands_on in (None, one.stands_on)]
