"""The people: who may sign in, with which roles."""

from flask import flash
from wtforms import SelectMultipleField
from wtforms.fields.choices import SelectChoice

from models import Proposal, Role, User, UserRole
from models.access.accounts import add_person, edit_person
from models.people.user import normal

from .rails.door import me
from .rails.fields import clean, tick
from .rails.forms import EmailAddress
from .rails.taking import Step
from .rails.writing import RecordView


class RolesField(SelectMultipleField):
    """Roles as checkboxes, each with what it is for; the data is a list of ids."""

    def process(self, *args, **kwargs):
        self.choices = [
            SelectChoice(role.id, f"{role.name} (level {role.level}): {role.description}")
            for role in Role.select().order_by(Role.level, Role.name)
        ]
        self.coerce = int
        super().process(*args, **kwargs)


class UserView(RecordView):
    shows, title, found_in, place = User, "People", "set up", 70
    says = "who may sign in"
    one = "person"
    export = None
    permission = add_permission = edit_permission = "user:edit"
    intro = (
        "Who may sign in, and with which roles. A role that opens records counts only once a "
        "Level 5 has approved it."
    )
    column_list = ["name", "job_title", "email", "level", "active"]
    column_labels = {"level": "Level"}
    column_sortable_list = ["name", "email"]
    order = (User.name,)
    form_columns = ["name", "job_title", "email", "active"]
    form_extra_fields = {"roles": RolesField("Roles")}
    form_args = {"email": {"validators": [EmailAddress()], "filters": [clean, normal]}}
    guarded = True
    steps = (
        Step(
            "user:reset_factor",
            "Reset the second factor",
            guarded=True,
            said=lambda done: (
                ("The second factor is reset.", "success")
                if done
                else ("This waits for the approval of a Level 5, who have been told.", "warning")
            ),
        ),
    )

    def get_list(self, *args, **kwargs):
        count, rows = super().get_list(*args, **kwargs)
        roles = {}
        for link in UserRole.select(UserRole, Role).join(Role).where(UserRole.user.in_(rows)):
            roles.setdefault(link.user_id, []).append(link.role)
        for row in rows:
            row.__dict__["_roles"] = roles.get(row.id, [])
        return count, rows

    def edit_form(self, obj=None):
        form = super().edit_form(obj)
        tick(form.roles, [role.id for role in obj.roles])
        return form

    def values(self, form):
        return super().values(form) | {
            "active": form.active.data is not False,
            "roles": list(Role.select().where(Role.id.in_(form.roles.data or []))),
        }

    def create(self, form):
        return add_person(me(), **self.values(form))

    def update(self, form, record):
        waiting = edit_person(record, me(), **self.values(form))
        if waiting:
            flash(
                "What opens records waits for the approval of a Level 5, who have been told.",
                "warning",
            )
        return record

    def saved_words(self, record, is_created):
        return (
            f"Saved: {record}. An email with a link to choose a passphrase is on its way."
            if is_created
            else f"Saved: {record}."
        )

    def about(self, record):
        waiting = Proposal.select().where(Proposal.status == "waiting", Proposal.user == record)
        return {"roles": record.roles, "waiting": list(waiting), "has_factor": record.has_factor}
