"""Setting people and roles up: what counts at once, and what is asked for because it opens
records.
"""

import re
from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import uuid4

from models.ground.clock import today
from models.ground.database import transaction
from models.ground.record import Refused
from models.ground.settings import settings
from models.ground.words import day, pages
from models.history.event import Event
from models.history.notice import Notice
from models.people.role import Role
from models.people.setting import Setting
from models.people.user import User, UserRole
from models.permissions import HARMLESS

from .calendar import Calendar
from .proposal import Proposal, tell
from .signin import Session

CLOCK = re.compile(r"([01]?[0-9]|2[0-3])[:.]([0-5][0-9])")


def led() -> tuple[bool, bool]:
    """(whether there is an active Level 5 for all schools and homes, whether one of them may
    approve changes), as the database says now. One whose account has a last day does not count.
    """
    level_5 = [person for person in User.level_5(None) if not person.ends_on]
    return bool(level_5), any(person.within("proposal:approve") is None for person in level_5)


def keep_led(before: tuple[bool, bool], field: str) -> None:
    """Raise Refused, at `field`, when what `led` said before no longer holds. Inside the
    transaction, after the change: so nothing is saved.
    """
    if any(was and not still for was, still in zip(before, led(), strict=True)):
        raise Refused(
            "Nothing was saved.",
            {
                field: "This would leave no active Level 5 who can approve changes. Give "
                "somebody else Level 5 first."
            },
        )


Given = Role | tuple[Role, Setting | None]  # a role for all, or for one school or home


def given(roles: Iterable[Given]) -> dict[tuple[int, int | None], tuple[Role, Setting | None]]:
    """Roles as they are given, by their ids: those for all once, not for some besides."""
    pairs = [one if isinstance(one, tuple) else (one, None) for one in roles]
    everywhere = {role.id for role, setting in pairs if not setting}
    return {
        (role.id, setting.id if setting else None): (role, setting)
        for role, setting in pairs
        if not setting or role.id not in everywhere
    }


def said_of(role: Role, setting: Setting | None) -> str:
    """How the history calls that somebody has a role."""
    return f"role {role} for {setting}" if setting else f"role {role}"


def edit_person(person: User, by: User, roles: Iterable[Given], **values: Any) -> int:
    """Set a person's fields and roles. What opens records is asked for, the rest counts at once;
    returns how many requests were made.

    A role that is given for more than before opens records; until that is approved, what they have
    stays. One that is given for less counts at once.

    Raises Refused when no active Level 5 who may approve would be left, and for a change of one's
    own roles. Whoever is renamed, and every Level 5, is told.
    """
    before = Proposal.select().where(Proposal.status == "waiting").count()
    with transaction():
        well, name = led(), person.name
        links = UserRole.select(UserRole, Role, Setting).join(Role).switch(UserRole)
        links = links.left_outer_join(Setting).where(UserRole.user == person)
        old = given((link.role, link.setting) for link in links)
        new = given(roles)
        if by == person and set(old) != set(new):
            raise Refused(
                "Nothing was saved.",
                {"roles": "Nobody changes their own roles. Ask a colleague who may."},
            )
        if (
            person.id and values.get("email", person.email) != person.email
        ):  # whoever has the mailbox may become the person
            Proposal.make(by, "email", user=person, value=values.pop("email"))
        if person.id and values.get("active") and not person.active and person.reads:
            Proposal.make(by, "active", user=person)
            del values["active"]
        until, last = person.ends_on, values.get("ends_on", person.ends_on)
        if person.id and until and (last or date.max) > until and person.reads:
            words = f"until {day(last)}" if last else "without a last day"
            on = last.isoformat() if last else None
            Proposal.make(by, "ends", user=person, value={"on": on, "words": words})
            del values["ends_on"]
        changed = person.set(**values)
        person.check()
        person.save()
        for role, setting in [pair for key, pair in old.items() if key not in new]:
            if setting and role.reads and (role.id, None) in new:
                continue  # it is asked for, for all: until then they keep what they have
            mine = UserRole.user == person, UserRole.role == role, UserRole.setting == setting
            UserRole.delete().where(*mine).execute()
            changed[said_of(role, setting)] = (True, False)
        for role, setting in [pair for key, pair in new.items() if key not in old]:
            if role.reads and (role.id, None) not in old:
                Proposal.make(by, "grant", user=person, role=role, setting=setting)
            else:
                UserRole.create(user=person, role=role, setting=setting)
                changed[said_of(role, setting)] = (False, True)
        keep_led(well, "roles")
        if changed:
            Event.write("user:edit", person, by, changed)
            person.roles = None
            if "active" in changed:  # an address must not come back with them
                Calendar.end(person, by)
            if set(changed) - {"name", "job_title", "ends_on"}:
                Session.end_all(person)
        if "name" in changed:
            tell(person, by, f"{name} is called {person.name} from now on")
    return Proposal.select().where(Proposal.status == "waiting").count() - before


