"""Slips: what somebody without an account handed in, in their own words, until a DSL has made it an
incident.

It is a noun of its own because an incident is of a child on the roll, and whoever hands in a slip
must not learn who is on it: until somebody of the safeguarding team has chosen the child, the slip
is the record, whole and unchangeable.
"""

import re
import secrets
from collections.abc import Iterable
from datetime import timedelta
from difflib import get_close_matches
from typing import Any

from peewee import CharField, ForeignKeyField, IntegrityError, ModelSelect, TextField, fn

from models.access.visitor_pass import LETTERS, VisitorPass
from models.ground.clock import now
from models.ground.database import transaction
from models.ground.fields import Moment, Pick, YesNo
from models.ground.record import Base, NoIncident, Record, Refused
from models.ground.settings import settings
from models.ground.words import bare
from models.history.event import Event
from models.history.notice import Notice
from models.history.step import step
from models.people.setting import Setting
from models.people.user import User

from .abbreviation import Abbreviation
from .child import Child
from .incident import ABOUT, GO_ELSEWHERE, HAPPENED, LONG_AGO, Incident, contradictions
from .relation import Relation

CLOSE = 0.75  # as difflib counts: one letter in four may be wrong
ADULT, RELATIVE = "named in it", "related to a child of that name"
# words that tell nobody apart
PLAIN = re.compile(
    "(?:mr|mrs|ms|miss|mx|dr|sir|madam|the|an?|and|of|in|at|for|who|is|my|his|her|our|this|that|"
    "teacher|assistant|member|staff|school|class|person|man|woman|lady|boy|girl|not|known)"
)
USED = (
    "A report was handed in with this code already. What you wrote was not saved. Ask for another "
    "code, type it below, and send it again."
)
SPENT = (
    "Your code does not count any more. Nothing you wrote is lost: ask at reception for another "
    "one, type it below, and send it again."
)


