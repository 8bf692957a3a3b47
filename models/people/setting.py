"""The homes or schools of one installation, where there are several."""

from typing import NamedTuple

from peewee import CharField, TextField

from models.ground.fields import YesNo
from models.ground.record import NoIncident, Record
from models.ground.settings import settings


class Letterhead(NamedTuple):
    """What stands at the head of a paper, and on the Ofsted log."""

    name: str
    urn: str
    address: str
    phone: str


class Setting(Record):
    """A school or home. With none, or one, nothing of it is seen, and the settings of the
    installation say what the school is called.

    A child and an incident are of one, a role is given for one or for all. What is of none is for
    those whose role is given for all.
    """

    belongs, keeps = NoIncident("the schools and homes themselves"), "rows"

    name = CharField(unique=True, max_length=120, verbose_name="Name")
    urn = CharField(default="", max_length=20, verbose_name="URN")
    address = TextField(default="", verbose_name="Address")
    telephone = CharField(default="", max_length=40, verbose_name="Telephone")
    retired = YesNo(
        default=False,
        verbose_name="Retired?",
        help_text="A retired one is no longer offered. What is of it stays.",
    )

    def __str__(self):
        return self.name

    @property
    def reference(self) -> str:
        """What an email calls it."""
        return self.name

    @staticmethod
    def letterhead(setting: "Setting | None") -> Letterhead:
        """What a paper of `setting` has at its head; of none, what was set for the installation."""
        if setting:
            return Letterhead(setting.name, setting.urn, setting.address, setting.telephone)
        return Letterhead(settings.school, settings.urn, settings.address, settings.phone)
