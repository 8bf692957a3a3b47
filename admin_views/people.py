"""People, roles, and changes that wait for a Level 5: what IT sets up without reading a record."""

from flask import flash, url_for
from flask_admin.actions import action
from wtforms import SelectMultipleField, validators
from wtforms.fields.choices import SelectChoice

from models import PERMISSIONS, Proposal, Role, User, UserRole
from models.accounts import add_person, edit_person, edit_role
from models.people import normal
from models.proposal import CODE

from .base import RecordView
from .door import me, saved
from .fields import clean, tick


class RolesField(SelectMultipleField):
    """Roles as checkboxes, each with what it is for; the data is a list of ids."""

    def process(self, *args, **kwargs):
        self.choices = [
            SelectChoice(role.id, f"{role.name} (level {role.level}): {role.description}")
            for role in Role.select().order_by(Role.level, Role.name)
        ]
        self.coerce = int
        super().process(*args, **kwargs)


class PermissionsField(SelectMultipleField):
    """Permissions as checkboxes, each explained in a sentence."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, choices=[SelectChoice(verb, f"{allows} ({verb})") for verb, allows in PERMISSIONS.items()], **kwargs)


class UserView(RecordView):
    one = "person"
    export = None
    permission = add_permission = edit_permission = "user:edit"
    intro = "Who may sign in, and with which roles. A role that opens records counts only once a Level 5 has approved it."
    column_list = ["name", "job_title", "email", "level", "active"]
    column_labels = {"level": "Level"}
    column_sortable_list = ["name", "email"]
    order = (User.name,)
    form_columns = ["name", "job_title", "email", "active"]
    form_extra_fields = {"roles": RolesField("Roles")}
    form_args = {"email": {"validators": [validators.Email("This is not an email address.")], "filters": [clean, normal]}}
    details_template = "person.html"
    guarded = ("edit", "user:reset_factor")
    steps = {"user:reset_factor": None}

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
            flash("What opens records waits for the approval of a Level 5, who have been told.", "warning")
        return record

    def saved_words(self, record, is_created):
        return f"Saved: {record}. An email with a link to choose a passphrase is on its way." if is_created else f"Saved: {record}."

    def about(self, record):
        waiting = Proposal.select().where(Proposal.status == "waiting", Proposal.user == record)
        return {"roles": record.roles, "waiting": list(waiting), "has_factor": record.has_factor}

    @action("user:reset_factor", "Reset the second factor")
    def reset_factor(self, ids):
        person = self.asked(ids[0] if len(ids) == 1 else "")
        done = Proposal.reset_factor(person, me())
        flash(
            "The second factor is reset." if done else "This waits for the approval of a Level 5, who have been told.",
            "success" if done else "warning",
        )
        return saved(url_for("user.details_view", id=person.id))


class RoleView(RecordView):
    one = "role"
    export = action_view = None
    permission = add_permission = edit_permission = "role:edit"
    intro = "What each role permits. Permissions that open records count only once a Level 5 has approved them."
    column_list = ["name", "level", "description"]
    order = (Role.level, Role.name)
    form_columns = ["name", "level", "description"]
    form_extra_fields = {"permissions": PermissionsField("Permissions")}
    details_template = "role.html"
    guarded = ("edit",)

    def values(self, form):
        return super().values(form) | {"permissions": form.permissions.data or []}

    def create(self, form):
        return self.update(form, Role())

    def update(self, form, record):
        if edit_role(record, me(), **self.values(form)):
            flash("What opens records waits for the approval of a Level 5, who have been told.", "warning")
        return record

    def about(self, record):
        return {"explained": PERMISSIONS, "people": list(User.select().join(UserRole).where(UserRole.role == record).order_by(User.name))}


def hand_over(proposal):
    """What the approver is told: the code, this once, where there is one."""
    if not proposal.fresh_code:
        return f"{proposal.reference}: approved."
    return (
        f"Approved. It counts once {proposal.user} has signed in and typed this code under Your account: "
        f"{proposal.fresh_code}. Hand it over face to face, not by email. It is shown only now."
    )


class ProposalView(RecordView):
    one = "change"
    create_view = edit_view = export = None
    intro = "Changes that would let somebody read records. A Level 5 who neither asked nor gains decides."
    empty = "No change has been asked for."
    column_list = ["what", "by", "at", "status"]
    column_labels = {"what": "Asked for"}
    column_sortable_list = ["at", "status"]
    form_columns = ["what", "by", "at", "status"]
    filters = {"status": ("Status", lambda: ["waiting", CODE, "approved", "refused"])}
    details_template = "proposal.html"
    guarded = ("proposal:approve", "proposal:refuse", "proposal:new_code")
    steps = {"proposal:approve": None, "proposal:refuse": None, "proposal:new_code": None}

    def is_accessible(self):
        return super().is_accessible() and (me().may("proposal:approve") or me().may("user:edit"))

    def joined(self, query):
        return Proposal.joined(query)

    def about(self, record):
        return {"gainers": record.gainers(), "accounts": record.accounts()}

    @action("proposal:approve", "Approve")
    def approve(self, ids):
        return self.take(Proposal.approve, ids, said=hand_over)

    @action("proposal:new_code", "Make another code")
    def new_code(self, ids):
        return self.take(Proposal.new_code, ids, said=hand_over)

    @action("proposal:refuse", "Refuse")
    def refuse(self, ids):
        return self.take(Proposal.refuse, ids)