def add_person(by: User, roles: Iterable[Given], **values: Any) -> User:
    """Create a person who has no passphrase yet, give the roles that open nothing, ask for the
    others.
    """
    with transaction():
        person = User(fs_uniquifier=uuid4().hex, **values)
        person.check()
        person.save()
        Event.write("user:add", person, by)
        edit_person(person, by, roles)
        Notice.to_account(
            person,
            f"Your account at {settings.school}",
            pages.get_template("email/invitation.txt").render(person=person, by=by),
        )
    return person


def end_accounts() -> None:
    """Whose last day has passed does not sign in any more: once a day, for lists and emails; what
    they do themselves is shut to them from midnight on (User.is_active).
    """
    for person in User.select().where(User.active, User.ends_on < today()):
        changed = person.set(active=False)
        person.save()
        Event.write("user:edit", person, None, changed)
        Calendar.end(person, None)
        Session.end_all(person)


def edit_setting(setting: Setting, by: User, **values: Any) -> Setting:
    """Set what a school or home is called, or make one. Every Level 5 is told: they approve roles
    by these names.
    """
    with transaction():
        verb = "setting:edit" if setting.id else "setting:add"
        changed = setting.set(**values)
        setting.check()
        setting.save()
        if changed:
            Notice.announce(verb, setting, by, User.level_5(), changed)
    return setting


def choose_emails(
    person: User, daily: bool, progress: bool, quiet_from: str | None, quiet_until: str | None
) -> None:
    """Set when `person` gets emails, as they chose themselves: `daily` those about records in one a
    day; `progress` once a day the sections saved; none between two times of day, as "18:00".

    What is urgent comes at once all the same (`Notice.patient`), so nobody proves who they are for
    this: whoever changes it at an unlocked screen only delays what is not.
    """
    times = {"quiet_from": quiet_from or None, "quiet_until": quiet_until or None}
    errors = {}
    for name, typed in times.items():
        found = CLOCK.fullmatch(typed or "")
        if typed and not found:
            errors[name] = "This is not a time of day. Write it as hours and minutes: 18:00."
        elif found:
            times[name] = f"{int(found[1]):02d}:{found[2]}"
    if not errors and bool(quiet_from) != bool(quiet_until):
        errors["quiet_until" if quiet_from else "quiet_from"] = "Give both times, or neither."
    elif not errors and quiet_from and times["quiet_from"] == times["quiet_until"]:
        errors["quiet_until"] = "These are the same time. Give two times, or neither."
    if errors:
        raise Refused("Nothing was saved.", errors)
    with transaction():
        person = User.get_by_id(person.id)
        if changed := person.set(daily=daily or None, progress=progress or None, **times):
            person.save()
            Event.write("user:choose", person, person, changed)


def edit_role(role: Role, by: User, level: int, permissions: Iterable[str], **values: Any) -> bool:
    """Set a role's fields; returns whether something waits for approval.

    What shows or decides about a record, and level 5, waits for a Level 5; of a role that `by` has,
    everything does. What is harmless or taken away counts at once.
    """
    if level not in range(6):
        raise Refused("Nothing was saved.", {"level": "A level is a number from 0 to 5."})
    with transaction():
        well, own = led(), bool(role.id) and role in by.roles
        added = [p for p in permissions if p not in role.permissions and (own or p not in HARMLESS)]
        removed = [p for p in role.permissions if p not in permissions] if own else []
        more = {
            name: value for name, value in values.items() if own and value != getattr(role, name)
        }
        moved = level != (role.level or 0) and (own or level == 5)
        changed = {}
        if not own:
            kept = [p for p in permissions if p not in added]
            changed = role.set(
                level=(role.level or 0) if moved else level, permissions=kept, **values
            )
            role.check()
            new = not role.id
            role.save()
            keep_led(well, "permissions")
        if changed:
            Event.write("role:add" if new else "role:edit", role, by, changed)
            for link in role.user_roles:
                Session.end_all(link.user)
        waits = bool(added or removed or more or moved)
        if waits:
            Proposal.make(
                by,
                "role",
                role=role,
                value={"level": level, "added": added, "removed": removed, **more},
            )
    return waits
