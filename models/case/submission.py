"""Any form that the school keeps, begun from a template: filled in, submitted, signed or sent back.

Visible as “Forms”. It is no Form here, for that is what a page sends.
"""

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from peewee import CharField, Expression, ForeignKeyField, IntegerField, fn

from models.ground.clock import now
from models.ground.composed import composed
from models.ground.database import contains, transaction
from models.ground.fields import Moment, Pick
from models.ground.record import Refused
from models.ground.words import bare, pages, shown, when
from models.history.document import Document
from models.history.event import LOOKING, Event
from models.history.notice import Notice
from models.history.step import ask, starts, step
from models.people.role import Role
from models.people.setting import Setting
from models.people.user import User, UserRole

from .annex import Somebody, annexed
from .asked import EMPTY, readable
from .case import Case
from .child import Child
from .choice import Choice
from .form_part import Enclosure, Listed, Reader, Signature, SubmissionSection
from .hiding import mentioned
from .incident import GO_ELSEWHERE, Incident, OfIncident
from .line import Line
from .opened import Opened
from .relation import Relation
from .right import (
    COMPLETE,
    NAMED,
    OPEN,
    READS,
    RETURNED,
    SIGNS,
    STATUSES,
    SUBMITTED,
    WRITING,
    Right,
)
from .shut_out import ShutOut
from .template import Question, Template, TemplateSection
from .triage import Triage

HEADLINE = ""  # the key under which the list has it
PLACE = re.compile(r"\{(\w+)\}")  # of an answer in a headline
NOT_ASKED = "not asked then"
UNNAMED = {"mr", "mrs", "ms", "miss", "mx", "dr", "sir", "madam", "the", "our", "my"}
MONTHS = (12, 24)  # over which a pattern is looked for