class Slip(Record):
    belongs = NoIncident("until the child is chosen it is of none; its own rule says who reads it")
    keeps, changes = "submitted", ("status", "incident", "version")
    no_line = "the incident that it became has its line"
    STATUSES = ("new", "taken up", "set aside")

    reference = CharField(unique=True, max_length=20, verbose_name="Receipt number")
    status = CharField(max_length=20, index=True, verbose_name="Status")
    visitor_pass = ForeignKeyField(
        VisitorPass, unique=True, backref="slips", on_delete="RESTRICT", verbose_name="Came by"
    )
    setting = ForeignKeyField(
        Setting, null=True, on_delete="RESTRICT", verbose_name="School or home"
    )
    at = Moment(verbose_name="Handed in")
    writer = CharField(max_length=120, verbose_name="Your full name")
    writer_role = CharField(
        max_length=120,
        verbose_name="What brings you here",
        help_text="For example: supply teacher, volunteer, parent helper, contractor.",
    )
    writer_contact = CharField(
        max_length=200,
        verbose_name="How you can be reached",
        help_text="Telephone or email. The safeguarding lead may want to ask you something.",
    )
    child_name = CharField(
        max_length=160,
        verbose_name="The child",
        help_text="The name as you know it, and the class if you know it. If you do not know the "
        "name, describe the child.",
    )
    about_adult = YesNo(
        verbose_name="Is your concern about an adult who works or helps here?",
        help_text="That adult will not see what you write.",
    )
    adult = CharField(
        null=True,
        max_length=160,
        verbose_name="Which adult is it about?",
        help_text="First name and family name, as far as you know them. Needed if you answered "
        "Yes.",
    )
    noticed_at = Moment(
        verbose_name="When did you notice it?", help_text="Change it if it was earlier than now."
    )
    happened = Pick(fixed=HAPPENED, verbose_name="How exactly do you know when it happened?")
    happened_at = Moment(
        null=True, verbose_name="When did it happen?", help_text="Leave empty if not known."
    )
    place = Pick("place", verbose_name="Where did it happen?")
    place_detail = CharField(null=True, max_length=200, verbose_name="Where exactly")
    known = Pick("how it is known", verbose_name="How is it known?")
    what_happened = TextField(
        verbose_name="What happened",
        help_text="Facts only: what you saw, heard or were told, in order, with full names.",
    )
    child_words = TextField(
        null=True,
        verbose_name="The child’s own words",
        help_text="Word for word, in quotation marks.",
    )
    immediate_danger = YesNo(
        verbose_name="Is the child in immediate danger?",
        help_text="If yes: call 999 and tell reception first, then write.",
    )
    immediate_action = TextField(verbose_name="What was done at once")
    told_dsl = YesNo(null=True, verbose_name="Have you spoken to a safeguarding lead (DSL)?")
    told_whom = CharField(
        null=True, max_length=200, verbose_name="To whom?", help_text="Their name, or who they are."
    )
    told_dsl_at = Moment(null=True, verbose_name="When did you speak to them?")
    incident = ForeignKeyField(
        Incident,
        null=True,
        unique=True,
        backref="slips",
        on_delete="RESTRICT",
        verbose_name="Became the incident",
    )

    WRITER = ["writer", "writer_role", "writer_contact"]
    ASKED = [
        "child_name",
        "about_adult",
        "adult",
        "what_happened",
        "child_words",
        "immediate_danger",
        "immediate_action",
        "told_dsl",
        "told_whom",
        "told_dsl_at",
        "happened",
        "happened_at",
        "noticed_at",
        "place",
        "place_detail",
        "known",
    ]
    COPIED = [name for name in ASKED if name in Incident._meta.fields]
    UNANSWERED = Incident.UNANSWERED | {
        "writer": "Give your full name.",
        "writer_role": "Say what brings you here.",
        "writer_contact": "Say how you can be reached.",
        "child_name": "Give the child’s name, or describe the child.",
    }

    def __str__(self):
        return self.reference

    def its_setting(self) -> int | None:
        return self.setting_id

    @property
    def written_by(self) -> str:
        """Who wrote it, as they gave it."""
        return f"{self.writer}, {self.writer_role}"

    @classmethod
    def hand_in(cls, by_pass: VisitorPass, typed_at: Any, **answers: Any) -> "Slip":
        """Take in what somebody without an account reports, with the pass whose code they typed at
        `typed_at`: one for each pass, however many are sent at once. Everybody who may read it is
        emailed.

        Raises Refused when an answer contradicts another, when the pass does not count any more,
        and where it is about all who would decide on it.
        """
        earliest, too_early = now().date() - LONG_AGO, "This is more than 26 years ago."
        errors = contradictions(answers, earliest, too_early)
        answers["adult"] = answers.get("adult") or None
        if answers["about_adult"] and not answers["adult"]:
            errors["adult"] = "Give the name of the adult, as far as you know it."
        if answers["adult"] and not answers["about_adult"]:
            errors["about_adult"] = "You name an adult below: answer Yes, or leave the name out."
        setting = by_pass.setting_id
        level_5 = {one.id for one in User.level_5(setting)}
        named = meant(answers["adult"], level_5) if answers["about_adult"] else set()
        if level_5 and level_5 <= named:
            errors["adult"] = GO_ELSEWHERE
        if errors:
            raise Refused("Your report was not sent.", errors)
        related = relatives(answers["child_name"]) - named
        if level_5 <= named | related:
            related -= level_5  # else nobody would read it; the incident asks again
        shut = [(id, ADULT) for id in named] + [(id, RELATIVE) for id in related]
        try:
            with transaction():
                cls.claim_pass(by_pass, typed_at)
                slip = cls.create(
                    reference=f"VR-{''.join(secrets.choice(LETTERS) for _ in range(8))}",
                    status="new",
                    visitor_pass=by_pass,
                    setting=setting,
                    at=now(),
                    **answers,
                )
                for id, why in sorted(shut):
                    SlipShut.create(slip=slip, user=id, why=why)
                Notice.announce("slip:hand_in", slip, None, slip.readers())
        except IntegrityError:
            if not cls.select().where(cls.visitor_pass == by_pass).exists():
                raise
            raise Refused(USED, {"code": "This code was used."}) from None
        return slip

    @classmethod
    def claim_pass(cls, by_pass: VisitorPass, typed_at: Any) -> None:
        """Have the pass for this one alone, in the caller's transaction; what was being written is
        dropped, for it is handed in.
        """
        VisitorPass.update(draft=None, drafted_at=None).where(
            VisitorPass.id == by_pass.id
        ).execute()
        if cls.select().where(cls.visitor_pass == by_pass).exists():
            raise Refused(USED, {"code": "This code was used."})
        if not VisitorPass.get_by_id(by_pass.id).usable(typed_at):
            raise Refused(SPENT, {"code": "This code does not count any more."})

    def says(self, answers: dict[str, Any]) -> bool:
        """Whether `answers` are what it says: a form that was sent again."""
        return all(
            (getattr(self, name) or None) == (value or None) for name, value in answers.items()
        )

    def readers(self) -> list[User]:
        """Who may read it, where it is, without those who are shut out: the safeguarding team
        there; of what is about an adult whom no account is known for, every Level 5 alone.
        """
        ids = {one.id for one in User.who_may("slip:read", self)} - SlipShut.of(self)
        if self.about_adult and not SlipShut.named(self):
            ids &= {one.id for one in User.level_5(self.setting_id)}
        return list(User.select().where(User.id.in_(ids)).order_by(User.id))

    @classmethod
    def read_by(cls, by: User) -> "ModelSelect[Slip]":
        """Those that `by` reads where they have slip:read, the incident's rule left aside: never
        one that they are shut out of; one about an adult who is none of the accounts only as Level
        5.
        """
        within, level_5 = by.within("slip:read"), by.grants.level_5
        rows = cls.select() if within is None else cls.select().where(cls.setting.in_(within))
        rows = rows.where(cls.id.not_in(SlipShut.select(SlipShut.slip).where(SlipShut.user == by)))
        if level_5 is None:
            return rows
        shut = SlipShut.select(SlipShut.id).where(SlipShut.slip == cls.id, SlipShut.why == ADULT)
        open_to = ~cls.about_adult | fn.EXISTS(shut)
        return rows.where(open_to | cls.setting.in_(level_5) if level_5 else open_to)

    @classmethod
    def alarm(cls) -> int:
        """Email whoever may read it about each slip that nobody took up in time: once each. Returns
        how many.
        """
        before = now() - timedelta(hours=settings.acknowledge_hours)
        told = Event.select(Event.id).where(
            Event.subject == cls.noun(), Event.record == cls.id, Event.verb == "slip:alarm"
        )
        late = cls.select().where(cls.status == "new", cls.at < before, ~fn.EXISTS(told))
        found = list(late.order_by(cls.id).limit(100))
        for slip in found:
            with transaction():
                if not Event.last(slip, "slip:alarm"):
                    Notice.announce("slip:alarm", slip, None, slip.readers())
        return len(found)

    @step("new", "taken up")
    def take_up(
        self,
        child: Child,
        alert: bool,
        by: User,
        named: Iterable[str] | None = None,
        adult: User | None = None,
    ) -> dict[str, Any]:
        """Make it an incident about `child`, with its own words and times and the name of who wrote
        it; `by` has entered it.

        named: the ids, as text, of those whom the name of the adult means, of all whom it may mean
        (None: all of them). adult: another account of somebody whom it is about.
        """
        found = SlipShut.named(self)
        about = [one for one in found if named is None or str(one.id) in named]
        about += [adult] if adult and adult not in about else []
        unknown = f"The concern is about {self.adult} (as it was written)." if self.adult else None
        incident = Incident.report(
            by,
            adults=[(one, ABOUT) for one in about],
            child=child,
            safeguarding_alert=alert,
            other_adults=unknown,
            written_at=self.at,
            written_by=self.written_by,
            **{name: getattr(self, name) for name in self.COPIED},
        )
        self.incident = incident
        spared = [one for one in found if one not in about]
        return {
            "reason": f"It is {incident}.",
            "named": [one.label for one in about],
            "not_named": [one.label for one in spared],
        }

    @step("new", "set aside")
    def set_aside(self, reason: str, by: User) -> dict[str, str]:
        """It is no concern about a child, or stands elsewhere. It stays, with the reason."""
        return {"reason": reason}


