"""What a section of a form asks and what was answered: of a safeguarding tracker, and of any other
form that the school keeps.
"""

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from datetime import date, datetime
from typing import Any

from peewee import CharField, ForeignKeyField, IntegerField, TextField

from models.ground.clock import now
from models.ground.database import DAMAGED
from models.ground.fields import Json, Moment, YesNo
from models.ground.record import Record, Refused
from models.ground.words import shown
from models.history.event import plain
from models.people.user import User

from .choice import Choice
from .template import ORGANISATION, columns

EMPTY: tuple[Any, ...] = (None, "", [])  # what is no answer
SEVERAL = ("table of rows", "several of a list")  # the kinds whose answer is a list


class Asked(Record, abstract=True):
    """What one section of a tracker, or of another form, asked, and what was answered.

    A question may follow from an earlier one (`depends`). Once that one is answered otherwise, it
    is not asked: not needed, and neither shown nor printed, for what does not apply would only
    mislead whoever reads the paper. But an answer that it had already is evidence of what
    somebody believed and wrote: it stays in the row, which the history vouches for, and is back as
    soon as the earlier answer is changed again; whoever saves is told so. As long as the earlier
    question is not answered at all, nothing is hidden: nobody has said that it does not apply.
    """

    position = IntegerField()
    title = CharField(max_length=120)
    help = TextField(default="")
    restricted = YesNo(default=False)
    questions = Json()
    answers = Json(default=dict)
    saved_by = ForeignKeyField(User, null=True, on_delete="RESTRICT")
    saved_at = Moment(null=True)
    shows = CharField(max_length=40, null=True)  # besides its questions; see TemplateSection

    def __str__(self):
        return f"{self.position} {self.title}"

    def follows(self, question: dict[str, Any]) -> bool | None:
        """Whether what the question follows from was answered so: True, False, or None as long as
        that is not answered.
        """
        depends = question.get("depends")
        if not depends:  # as most: a page asks it a hundred times
            return True
        earlier = self.questions[: self.questions.index(question)]
        on = next((one for one in earlier if one["id"] == depends["on"]), None)
        if not on:
            return True
        applies, given = self.follows(on), self.answers.get(on["id"])
        if applies is False:
            return False
        if given in EMPTY:
            return None
        if isinstance(given, bool):
            given = "Yes" if given else "No"
        met = {given} if isinstance(given, str) else set(given)
        return applies if met & set(depends["answers"]) else False

    def set_aside(self) -> list[dict[str, Any]]:
        """The questions that do not apply, and were answered all the same."""
        return [
            question
            for question in self.questions
            if self.follows(question) is False and self.answers.get(question["id"]) not in EMPTY
        ]

    @classmethod
    def pin(cls, position: int, section: Any, questions: Iterable[Any]) -> Any:
        """A section of a template as a tracker that is begun now has it; not saved, and of no
        tracker yet.
        """
        return cls(
            position=position,
            title=section.title,
            help=section.help,
            restricted=section.restricted,
            shows=section.shows,
            questions=[question.pinned() for question in questions],
        )

    def lacks(self, question: dict[str, Any]) -> bool:
        """Whether it is needed and not answered; what does not apply, or does not yet, is not
        needed.
        """
        empty = self.answers.get(question["id"]) in EMPTY
        return question["required"] and empty and self.follows(question) is True

    def lacking(self) -> list[dict[str, Any]]:
        return [question for question in self.questions if self.lacks(question)]

    @property
    def progress(self) -> tuple[int, int, list[str]]:
        """How far it is: (answers given, answers needed, [the questions still to answer])."""
        if self.damaged:
            return 0, 0, []
        asked = [question for question in self.questions if self.follows(question) is True]
        needed = sum(bool(question["required"]) for question in asked)
        lacking = [question["text"] for question in self.lacking()]
        return needed - len(lacking), needed, lacking

    @property
    def unfinished(self) -> int:
        """How many answers it still needs; one where it cannot be read."""
        return 1 if self.damaged else len(self.progress[2])

    @property
    def damaged(self) -> bool:
        """Whether its questions or answers can no longer be read."""
        return DAMAGED in self.questions or DAMAGED in self.answers

    @property
    def status(self) -> str:
        """Derived, never stored: damaged, not started, in progress, or complete when every required
        question is answered.
        """
        if self.damaged:
            return "damaged"
        if not self.saved_at:
            return "not started"
        return "in progress" if self.lacking() else "complete"

    def take(self, answers: dict[str, Any], by: User) -> dict[str, tuple]:
        """Save answers {question id: value}, half-finished or not; returns {question: (before,
        after)} of what changed. Called in a transaction, by what asks whether `by` may. TypeError
        for what cannot be an answer.
        """
        self.stay_whole()
        old, asked = self.answers, self.told_apart()
        new = {
            key: plain(value)
            for key, value in answers.items()
            if key in asked and value not in EMPTY
        }
        for question in self.questions:
            several = question["kind"] in SEVERAL
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
        return changed

    def told_apart(self) -> dict[str, str]:
        """{question id: its text}; where several of the section have one text (“Evidence”, of each
        standard), behind that of the question that it belongs to, or the history would keep one of
        them.
        """
        often = Counter(one["text"] for one in self.questions)
        named: dict[str, str] = {}
        before = ""
        for number, one in enumerate(self.questions, 1):
            text = one["text"]
            if often[text] == 1:
                before = text
            else:
                text = f"{before} {text}".strip()
            named[one["id"]] = f"{text} ({number})" if text in named.values() else text
        return named

    def stay_whole(self) -> None:
        """Raise Refused when it is damaged: what is saved now would take the place of what could be
        brought back.
        """
        if self.damaged:
            raise Refused(
                "This section is damaged. IT brings it back from a backup. Nothing was saved."
            )

    def answered(self) -> list[tuple[dict[str, Any], Any]]:
        """[(question, answer)] for showing, of those that apply, with dates and times as Python
        values, without headings and files; of a damaged one what is left, as it stands.
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
            (question, readable(question, self.answers.get(question["id"])))
            for question in self.questions
            if question["kind"] not in ("heading", "file") and self.follows(question) is not False
        ]


def readable(question: dict[str, Any], value: Any) -> Any:
    """The answer to a pinned question for showing: the dates and times in the cells of a table as
    people read them.
    """
    if question["kind"] == ORGANISATION and value:
        became = Choice.became(ORGANISATION, value)
        return f"{value} (now {became})" if became else value
    if question["kind"] == "money" and value:
        return f"£{value}"
    if question["kind"] != "table of rows" or not value:
        return as_kind(question["kind"], value)
    kinds = {one.name: one.kind for one in columns(question)}
    return [
        {name: shown(as_kind(kinds.get(name), cell)) for name, cell in row.items()} for row in value
    ]


def as_kind(kind: str | None, value: Any) -> Any:
    """An answer as stored (JSON) turned into what its kind means; a date that is damaged stays as
    it is.
    """
    with suppress(ValueError):
        if value and kind == "date":
            return date.fromisoformat(value)
        if value and kind == "date and time":
            return datetime.fromisoformat(value)
    return value