class Submission(Opened, OfIncident):
    """A form that was begun. It stands on an incident, a child or an adult, or on nothing.

    Who may what with it is a right of a role (see Right), and of those who were named for this one
    (Reader). The adult whom it is about sees nothing of it, whatever their role; what they reported
    about themselves they read until it is submitted.
    """

    STATUSES = STATUSES
    keeps, changes = "submitted", ("status", "submitted_at", "turn", "version")
    opens = "submission:read"

    incident: Any = ForeignKeyField(
        Incident, null=True, backref="submissions", on_delete="RESTRICT", verbose_name="Incident"
    )
    reference = CharField(unique=True, max_length=20, verbose_name="Reference")
    status = Pick(fixed=STATUSES, max_length=20, default=OPEN, index=True, verbose_name="Status")
    template = ForeignKeyField(Template, on_delete="RESTRICT", verbose_name="Form")
    child = ForeignKeyField(
        Child, null=True, backref="submissions", on_delete="RESTRICT", verbose_name="Child"
    )
    about = ForeignKeyField(
        User,
        null=True,
        backref="submissions_about",
        on_delete="RESTRICT",
        verbose_name="The adult, if they have an account here",
        help_text="They will see nothing of this form. Writing about yourself? Give your own name: "
        "you read it until you submit it.",
    )
    about_name = CharField(
        null=True,
        max_length=160,
        verbose_name="The adult, if they have none",
        help_text="Full name, and what they do here.",
    )
    setting = ForeignKeyField(
        Setting, null=True, on_delete="RESTRICT", verbose_name="School or home"
    )
    begun_by = ForeignKeyField(
        User, backref="submissions", on_delete="RESTRICT", verbose_name="Begun by"
    )
    begun_at = Moment(default=now, index=True, verbose_name="Begun")
    submitted_at = Moment(null=True, verbose_name="Submitted")
    turn = IntegerField(default=0)  # how often it was submitted: what was signed before is past

    def __str__(self):
        return self.reference

    def its_setting(self) -> int | None:
        return self.setting_id

    # steps

    @classmethod
    @starts(who=Opened.begins)
    def begin(
        cls,
        template: Template,
        by: User,
        incident: Incident | None = None,
        child: Child | None = None,
        about: User | None = None,
        about_name: str | None = None,
        setting: Setting | None = None,
    ) -> "Submission":
        """Begin a form from a template, pinning every question. Raises Refused where there may be
        no more of them, and for an adult who is to be chosen by their account.
        """
        where = incident or child
        setting_id = where.setting_id if where else setting.id if setting else None
        stem: dict[str, Any] = {"incident": incident, "child": child, "adult": about or about_name}
        if template.stands_on in stem and not stem[template.stands_on]:
            raise Refused("Nothing was begun.", {"about": "Say whom it is about."})
        if about_name:
            cls.stay_nameless(about_name)
        if template.stands_on == "adult" and not cls.readers_of(template, about, setting_id):
            raise Refused("Nothing was begun.", {"about": GO_ELSEWHERE})
        with transaction():
            of: dict[str, Any] = {"incident": incident, "child": child}
            of |= {"about": about, "about_name": about_name}
            if earlier := cls.one_already(template, setting_id, of):
                raise Refused(
                    f"There is {earlier} already. Go on with that one.",
                    links=[(str(earlier), earlier, "")],
                )
            form = cls.create(
                reference=cls.next_of(template),
                template=template,
                setting=setting_id,
                begun_by=by,
                begun_at=now(),
                **of,
            )
            for position, (section, questions) in enumerate(template.sections_asked(), 1):
                begun = SubmissionSection.pin(position, section, questions)
                begun.submission, begun.after = form, section.after
                begun.save()
            form.list_answers()
            Event.write("submission:begin", form, by, template=template.name)
        return form

    @classmethod
    def next_of(cls, template: Template) -> str:
        """The next reference with the prefix of a template, as AUD-2026-0042."""
        stem = f"{template.prefix}-{now().year}-"
        rows = cls.select(cls.reference).where(cls.reference.startswith(stem))
        last = rows.order_by(fn.LENGTH(cls.reference).desc(), cls.reference.desc()).scalar()
        return f"{stem}{int(last[len(stem) :]) + 1 if last else 1:04d}"

    @classmethod
    def one_already(cls, template: Template, setting: int | None, of: dict[str, Any]) -> Any:
        """The form because of which no other may be begun, or None."""
        if template.how_many not in ("one", "one at a time"):
            return None
        rows = cls.select().join(Template).where(Template.prefix == template.prefix)
        for name, value in (of | {"setting": setting}).items():
            field = getattr(cls, name)
            rows = rows.where(field == value if value else field.is_null())
        if template.how_many == "one at a time":
            rows = rows.where(cls.status != COMPLETE)
        return rows.order_by(cls.id.desc()).first()

    @classmethod
    def stops(cls, incidents: list[int]) -> list[tuple[str, Any, str]]:
        """What a case lacks before it can close: forms that are not complete."""
        rows = cls.select(cls, Template).join(Template).where(cls.incident.in_(incidents))
        rows = rows.where(cls.status != COMPLETE).order_by(cls.id)
        return [(f"{form}: “{form.template}” is not complete", form, "") for form in rows]

    @staticmethod
    def stay_nameless(name: str) -> None:
        """Refuse the name, in letters, of who has an account: it would not be shut to them. So is
        a part of it, with initials, and what they do here (“the head”), where that is all.
        """
        words, first = set(bare(name)), set(bare(name.partition(",")[0])) - UNNAMED
        for one in User.select(*User.named()):
            known = bare(one.name)
            part = first and all(
                word in known or len(word) == 1 and any(some.startswith(word) for some in known)
                for word in first
            )
            does = first and first <= set(bare(one.job_title or ""))
            if set(known) <= words or part or does:
                raise Refused(
                    "Nothing was begun.",
                    {
                        "about_name": f"{one} has an account here: choose it above. Of somebody "
                        "else write the full name."
                    },
                )

    @classmethod
    def draw(
        cls, template: Template, by: User, visible: Callable, by_risk: bool
    ) -> Incident | None:
        """The incident of a closed case to look at with this form: at random, or of the highest
        risk as it was decided last; none that was looked at within a year. None where there is
        none.
        """
        recent = (
            cls.select(cls.incident)
            .join(Template)
            .where(Template.prefix == template.prefix, cls.begun_at > now() - timedelta(days=365))
        )
        rows = visible(Case, by).where(Case.status == "closed", Case.incident.not_in(recent))
        ids = [case.incident_id for case in rows.order_by(fn.RANDOM())]
        if by_risk and ids:
            names = Choice.names("risk")
            risks: dict[int, int] = {}
            for one in visible(Triage, by).where(Triage.incident.in_(ids)).order_by(Triage.id):
                risks[one.incident_id] = names.index(one.risk) if one.risk in names else -1
            ids.sort(key=lambda id: -risks.get(id, -1))
        return Incident.get_by_id(ids[0]) if ids else None

    @starts(*STATUSES, who=Opened.handles)
    def fill_in(self, section: SubmissionSection, answers: dict[str, Any], by: User) -> Any:
        """Save the answers {question id: value} of one of its sections, half-finished or not; of
        the questions that are not for `by` to answer, what is saved stays.
        """
        with transaction():
            fresh = Submission.get_by_id(self.id)
            if section.submission_id != self.id:
                raise Refused(f"This is no section of {self}. Nothing was saved.")
            now_there = SubmissionSection.get_by_id(section.id)  # a reviewer’s answers as well
            section.answers, section.questions = now_there.answers, now_there.questions
            asked = section.open_to(fresh, by)
            if not asked:
                raise Refused(f"This section of {self} is locked. Nothing was saved.")
            kept = {id: value for id, value in section.answers.items() if id not in asked}
            given = {id: value for id, value in answers.items() if id in asked}
            changed = section.take(kept | given, by)
            self.list_answers()
            also = self.give_tasks(by, [section]) if section.after else []
            Event.write(
                "submission:fill_in",
                self,
                by,
                changed,
                also=also,
                restricted=bool(section.restricted),
            )

    def target(self) -> str:
        """Where submitting leads: to those who sign, or to its end where nobody does."""
        return SUBMITTED if self.signers() else COMPLETE

    @step(WRITING, target, who=Opened.handles)
    def submit(self, by: User, figures: Callable | None = None) -> Any:
        """It is finished and locked; figures are frozen as `by` counts them. Raises Refused where
        an answer that is needed is missing.

        figures: as for SubmissionSection.counted.
        """
        self.__dict__.pop("_sections", None)  # what a colleague saved since it was read counts
        if missing := self.missing():
            raise Refused(f"{self} cannot be submitted yet. Still to answer:", links=missing)
        self.submitted_at, self.turn = now(), self.turn + 1
        for section in self.sections():
            if figures and (found := section.counted(by, figures)):
                section.answers = {**section.answers, **found}
                section.save()
        self.list_answers()
        return {"also": self.give_tasks(by, self.sections())}

    # said by models/case/task.py, which stands above
    becomes_task: Callable | None = None

    def give_tasks(self, by: User, sections: Iterable[SubmissionSection]) -> list[Any]:
        """Make a task of each row of the tables that ask for it: see Task.of_row."""
        made = [
            type(self).becomes_task(self, question, row, by, bool(section.restricted))  # type: ignore[misc]
            for section in sections
            for question in section.questions
            if question.get("tasks") and section.follows(question) is not False
            for row in section.answers.get(question["id"]) or ()
        ]
        return [task for task in made if task]

    @step((SUBMITTED, COMPLETE), RETURNED, who=Opened.returns)
    def send_back(self, reason: str, by: User) -> dict[str, str]:
        """It is returned, with what is to be put right; what was signed counts no more."""
        return {"reason": reason}

    def after_signing(self) -> str:
        """Where the next signature leads."""
        return COMPLETE if len(self.signatures()) + 1 >= len(self.signers()) else SUBMITTED

    @classmethod
    @composed
    def versions_of(cls, id: Any) -> Any:
        rows = SubmissionSection.select(cls.turn, fn.SUM(SubmissionSection.version))
        rows = rows.join(cls, on=SubmissionSection.submission == cls.id)
        return rows.where(cls.id == id).group_by(cls.turn).tuples()

    @classmethod
    def seen_of(cls, id: int) -> str | None:
        """By what a page shows the form with this id to be: how often it was submitted, and saved;
        None where there is no such form.
        """
        return next((f"{turn}.{saved}" for turn, saved in cls.versions_of(id)), None)

    @step(SUBMITTED, after_signing, who=Opened.signs)
    def sign(self, by: User, seen: str | None = None) -> dict[str, str]:
        """The next of those who sign it does. The last one signs what is whole. `seen`: what the
        page showed that was signed (seen_of); None where no page was looked at.
        """
        if seen is not None and seen != self.seen_of(self.id):
            raise Refused(
                f"{self} changed while you were looking at it. Nothing was signed yet. Look at "
                "its sections again, then press."
            )
        for known in ("_sections", "_signed"):  # it may have been returned since it was read
            self.__dict__.pop(known, None)
        ask(Opened.signs, self, by)
        if self.status != self.after_signing():
            raise Refused(
                f"{self} has changed since you opened it. Nothing was signed: look again."
            )
        role = self.next_signer()
        if self.status == COMPLETE and (missing := self.missing(whole=True)):
            raise Refused(f"{self} cannot be signed yet. Still to answer:", links=missing)
        Signature.create(submission=self, role=role, by=by, at=now(), turn=self.turn)
        return {"reason": f"As {role}."}

    def moved(self, event: Any) -> None:
        if self.status == COMPLETE:
            held = any(section.restricted for section in self.sections())
            document = Document.create(event=event, words=self.paper(True), restricted=held)
            Event.write("document:add", document, event.by)

    def recipients(self) -> list[User]:
        """Whoever began it, unless it is about them, and those who sign next."""
        people = {self.begun_by}
        if self.status == SUBMITTED and (role := self.next_signer()):
            rows = User.select().join(UserRole).where(UserRole.role == role, User.active)
            where = [self.setting_id] if self.setting_id else []
            people |= set(rows.where(UserRole.covering(where)))
            if self.about in people:  # then who stands in, who signs instead
                people |= self.readers_of(self.template, self.about, self.setting_id)
        return sorted((one for one in people if one.id != self.about_id), key=lambda one: one.id)

    @starts(*STATUSES, who=Opened.names)
    def name(
        self, person: User, by: User, does: str = READS, until: datetime | None = None
    ) -> "Submission":
        """Name somebody who reads, or reviews, this form besides those whose role does, until a
        moment (UTC) or until they are taken off.
        """
        errors = {}
        if does not in NAMED:
            errors["does"] = "Say whether they read it, or review it."
        if self.shut_to(person):
            errors["person"] = f"{person} cannot be named here."
        elif person.within("submission:read") == set():
            errors["person"] = f"The role of {person} opens no forms. IT changes roles."
        if until and until < now():
            errors["until"] = "This is past."
        if errors:
            raise Refused("Nobody was named.", errors)
        with transaction():
            for row in Reader.now(self):
                if row.user_id == person.id:
                    row.ended_at = now()
                    row.save()
            Reader.create(submission=self, user=person, does=does, until=until, by=by, at=now())
            said = f"{person.label}: {does}" + (f" until {when(until)}" if until else "")
            Notice.announce("submission:name", self, by, [person], assigned=[said])
        return self

    def shut_to(self, person: User) -> bool:
        """Whether it is shut to somebody, whatever is opened to them: it, its incident or its child
        is about them, or theirs.
        """
        if self.incident_id and person.id in ShutOut.of(self.incident_id):
            return True
        return person.id == self.about_id or any(
            child == self.child_id for (child,) in Relation.children_of(person).tuples()
        )

    @starts(*STATUSES, who=Opened.names)
    def unname(self, person: User, by: User) -> "Submission":
        """Take somebody off who was named."""
        with transaction():
            rows = [row for row in Reader.now(self) if row.user_id == person.id]
            if not rows:
                raise Refused(f"{person} is not named here. Nothing was changed.")
            for row in rows:
                row.ended_at = now()
                row.save()
            Event.write("submission:unname", self, by, taken_off=[person])
        return self

    @staticmethod
    def ask_also(template: Template, by: User) -> int:
        """Ask the open forms of this kind, of whatever edition, what this template asks and they
        do not yet; returns in how many there was something new, which nobody is told: whoever sets
        up forms, or whom one is about, would learn that there is one.
        """
        if not template.in_force:
            raise Refused(f"{template} is not in force, so it asks nothing of open forms yet.")
        with transaction():
            rows = (
                Submission.select()
                .join(Template)
                .where(Template.prefix == template.prefix, Submission.status.in_(WRITING))
            )
            asked, changed = template.sections_asked(), []
            for form in rows:
                known = {section.title: section for section in form.sections()}
                more = []
                for section, questions in asked:
                    if section.title in known:
                        more += known[section.title].ask_also(questions)
                if more:
                    changed.append(form)
            if changed:
                Event.write("template:ask_also", template, by, also=changed)
        return len(changed)

    # what it says

    def sections(self) -> list[SubmissionSection]:
        """Its sections in order, with who last saved each. Read once for each object."""
        if "_sections" not in self.__dict__:
            rows = SubmissionSection.select(SubmissionSection, *User.named()).left_outer_join(User)
            rows = rows.where(SubmissionSection.submission == self)
            self.__dict__["_sections"] = list(rows.order_by(SubmissionSection.position))
            for section in self.__dict__["_sections"]:
                section.__rel__["submission"] = self
        return self.__dict__["_sections"]

    def signers(self) -> list[Role]:
        """The roles that sign it, in their order. Read once for each object."""
        if "_signers" not in self.__dict__:
            self.__dict__["_signers"] = Right.of(self.template_id)[SIGNS]
        return self.__dict__["_signers"]

    def signatures(self) -> list[Signature]:
        """The signatures since it was submitted last, in their order."""
        if self.status not in (SUBMITTED, COMPLETE):
            return []
        if "_signed" in self.__dict__:
            return self.__dict__["_signed"]
        rows = Signature.select(Signature, Role, *User.named()).join(Role).switch(Signature)
        rows = rows.join(User).where(Signature.submission == self)
        return list(rows.where(Signature.turn == self.turn).order_by(Signature.id))

    def next_signer(self) -> Role | None:
        """The role that signs next, or None."""
        done, roles = len(self.signatures()), self.signers()
        locked = self.status in (SUBMITTED, COMPLETE)
        return roles[done] if locked and done < len(roles) else None

    def missing(self, whole: bool = False) -> list[tuple[str, SubmissionSection, str]]:
        """What is needed and not answered: [(text, section, anchor)]. whole: also what those who
        review answer, and what is filled in after it was submitted.
        """
        found = []
        for section in self.sections():
            if section.damaged:
                found.append((f"{section}: what it says is damaged", section, ""))
            elif whole or not (section.after or section.restricted):
                found += [
                    (f"{section}: {question['text']}", section, f"q{question['id']}")
                    for question in section.lacking()
                    if whole or not question.get("review")
                ]
        return found

    def by_key(self, restricted: bool = False) -> dict[str, tuple[dict[str, Any], Any]]:
        """{key: (question, answer as people read it)} of all its questions that have a key."""
        return {
            question["key"]: (question, readable(question, section.answers.get(question["id"])))
            for section in self.sections()
            if restricted or not section.restricted
            for question in ([] if section.damaged else section.questions)
            if question.get("key")
        }

    def list_answers(self) -> None:
        """Write anew what the list of such forms shows of it."""
        self.__dict__.pop("_sections", None)
        known = self.by_key()
        rows = []
        for key, (question, answer) in known.items():
            if question.get("listed"):
                values = answer if isinstance(answer, list) else [answer]
                texts = [value_text(one) for one in values if one not in EMPTY] or [""]
                rows += [(key, text) for text in texts]
        rows.append(
            (HEADLINE, self.in_a_line({key: answer for key, (_q, answer) in known.items()}))
        )
        Listed.delete().where(Listed.submission == self).execute()
        Listed.insert_many(
            [{"submission": self, "key": key, "value": text[:200]} for key, text in rows]
        ).execute()

    def in_a_line(self, answers: dict[str, Any]) -> str:
        """Its headline: that of the template, with answers in it; what is not answered is “…”."""
        said = {key: value_text(one) or "…" for key, one in answers.items()}
        headline = self.template.headline or self.template.name
        line = PLACE.sub(lambda found: said.get(found[1], "…"), headline)
        return line if any(map(str.isalnum, line)) else self.template.name  # nothing answered yet

    @classmethod
    def gather_signing(cls, rows: Iterable["Submission"]) -> None:
        """Give each of `rows`, which are only looked at, who signs and who has, in two queries."""
        if not (rows := list(rows)):
            return
        roles: dict[int, list[Role]] = {}
        rights = Right.select(Right, Role).join(Role).where(Right.does == SIGNS)
        for right in rights.where(Right.template.in_({row.template_id for row in rows})).order_by(
            Right.position
        ):
            roles.setdefault(right.template_id, []).append(right.role)
        done = Signature.select(Signature, Role, *User.named()).join(Role).switch(Signature)
        done = done.join(User).where(Signature.submission.in_([row.id for row in rows]))
        signed: dict[tuple[int, int], list[Signature]] = {}
        for one in done.order_by(Signature.id):
            signed.setdefault((one.submission_id, one.turn), []).append(one)
        for row in rows:
            row.__dict__["_signers"] = roles.get(row.template_id, [])
            row.__dict__["_signed"] = signed.get((row.id, row.turn), [])

    @property
    def headline(self) -> str:
        """The same, as it is kept for lists."""
        if "_headline" not in self.__dict__:
            self.gather([self])
        return self.__dict__["_headline"]

    @classmethod
    def gather(cls, rows: Iterable["Submission"], _children: Any = ()) -> None:
        """Give each of `rows` its headline, in one query."""
        if not (rows := list(rows)):
            return
        kept = Listed.select().where(Listed.submission.in_(rows), Listed.key == HEADLINE)
        known = {one.submission_id: one.value for one in kept}
        for row in rows:
            row.__dict__["_headline"] = known.get(row.id, row.reference)

    @property
    def whom(self) -> str:
        """Whom it is about, in words: "" where it stands on nothing."""
        if self.incident_id:
            return f"{self.incident.child}, {self.incident}"
        return str(self.child or self.about or self.about_name or "")

    @property
    def due_at(self) -> datetime | None:
        """When it should be submitted (UTC), or None."""
        days = self.template.due_days
        return self.begun_at + timedelta(days=days) if days else None

    def last_time(self, visible: Callable, by: User) -> "Submission | None":
        """The form of this kind before this one, about the same, that `by` may see; none in a
        register, where each is about something else.
        """
        template = self.template
        if template.stands_on == "nothing" and template.how_many == "any number":
            return None
        rows = visible(Submission, by).join(Template).where(Template.prefix == self.template.prefix)
        for name in ("incident", "child", "about", "about_name", "setting"):
            value = self.__data__[name]
            field = getattr(Submission, name)
            rows = rows.where(field == value if value else field.is_null())
        return rows.where(Submission.id < self.id).order_by(Submission.id.desc()).first()

    def not_asked(self) -> list[Question]:
        """What the edition in force asks and this one does not: it was not asked then."""
        if self.template.in_force:
            return []
        known = {
            question.get("key")
            for section in self.sections()
            for question in ([] if section.damaged else section.questions)
        }
        rows = Question.select(Question).join(TemplateSection).join(Template)
        rows = rows.where(Template.in_force, Template.prefix == self.template.prefix)
        rows = rows.where(~Question.retired, ~TemplateSection.retired, Question.key.is_null(False))
        asked = rows.order_by(TemplateSection.position, Question.position)
        return [question for question in asked if question.key not in known]

    def pattern(self, visible: Callable, by: User) -> list[tuple[str, list[int]]]:
        """How many other forms of this kind there were about the same adult, and at the same
        place, in the last 12 and 24 months, of those that `by` may see: [(what, [n, n])].
        """
        rows = visible(Submission, by).join(Template).where(Template.prefix == self.template.prefix)
        rows = rows.where(Submission.id != self.id)
        if self.about_id:
            same = {"about the same adult": rows.where(Submission.about == self.about_id)}
        else:
            same = {"about the same adult": rows.where(Submission.about_name == self.about_name)}
        question, place = self.by_key().get("place", ({}, None))
        if place and "listed" in question:
            there = Listed.select(Listed.submission).where(
                Listed.key == "place", Listed.value == place
            )
            same[f"at the same place ({place})"] = rows.where(Submission.id.in_(there))
        since = [now() - timedelta(days=365 * months // 12) for months in MONTHS]
        return [
            (what, [some.where(Submission.begun_at >= moment).count() for moment in since])
            for what, some in same.items()
        ]

    def line(self) -> Line:
        """As the chronology has it."""
        return Line(
            self.begun_at,
            self.headline,
            "form",
            self.begun_at,
            self.begun_by,
            [self.reference, f"it is {self.status} now"],
        )

    @classmethod
    def matching(cls, term: str) -> Expression:
        """The search condition: the reference, whom it is about, or what the list shows of it."""
        found = Listed.select(Listed.submission).where(contains(Listed.value, term))
        children = Child.select(Child.id).where(contains(Child.name, term))
        adults = User.select(User.id).where(contains(User.name, term))
        return (
            contains(cls.reference, term)
            | contains(cls.about_name, term)
            | cls.child.in_(children)
            | cls.about.in_(adults)
            | cls.id.in_(found)
        )

    def paper(self, restricted: bool = False, public: bool = False) -> str:
        """The form as the page that becomes its PDF. restricted: with its restricted sections.
        public: only what is meant for the public, and no name.
        """
        letterhead = Setting.letterhead(self.setting)
        if public:
            return pages.get_template("pdf/public.html").render(
                form=self, letterhead=letterhead, sections=self.for_public()
            )
        rows = Event.select().where(Event.subject == self.noun(), Event.record == self.id)
        history = list(rows.where(Event.verb.not_in(LOOKING)).order_by(Event.id))
        for event in history:
            event.closed = not restricted
        signatures = self.signatures()
        html = pages.get_template("pdf/submission.html").render(
            form=self,
            reference=self.reference,
            letterhead=letterhead,
            sections=self.sections(),
            restricted=restricted,
            signatures=signatures,
            not_asked=self.not_asked(),
            enclosures=list(self.enclosures.order_by(Enclosure.id)),
            history=history,
            head=Event.head(),
        )
        people = [Somebody(one.by.name, one.by.job_title, one.at) for one in signatures]
        people += [Somebody(self.begun_by.name, self.begun_by.job_title, self.begun_at)]
        for section in self.sections():
            if who := section.saved_by:
                people.append(Somebody(who.name, who.job_title, section.saved_at))
        return annexed(html, people)

    def for_public(self) -> list[tuple[str, list[tuple[str, Any, list]]]]:
        """What it says to the public: [(section, [(question, answer, [])])]."""
        found = []
        for section in self.sections():
            told: list[tuple[str, Any, list]] = [
                (question["text"], answer, [])
                for question, answer in section.answered()
                if question.get("public") and not section.restricted and answer not in EMPTY
            ]
            if told:
                found.append((section.title, told))
        return found

    def named_in_public(self) -> list[str]:
        """The names of people with an account, and of children, that stand in what it says to the
        public.
        """
        said = [text for _title, rows in self.for_public() for *_question, text, _ in rows]
        words = "\n".join(map(value_text, said))
        every: Any = [*User.select(User.name).tuples(), *Child.select(Child.name).tuples()]
        turned: dict[str, str] = {}  # {a name, or the family name first: the name}
        for (name,) in every:
            first, _space, last = name.rpartition(" ")
            turned |= {f"{last} {first}".strip(): name, name: name}
        found = mentioned(words, turned)
        return list(dict.fromkeys(name for one, name in turned.items() if one in found))


def value_text(value: Any) -> str:
    """An answer as a line of text."""
    if value in EMPTY:
        return ""
    if isinstance(value, list):
        return ", ".join(value_text(one) for one in value)
    return " ".join(str(shown(value)).split())
