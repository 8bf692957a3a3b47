"""Writing hints on a form: shown once, between the press of Save and the saving, with a press that
mends each. The second press of Save saves, whatever the text says.
"""

from flask import g, request

from models import Abbreviation, Choice, Draft, Refused, now
from models.case.hints import FIELDS, Known, hints_of, mended

from .door import here, me
from .fields import CHOOSABLE
from .forms import children


def findable(typed):
    """[(name, label)] of the children whom the form would name to the reader for what was typed:
    none where it would only ask for more of the name.
    """
    rows = children(typed)
    return [(row.name, row.label) for row in rows] if len(rows) <= CHOOSABLE else []


class Hinting:
    """For a view whose form has the fields of a report. A form asks for hints by a field of its
    own, which the page with the hints has no more.
    """

    hints_once = True

    @staticmethod
    def texts(form):
        """{field: text} of what the hints read and may write to, as it was sent."""
        names = [*FIELDS, "child_words"]
        return {name: form[name].data for name in names if name in form._fields}

    @staticmethod
    def known(form):
        """What the hints may know: who is named in the form, and the glossary."""
        linked = [form.child.data, *(child for child, _part in form.others.people)]
        return Known(
            children=tuple(one.name for one in linked if one),
            adults=tuple(one.name for one, _part in form.adults.people if one),
            writer=me().name,
            glossary=frozenset(Abbreviation.meanings()),
            parts=tuple(Choice.names("child's part")),
            find=findable,
        )

    def before_saving(self, form):
        """The page with the hints on a valid form, once; None where it is to be saved."""
        if "hints" not in request.form:
            return None
        hints = hints_of(self.texts(form), self.known(form))
        return self.hinted_page(form, hints) if hints else None

    def hinted_page(self, form, hints, done=None):
        """The form with its hints, at the top and at the fields. It is kept as a draft: nobody
        takes it for saved and loses it.
        """
        for name in dict.fromkeys(hint.field for hint in hints):
            form[name].hints = [hint for hint in hints if hint.field == name]
        sent = request.form.copy()
        for name, text in self.texts(form).items():
            sent[name] = text or ""
        for number, row in enumerate(form.others.data):
            for key in ("name", "which", "part"):
                sent[f"others-{number}-{key}"] = row.get(key) or ""
        sent["others-rows"] = str(max(len(form.others.data), len(form.others.rows)))
        sent.pop("mend", None)
        kept = now()
        try:
            Draft.keep(me(), here(), list(sent.items(multi=True)))
        except Refused:
            kept = None  # too long: it stands on the page
        g.draft_kept = kept
        return self.form_page(
            self.create_template, form, hints=together(hints), done=done, draft=kept
        )

    def mend(self, form):
        """Do what the press of a hint says, to the text as it stands now, and show the form
        again.
        """
        texts, known = self.texts(form), self.known(form)
        key, _colon, number = request.form["mend"].rpartition(":")
        found = [hint for hint in hints_of(texts, known) if hint.key == key]
        chosen = found[0].mends[int(number) : int(number) + 1] if found and is_place(number) else ()
        done = "The text was changed since. Nothing else was done: here is what stands there now."
        for mend in chosen:
            for name, text in mended(texts, mend).items():
                form[name].data = text
            if mend.link:
                label, part = mend.link
                form.others.data.append({"name": label, "which": "", "part": part})
                linked = [child for child in children(label) if child.label == label]
                form.others.people += [(child, part) for child in linked]
            done = f"Done: {mend.says}."
        return self.hinted_page(form, hints_of(self.texts(form), self.known(form)), done)


def together(hints):
    """Hints that one press mends, as one: [[hint]]."""
    groups = []
    for hint in hints:
        same = [one for one in groups if hint.mends and one[0].mends == hint.mends]
        if same:
            same[0].append(hint)
        else:
            groups.append([hint])
    return groups


def is_place(number):
    """Whether this is the number of one of a few."""
    return number.isascii() and number.isdigit() and len(number) < 3
