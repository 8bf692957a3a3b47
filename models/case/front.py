"""Page one of a case: who, what in five lines, when, who signed it off; and which answers are
tables.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from unicodedata import east_asian_width

from models.ground.fields import Rows
from models.ground.words import day, pages, when
from models.people.user import User

from .annex import Somebody
from .incident import ABOUT
from .injury import Injuries
from .template import columns

LINE = 180  # characters: two lines of the page, so that the summary is read at one glance
CELL = 400  # characters: a row is not broken across pages, but shrunk until nobody can read it
ACROSS = 90  # characters beside each other on a page: a longer word would run into the next cell
LONG, LINES = 800, 10  # characters, lines: what is longer stands below its label, across pages


def clipped(text: str) -> str:
    """The beginning of a text as one line, ended where a word ends; the whole stands further
    down.
    """
    text = " ".join((text or "").split())
    if len(text) <= LINE:
        return text
    end = text.rfind(" ", LINE // 2, LINE)
    return f"{text[: end if end > 0 else LINE]} …"


def parties(
    log: Any, involved: Iterable, assignees: Iterable, signed: Any
) -> list[tuple[str, str, list[str]]]:
    """[(name, who that is, their parts)]: the child, then everybody with a part, each once.

    involved, assignees: their rows, with names. signed: the event of the sign-off in force, or
    None.
    """
    incident, child = log.incident, log.incident.child
    born = f"born {day(child.date_of_birth)}, {child.year or 'no year'}"
    rows = [(child.name, f"{born}, UPN {child.upn or 'not known'}", ["The child"])]
    rows += [
        (one.child.name, one.child.in_full.removeprefix(f"{one.child}, "), [one.part])
        for one in involved
        if one.child
    ]
    if incident.other_adults:
        rows.append(
            (
                clipped(incident.other_adults),
                "no account here; as the reporter wrote it",
                ["Present"],
            )
        )
    people: dict[int, tuple[Any, list[str]]] = {}

    def part(person, what):
        if person:
            people.setdefault(person.id, (person, []))[1].append(what)

    for one in sorted((one for one in involved if one.adult), key=lambda one: one.part != ABOUT):
        part(one.adult, one.part)
    part(incident.reported_by, "Reported it")
    part(log.triggered_by, "Triggered the notification")
    part(log.decided_by if log.decided_by_id != log.triggered_by_id else None, "Decided to notify")
    part(log.told_by, "Told Ofsted")
    part(signed and signed.by, "Signed it off")
    for assignee in assignees:
        part(assignee.user, assignee.why if assignee.by_id else "Assigned to the log, as Level 5")
    return rows + [(person.name, person.job_title, parts) for person, parts in people.values()]


def index(log: Any, parties: Iterable, assignees: Iterable, history: Iterable) -> list[Somebody]:
    """Everybody for the index at the end of the paper: those on its front page, who wrote it first,
    and whoever did something, with when. Its readers read all of that on it.
    """
    incident, events = log.incident, list(history)
    found = [Somebody(name, who) for name, who, _parts in parties]
    found += [Somebody(one.user.name, "", one.assigned_at) for one in assignees]
    found += [Somebody(incident.child.name, "the child", incident.reported_at)]
    if incident.written_by:
        found.append(Somebody(incident.written_by, "wrote it first", incident.written_at))
    ids = {event.by_id for event in events if event.by_id}
    people = {one.id: one for one in User.select(*User.named()).where(User.id.in_(ids))}
    return found + [
        Somebody(one.name, one.job_title, event.at)
        for event in events
        if (one := people.get(event.by_id))
    ]


def gist(log: Any, sections: Sequence, signed: Any) -> list[tuple[str, str]]:
    """The case in five lines: [(label, text)], each short."""
    incident = log.incident
    if log.told_at:
        number = f"reference {log.told_reference}" if log.told_reference else ""
        told = ", ".join(filter(None, [when(log.told_at), log.told_how, number]))
        told += f": {'after it was due' if log.late else 'in time'}."
    else:
        told = f"Due by {when(log.due_at)}. Not told yet." if log.due_at else "Not told yet."
    done = sum(section.status == "complete" for section in sections)
    stands = f"{done} of {len(sections)} sections of the tracker are complete. "
    stands = stands if sections else "The tracker has not been begun. "
    stands += f"Signed off by {signed.by} on {when(signed.at)}." if signed else "Not signed off."
    topic = f"{incident.topic}: " if incident.topic else ""
    why = ", ".join(filter(None, [log.kind, (log.basis or "").lower()]))
    why = " ".join(filter(None, [f"{why}." if why else "", log.decided_why]))
    return [
        ("What happened", clipped(topic + incident.what_happened)),
        ("Done at once", clipped(log.done_at_once or incident.immediate_action)),
        ("Why Ofsted", clipped(why) or "Not recorded yet."),
        ("Ofsted told", clipped(told)),
        ("How it stands", clipped(stands)),
    ]


def timeline(log: Any, tracker: Any, history: Iterable) -> list[tuple]:
    """[(moment, what, who)] in the order it happened. tracker: or None. history: the case's
    events.
    """
    incident, late = log.incident, log.told_at and log.late
    decided = log.decided_at if log.decided_at != log.triggered_at else None
    aware = log.aware_at if log.aware_at != incident.reported_at else None
    told = f"Ofsted told{f' after it was due, {when(log.due_at)}' if late else ''}"
    whom = f": {clipped(incident.told_whom)}" if incident.told_whom else ""
    told_in_person = f"The DSL was told in person{whom}"
    rows = [
        (incident.happened_at, f"It happened ({incident.happened.lower()} time)", ""),
        (incident.noticed_at, "It was noticed", incident.reported_by),
        (incident.told_dsl_at, told_in_person, incident.reported_by),
        (incident.reported_at, f"Reported as {incident.reference}", incident.reported_by),
        (aware, "The school became aware", ""),
        (decided, "It was decided to notify Ofsted", log.decided_by),
        (log.triggered_at, f"Notification {log.reference} triggered", log.triggered_by),
        (log.told_at, told, log.told_by),
        (tracker and tracker.begun_at, "Safeguarding tracker begun", tracker and tracker.begun_by),
    ]
    steps = {
        "log:complete": "Signed off",
        "log:complete_anyway": "Signed off although something was missing",
        "log:reopen": "Reopened: ",
    }
    for event in history:
        if event.verb in steps:
            why = clipped(event.detail.get("reason")) if event.verb == "log:reopen" else ""
            rows.append((event.at, steps[event.verb] + why, event.detail.get("by", "")))
    return sorted((row for row in rows if row[0]), key=lambda row: row[0])


def of_group(record: Any, names: Iterable[str]) -> list[tuple[str, Any, list]]:
    """What `record` says in the fields `names`: [(label, answer, columns)].

    columns: of a small table [(key, heading)], else none.
    """
    found = []
    for name in names:
        if field := record._meta.fields.get(name):
            named = getattr(field, "columns", {}) if isinstance(field, Rows) else {}
            columns = [
                (key, said if isinstance(said, str) else said[0]) for key, said in named.items()
            ]
            answer = getattr(record, name)
            if answer and isinstance(field, Injuries):
                continue  # they are drawn, with those that were added later
            if columns and not answer:
                answer, columns = "None was recorded.", []
            found.append((field.verbose_name, answer, columns))
    return found


def of_section(section: Any) -> list[tuple[str, Any, list]]:
    """The same of a section of the tracker: [(question, answer, columns)]."""
    found = []
    for question, answer in section.answered():
        table = columns(question) if question["kind"] == "table of rows" else []
        found.append((question["text"], answer, [(one.name, one.name) for one in table]))
    return found


def tabular(rows: Sequence[dict], columns: Sequence[tuple[str, str]]) -> bool:
    """Whether rows (dicts) can stand as a table: no cell or word is too long, none is left out."""
    names, room = {key for key, _heading in columns}, ACROSS // len(columns)
    cells = [str(cell or "") for row in rows for cell in row.values()]
    short = all(len(cell) <= CELL for cell in cells)
    narrow = all(width(word) <= room for cell in cells for word in cell.split())
    return short and narrow and all(row.keys() <= names for row in rows)


def width(word: str) -> int:
    """How much room a word takes, in letters: a Chinese character takes that of two."""
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in word)


def long(text):
    return isinstance(text, str) and (len(text) > LONG or len(text.splitlines()) > LINES)


pages.tests.update(tabular=tabular, long=long)
pages.filters.update(of_group=of_group, of_section=of_section)
