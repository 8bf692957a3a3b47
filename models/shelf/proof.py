"""Proof: whether everything that is kept still fits together."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import file_digest, sha256
from itertools import islice
from pathlib import Path
from typing import Any

from models.case.attachment import Kept
from models.ground.database import db, sqlite, transaction
from models.ground.record import Base, Refused, parts_of
from models.ground.settings import settings
from models.ground.words import counted, when
from models.history.document import Document
from models.history.event import GENESIS, Event, digest, letter, link, state
from models.history.notice import Notice
from models.history.seal import vouched as vouched_for

from .copies import papers, said_of_papers, sign_offs, stamps

ANCHOR = re.compile(
    r"history (?:([0-9]{1,40}) )?([0-9a-f]{32,64})"
)  # as papers, emails and backups carry it; older ones with the number
SIGNATURE = re.compile(r"signed ([A-Za-z0-9+/]{60,}=*)")  # under the line, in the daily email
FOOT = re.compile(
    r'<div id="foot".*?' + ANCHOR.pattern, re.S
)  # not in what people wrote: their < and " are escaped


@contextmanager
def one_moment() -> Iterator[None]:
    """Within the block everything is read as of one moment, while people go on working."""
    with db.atomic("DEFERRED") if sqlite() else db.atomic():
        if not sqlite():
            db.execute_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def anchors(given: str = "", backups: Path | None = None) -> Iterator[tuple[str, str, str]]:
    """Heads of the history that were written down elsewhere: [(number or "", hash or its beginning,
    where)].

    `given`: text that holds one. `backups`: the folder of the backups, whose manifests hold one
    each; those made between a backup that was restored and its restore belong to a history that
    ended, and do not count. Raises Refused for what cannot be read.
    """
    if given.strip():
        yield (*parsed(given), "what you gave")
    for document in Document.select(Document.id, Document.words).order_by(Document.id).iterator():
        if found := FOOT.search(document.words):
            yield found[1], found[2], f"kept copy {document.id}"
    for notice in (
        Notice.select(Notice.id, Notice.body)
        .join(Event)
        .where(Event.verb == "event:anchor")
        .order_by(Notice.id)
        .iterator()
    ):
        for number, start in ANCHOR.findall(notice.body):
            yield number, start, f"email {notice.id}"
    restored = [
        (event.detail.get("name", ""), f"{event.at:%Y-%m-%dT%H%M%SZ}")
        for event in Event.select().where(Event.verb == "event:restore")
    ]
    for manifest in sorted(backups.glob("*Z/manifest.json")) if backups else ():
        name = manifest.parent.name
        if any(taken < name < back for taken, back in restored):
            continue
        try:
            head = json.loads(manifest.read_text(encoding="utf-8"))["head"]
        except (OSError, ValueError, KeyError):
            raise Refused(
                f"The manifest of backup {name} cannot be read. Make a new backup, and put this "
                "one aside."
            ) from None
        for number, start in ANCHOR.findall(head):
            yield number, start, f"backup {name}"


def parsed(text: str) -> tuple[str, str]:
    """The number and the hash of a line that somebody kept.

    Raises Refused when it holds none, or a signature that is not ours, of that line.
    """
    found = ANCHOR.search(text.lower())
    if not found:
        raise Refused(
            "This holds no line “history” and 32 or 64 letters and digits. Copy it as it stands "
            "on the paper or in the email."
        )
    if (signature := SIGNATURE.search(text)) and not vouched_for(found[0], signature[1]):
        raise Refused(
            "This line was not signed by this installation, or not as it stands here. Copy both "
            "lines as they stand in the email."
        )
    return found[1] or "", found[2]


def history(tables: list[type[Base]], given: str = "", backups: Path | None = None) -> int:
    """The chain, every payload, every anchor, what every record says, and the emails that events
    say were queued. Returns the number of events.
    """
    numbered: dict[int, list] = defaultdict(list)
    heads: dict[str, tuple[str, str]] = {}
    told, empty, erased, free = {}, {}, set(), set()
    moved: set[int] = set()
    states: dict[str, str] = {}
    for number, start, where in anchors(given, backups):
        if number:
            numbered[int(number)].append((start, where))
        else:
            heads[start[:32]] = (start, where)
    previous, count = GENESIS, 0
    for event in Event.walk():
        count += 1
        text = event.payload
        if (event.id, event.previous, event.hash) != (count, previous, link(event)) or (
            text and sha256(text.encode()).hexdigest() != event.digest
        ):
            raise Refused(
                f"The history does not fit at event {event.id}, where event {count} was expected."
            )
        kept = [heads.pop(event.hash[:32], ("", "")), *numbered.pop(event.id, ())]
        for start, where in kept:
            if not event.hash.startswith(start):
                raise Refused(
                    f"Event {event.id} is not the one that {where} was anchored to: the history "
                    "was rewritten."
                )
        previous = event.hash
        if not text:
            empty[event.id] = f"{event.subject} {event.record}"
        elif any(
            word in text for word in ('"states": ', '"told": ', '"erased": ', '"readdressed": ')
        ):
            detail = json.loads(text)
            states |= detail.get("states", {})
            if event.verb == "event:erase":
                ids = detail.get("erased", ())
                erased.update(ids)
                for key in detail.get("unvouched") or map(
                    empty.get, ids
                ):  # the first erasures named none
                    states.pop(key, None)
                    free.add(key)
            moved.update(detail.get("readdressed", ()) if event.verb == "notice:retry" else ())
            if "told" in detail:
                told[event.id] = detail["told"]
    if numbered:
        first = min(numbered)
        raise Refused(
            f"The history ends at event {count}, but {numbered[first][0][1]} was anchored to "
            f"event {first}: its tail was cut off."
        )
    if heads:
        raise Refused(
            f"No event is the one that {next(iter(heads.values()))[1]} was anchored to: the "
            "history was rewritten, or its tail was cut off."
        )
    if lost := empty.keys() - erased:
        raise Refused(f"What event {min(lost)} said is gone, and no retention decision erased it.")
    records(tables, states, free)
    emails(told, moved, erased, states.keys() | free)
    return count


def vouched(tables: list[type[Base]]) -> list[type[Base]]:
    """The models whose every row the history vouches for by itself."""
    return [
        model
        for model in tables
        if model.keeps != "free" and not model.part_of and model is not Event
    ]


def records(tables: list[type[Base]], states: dict, free: Any) -> None:
    """Every record says what the history says that it said last, and there is none that the history
    does not know.

    states: {"noun id": digest}. free: the keys of those that an erasure let go. Emails that wait
    are known by the event that caused them: see emails().
    """
    there = set()
    for model in vouched(tables):
        # a record of one row is judged as it is read
        alone = model.parts is Base.parts and not parts_of(model)
        for record in walk(model):
            key = f"{model.noun()} {record.id}"
            there.add(key)
            known = states.get(key)
            if not known and key not in free and model is not Notice:
                raise Refused(
                    f"The {key} is not in the history: it was put there behind the system’s back."
                )
            if known and (digest([record]) if alone else state(record)) != known:
                raise Refused(
                    f"The {key} is not what the history says it was: it was changed behind the "
                    "system’s back."
                )
    if gone := states.keys() - there:
        raise Refused(f"The {min(gone)} is gone, though the history knows it.")


def walk(model: type[Base], size: int = 500) -> Iterator[Any]:
    """Every row of `model` in the order of their ids, fetched by `size`."""
    last = 0
    while rows := list(model.select().where(model.id > last).order_by(model.id).limit(size)):
        yield from rows
        last = rows[-1].id


FIRST = (
    "incident",
    "log",
    "tracker",
    "section",
    "attachment",
    "child",
)  # vouched for from schema 0004 on


def adopt(tables: list[type[Base]]) -> None:
    """Take what every record says into the history, once for each noun: those from before the
    history kept their digests.
    """
    before = [event.detail for event in Event.select().where(Event.verb == "event:adopt")]
    done = {noun for detail in before for noun in detail.get("nouns", FIRST)}
    new = [model for model in vouched(tables) if model.noun() not in done]
    if not new:
        return
    states = (
        (f"{row.noun()} {row.id}", found)
        for model in new
        for row in walk(model)
        if (found := state(row))
    )
    with transaction():
        while some := dict(islice(states, 500)):
            Event.write("event:adopt", Event(), None, states=some, nouns=[])
        Event.write("event:adopt", Event(), None, nouns=[model.noun() for model in new])


def emails(told: Any, moved: Any, erased: Any, known: Any) -> None:
    """Every event that told people has exactly its emails, as they were written, and no email is
    without its cause.

    told: {event id: {address: digest}}, or [address] in older events. known: the keys of records
    that stand in the history by themselves, as an email does once it was sent or given up; one that
    does not must still wait.
    """
    queued = defaultdict(list)
    for notice in (
        Notice.select(Notice, Event.id, Event.at).join(Event).order_by(Notice.id).iterator()
    ):
        queued[notice.event_id].append(notice)
        waits = (notice.status, notice.sent_at, notice.queued_at) == (
            "waiting",
            None,
            notice.event.at,
        )
        if not waits and notice.event_id not in erased and f"notice {notice.id}" not in known:
            raise Refused(
                f"The notice {notice.id} is not what the history says it was: it was changed "
                "behind the system’s back."
            )
    for id in sorted((told.keys() | queued.keys()) - erased):
        addresses, sent = told.get(id, []), queued.get(id, [])
        same = len(addresses) == len(sent) and {
            one.email for one in sent if one.id not in moved
        } <= set(addresses)
        if not same and told and id >= min(told):  # events name whom they told from schema 0004 on
            raise Refused(
                f"Event {id} told {counted(len(addresses), 'person')}, but what is queued "
                f"for it is {counted(len(sent), 'email')}, or to other addresses."
            )
        for one in sent if isinstance(addresses, dict) else ():
            expected = addresses.values() if one.id in moved else [addresses[one.email]]
            if letter(one.subject, one.body) not in expected:
                raise Refused(
                    f"The notice {one.id} is not what the history says it was: it was changed "
                    "behind the system’s back."
                )


def references(tables: list[type[Base]]) -> int:
    """Every foreign key leads to a row. Returns how many kinds of reference were looked at."""
    kinds = 0
    for model in tables:
        for field in model._meta.refs:
            kinds += 1
            there = field.rel_model.select(field.rel_model.id)
            if (
                lost := model.select(model.id)
                .where(field.is_null(False), field.not_in(there))
                .first()
            ):
                raise Refused(
                    f"{model.noun()} {lost.id} names a {field.rel_model.noun()} that is not "
                    f"there ({field.name})."
                )
    return kinds


def files() -> int:
    """Every attachment is on disk and is what was attached. Returns how many."""
    count = 0
    for row in (row for model in Kept.models() for row in walk(model)):
        count += 1
        what = f"The file of {row.noun()} {row.id}"
        if not row.path.exists():
            raise Refused(f"{what} is missing. Restore it from a backup.")
        with row.path.open("rb") as file:
            if file_digest(file, "sha256").hexdigest() != row.sha256:
                raise Refused(f"{what} is damaged or was changed. Restore it from a backup.")
    return count


def findings(tables: list[type[Base]], given: str = "") -> list[str]:
    """Run every check in order, as of one moment; returns one sentence for each. Raises Refused
    naming the first thing that does not fit.
    """
    Document.finish()
    with one_moment():
        events, kinds, attached, copies, completed, stamped_at = (
            history(tables, given, settings.backups),
            references(tables),
            files(),
            papers(),
            sign_offs(),
            stamps(),
        )
    found = [
        f"{events:,} events, with their anchors, records and emails, all fit.",
        f"{kinds} kinds of reference, all lead to a record.",
        f"{attached:,} attachments, all as they were attached.",
        said_of_papers(*copies),
        f"{completed:,} completed logs, all with who signed, when, and the copy.",
    ]
    if stamped_at:
        found.append(
            f"{len(stamped_at):,} time stamps, the latest of {when(stamped_at[0][0])} by "
            f"{stamped_at[0][1]}."
        )
    if SIGNATURE.search(given):
        found.append("The line that you gave was signed by this installation.")
    return found


def verify(tables: list[type[Base]], given: str = "") -> list[str]:
    """Run every check, keep the result in the history (the page History shows it), and return
    [sentence]. Raises Refused as findings does.
    """
    try:
        found = findings(tables, given)
    except Refused as problem:
        Event.write("event:verify", Event(), None, problem=str(problem))
        raise
    Event.write("event:verify", Event(), None, found=[uncounted(sentence) for sentence in found])
    return found


def uncounted(sentence: str) -> str:
    """A finding without its number, for pages and emails: to somebody shut out of a case the
    numbers would tell that there is one.
    """
    words = re.sub(r"^[\d,]+ ", "", sentence).partition(": ")[0].rstrip(".")
    return f"{words[:1].upper()}{words[1:]}."


def compare(text: str) -> str:
    """Whether an anchor that somebody kept (“history N HASH”) is still in the history: a sentence.
    Raises Refused with a sentence when it is not.
    """
    number, start = parsed(text)
    event = Event.get_or_none(Event.hash.startswith(start))
    if not event or number and int(number) != event.id:
        raise Refused(
            "This does not fit. First compare the line letter by letter with the paper or the "
            "email. If it stands there so, the history "
            "is not what it was when it was written down: it was changed or cut. Tell the DSL "
            "and IT today."
        )
    signed = " It was signed by this installation." if SIGNATURE.search(text) else ""
    return (
        f"It fits: the history up to {when(event.at)} is what it was, if the last check "
        f"fitted.{signed}"
    )
