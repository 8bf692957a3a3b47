"""The fields of dates and times: text, read as people in Britain write it (models/ground/dates.py).

Times are typed in Europe/London and kept in UTC; in the hour that the clocks show twice, it is
asked which.
"""

from datetime import UTC, date, datetime

from wtforms import fields

from models.ground.clock import LONDON, now
from models.ground.dates import distant, example, read, tidy, written
from models.ground.words import twice, when

CLOCKS = {
    "BST": "the first, before the clocks went back",
    "GMT": "the second, after they went back",
}
HINT = {
    "date": "For example 24/11/2026, today or yesterday.",
    "day, month or year": "For example {example}.",
    "birth": "For example 24/11/2013.",
    "ahead": "For example {example}, tomorrow or Friday.",
    "date and time": "For example 24/11/2026 14:05, today 14:05 or yesterday 9:30.",
}
# no keyboard of digits: a phone's has no slash, colon or space, and words are welcome
TYPED = {"class": "when", "autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}


def shown(moment):
    """The local time that a form shows of a moment (aware): to the minute, without its zone."""
    return moment.astimezone(LONDON).replace(tzinfo=None, second=0, microsecond=0)


def this_day():
    return now().astimezone(LONDON).date()


def day_of(formdata):
    """The day that “today” meant when the page was drawn that sends this: a draft, or a form sent
    again after signing in, may be of another day.
    """
    try:
        drawn = date.fromisoformat((formdata.get("drawn") or "") if formdata else "")
    except ValueError:
        return this_day()
    return min(drawn, this_day())


def unsure(found, kind, today):
    """Whether what was read is to be looked at by its writer first: it is of a page of another day,
    or without a year that is plain.
    """
    return distant(found, kind) or (found.relative and today != this_day())


class Stands(ValueError):
    """What was typed was read, and stands in the field in full, for the writer to say yes to."""

    def __init__(self, typed, full):
        super().__init__(
            f"“{typed}” was read as {full}, which stands here now. If that is right, save again."
        )


def in_utc(found):
    """The moment (UTC) that was read as local, the second of two where its clock is GMT. Raises
    ValueError where the clocks never showed it.
    """
    moment = found.value.replace(tzinfo=LONDON, fold=found.clock == "GMT").astimezone(UTC)
    if shown(moment) != found.value.replace(second=0):
        raise ValueError("This time does not exist: the clocks went forward that night.")
    if found.clock and not twice(found.value) and moment.astimezone(LONDON).tzname() != found.clock:
        raise ValueError(
            f"The clocks did not show {found.clock} then. Type the time that they showed."
        )
    return moment


class TypedField(fields.StringField):
    """A date, or a date and time, as text with an example. `stands`: in full what was typed in
    short, such as today.
    """

    kind, stands = "date", ""

    def __init__(self, label=None, validators=None, description="", **kwargs):
        kwargs.setdefault("render_kw", TYPED)
        hint = HINT[self.kind].format(example=example(self.kind))
        hint = f"{description or ''} {hint}".strip()
        super().__init__(label, validators, description=hint, **kwargs)

    def process(self, formdata, *args, **kwargs):
        self.today, self.stands = day_of(formdata), ""
        super().process(formdata, *args, **kwargs)

    def process_data(self, value):
        self.data = value

    def process_formdata(self, valuelist):
        if not valuelist:
            return
        self.data, text = None, valuelist[0]
        if text and self.alone(text):
            self.data = self.object_data
        elif found := read(text, self.kind, self.today):
            self.stands = written(found.value) if found.relative else ""
            self.data = self.taken(found)
            if unsure(found, self.kind, self.today):
                self.stands = written(found.value)
                raise Stands(text, self.stands)

    def alone(self, text):
        """Whether its writer left alone what is saved, whatever that is; also in a draft or page
        of an earlier version, which wrote dates as ISO does.
        """
        saved = self.object_data
        return isinstance(saved, date) and text in (
            self.written(saved),
            self.local(saved).isoformat()[:16],
        )

    def taken(self, found):
        """The data for what was read."""
        return found.value

    def local(self, value):
        return value

    def written(self, value):
        """A value as the field shows it."""
        return written(self.local(value)) if isinstance(value, date) else ""

    def pre_validate(self, form):
        if self.stands:  # sent: “today” and “now” mean this day and moment from here on
            self.raw_data = [self.stands]

    def _value(self):
        if not self.raw_data:
            return self.written(self.data)
        typed = self.raw_data[0]
        return self.stands if self.stands and tidy(typed) != "now" else typed


class DayField(TypedField):
    """A date."""


class RoughlyField(TypedField):
    """A date or, where no day is known, a month or a year: the data is a date or a Span."""

    kind = "day, month or year"


class AheadField(TypedField):
    """A date that is still to come: when something is due."""

    kind = "ahead"


class BirthField(TypedField):
    """A date of birth: never in the future, and a year of two digits is the one that is past."""

    kind = "birth"


class MomentField(TypedField):
    """A date and time typed in Europe/London, kept in UTC (aware).

    Where the clocks showed it twice, `which` gives the two to choose from; the choice is sent as
    BST or GMT beside the time.
    """

    kind = "date and time"
    # the local time that was there twice, and which of the two it is: BST, GMT, or None where
    # nobody said
    ambiguous, clock = None, None

    def process(self, formdata, *args, **kwargs):
        self.clock = formdata.get(f"{self.name}-clock") if formdata else None
        super().process(formdata, *args, **kwargs)

    def alone(self, text):
        saved = self.object_data
        once = isinstance(saved, datetime) and not twice(shown(saved))
        return once and super().alone(text)  # of the hour that was twice, its text is that of two

    def taken(self, found):
        typed, saved = found.value, self.object_data
        if twice(typed):
            said = {self.clock, found.clock} & CLOCKS.keys()
            found = found._replace(clock=said.pop() if len(said) == 1 else None)
        moment, unsaid = in_utc(found), twice(typed) and not found.clock
        if (
            isinstance(saved, datetime)
            and shown(saved) == typed.replace(second=0)
            and (unsaid or when(saved) == when(moment))
        ):
            return saved  # left alone: a form does not show the seconds
        if unsaid:
            self.ambiguous = typed
            raise ValueError(
                f"The clocks went back that night, and it was {typed:%H:%M} twice. Choose "
                "which of the two it was."
            )
        return moment

    @property
    def which(self):
        """The two times to choose from, as [(clock, label, whether it is chosen)]; none where there
        was one only.
        """
        local = self.ambiguous or (shown(self.data) if isinstance(self.data, datetime) else None)
        if not local or not twice(local):
            return []
        chosen = None if self.ambiguous else f"{self.data.astimezone(LONDON):%Z}"
        return [
            (clock, f"{local:%H:%M} {clock}, {meaning}", clock == chosen)
            for clock, meaning in CLOCKS.items()
        ]

    def local(self, value):
        return shown(value)


def for_cell(text, kind, today):
    """What a cell of a table keeps of what was typed there, as text (dates and times as ISO writes
    them), and what its writer has to look at first, or None. Raises ValueError.
    """
    found = read(text, kind, today)
    if not found or kind == "time":
        return f"{found.value:%H:%M}" if found else "", None
    look = Stands(text, written(found.value)) if unsure(found, kind, today) else None
    if kind == "date":
        return found.value.isoformat(), look
    moment = in_utc(found)
    if isinstance(found.value, datetime) and twice(found.value) and not found.clock:
        raise ValueError(
            f"The clocks went back that night, and it was {found.value:%H:%M} twice. Add BST for "
            "the first or GMT for the second."
        )
    return moment.replace(second=0).isoformat(), look


def in_cell(text, kind):
    """What the form shows of what a cell keeps; what is no date or time there as it is."""
    try:
        if kind == "date":
            return written(date.fromisoformat(text))
        if kind == "date and time":
            local = datetime.fromisoformat(text).astimezone(LONDON)
            return written(shown(local)) + (f" {local:%Z}" if twice(shown(local)) else "")
    except ValueError:
        pass
    return text
