"""The emergency sheet: its passphrase, and its download, each for its own person."""

from io import BytesIO

from flask import flash, request, send_file, url_for
from flask_admin import expose
from wtforms import PasswordField

from models import Refused, Sheet, look, visible
from models.ground.words import day

from .rails.door import Page, me, saved
from .rails.forms import BaseForm, put_errors, required
from .rails.sessions import stale


class PassphraseForm(BaseForm):
    """The passphrase of the sheet, twice: nobody can say it again."""

    passphrase = PasswordField(
        "Passphrase of the sheet",
        description="12 characters or more, and not the one you sign in with. Keep it where you "
        "find it when nothing works: nobody here can tell it to you.",
        validators=[required("Choose a passphrase.")],
    )
    once_more = PasswordField("The same once more", validators=[required("Type it once more.")])


class SheetView(Page):
    noun, title, found_in, place = "sheet", "Emergency sheet", "drawer", 62
    permission = "sheet:choose"

    def page(self, status=200, **context):
        known = {"sheet": Sheet.of(me()), "form": PassphraseForm(), "problem": ""}
        return self.render("sheet/page.html", **known | context), status

    @expose("/")
    def index_view(self):
        return self.page()

    @expose("/edit/", methods=("GET", "POST"))
    def edit_view(self):
        """Choose the passphrase."""
        if request.method == "GET":
            return self.page()
        if again := stale():
            return again
        form = PassphraseForm(request.form)
        if not form.validate():
            return self.page(422, form=form)
        try:
            if form.passphrase.data != form.once_more.data:
                words = "The two are not the same. Type both again."
                raise Refused("Nothing was saved.", {"once_more": words})
            if me().verify_and_update_password(form.passphrase.data):
                words = "This is what you sign in with. Choose another one."
                raise Refused("Nothing was saved.", {"passphrase": words})
            Sheet.choose(me(), form.passphrase.data)
        except Refused as refused:
            put_errors(form, refused)
            return self.page(422, form=form)
        flash(
            "Chosen. The first sheet is made within a few minutes, then one each night.", "success"
        )
        return saved(url_for("sheet.index_view"))

    @expose("/file/")
    def file_view(self):
        """The sheet, encrypted as it lies on the disk."""
        if again := stale():
            return again
        sheet = Sheet.of(me())
        if not sheet:
            return self.page(409, problem="Choose a passphrase first: then there is a sheet.")
        try:
            content = sheet.content(visible)
        except Refused as refused:
            return self.page(409, problem=str(refused))
        look("sheet:read", sheet, me())
        made = day(sheet.made_at.date()).replace(" ", "-")
        return send_file(
            BytesIO(content),
            mimetype="application/pdf",
            as_attachment=True,
            download_name=f"emergency-sheet-{made}.pdf",
        )
