"""What was seen, heard or said. Immutable once submitted: what comes later is a dated addendum."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from peewee import CharField, Expression, ForeignKeyField, TextField, fn

from models.ground.clock import now
from models.ground.composed import composed
from models.ground.database import contains, transaction
from models.ground.fields import Moment, Pick, YesNo
from models.ground.record import Base, Record, Refused
from models.ground.settings import settings
from models.history.event import Event
from models.history.notice import Notice
from models.history.step import starts, step
from models.people.setting import Setting
from models.people.user import User

from .child import Child
from .injury import Injuries, counted_marks, settled
from .line import Line
from .shut_out import ShutOut

HAPPENED = ["Exact", "Approximate", "Not known"]
PARENTS = ["Yes", "Not yet", "Unsafe to tell them", "Advised not to"]
LONG_AGO = timedelta(days=26 * 365)  # young people are supported until they are 25
ABOUT = "The concern is about this adult"
ADULTS_PART = ["Present", ABOUT]
LINKED_WRONGLY = "Linked by mistake: the incident is not about this child"
CLEARED = "Named by mistake: the concern is not about this adult"
GO_ELSEWHERE = (
    "Everyone who would decide on this is named in it. Do not record it here: go to "
    "the chair of governors, or to the LADO of your local authority, today."
)


class Incident(Record):
    belongs, keeps, changes = "id", "submitted", (
        "status", "stage", "child", "setting", "version",
    )  # fmt: skip
    STATUSES = ("no alert", "to decide", "triggered", "not notifiable")
    STAGES = ("new", "acknowledged", "triaged")  # nothing: from before there was triage

    reference = CharField(unique=True, max_length=20, verbose_name="Reference")
    status = CharField(max_length=20, verbose_name="Status")
    stage = Pick(fixed=STAGES, null=True, max_length=20, index=True, verbose_name="Triage")
    reported_by = ForeignKeyField(User, on_delete="RESTRICT", verbose_name="Reported by")
    reported_at = Moment(index=True, verbose_name="Reported")
    setting = ForeignKeyField(  # the child's when it was reported: children move
        Setting, null=True, on_delete="RESTRICT", verbose_name="School or home"
    )

    child = ForeignKeyField(
        Child, on_delete="RESTRICT", verbose_name="Child", help_text="First name and family name."
    )
    other_adults = TextField(
        null=True,
        verbose_name="Other adults present, without an account here",
        help_text="Full names and who they are.",
    )
    noticed_at = Moment(
        default=now,
        verbose_name="When did you notice it?",
        help_text="Change it if it was earlier. Left empty, it is when you save.",
    )
    happened = Pick(fixed=HAPPENED, verbose_name="How exactly do you know when it happened?")
    happened_at = Moment(
        null=True, verbose_name="When did it happen?", help_text="Leave empty if not known."
    )
    place = Pick("place", verbose_name="Where did it happen?")
    place_detail = CharField(
        null=True,
        max_length=200,
        verbose_name="Where exactly",
        help_text="Room, street, app or website.",
    )
    known = Pick("how it is known", verbose_name="How is it known?")

    what_happened = TextField(
        verbose_name="What happened",
        help_text="Facts only: what was seen, heard or said, in order, with full names.",
    )
    child_words = TextField(
        null=True,
        verbose_name="The child’s own words",
        help_text="Word for word, in quotation marks.",
    )
    questions_asked = TextField(
        null=True,
        verbose_name="Questions you asked",
        help_text="Word for word. Open questions only: tell me, explain, describe.",
    )
    words_language = CharField(
        null=True,
        max_length=80,
        verbose_name="Which language",
        help_text="The one in which the child spoke, wrote or signed.",
    )
    interpreter = CharField(
        null=True,
        max_length=200,
        verbose_name="Who interpreted",
        help_text="Full name, and who they are.",
    )
    words_original = TextField(
        null=True,
        verbose_name="The words in that language",
        help_text="Word for word. What stands above is then the translation.",
    )
    wishes = TextField(null=True, verbose_name="The child’s wishes and feelings")
    opinion = TextField(
        null=True,
        verbose_name="Your professional view, and why",
        help_text="Kept apart from the facts.",
    )
    injuries = Injuries(default=list)

    immediate_danger = YesNo(
        verbose_name="Is the child in immediate danger?",
        help_text="If yes: call 999 and tell the DSL in person first.",
    )
    immediate_action = TextField(verbose_name="What was done at once")
    told_dsl = YesNo(null=True, verbose_name="Have you spoken to a DSL?")
    told_whom = CharField(
        null=True, max_length=200, verbose_name="To whom?", help_text="Full name and role."
    )
    told_dsl_at = Moment(null=True, verbose_name="When did you speak to them?")
    parents_told = Pick(
        fixed=PARENTS, null=True, verbose_name="Have the parents or carers been told?"
    )
    parents_why = TextField(null=True, verbose_name="Why, or why not")
    intervention = YesNo(null=True, verbose_name="Was physical intervention used?")

    safeguarding_alert = YesNo(
        verbose_name="Does this incident raise a safeguarding alert?",
        help_text="Yes tells a manager to decide whether a notification is due. It tells nobody "
        "outside.",
    )
    topic = CharField(
        null=True,
        max_length=120,
        verbose_name="Topic in your own words",
        help_text="For example: bruise on arm, message on phone.",
    )

    # of what was written before it stood here: on paper, or by somebody without an account
    written_at = Moment(
        null=True, verbose_name="Written at", help_text="The time that stands on the paper."
    )
    written_by = CharField(
        null=True,
        max_length=250,
        verbose_name="Written by",
        help_text="Full name and role of who wrote it. You are kept as who entered it.",
    )

    GROUPS = {
        "Who": ["child", "others", "adults", "other_adults"],
        "When and where": [
            "noticed_at",
            "happened",
            "happened_at",
            "place",
            "place_detail",
            "known",
        ],
        "What happened": [
            "topic",
            "what_happened",
            "child_words",
            "questions_asked",
            "words_language",
            "interpreter",
            "words_original",
            "wishes",
            "opinion",
            "injuries",
            "files",
        ],
        "What was done": [
            "immediate_danger",
            "immediate_action",
            "told_dsl",
            "told_whom",
            "told_dsl_at",
            "parents_told",
            "parents_why",
            "intervention",
        ],
        "Safeguarding alert": ["safeguarding_alert"],
        "Written before": ["written_at", "written_by"],
    }

    # what is said of one that is needed and was left empty, where its label does not say it well
    UNANSWERED = {
        "happened": "Choose how exactly you know when it happened.",
        "place": "Choose where it happened.",
        "known": "Choose how it is known.",
        "what_happened": "Say what happened, in order.",
    }

    # what a small worry says of what it does not ask, in words that its page shows beforehand
    SMALL = {
        "immediate_danger": False,
        "immediate_action": "Nothing. It was written down as a small worry.",
        "safeguarding_alert": False,
        "happened": HAPPENED[2],
        "place": "Not known",
    }

    class Meta:
        indexes = ((("status", "reported_at"), False), (("place", "status", "reported_at"), False))

    def __str__(self):
        return self.reference

    @classmethod
    def brief(cls) -> tuple:
        """The columns of a line about one among others."""
        return cls.id, cls.reference, cls.topic, cls.status, cls.reported_at

    def parts(self) -> list[Base]:
        return [Incident.get_by_id(self.id), *Involved.rows_of(self), *Addendum.rows_of(self)]

    @classmethod
    def report(
        cls,
        by: User,
        others: Iterable[tuple[Child, str]] = (),
        adults: Iterable[tuple[User, str]] = (),
        **answers: Any,
    ) -> "Incident":
        """Record an incident; `answers` are its fields by name. Tells nobody outside and triggers
        nothing (product, step 1).

        Where it is about an adult with an account, who is shut out from now on, the other Level 5
        are emailed.

        others: [(Child, part)], adults: [(User, part)]. Raises Refused when an answer contradicts
        another.
        """
        answers["noticed_at"] = answers.get("noticed_at") or now()
        earliest, too_early = now().date() - LONG_AGO, "This is more than 26 years ago."
        if by.may("child:read", answers["child"]):  # nobody else learns a date of birth by trying
            earliest, too_early = (
                answers["child"].date_of_birth,
                f"{answers['child']} was not born then.",
            )
        errors = contradictions(answers, earliest, too_early)
        about = {adult for adult, part in adults if part == ABOUT}
        setting = answers["child"].setting_id
        if about and (level_5 := set(User.level_5(setting))) and level_5 <= about:
            errors["adults"] = GO_ELSEWHERE
        if errors:
            raise Refused("The incident was not saved.", errors)
        answers["injuries"] = settled(answers.get("injuries"))
        with transaction():
            incident = cls.create(
                reference=cls.number("INC"),
                status="to decide" if answers["safeguarding_alert"] else "no alert",
                stage="new",
                reported_by=by,
                reported_at=now(),
                setting=setting,
                **answers,
            )
            for child, part in others:
                Involved.create(incident=incident, child=child, part=part)
            for adult, part in adults:
                Involved.create(incident=incident, adult=adult, part=part)
            leave_somebody(incident)
            shut_out = ShutOut.of(incident) if about else ()
            leads = User.level_5(setting) if about else ()
            told = [one for one in leads if one.id not in shut_out]
            Notice.announce("incident:report", incident, by, told)
        return incident

    @starts(*STATUSES)
    def acknowledge(self, by: User) -> "Incident":
        """Somebody of the safeguarding team has it in hand. Pressed again, or by two at once, the
        first stands.
        """
        with transaction():
            fresh = Incident.get_by_id(self.id)
            if fresh.stage == "new":
                fresh.reach("acknowledged")
                Event.write("incident:acknowledge", fresh, by)
        return fresh

    @classmethod
    def alarm(cls) -> int:
        """Email every Level 5 about each incident that nobody has acknowledged in time: once each.
        Returns how many. The delivery asks it every five minutes.
        """
        before = now() - timedelta(hours=settings.acknowledge_hours)
        told = Event.select(Event.id).where(
            Event.subject == cls.noun(), Event.record == cls.id, Event.verb == "incident:alarm"
        )
        late = cls.select().where(cls.stage == "new", cls.reported_at < before, ~fn.EXISTS(told))
        found = list(late.order_by(cls.id).limit(100))
        for incident in found:
            with transaction():
                if Event.last(incident, "incident:alarm"):
                    continue  # another process was first
                shut_out = ShutOut.of(incident)
                level_5 = User.level_5(incident.setting_id)
                people = [one for one in level_5 if one.id not in shut_out]
                Notice.announce("incident:alarm", incident, None, people)
        return len(found)

    def reach(self, stage: str) -> None:
        """Move it on in its triage: "acknowledged", or "triaged", from which nothing leads back."""
        self.stage = stage
        self.save()

    @classmethod
    def concerning(cls, child: "Child | int") -> Any:
        """A query of the ids of the incidents to which `child` is linked, in whatever part."""
        linked = Involved.select(Involved.incident).where(Involved.child == child)
        later = Involved.alias()
        undone = later.select(later.id).where(
            later.incident == Involved.incident, later.child == child, later.id > Involved.id
        )
        linked = linked.where(Involved.part != LINKED_WRONGLY)
        linked = linked.where(~fn.EXISTS(undone.where(later.part == LINKED_WRONGLY)))
        return cls.select(cls.id).where(cls.child == child) | linked

    @classmethod
    def lies(cls, within: set[int] | None, column: Any) -> Any:
        """The condition that the incident whose id stands in `column` is of one of the schools and
        homes `within` (ids); of any, or none, for None.
        """
        if within is None:
            return column.is_null(False)
        if not within:
            return column.in_(())
        one = cls.alias()
        return fn.EXISTS(one.select(one.id).where(one.id == column, one.setting.in_(within)))

    @classmethod
    def where_may(cls, query: Any, by: User, permission: str) -> Any:
        """`query`, of rows of incidents that `by` sees, without those where they have no
        `permission`.
        """
        within = by.within(permission)
        if within is None:
            return query
        return query.where(query.model.among(lambda column: cls.lies(within, column)))

    @classmethod
    def waiting(cls) -> Expression:
        """The condition that an incident waits for its triage."""
        return cls.stage.in_(("new", "acknowledged"))

    @starts(*STATUSES)
    def correct_child(self, wrong: Child, child: Child, reason: str, by: User) -> "Incident":
        """A wrong child was linked: `wrong` is replaced by `child`. What was submitted stays in the
        history, and an addendum says so.
        """
        with transaction():
            fresh = Incident.get_by_id(self.id)
            others = {one.child_id: one.part for one in Involved.of(fresh) if one.child_id}
            if (
                wrong.id != fresh.child_id
                and others.get(wrong.id, LINKED_WRONGLY) == LINKED_WRONGLY
            ):
                raise Refused("Nothing was changed.", {"wrong": f"{wrong} is not linked to this."})
            if child.id == fresh.child_id or others.get(child.id, LINKED_WRONGLY) != LINKED_WRONGLY:
                raise Refused(
                    "Nothing was changed.", {"child": f"{child} is linked to it already."}
                )
            changed = {}
            if wrong.id == fresh.child_id:
                changed = fresh.set(child=child, setting=child.setting)
                fresh.save()
            else:
                Involved.create(incident=fresh, child=wrong, part=LINKED_WRONGLY)
                Involved.create(incident=fresh, child=child, part=others[wrong.id])
            leave_somebody(fresh)
            # whoever reported it reads this, and a date of birth only where nothing else helps
            right, other = (
                one.in_full if child.short == wrong.short else one.short for one in (child, wrong)
            )
            said = f"This is about {right}, not about {other}. {reason}"
            Addendum.add(fresh, by, said)
            Event.write("incident:correct_child", fresh, by, changed, reason=reason)
        return fresh

    @step(STATUSES, lambda incident: incident.status)
    def amend(self, text: str, by: User, injuries: Iterable[dict] = ()) -> None:
        Addendum.add(self, by, text, injuries)

    @step("no alert", "to decide")
    def raise_alert(self, reason: str, by: User) -> dict[str, Any]:
        Addendum.add(self, by, f"Safeguarding alert changed from No to Yes. {reason}")
        return {"reason": reason}

    @step("to decide", "no alert")
    def withdraw_alert(self, reason: str, by: User) -> dict[str, Any]:
        Addendum.add(self, by, f"Safeguarding alert changed from Yes to No. {reason}")
        return {"reason": reason}

    @step("to decide", "not notifiable")
    def not_notifiable(self, reason: str, by: User) -> dict[str, Any]:
        """Considered, not notified, because…: a record in its own right."""
        return {"reason": reason}

    @step("not notifiable", "to decide")
    def reconsider(self, reason: str, by: User) -> dict[str, Any]:
        return {"reason": reason}

    def line(self) -> Line:
        """As the chronology has it. Where nobody knows when it happened, it stands where it was
        noticed.
        """
        noticed = "" if self.happened_at else f"noticed then; {self.happened.lower()} when it was"
        return Line(
            self.happened_at or self.noticed_at,
            self.topic or f"{self.place}: {self.reference}",
            "incident",
            self.reported_at,
            f"reported by {self.reporter}",
            [noticed, self.place, self.reference, counted_marks(self.injuries)],
            source=f"{self.reporter}, {self.reference}",
            action=self.immediate_action,
        )

    @property
    def reporter(self) -> str:
        """Who reported it: who wrote it first, and who entered that."""
        if self.written_by:
            return f"{self.written_by}, entered by {self.reported_by}"
        return str(self.reported_by)

    @property
    def acknowledge_by(self) -> datetime:
        """When somebody should have it in hand (UTC): a setting of the school."""
        return self.reported_at + timedelta(hours=settings.acknowledge_hours)

    @property
    def due_at(self) -> datetime:
        """When Ofsted should have been told of it (UTC), were it notifiable: the clock runs from
        the report, so the decision cannot wait longer.
        """
        return self.reported_at + timedelta(hours=settings.notify_hours)

    @property
    def alert(self) -> bool:
        """The answer as it stands now; `safeguarding_alert` is the answer as it was submitted."""
        return self.status != "no alert"

    @classmethod
    def matching(cls, term: str) -> Expression:
        """The search condition: reference, child, topic or what happened."""
        children = Child.select(Child.id).where(contains(Child.name, term))
        return (
            contains(cls.reference, term)
            | cls.child.in_(children)
            | contains(cls.topic, term)
            | contains(cls.what_happened, term)
        )


def contradictions(answers: dict[str, Any], earliest: date, too_early: str) -> dict[str, str]:
    """Which answers of a report contradict each other, or cannot be: {field: sentence}. earliest:
    the first day that can be meant; `too_early` says why.
    """
    errors: dict[str, str] = {}
    for name in ("noticed_at", "happened_at", "told_dsl_at", "written_at"):
        if answers.get(name) and answers[name] > now():
            errors[name] = "This is in the future. Give the time it was, or leave it out."
        if answers.get(name) and answers[name].date() < earliest:
            errors[name] = f"{too_early} Give the time it was, or leave it out."
    if answers.get("happened") != HAPPENED[2] and not answers.get("happened_at"):
        errors["happened_at"] = "Say when it happened, or choose “Not known” above."
    if answers.get("happened") == HAPPENED[2] and answers.get("happened_at"):
        errors["happened_at"] = (
            "This gives a time, but “Not known” is chosen above. Change one of them."
        )
    if answers.get("happened_at") and answers["happened_at"] > answers["noticed_at"]:
        errors.setdefault("noticed_at", "This is before it happened. Give the time you noticed it.")
    if answers.get("told_dsl") is False and (
        answers.get("told_whom") or answers.get("told_dsl_at")
    ):
        errors.setdefault("told_dsl", "You say below to whom, or when: answer Yes, or empty that.")
    written_at, written_by = answers.get("written_at"), answers.get("written_by")
    if written_by and not written_at:
        errors["written_at"] = "Give the time that stands on the paper."
    if written_at and not written_by:
        errors["written_by"] = "Give the name of who wrote it, and their role."
    noticed_at = answers.get("noticed_at")
    if written_at and noticed_at and noticed_at > written_at:
        errors.setdefault(
            "noticed_at", "This is after it was written. Give the time that stands on the paper."
        )
    return errors


class OfIncident(Record, abstract=True):
    """What is of one incident: need to know is decided there, so whoever may not see it sees none
    of these rows either.

    Shut, with all that follows, to the adult whom it is about. The base gives the foreign key,
    its_incident(), its_setting(), parts() and the rule of models/policy.py; a noun of its own needs
    a line only where it opens less than its incident: `opens`, the permission that it asks as well.
    """

    opens: str | None = None

    belongs = "incident"
    incident = ForeignKeyField(
        Incident, backref=lambda key: f"{key.model.noun()}s", on_delete="RESTRICT"
    )

    @classmethod
    def narrower(cls) -> set[str]:
        """The nouns that open less than their incident: see Base.narrowed."""
        every: list[Any] = cls.every()
        return {model.noun() for model in every if model.opens}

    @classmethod
    def narrowed(cls, rows: Any, by: User) -> Any:
        return Incident.where_may(rows, by, cls.opens) if cls.opens else rows

    @classmethod
    def shown_of(cls, incident: int) -> list[Any]:
        """Those of one incident (an id), with what a page says of them beside it."""
        return cls.rows_of(incident)

    @classmethod
    @composed
    def rows_of(cls, incident: Any) -> Any:
        """Those of one incident, in their order."""
        return cls.select().where(cls.incident == incident).order_by(cls.id)


class Involved(OfIncident):
    """Another child, or an adult with an account, and their part in an incident."""

    keeps, part_of = "fixed", "incident"
    no_line = "the part stands in the line of the incident"

    child = ForeignKeyField(Child, null=True, on_delete="RESTRICT", verbose_name="Child")
    adult = ForeignKeyField(User, null=True, on_delete="RESTRICT", verbose_name="Adult")
    part = CharField(max_length=60, verbose_name="Part")

    @classmethod
    def of(cls, incident: Any) -> list["Involved"]:
        """Everyone involved, with their names, in one query; no child who was linked by mistake."""
        return cls.linked(cls.all_of(incident))

    @classmethod
    def linked(cls, rows: Iterable["Involved"]) -> list["Involved"]:
        """Of the rows of one incident, in order, those that stand."""
        rows = list(rows)
        stand = {row.child_id: row.id for row in rows if row.child_id}
        wrong = {row.child_id for row in rows if row.part == LINKED_WRONGLY}
        return [
            row
            for row in rows
            if row.child_id not in wrong
            or (row.id == stand[row.child_id] and row.part != LINKED_WRONGLY)
        ]

    @classmethod
    @composed
    def all_of(cls, incident):
        rows = cls.select(cls, Child, *User.named()).left_outer_join(Child).switch(cls)
        rows = rows.left_outer_join(User).where(cls.incident == incident)
        return rows.order_by(cls.id)

    @classmethod
    @composed
    def called(cls, incidents: Any) -> Any:
        """Of several incidents (a list of ids): whether the concern is about an adult."""
        rows = cls.select(cls.incident, cls.adult, cls.part).where(cls.incident.in_(incidents))
        return rows.where(cls.part.in_((ABOUT, CLEARED))).order_by(cls.id)

    @classmethod
    def named(cls, rows: Iterable["Involved"]) -> list[Any]:
        """The adults whom the concern is about, by the rows of one incident, in order."""
        latest = {row.adult: row.part for row in rows if row.part in (ABOUT, CLEARED)}
        return [adult for adult, part in latest.items() if part == ABOUT]


def shut_words(person: User, incident: Incident) -> str:
    """That `person` is shut out of `incident`, in a sentence: of a relative, or of whoever is named
    elsewhere in the case, it is not said that the concern is about them.
    """
    if person in Involved.named(Involved.all_of(incident)):
        return f"The concern is about {person}, who may not see it."
    return f"{person} is shut out of it: as a relative, or by another incident of the case."


def leave_somebody(incident: "Incident | int") -> None:
    """Raise Refused where every Level 5 is shut out of `incident`, or of one that stands in a case
    with it: nobody would decide on it.
    """
    id = getattr(incident, "id", incident)
    link = Incident.links.rel_model  # type: ignore[attr-defined]  # what leads back to a case's Link
    now_there = link.select().where(link.ended_at.is_null())
    cases = now_there.select(link.case).where(link.incident == id)
    beside = now_there.select(link.incident).where(link.case.in_(cases))
    here = (ShutOut.incident == id) | ShutOut.incident.in_(beside)
    shut_out: dict[int, set[int]] = {}
    pairs: Any = ShutOut.select(ShutOut.incident, ShutOut.user).where(here).tuples()
    for one, user in pairs:
        shut_out.setdefault(one, set()).add(user)
    if not shut_out:
        return  # as with most: nothing else is asked
    level_5: dict[int | None, set[int]] = {}
    for one in Incident.select(Incident.id, Incident.setting).where(
        Incident.id.in_(list(shut_out))
    ):
        where = one.setting_id
        if where not in level_5:
            level_5[where] = {person.id for person in User.level_5(where)} or {0}
        if shut_out[one.id] >= level_5[where]:
            raise Refused(GO_ELSEWHERE)


class Addendum(OfIncident):
    keeps, part_of = "fixed", "incident"

    by = ForeignKeyField(User, on_delete="RESTRICT")
    at = Moment()
    text = TextField(verbose_name="Addendum")
    injuries = Injuries(null=True)

    def line(self) -> Line:
        """As the chronology has it."""
        facts = [self.incident.reference, counted_marks(self.injuries)]
        return Line(self.at, self.text, "added later", self.at, self.by, facts)

    @classmethod
    def add(
        cls, incident: Incident, by: User, text: str, injuries: Iterable[dict] = ()
    ) -> "Addendum":
        rows = settled(injuries) or None
        return cls.create(incident=incident, by=by, at=now(), text=text, injuries=rows)

    @classmethod
    @composed
    def of(cls, incident: Any) -> Any:
        rows = cls.select(cls, *User.named()).join(User)
        return rows.where(cls.incident == incident).order_by(cls.id)
