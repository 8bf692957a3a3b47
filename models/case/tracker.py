"""The safeguarding tracker of a log: sections that keep the questions they were begun with, and
their answers.
"""

from typing import Any

from peewee import ForeignKeyField

from models.ground.clock import now
from models.ground.composed import composed
from models.ground.database import transaction
from models.ground.fields import Moment
from models.ground.record import Record
from models.history.event import Event
from models.history.notice import Notice
from models.history.step import claim, starts
from models.people.user import User

from .asked import Asked
from .line import Line
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

    def line(self) -> Line:
        """As the chronology has it: that it was begun, never what it says."""
        facts = [str(self.log or "")]
        return Line(
            self.begun_at, "Safeguarding tracker begun", "form", self.begun_at, self.begun_by, facts
        )

    @classmethod
    @starts("open")
    def begin(cls, log: Log, by: User) -> "Tracker":
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
                begun = Section.pin(position, section, questions)
                begun.tracker = tracker
                begun.save()
            Notice.announce(
                "tracker:begin",
                tracker,
                by,
                log.recipients(),
                {"status": ("open", "tracking")},
                about=log,
                also=[log, *tracker.in_order()],
                template=template.name,
            )
        return tracker

    @classmethod
    @composed
    def of(cls, log: Any) -> Any:
        """The tracker of a log, or none, with its template and who began it, in one query."""
        rows = cls.select(cls, Template, *User.named()).join(Template).switch(cls).join(User)
        return rows.where(cls.log == log)

    def in_order(self) -> list["Section"]:
        """The sections in order, with who last saved each, in one query."""
        return Section.of(self)

    def missing(self) -> list[tuple[str, "Section", str]]:
        """Required questions without an answer: [(text, section, anchor)]."""
        found = []
        for section in self.in_order():
            if section.damaged:
                found.append((f"{section}: what it says is damaged", section, ""))
                continue
            found += [
                (f"{section}: {question['text']}", section, f"q{question['id']}")
                for question in section.lacking()
            ]
        return found


class Section(Asked):
    """A section of the safeguarding tracker of a log."""

    belongs, keeps = "tracker", "submitted"
    no_line = "its tracker has one"
    changes = ("answers", "saved_by", "saved_at", "version")

    tracker = ForeignKeyField(Tracker, backref="sections", on_delete="RESTRICT")

    @classmethod
    @composed
    def of(cls, tracker: Any) -> Any:
        rows = cls.select(cls, *User.named()).left_outer_join(User)
        return rows.where(cls.tracker == tracker).order_by(cls.position)

    def fills_in(self, by: User) -> bool:
        """Only those who read every Ofsted log, are assigned to this one, or with whom its incident
        is shared, fill in its sections.
        """
        if by.may("log:read_all", self):  # not in an emergency: that is for reading
            return True
        theirs = Log.id.in_(Assignee.logs_of(by)) | Log.incident.in_(Share.incidents_of(by))
        return Log.select().where(Log.id == self.tracker.log_id, theirs).exists()

    @starts(who=fills_in)
    def save_answers(self, answers: dict[str, Any], by: User) -> Any:
        """Save answers, as for Asked.take. Refused once the log is completed."""
        with transaction():
            self.tracker.log.stay_open()
            changed = self.take(answers, by)
            Event.write("section:save", self, by, changed, restricted=self.restricted)
