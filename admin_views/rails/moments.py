"""The field of a date and time: typed in Europe/London, kept in UTC; in the hour that the clocks
show twice, it asks which.
"""

from datetime import UTC, datetime

from wtforms import fields

from models.ground.clock import LONDON
from models.ground.words import twice, when

CLOCKS = {
    "BST": "the first, before the clocks went back",
    "GMT": "the second, after they went back",
}


def shown(moment):
    """The local time that a form shows of a moment (aware): to the minute, without its zone."""
    return moment.astimezone(LONDON).replace(tzinfo=None, second=0, microsecond=0)


class MomentField(fields.DateTimeLocalField):
    """A date and time typed in Europe/London, kept in UTC (aware).

    Where the clocks showed it twice, `which` gives the two to choose from; the choice is sent as
    BST or GMT beside the time.
    """

    ambiguous, clock = (
        None,
        None,
        # the local time that was there twice, and which of the two it is: BST, GMT, or None where
        # nobody said
    )

    def __init__(self, *args, **kwargs):
        super().__init__(
            *args, format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%d/%m/%Y %H:%M"], **kwargs
        )

    def process(self, formdata, *args, **kwargs):
        self.clock = formdata.get(f"{self.name}-clock") if formdata else None
        super().process(formdata, *args, **kwargs)

    def process_formdata(self, valuelist):
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(
                "This is not a date and time. Write it like 22/11/2026 14:05."
            ) from None
        if self.data:
            typed, saved = self.data, self.object_data
            self.data = typed.replace(tzinfo=LONDON, fold=self.clock == "GMT").astimezone(UTC)
            if shown(self.data) != typed.replace(second=0):
                raise ValueError("This time does not exist: the clocks went forward that night.")
            unsaid = twice(typed) and self.clock not in CLOCKS
            if (
                isinstance(saved, datetime)
                and shown(saved) == typed.replace(second=0)
                and (unsaid or when(saved) == when(self.data))
            ):
                self.data = saved  # left alone: a form does not show the seconds
            elif unsaid:
                self.ambiguous = typed
                raise ValueError(
                    f"The clocks went back that night, and it was {typed:%H:%M} twice. Choose "
                    "which of the two it was."
                )

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

    def _value(self):
        if self.raw_data:
            return " ".join(self.raw_data)
        return (
            shown(self.data).isoformat(timespec="minutes")
            if isinstance(self.data, datetime)
            else ""
        )
