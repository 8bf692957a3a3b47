"""What a role permits."""

from flask_security import RoleMixin
from peewee import CharField, IntegerField, TextField

from models.ground.composed import composed
from models.ground.fields import Strings
from models.ground.record import NoIncident, Record
from models.permissions import HARMLESS, REPORTS, SHIPPED_ROLES


class Role(RoleMixin, Record):
    belongs, keeps = NoIncident("roles are the school's"), "rows"

    name = CharField(unique=True, max_length=80, verbose_name="Name")
    level = IntegerField(
        verbose_name="Level", help_text="0 to 5. Every Level 5 is assigned to every Ofsted log."
    )
    description = TextField(default="", verbose_name="What it is for")
    permissions = Strings(default=list, verbose_name="Permissions")

    def __str__(self):
        return self.name

    @property
    def reads(self) -> bool:
        """Whether this role opens records that are not one's own, or decides about them."""
        return self.level == 5 or bool(set(self.permissions) - HARMLESS - REPORTS)

    @classmethod
    @composed
    def every_one(cls):
        return cls.select()

    @classmethod
    def ship(cls) -> list["Role"]:
        """Create the shipped roles that do not exist yet; returns them."""
        return [
            cls.create(name=name, level=level, description=description, permissions=permissions)
            for name, (level, description, permissions) in SHIPPED_ROLES.items()
            if not cls.select().where(cls.name == name).exists()
        ]
