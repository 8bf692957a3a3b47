"""Templates as TOML: those that we ship, and those that are exported, copied and imported."""

import re
import tomllib
from typing import Any

import tomli_w
from peewee import IntegerField

from models.ground.database import transaction
from models.ground.fields import YesNo
from models.ground.record import Refused
from models.ground.words import TURNS
from models.history.event import Event
from models.people.role import Role
from models.people.user import User

from .right import DOES, Right
from .template import SHIPPED, TRACKER, Question, Template, TemplateSection

HEAD = {  # what a file calls what the panel calls otherwise
    "name": "name", "prefix": "prefix", "edition": "edition", "group": "heading",
    "purpose": "purpose", "basis": "basis", "source": "source", "notice": "notice",
    "changes": "news", "stands_on": "stands_on", "how_many": "how_many", "due_days": "due_days",
    "repeats": "repeats", "headline": "headline",
}  # fmt: skip
SECTION = ("title", "help", "restricted", "after", "shows")
QUESTION = {
    "key": "key", "text": "text", "help": "help", "kind": "kind", "options": "options",
    "required": "required", "source": "source", "depends_answer": "depends_answer",
    "for_review": "for_review", "public": "public", "listed": "listed", "task": "makes_tasks",
    "within": "within",
}  # fmt: skip
# a key of a hundred parts, which would be read for minutes
DEEP = re.compile(r"""(?<![\w"'-])(?:[\w"'-]+ *\. *){100}""")
LARGEST, MOST = 1_000_000, 1_000  # characters of a file, its questions: all others wait meanwhile
KINDS_OF = ((YesNo, bool), (IntegerField, int))  # of a column, what TOML has; of the others text


def ship() -> None:
    """Create each shipped template (models/templates/*.toml) that does not exist yet; the first of
    its kind becomes the one in force.
    """
    found = [tomllib.loads(file.read_text("utf-8")) for file in sorted(SHIPPED.glob("*.toml"))]
    for asked in sorted(found, key=lambda one: "prefix" in one):  # the trackers first
        if not Template.select().where(Template.name == asked["name"]).exists():
            make(asked, None)


def make(asked: dict[str, Any], by: User | None) -> Template:
    """Make the template that `asked`, as read from TOML, describes. Raises Refused for what is no
    template; then nothing is made.

    by: who imports or copies it: it is not in force then, whatever it says. None: it is shipped.
    """
    with transaction():
        template = Template(**head(asked))
        template.in_force = (
            not by and not Template.select().where(Template.in_force, template.same_kind).exists()
        )
        template.check()
        template.save(force_insert=True)
        if sum(len(listed(one, "question")) for one in listed(asked, "section")) > MOST:
            raise Refused(f"This asks more than {MOST:,} questions. Nothing was saved.")
        made: list[Any] = []
        for position, section in enumerate(listed(asked, "section"), 1):
            where = f"section {position}"
            stay_known(section, {*SECTION, "question"}, where)
            values = {name: section[name] for name in SECTION if name in section}
            stay_readable(TemplateSection, values, where)
            if not values.get("title"):
                raise Refused(f"There is no title in {where}. Nothing was saved.")
            row = TemplateSection(template=template, position=position, **values)
            row.save()
            made.append(row)
            made += questions(row, listed(section, "question"), by)
        rights = {does: roles(asked, does, lenient=by is None) for does in DOES}
        Right.give(template, rights, by)
        Event.write("template:add", template, by, also=made)
    return template


def head(asked: dict[str, Any]) -> dict[str, Any]:
    """The columns of a template that a file gives."""
    stay_known(asked, {*HEAD, "section", *(does.replace(" ", "_") for does in DOES)}, "its head")
    if not isinstance(asked.get("name"), str) or not asked["name"].strip():
        raise Refused("This is no template: it has no name. Nothing was saved.")
    found = {HEAD[key]: value for key, value in asked.items() if key in HEAD}
    stay_readable(Template, found, "its head")
    if found.get("stands_on") == TRACKER:  # as those are kept that were there before other forms
        found["stands_on"] = None
    return found


def questions(
    section: TemplateSection, asked: list[dict[str, Any]], by: User | None
) -> list[Question]:
    """The questions of a section, saved in their order. by: as for make(): what is shipped was
    checked before it was shipped (tests/test_template.py), and thousands of looks delay a start.
    """
    named: dict[str, Question] = {}
    for number, one in enumerate(asked, 1):
        where = f"question {number} of “{section.title}”"
        stay_known(one, {*QUESTION, "depends_on"}, where)
        values = {QUESTION[key]: value for key, value in one.items() if key in QUESTION}
        stay_readable(Question, values, where)
        if not values.get("text"):
            raise Refused(f"There is no text in {where}. Nothing was saved.")
        question = Question(section=section, position=number, **values)
        if on := one.get("depends_on"):
            if not isinstance(on, str) or on not in named:
                raise Refused(
                    f"{where.capitalize()} follows from “{on}”, which is not before it. "
                    "Nothing was saved."
                )
            question.depends_on = named[on]
        try:
            question.check() if by else None
        except Refused as refused:
            why = " ".join(refused.errors.values()) or str(refused)
            raise Refused(
                f"{where.capitalize()} (“{question}”): {why} Nothing was saved."
            ) from None
        question.save()
        named[one.get("key") or question.text] = question
    return list(named.values())


