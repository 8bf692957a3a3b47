"""The roles: what each permits."""

from flask import flash
from wtforms import SelectMultipleField
from wtforms.fields.choices import SelectChoice

from models import PERMISSIONS, Role, User, UserRole
from models.access.accounts import edit_role
from models.permissions import by_noun, opens

from .rails.door import me
from .rails.writing import RecordView


class PermissionsField(SelectMultipleField):
    """Permissions as checkboxes, each explained in a sentence, by what they are about."""

    def __init__(self, *args, **kwargs):
        super().__init__(
            *args,
            choices=[
                SelectChoice(verb, f"{allows} ({verb})") for verb, allows in PERMISSIONS.items()
            ],
            **kwargs,
        )

    @property
    def groups(self):
        """[(noun, [(option, whether giving it waits for a Level 5)])]."""
        options = {option.data: option for option in self}
        return [
            (noun, [(options[verb], opens(verb)) for verb in verbs])
            for noun, verbs in by_noun(PERMISSIONS)
        ]


class RoleView(RecordView):
    shows, title, found_in, place = Role, "Roles", "set up", 72
    says = "what each permits"
    one = "role"
    export = action_view = None
    permission = add_permission = edit_permission = "role:edit"
    intro = (
        "What each role permits. Permissions that open records count only once a Level 5 has "
        "approved them."
    )
    column_list = ["name", "level", "description"]
    order = (Role.level, Role.name)
    form_columns = ["name", "level", "description"]
    form_extra_fields = {
        "permissions": PermissionsField(
            "Permissions",
            description="What is marked “opens records” is given once a Level 5 has approved it, "
            "and so is level 5. What is not marked, and what you take away, counts at once.",
        )
    }
    guarded = True

    def values(self, form):
        return super().values(form) | {"permissions": form.permissions.data or []}

    def create(self, form):
        return self.update(form, Role())

    def update(self, form, record):
        if edit_role(record, me(), **self.values(form)):
            flash(
                "What opens records waits for the approval of a Level 5, who have been told.",
                "warning",
            )
        return record

    def about(self, record):
        return {
            "groups": [
                (noun, [(verb, PERMISSIONS.get(verb), opens(verb)) for verb in verbs])
                for noun, verbs in by_noun(record.permissions)
            ],
            "people": list(
                User.select().join(UserRole).where(UserRole.role == record).order_by(User.name)
            ),
        }