class SlipShut(Base):
    """Who reads nothing of a slip, whatever their role, found by the names in it when it was handed
    in: the adult whom it is about, and a relative of a child of that name.
    """

    belongs = NoIncident("as the slip")
    keeps, part_of = "fixed", "slip"
    no_line = "as the slip"

    slip = ForeignKeyField(Slip, backref="shut", on_delete="RESTRICT")
    user = ForeignKeyField(User, on_delete="RESTRICT")
    why = CharField(max_length=40)

    @classmethod
    def of(cls, slip: Slip) -> set[int]:
        """The ids of those who are shut out of `slip`."""
        return {row.user_id for row in cls.select().where(cls.slip == slip)}

    @classmethod
    def named(cls, slip: Slip) -> list[User]:
        """The accounts that the name of the adult may mean."""
        rows = cls.select(cls, *User.named()).join(User).where(cls.slip == slip, cls.why == ADULT)
        return [row.user for row in rows.order_by(cls.id)]


def telling(text: str) -> set[str]:
    """The bare words of a name or a title that tell somebody apart."""
    return {word for word in bare(text) if not PLAIN.fullmatch(word)}


def meant(typed: str, level_5: set[int]) -> set[int]:
    """The ids of the accounts that the name of an adult, as a visitor types it, may mean: of all
    who have a word of it in their name or, where there are none, in what they are. Of those who are
    Level 5 there, and so would read it, also whom only their office gives away.

    Rather one too many: who is shut out by mistake is let in by whoever takes the slip up.
    """
    words, offices = telling(typed), {}
    full = {short.upper(): meaning for short, meaning in Abbreviation.meanings().items()}
    for one, grants in User.with_grants():
        roles = [role.name for role, _setting in grants if role.level == 5]
        offices[one.id] = [office(said, full) for said in (one.job_title, *roles)]
    known = {word for some in offices.values() for one in some for word in one}
    by_name = {
        one.id
        for one in User.select()
        if words & set(bare(one.name)) or alike(words - known, bare(one.name))
    }
    by_office = fitting(office(typed, full) & known, offices)
    if not by_name:
        return by_office
    both = by_name | by_office & level_5
    return by_name if level_5 <= both else both


