"""The children: the list, one child with their incidents."""

from models import Child, Flag, Refused

from .rails.door import me
from .rails.writing import RecordView


class ChildView(RecordView):
    shows, title, found_in, place = Child, "Children", "main", 30
    one = "child"
    reads = of_setting = True
    export = action_view = None
    permission = "child:read"
    add_permission = edit_permission = "child:edit"
    intro = "Everyone whom a report may be about."
    empty = "No child is on the list yet. Add the first one: a report needs a child."
    order = (Child.name,)
    column_list = ["name", "year", "date_of_birth", "upn", "left_on"]
    column_sortable_list = ["name", "year", "date_of_birth"]
    form_columns = ["name", "date_of_birth", "upn", "year", "left_on", "setting"]
    page_columns = ["name", "date_of_birth", "upn", "year", "left_on"]

    @staticmethod
    def choosable():
        """The schools and homes of which the reader may have a child be."""
        within = me().within("child:edit")
        found = [one for one in me().settings if within is None or one.id in within]
        return [one for one in found if not one.retired] or found

    def choosing(self, form):
        """The form, with a choice of the school or home only where there is one. Whoever looks
        after one adds children there; only somebody who looks after both moves a child, so nobody
        gains by it.
        """
        found = self.choosable()
        if len(found) > 1:
            everywhere = me().within("child:edit") is None
            form.setting.none = "None: for those whose role is for all" if everywhere else "Choose…"
            form.setting.offer(found)
        else:
            del form.setting
        return form

    def create_form(self, obj=None):
        return self.choosing(super().create_form(obj))

    def edit_form(self, obj=None):
        return self.choosing(super().edit_form(obj))

    def values(self, form):
        upn, values = form.upn.data, super().values(form)
        if "setting" in form and not values["setting"] and me().within("child:edit") is not None:
            raise Refused("Nothing was saved.", {"setting": "Choose the school or home."})
        return values | {"upn": upn.upper() if upn and upn != form.upn.object_data else upn}

    def create(self, form):
        values = self.values(form)
        if "setting" not in form and (found := self.choosable()):
            values["setting"] = found[0]
        return self.store(Child(**values), "add")

    def about(self, record):
        return {"flags": list(record.flags.order_by(Flag.since))}
