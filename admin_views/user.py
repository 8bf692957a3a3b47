"""The people: who may sign in, with which roles."""

from flask import flash
from wtforms import SelectMultipleField, validators
from wtforms.fields.choices import SelectChoice

from models import Proposal, Role, Setting, User, UserRole
from models.access.accounts import add_person, edit_person
from models.people.user import Grants, normal

from .rails.door import me
from .rails.fields import TableField, clean, tick
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


ALL = "All"


class GivenField(TableField):
    """Roles in rows, each for one school or home or for all; `given` has them as
    [(Role, Setting or None)].
    """

    def process(self, *args, **kwargs):
        self.roles = self.places = {}
        if me().several:
            self.roles = {one.name: one for one in Role.select().order_by(Role.level, Role.name)}
            self.places = {one.name: one for one in Setting.select().order_by(Setting.name)}
        alive = [name for name, one in self.places.items() if not one.retired]
        self.columns = [
            ("role", "Role", list(self.roles), "short text"),
            ("place", "For", [ALL, *alive], "short text"),
        ]
        super().process(*args, **kwargs)

    def pre_validate(self, form):
        super().pre_validate(form)
        if not all(row["role"] and row["place"] for row in self.data):
            raise validators.StopValidation("Give both a role and what it is for in each row.")

    @property
    def given(self):
        return [(self.roles[row["role"]], self.places.get(row["place"])) for row in self.data]


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
    form_columns = ["name", "job_title", "email", "active", "ends_on"]
    form_extra_fields = {
        "roles": RolesField("Roles"),
        "role_rows": GivenField(
            "Roles",
            columns=[],
            description="A row for each role. For All: every school and home, and what is of none. "
            "For one: only its children and records are open to them. The same role may be given "
            "for several.",
        ),
    }
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
        grants = {}
        for link in UserRole.select(UserRole, Role).join(Role).where(UserRole.user.in_(rows)):
            grants.setdefault(link.user_id, Grants()).append((link.role, link.setting_id))
        for row in rows:
            row.__dict__["_grants"] = grants.get(row.id, Grants())
        return count, rows

    @staticmethod
    def one_way(form):
        """The form, with the one of its two fields for roles that fits this installation."""
        if me().several:
            del form.roles
        else:
            del form.role_rows
        return form

    def create_form(self, obj=None):
        return self.one_way(super().create_form(obj))

    def edit_form(self, obj=None):
        rows = [{"role": str(role), "place": str(place or ALL)} for role, place in self.roles(obj)]
        form = self.one_way(self._edit_form_class(self.begun_with(), obj=obj, role_rows=rows))
        if "roles" in form:
            tick(form.roles, [role.id for role in obj.roles])
        return form

    @staticmethod
    def roles(person):
        """[(Role, Setting or None)] of a person: what each role is given for."""
        if not me().several:
            return [(role, None) for role in person.roles]
        places = {one.id: one for one in Setting.select()}
        return [(role, places.get(setting)) for role, setting in person.grants]

    def values(self, form):
        ticked = form.roles.data or [] if "roles" in form else []
        given = form.role_rows.given if "role_rows" in form else []
        return super().values(form) | {
            "active": form.active.data is not False,
            "roles": given or list(Role.select().where(Role.id.in_(ticked))),
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
        return {
            "roles": self.roles(record),
            "waiting": list(Proposal.joined(waiting)),
            "has_factor": record.has_factor,
        }