def office(text: str, full: dict[str, str]) -> set[str]:
    """The words that tell what somebody is, those of their abbreviations too (`full`: {in capitals:
    meaning}); whoever is at the head is so by one word.
    """
    words = telling(text)
    words |= telling(" ".join(full.get(word.upper(), "") for word in words))
    return {"head" if one.startswith(("head", "principal")) else one for one in words}


def fitting(words: set[str], offices: dict[int, list[set[str]]]) -> set[int]:
    """The ids of those in one of whose `offices` most of `words` stand; of them only those whose
    office is just these words, where there are such.
    """
    most = max((len(words & one) for some in offices.values() for one in some), default=0)
    if not most:
        return set()
    found = {id for id, some in offices.items() if any(len(words & one) == most for one in some)}
    return {id for id in found if words in offices[id]} or found


def alike(words: Iterable[str], name: Iterable[str]) -> bool:
    """Whether one of `words` is one of a `name` (both bare), however it may have been misspelt."""
    known = list(name)
    return any(word in known or get_close_matches(word, known, 1, CLOSE) for word in words)


def relatives(typed: str) -> set[int]:
    """The ids of the colleagues who are related to a child whose name `typed` may mean."""
    words = telling(typed)
    rows = Relation.select(Relation, Child).join(Child, on=(Relation.child == Child.id))
    rows = rows.where(Relation.user.is_null(False), Relation.ended_at.is_null())
    found = (
        (row.user_id, {word for word in words if alike([word], bare(row.child.name))})
        for row in rows
    )
    return {id for id, same in found if same and len(same) >= min(2, len(words))}
