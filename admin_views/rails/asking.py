"""A section of a form as a page: of the safeguarding tracker, and of any other form. Saved
half-finished, by two savers, with its draft.
"""

from flask import abort, redirect, request
from flask_admin import expose

from models import Refused
from models.case.asked import as_kind
from models.case.template import TODAY

from .forms import notes, outline, section_form
from .writing import RecordView

# what stands beside a question: a clock, last time’s answer, a figure, files, what is locked
BESIDE = {
    "clocks": {},
    "last": {},
    "last_form": None,
    "locked": {},
    "figures": {},
    "frozen": False,
    "enclosed": {},
    "adds_files": False,
    "form_id": None,
    "needed_to": "complete",
    "notes": notes,
    "counted_today": TODAY,
}


class AskedView(RecordView):
    """Of one section; what it is of says the view: `asked_of`, `locked`, `save`, `page_of`."""

    one = "section"
    details_view = create_view = export = action_view = None

    def asked_of(self, section):
        """The pinned questions that the reader may answer now; none where it is locked."""
        raise NotImplementedError

    def locked(self, section):
        """Why nobody answers it now, to follow on “Nothing was saved”; "" where one may."""
        raise NotImplementedError

    def page_of(self, section, **anchor):
        """The address of the page of what it is a section of."""
        raise NotImplementedError

    @expose("/")
    def index_view(self):
        return redirect(self.list_of())

    def edit_form(self, obj=None):
        questions = self.asked_of(obj)
        data = {
            f"q{question['id']}": as_kind(question["kind"], obj.answers.get(question["id"]))
            for question in questions
        }
        return section_form(questions)(self.begun_with(), data=data)

    def saved_words(self, record, is_created):
        words = f"Saved: {record.title}. It is {record.status}."
        if aside := record.set_aside():
            named = "; ".join(f"“{question['text']}”" for question in aside)
            words += (
                f" Kept, but neither shown nor printed, for it does not apply after what was "
                f"answered before it: {named}."
            )
        return words

    def form_page(self, template, form, status=200, **context):
        record = context["record"]
        drawn = {"outline": outline(form, record.questions)} if form else {}
        drawn["texts"] = (
            {} if record.damaged else {one["id"]: one["text"] for one in record.questions}
        )
        return super().form_page(
            template, form, status, **BESIDE | drawn | self.shown(record) | context
        )

    def shown(self, section):
        """What the page shows besides the questions."""
        return {}

    def get_save_return_url(self, model, is_created=False):
        following = self.following(model) if "next" in request.form else None
        return following or self.page_of(model)

    @expose("/edit/", methods=("GET", "POST"))
    def edit_view(self):
        section = self.asked()
        self.opened(section)
        allowed = self.allowed(section)
        why = "This section is damaged" if section.damaged else self.locked(section)
        if allowed and not why:
            return super().edit_view()
        if request.method == "GET":
            return self.form_page(self.edit_template, None, record=section, typed=self.begun_with())
        if not allowed:
            abort(403)
        refused = Refused(f"{why}. Nothing was saved. What you typed is below, to copy.")
        return self.form_page(
            self.edit_template, None, 409, record=section, refused=refused, typed=request.form
        )
