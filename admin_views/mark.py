"""Marking a line of a chronology as significant, with a headline of one's own."""

from flask import abort, g, request, url_for

from models import Mark, visible
from models.case.chronology import lines

from .child import OfChildView
from .rails.door import me


class MarkView(OfChildView):
    shows, title = Mark, "Marks"
    one, asks = "mark", "Mark this line"
    add_permission = "child:mark"
    details_view = action_view = None
    form_columns = ["significant", "headline", "impact"]

    def line(self):
        """The line that the address names, of the chronology as this person sees it."""
        if "line" not in g:
            named, found = request.args.get("line", ""), lines([self.parent()], me(), visible)
            g.line = next((one for one in found if "-".join(map(str, one.key)) == named), None)
        return g.line or abort(404)

    def create_form(self, obj=None):
        form, mark = super().create_form(obj), self.line().marked
        if request.method == "GET" and mark and not form.significant.raw_data:
            form.significant.data = "yes" if mark.significant else "no"
            form.headline.data, form.impact.data = mark.headline, mark.impact
        return form

    def form_page(self, template, form, status=200, **context):
        return super().form_page(template, form, status, line=self.line(), **context)

    def create(self, form):
        return Mark.mark(self.parent(), self.line().record, me(), **self.values(form))

    def saved_words(self, record, is_created):
        return "Saved in the chronology."

    def get_save_return_url(self, model, is_created=False):
        anchor = f"line-{model.noun_of}-{model.record}"
        return url_for("child.details_view", id=model.child_id, _anchor=anchor)
