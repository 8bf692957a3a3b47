"""Fields that nobody has answered yet, drawn once: a form with thirty of them is the same for
everybody until a list, a label or a template is changed.

What is kept is found by all that it was drawn from, so that nothing can be out of date: a choice
that was added makes another key. What anybody typed, and every name of a person, is drawn anew.
"""

from collections import OrderedDict
from threading import Lock

from .fields import InvolvedField, LongTextField, PickField, SeveralField, TextField, YesNoField
from .forms import InjuriesField, ModelTable
from .moments import AheadField, BirthField, DayField, MomentField

KINDS = {
    *(LongTextField, PickField, SeveralField, TextField, YesNoField),
    *(AheadField, BirthField, DayField, MomentField),
    *(InjuriesField, InvolvedField, ModelTable),
}
OWN = ("errors", "raw_data", "hints", "theirs", "opens", "drawn", "wrong", "datalists")
MOST = 1_000  # fields; each some hundred bytes, the body map 10 kB
kept, turns = OrderedDict(), Lock()


def drawn_from(field):
    """All that an unanswered field is drawn from, as a key; None for one that has something of its
    own: an answer, a mistake, a hint, names.
    """
    kind = type(field)
    unanswered = kind is PickField or field.data in (None, "", [])
    if kind not in KINDS or not unanswered or any(getattr(field, name, None) for name in OWN):
        return None
    picks = kind in (PickField, SeveralField)
    return (
        kind,
        field.id,
        field.name,
        field.label.text,
        field.description,
        field.data if kind is PickField else None,
        getattr(field, "radio", None),
        *vars(field.flags).items(),
        *(field.render_kw or {}).items(),
        *((one.value, one.label, one.optgroup) for one in (field.choices if picks else ())),
        *(
            (key, label, None if options is None else tuple(options), kind)
            for key, label, options, kind in getattr(field, "columns", ())
        ),
    )


def drawn_once(macro, field, *how):
    """What `macro` draws of `field` and `how`, which is all that it looks at besides."""
    key = drawn_from(field)
    if key is None:
        return macro(field, *how)
    key = macro.name, *how, *key
    with turns:
        if found := kept.get(key):
            kept.move_to_end(key)
            return found
    found = macro(field, *how)
    with turns:
        kept[key] = found
        if len(kept) > MOST:
            kept.popitem(last=False)
    return found
