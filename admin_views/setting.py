"""The schools and homes of the installation, where there are several."""

from flask import url_for

from models import Setting
from models.access.accounts import edit_setting

from .rails.door import me
from .rails.writing import RecordView


class SettingView(RecordView):
    shows, title, found_in, place = Setting, "Schools and homes", "set up", 66
    says = "where there are several in one installation"
    one = "school or home"
    export = action_view = details_view = None
    permission = add_permission = edit_permission = "setting:edit"
    intro = (
        "From the second on, children and incidents are of one, and a role can be given for one. "
        "Its name and address stand on its Ofsted logs and papers."
    )
    empty = (
        "There is only one school or home, and it is called as this installation is. Add each of "
        "them here when there are several."
    )
    column_list = ["name", "urn", "address", "telephone", "retired"]
    column_sortable_list = ["name"]
    form_columns = ["name", "urn", "address", "telephone", "retired"]
    order = (Setting.name,)

    def create(self, form):
        return edit_setting(Setting(), me(), **self.values(form))

    def update(self, form, record):
        return edit_setting(record, me(), **self.values(form))

    def link(self, row):
        return url_for("setting.edit_view", id=row.id)

    def get_save_return_url(self, model, is_created=False):
        return url_for("setting.index_view")
