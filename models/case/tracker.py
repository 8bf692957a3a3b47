"""The safeguarding tracker of a log: sections that keep the questions they were begun with, and
their answers.
"""

from contextlib import suppress
from datetime import date, datetime

from peewee import CharField, ForeignKeyField, IntegerField, TextField

from models.ground.clock import now
from models.ground.database import DAMAGED, transaction
from models.ground.fields import Json, Moment, YesNo
from models.ground.record import Record, Refused
from models.history.event import Event, plain
from models.history.notice import Notice
from models.history.step import claim, starts
from models.people.user import User

from .log import Assignee, Log
from .sharing import Share
from .template import Template


class Tracker(Record):
    belongs, keeps = "log", "fixed"

    log = ForeignKeyField(Log, unique=True, backref="tracker", on_delete="RESTRICT")
    template = ForeignKeyField(Template, on_delete="RESTRICT")
    begun_by = ForeignKeyField(User, on_delete="RESTRICT", verbose_name="Begun by")
    begun_at = Moment(verbose_name="Begun")

    def __str__(self):
        return f"tracker of {self.log}"

    @classmethod
    @starts("open")
    def begin(cls, log, by):
        """Create the log's one tracker from the template in force, pinning every question. Pressed
        twice, or by two: the same tracker.
        """
        with transaction():
            if tracker := cls.get_or_none(cls.log == log):
                return tracker
            template = Template.current()
            claim(log, ("open",), "tracking")
            tracker = cls.create(log=log, template=template, begun_by=by, begun_at=now())
            for position, (section, questions) in enumerate(template.sections_asked(), 1):
                Section.create(
                    tracker=tracker,
                    position=position,
                    title=section.title,
                    help=section.help,
                    restricted=section.restricted,
                    questions=[question.pinned() for question in questions],
                )
            Notice.announce(
                "tracker:begin",
                tracker,
                by,
                log.told(),
                {"status": ("open", "tracking")},
                about=log,
                also=[log, *tracker.in_order()],
                template=template.name,
            )
        return tracker

    def in_order(self):
        """The sections in order, with who last saved each, in one query."""
        return list(
            self.sections.select(Section, *User.named())
            .left_outer_join(User)
            .order_by(Section.position)
        )

    def missing(self):
        """Required questions without an answer: [(text, section, anchor)]."""
        found = []
        for section in self.in_order():
            if section.damaged:
                found.append((f"{section}: what it says is damaged", section, ""))
                continue
            lacking = [question for question in section.questions if section.lacks(question)]
            found += [
                (f"{section}: {question['text']}", section, f"q{question['id']}")
                for question in lacking
            ]
        return found


class Section(Record):
    belongs, keeps = "tracker", "submitted"
    changes = ("answers", "saved_by", "saved_at", "version")

    tracker = ForeignKeyField(Tracker, backref="sections", on_delete="RESTRICT")
    position = IntegerField()
    title = CharField(max_length=120)
    help = TextField(default="")
    restricted = YesNo(default=False)
    questions = Json()
    answers = Json(default=dict)
    saved_by = ForeignKeyField(User, null=True, on_delete="RESTRICT")
    saved_at = Moment(null=True)

    def __str__(self):
        return f"{self.position} {self.title}"

    def lacks(self, question):
        return question["required"] and self.answers.get(question["id"]) in (None, "", [])

    @property
    def damaged(self):
        """Whether its questions or answers can no longer be read."""
        return DAMAGED in self.questions or DAMAGED in self.answers

    @property
    def status(self):
        """Derived, never stored: damaged, not started, in progress, or complete when every required
        question is answered.
        """
        if self.damaged:
            return "damaged"
        if not self.saved_at:
            return "not started"
        return (
            "in progress"
            if any(self.lacks(question) for question in self.questions)
            else "complete"
        )

    def fills_in(self, by):
        """Only those who read every Ofsted log, are assigned to this one, or with whom its incident
        is shared, fill in its sections.
        """
        if by.may("log:read_all"):  # not in an emergency: that is for reading
            return True
        theirs = Log.id.in_(Assignee.logs_of(by)) | Log.incident.in_(Share.incidents_of(by))
        return Log.select().where(Log.id == self.tracker.log_id, theirs).exists()

    @starts(who=fills_in)
    def save_answers(self, answers, by):
        """Save answers {question id: value}, half-finished or not. Refused once the log is
        completed; TypeError for what cannot be an answer.
        """
        with transaction():
            self.tracker.log.stay_open()
            self.stay_whole()
            old, asked = (
                self.answers,
                {question["id"]: question["text"] for question in self.questions},
            )
            new = {
                key: plain(value)
                for key, value in answers.items()
                if key in asked and value not in (None, "", [])
            }
            for question in self.questions:
                several = question["kind"] in ("table of rows", "several of a list")
                if question["id"] in new and several != isinstance(new[question["id"]], list):
                    raise TypeError(
                        f"An answer to “{question['text']}” ({question['kind']}) cannot be "
                        f"{type(new[question['id']]).__name__}."
                    )
            changed = {
                asked[key]: (old.get(key), new.get(key))
                for key in asked
                if old.get(key) != new.get(key)
            }
            self.answers, self.saved_by, self.saved_at = new, by, now()
            self.save()
            Event.write("section:save", self, by, changed, restricted=self.restricted)

    def stay_whole(self):
        """Raise Refused when it is damaged: what is saved now would take the place of what could be
        brought back.
        """
        if self.damaged:
            raise Refused(
                "This section is damaged. IT brings it back from a backup. Nothing was saved."
            )

    def answered(self):
        """[(question, answer)] for showing, with dates and times as Python values; of a damaged one
        what is left, as it stands.
        """
        if self.damaged:
            whole = {
                "id": "",
                "help": "",
                "kind": "long text",
                "required": False,
                "source": "",
                "choices": [],
            }
            return [
                (whole | {"text": f"{DAMAGED} {name}"}, str(getattr(self, name)))
                for name in ("questions", "answers")
            ]
        return [
            (question, typed(question["kind"], self.answers.get(question["id"])))
            for question in self.questions
        ]


def typed(kind, value):
    """An answer as stored (JSON) turned into what its kind means; a date that is damaged stays as
    it is.
    """
    with suppress(ValueError):
        if value and kind == "date":
            return date.fromisoformat(value)
        if value and kind == "date and time":
            return datetime.fromisoformat(value)
    return value
