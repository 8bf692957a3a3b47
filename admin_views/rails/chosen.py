"""The files that were sent with a form: read once, judged, and held with the draft of the form."""

from flask import g, request

from models import Attachment, Held, Refused
from models.case.attachment import plain_name

from .fields import number

FIELD = "files"


def chosen():
    """([(name, bytes)] of the files sent that may be kept, [sentence] about the others)."""
    if "chosen" not in g:
        fine, wrong = [], []
        for file in request.files.getlist(FIELD):
            with file.stream:
                content = file.stream.read() if file.filename else b""
            if not file.filename:
                continue
            name = plain_name(file.filename)
            try:
                Attachment.admit(name, content)
            except Refused as refused:
                wrong += refused.errors.values()
            else:
                fine.append((name, content))
        g.chosen = fine, wrong
    return g.chosen


def unwanted():
    """The ids of held files that the form says to leave out."""
    ticked = {number(id) for id in request.form.getlist("leave_out")}
    return (ticked | g.get("infected", set())) - {None}


def hold(user, path):
    """Hold the files that were sent with the draft at `path`, and forget those to be left out.
    Returns a sentence about each file that is not held.
    """
    files, wrong = chosen()
    if unwanted():
        Held.leave_out(user, path, unwanted())
    try:
        if files:
            Held.hold(user, path, files)
    except Refused as refused:
        return [*wrong, str(refused)]
    return wrong
