"""Files on a form: read and judged before anything is saved, held with the draft whenever the form
comes back; and handed out so that no browser runs what is in them.
"""

from contextlib import suppress
from io import BytesIO

from flask import abort, flash, g, request, send_file
from wtforms import MultipleFileField

from models import Draft, Held, Refused, look, now
from models.case.attachment import ALLOWED
from models.case.scanner import Infected, looked_at

from .chosen import chosen, hold, unwanted
from .door import me
from .sessions import here

NEVER = "Never an indecent image of a child: do not open, copy or attach one; call the DSL."
ACCEPTED = ",".join(  # by it an iPhone hands over a JPEG, and not what it keeps itself
    [*ALLOWED, *dict.fromkeys(end for _called, ends in ALLOWED.values() for end in ends)]
)
SHUT = "sandbox; default-src 'none'; frame-ancestors 'none'"


def file_field(label, says=""):
    """The field of a form that takes files: chosen, photographed or, with a script, dropped and
    pasted.
    """
    about = f"{says} {NEVER}".strip()
    return MultipleFileField(label, description=about, render_kw={"accept": ACCEPTED})


class Filing:
    """For a view whose form has the field `files`. What was chosen is never lost: a form that comes
    back, for whatever reason, holds it.
    """

    def read_form(self, name):
        """Besides, what was sent is judged, and looked at by the virus scanner where the form is to
        be saved.
        """
        super().read_form(name)
        if name != "create_view" or not self.can_create:
            return
        _files, wrong = chosen()
        if g.get("valid"):
            wrong = [*wrong, *self.scan()]
        if wrong and "form" in g:
            g.form.files.errors, g.valid = wrong, False

    def scan(self):
        """Have the scanner look at all that is to be saved: sentences about what it found. What
        comes back with the form no longer has that.
        """
        files, wrong = chosen()
        found, g.looked, g.infected, fine, asks = [], {}, set(), [], True
        held = [one for one in Held.contents(me(), here()) if one.id not in unwanted()]
        for name, content, id in (
            *((name, content, None) for name, content in files),
            *((one.name, bytes(one.content), one.id) for one in held),
        ):
            try:
                # one that is away is asked once: the next file would wait as long for nothing
                asks = looked = asks and looked_at(name, content)
            except Infected as infected:
                found.append(str(infected))
                g.infected |= {id} - {None}
            else:
                g.looked[content] = (name, looked)  # each content once
                fine += [(name, content)] if id is None else []
        g.chosen = fine, wrong
        return found

    @staticmethod
    def files():
        """[(name, bytes, whether the scanner looked at it)] of what the form is saved with."""
        return [(name, content, looked) for content, (name, looked) in g.looked.items()]

    def keep_draft(self):
        answer = super().keep_draft()
        if request.form["draft"] != "away":
            for sentence in hold(me(), here()):
                flash(sentence, "warning")
        return answer

    def form_page(self, template, form, status=200, merged=False, **context):
        held = []
        if not context.get("record"):
            if request.method == "POST":
                wrong = hold(me(), here())
                form.files.errors = list(dict.fromkeys([*form.files.errors, *wrong]))
            held = Held.at(me(), here())
        if held and request.method == "POST" and not context.get("draft"):
            with suppress(Refused):  # too long: then the files go with the next daily check
                Draft.keep(me(), here(), list(request.form.items(multi=True)))
                g.draft_kept = now()
        return super().form_page(template, form, status, merged, held=held, **context)


def handed_out(row, verb, inline=False):
    """The answer with a file, written down under `verb`: a download or, `inline`, a picture that
    was drawn anew for a page. What the scanner has yet to look at is not handed out, but for such
    a picture, which has no byte of it; what it found something in is not at all.
    """
    original = verb.endswith(":read_original")
    inline = inline and not original
    if inline and not row.is_photograph:
        abort(404)
    back = row.held_back()
    if back and (back.found or not inline):
        raise Refused(f"“{row.name}” is not handed out. {back.says}")
    content = row.read() if original else row.for_a_page() if inline else row.shown()
    look(verb, row, me())
    response = send_file(
        BytesIO(content),
        mimetype="image/jpeg" if inline else row.kind,
        as_attachment=not inline,
        download_name=row.download_name,
    )
    response.headers["Content-Security-Policy"] = SHUT
    return response