def roles(asked: dict[str, Any], does: str, lenient: bool) -> list[Role]:
    """The roles that a file names; one that there is not is refused or, of what we ship, left out:
    a school renames its roles, and has to start all the same.
    """
    names = asked.get(does.replace(" ", "_"), [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Refused(f"“{does}” is a list of the names of roles. Nothing was saved.")
    known = {role.name: role for role in Role.select().where(Role.name.in_(names))}
    unknown = [str(name) for name in names if name not in known]
    if unknown and not lenient:
        raise Refused(f"There is no role “{unknown[0]}” ({does}). Nothing was saved.")
    return [known[name] for name in names if name in known]


def listed(asked: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The sections of a file, or the questions of a section."""
    rows = asked.get(name, [])
    if not isinstance(rows, list) or not rows or not all(isinstance(one, dict) for one in rows):
        raise Refused(f"This is no template: a {name} is missing. Nothing was saved.")
    return rows


def stay_known(asked: dict[str, Any], known: set[str], where: str) -> None:
    """Refuse what nobody would read: a word that is misspelt would else be lost unseen."""
    if unknown := sorted(set(asked) - known):
        raise Refused(f"“{unknown[0]}” is not known in {where}. Nothing was saved.")


def stay_readable(model: Any, values: dict[str, Any], where: str) -> None:
    """Refuse what a column does not take: another kind of value, what is too long, a sign that
    nobody sees, and what is on no list of what may be chosen.
    """
    for name, value in values.items():
        field = model._meta.fields[name]
        kind: Any = next((one for column, one in KINDS_OF if isinstance(field, column)), str)
        if value.__class__ is not kind:
            raise Refused(f"“{name}” of {where} cannot be read. Nothing was saved.")
        if kind is int and not 0 <= value < 1000:
            raise Refused(f"“{name}” of {where} is no number of days. Nothing was saved.")
        if kind is str and any(sign in value for sign in ("\0", *TURNS)):
            raise Refused(f"“{name}” of {where} holds a sign nobody sees. Nothing was saved.")
        most, fixed = getattr(field, "max_length", None), getattr(field, "fixed", ())
        if most and len(value) > most:
            raise Refused(
                f"“{name}” of {where} is longer than {most} characters. Nothing was saved."
            )
        if fixed and value not in fixed:
            choices = ", ".join(fixed)
            raise Refused(f"“{value}” is no {name} ({where}): {choices}. Nothing was saved.")


def read(text: str, by: User) -> Template:
    """Make a template of TOML that somebody sent. It is not in force."""
    if len(text) > LARGEST:
        raise Refused("This is longer than any template. Nothing was saved.")
    if DEEP.search(text):
        raise Refused("This is nested too deep for a template. Nothing was saved.")
    try:
        asked = tomllib.loads(text)
    except RecursionError:
        raise Refused("This is nested too deep for a template. Nothing was saved.") from None
    except ValueError as problem:  # of a number of 5,000 digits as well
        raise Refused(f"This is not TOML: {problem}. Nothing was saved.") from None
    return make(asked, by)


def as_dict(template: Template) -> dict[str, Any]:
    """A template as its TOML has it; what is retired stays behind."""
    asked: dict[str, Any] = {
        key: value for key, name in HEAD.items() if (value := getattr(template, name))
    }
    if not template.is_tracker:
        for does, who in Right.of(template).items():
            asked[does.replace(" ", "_")] = [role.name for role in who]
    asked["section"] = []
    for section, rows in template.sections_asked():
        keys = {row.id: row.key or row.text for row in rows}
        part = {name: value for name in SECTION if (value := getattr(section, name))}
        part["question"] = [
            {key: value for key, name in QUESTION.items() if (value := getattr(row, name))}
            | ({"depends_on": keys[row.depends_on_id]} if row.depends_on_id in keys else {})
            for row in rows
        ]
        asked["section"].append(part)
    return asked


def as_toml(template: Template) -> str:
    """A template as a file that can be imported elsewhere."""
    return tomli_w.dumps(as_dict(template), multiline_strings=True)


def copy(template: Template, by: User) -> Template:
    """Make a copy, to be changed: the next edition. It is not in force."""
    name, number = f"{template.name[:100]} (copy)", 1
    while Template.select().where(Template.name == name).exists():
        number += 1
        name = f"{template.name[:100]} (copy {number})"
    return make(as_dict(template) | {"name": name}, by)


def compared(template: Template) -> tuple[Template | None, list[tuple[str, str, str]]]:
    """(the edition before, [(new, gone or changed, section, question)]): what it asks otherwise
    than the edition of the same form that was made before it.
    """
    rows = Template.select().where(template.same_kind, Template.id < template.id)
    before = rows.order_by(Template.id.desc()).first()
    if not before:
        return None, []
    old, new = asked_by_key(before), asked_by_key(template)
    found = [("gone", *old[key][:2]) for key in old if key not in new]
    for key, (section, text, rest) in new.items():
        if key not in old:
            found.append(("new", section, text))
        elif old[key] != (section, text, rest):
            found.append(("changed", section, text))
    return before, found


def asked_by_key(template: Template) -> dict[str, tuple[str, str, str]]:
    """{key of a question: (section, text, the rest of what it asks)}."""
    rest = ("help", "kind", "options", "required", "source", "depends_answer")
    return {
        row.key or row.text: (
            section.title,
            row.text,
            "\n".join(str(getattr(row, name) or "") for name in rest),
        )
        for section, rows in template.sections_asked()
        for row in rows
    }
