"""What the forms of other bodies ask, and their ladders."""

from flask import url_for

from models import Profile

from .rails.writing import RecordView


class ProfileView(RecordView):
    shows, title, found_in, place = Profile, "Bodies", "set up", 63
    says = "what MASH, LADO, police and others ask, and when to go up a step"
    one = "body"
    export = action_view = details_view = None
    permission = add_permission = edit_permission = "profile:edit"
    intro = (
        "Whom a contact may be with, what each one’s form asks, and the ladder to climb when it "
        "does not answer. A contact keeps the questions as they were."
    )
    column_list = ["name", "purpose", "position", "retired"]
    column_sortable_list = ["name", "position"]
    form_columns = [
        "name", "purpose", "kind", "direction", "questions", "ladder", "own_record", "source",
        "position", "retired",
    ]  # fmt: skip
    order = (Profile.position, Profile.id)

    def link(self, row):
        return url_for("profile.edit_view", id=row.id)

    def get_save_return_url(self, model, is_created=False):
        return url_for("profile.index_view")
