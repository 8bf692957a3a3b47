"""The glossary: abbreviations and what they mean."""

from flask import url_for

from models import Abbreviation

from .rails.writing import RecordView


class AbbreviationView(RecordView):
    shows, title, found_in, place = Abbreviation, "Glossary", "set up", 65
    says = "what abbreviations mean"
    one = "abbreviation"
    adds = "Add an abbreviation"
    export = action_view = details_view = None
    permission = add_permission = edit_permission = "abbreviation:edit"
    intro = (
        "Abbreviations that a stranger can look up. When somebody reports, a hint asks what one "
        "means that is not here."
    )
    column_list = ["short", "meaning", "source", "retired"]
    column_sortable_list = ["short", "meaning", "retired"]
    form_columns = ["short", "meaning", "source", "retired"]
    order = (Abbreviation.short,)

    def link(self, row):
        return url_for("abbreviation.edit_view", id=row.id)

    def get_save_return_url(self, model, is_created=False):
        return url_for("abbreviation.index_view")
