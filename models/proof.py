"""Proof: whether everything that is kept still fits together, and whether a paper is what was signed off."""

import json
import re
from collections import defaultdict
from datetime import timedelta
from hashlib import file_digest, sha256

from .attachment import Attachment
from .base import LONDON, Refused, now, transaction
from .document import Document
from .event import GENESIS, Event, link
from .log import Log
from .notice import Notice
from .people import User
from .seal import check
from .settings import settings
from .words import pages, when

ANCHOR = re.compile(r"history (\d+) ([0-9a-f]{32,64})")  # as papers, emails and backups carry it


def anchors(given=""):
    """Heads of the history that were written down elsewhere: [(number, hash or its beginning, where)]. `given`: text that holds more of them."""
    for number, start in ANCHOR.findall(given):
        yield int(number), start, "what you gave"
    for document in Document.select(Document.id, Document.words).order_by(Document.id).iterator():
        for number, start in ANCHOR.findall(document.words):
            yield int(number), start, f"kept copy {document.id}"
    for notice in Notice.select(Notice.id, Notice.body).where(Notice.subject.startswith("History")).order_by(Notice.id).iterator():
        for number, start in ANCHOR.findall(notice.body):
            yield int(number), start, f"email {notice.id}"
    for manifest in sorted(settings.backups.glob("*/manifest.json")) if settings.backups else ():
        head = json.loads(manifest.read_text(encoding="utf-8"))["head"]
        for number, start in ANCHOR.findall(head or ""):
            yield int(number), start, f"backup {manifest.parent.name}"


def history(given=""):
    """The chain, every payload, every anchor, and the emails that events say were queued. Returns the number of events."""
    known, told, erased, empty, moved = defaultdict(list), {}, set(), set(), set()
    for number, start, where in anchors(given):
        known[number].append((start, where))
    previous, count = GENESIS, 0
    for event in Event.walk():
        count += 1
        text = event.payload
        if (event.id, event.previous, event.hash) != (count, previous, link(event)) or (
            text and sha256(text.encode()).hexdigest() != event.digest
        ):
            raise Refused(f"The history does not fit at event {event.id}, where event {count} was expected.")
        for start, where in known.pop(event.id, ()):
            if not event.hash.startswith(start):
                raise Refused(f"Event {event.id} is not the one that {where} was anchored to: the history was rewritten.")
        if not text:
            empty.add(event.id)
        elif event.verb == "event:erase":
            erased.update(json.loads(text).get("erased", ()))
        elif event.verb == "notice:retry":
            moved.update(json.loads(text).get("readdressed", ()))
        elif '"told": ' in text:
            told[event.id] = sorted(json.loads(text).get("told", ()))
        previous = event.hash
    if known:
        number = min(known)
        raise Refused(f"The history ends at event {count}, but {known[number][0][1]} was anchored to event {number}: its tail was cut off.")
    if empty - erased:
        raise Refused(f"What event {min(empty - erased)} said is gone, and no retention decision erased it.")
    emails(told, moved, erased)
    return count


def emails(told, moved, erased):
    """Every event that told people has exactly its emails, and no email is without its cause. `told`: {event id: [address]}."""
    queued = defaultdict(list)
    for notice in Notice.select(Notice.id, Notice.event, Notice.email).order_by(Notice.id).iterator():
        queued[notice.event_id].append(None if notice.id in moved else notice.email)
    for id in sorted((told.keys() | queued.keys()) - erased):
        addresses, sent = told.get(id, []), queued.get(id, [])
        same = len(addresses) == len(sent) and {email for email in sent if email} <= set(addresses)
        if not same and told and id >= min(told):  # events name whom they told from schema 0004 on
            raise Refused(f"Event {id} told {len(addresses)} people, but {len(sent)} emails are queued for it, or to other addresses.")


def references(tables):
    """Every foreign key leads to a row. Returns how many kinds of reference were looked at."""
    kinds = 0
    for model in tables:
        for field in model._meta.refs:
            kinds += 1
            there = field.rel_model.select(field.rel_model.id)
            if lost := model.select(model.id).where(field.is_null(False), field.not_in(there)).first():
                raise Refused(f"{model.noun()} {lost.id} names a {field.rel_model.noun()} that is not there ({field.name}).")
    return kinds


def files():
    """Every attachment is on disk and is what was attached. Returns how many."""
    count = 0
    for row in Attachment.select().order_by(Attachment.id).iterator():
        count += 1
        if not row.path.exists():
            raise Refused(f"The file of attachment {row.id} is missing. Restore it from a backup.")
        with row.path.open("rb") as file:
            if file_digest(file, "sha256").hexdigest() != row.sha256:
                raise Refused(f"The file of attachment {row.id} is damaged or was changed. Restore it from a backup.")
    return count


def papers():
    """Every kept copy is what the history says was kept. Returns how many."""
    count = 0
    for document in Document.select().order_by(Document.id):
        count += 1
        kept = Event.select().where(Event.subject == "document", Event.record == document.id, Event.verb == "document:keep").first()
        if document.pdf is None or not kept:
            raise Refused(f"The signed copy of event {document.event_id} is not made yet. Run flask deliver, then verify again.")
        said = kept.detail
        if kept.payload and (sha256(bytes(document.pdf)).hexdigest(), document.sha256, document.digest) != (
            said["sha256"],
            said["sha256"],
            said["digest"],
        ):
            raise Refused(f"Kept copy {document.id} is not the one that the history names in event {kept.id}.")
    return count


def sign_offs():
    """Every completed log has who signed it off, when, and the copy kept then. Returns how many."""
    count = 0
    for log in Log.select().where(Log.status == "completed").order_by(Log.id):
        count += 1
        signed = log.signed_off
        if not signed or not signed.by_id or not Document.select().where(Document.event == signed.id).exists():
            raise Refused(f"{log} is completed, but who signed it off, when, or the copy kept then is missing.")
    return count


def findings(tables, given=""):
    """Run every check in order; one sentence for each. Raises Refused naming the first thing that does not fit."""
    yield f"{history(given):,} events, with their anchors and emails, all fit."
    yield f"{references(tables)} kinds of reference, all lead to a record."
    yield f"{files():,} attachments, all as they were attached."
    yield f"{papers():,} kept copies, all as they were signed."
    yield f"{sign_offs():,} completed logs, all with who signed, when, and the copy."


def verify(tables, given=""):
    """Run every check, keep the result in the history (the page History shows it), and return [sentence]. Raises Refused as findings does."""
    try:
        found = list(findings(tables, given))
    except Refused as problem:
        Event.write("event:verify", Event(), None, problem=str(problem))
        raise
    Event.write("event:verify", Event(), None, found=found)
    return found


def of_paper(content):
    """Whether `content` (bytes of a PDF) is what was signed off: a sentence that says so. Raises Refused with a sentence that says what it is not."""
    document = Document.get_or_none(Document.sha256 == sha256(content).hexdigest())
    signature = check(content)
    if document and bytes(document.pdf) == content:
        event, kept = document.event, {"whole": "Its signature is this installation’s and whole."}
        seal = kept.get(
            signature, "It was kept before copies were signed." if signature == "none" else "Its certificate is not the one in use now."
        )
        said = f"{event.detail.get('record')}, kept when {event.detail.get('by')} signed it off on {when(event.at)} (event {event.id})"
        return f"This is the copy of {said}, byte for byte. {seal} Record digest {document.digest}."
    raise Refused(
        {
            "whole": "This is not, byte for byte, a copy kept here, though what it says was signed by this installation and is unchanged. Fetch the kept copy.",
            "changed": "This is not what was signed off: the file was changed after it was signed.",
            "foreign": "This is not what was signed off here: the signature is another’s.",
            "none": "This is not a copy kept at a sign-off: it carries no signature. A working print has none; ask for the kept copy.",
        }[signature]
    )


def compare(text):
    """Whether an anchor that somebody kept (“history N HASH”) is still in the history: a sentence. Raises Refused with a sentence when it is not."""
    found = ANCHOR.search(text)
    if not found:
        raise Refused(
            "This holds no line “history”, a number, and 32 or 64 letters and digits. Copy it as it stands on the paper or in the email."
        )
    event = Event.get_or_none(Event.id == int(found[1])) if len(found[1]) < 10 else None
    if not event or not event.hash.startswith(found[2]):
        raise Refused(
            f"Event {found[1]} is not what it was when this was written down: the history was changed or cut. Tell the DSL and IT today."
        )
    return f"It fits: event {event.id} of {when(event.at)} is what it was, and so is everything before it, if the last check fitted."


def warnings(moment):
    """What is wrong with the installation, or has not been looked at for too long, in sentences. `moment`: now (UTC)."""
    check, backup, drill = Event.latest("event:verify"), Event.latest("event:backup"), Event.latest("event:drill")
    if check and check.detail.get("problem"):
        yield f"Something does not fit: {check.detail['problem']}"
    for event, days, never, old in (
        (check, 2, "Nothing has been checked yet.", "The last check"),
        (backup, 2, "No backup has been made yet.", "The last good backup"),
        (drill, 100, "No backup has been restored as a drill yet.", "The last restore drill"),
    ):
        if not event:
            yield never
        elif moment - event.at > timedelta(days=days):
            yield f"{old} is from {when(event.at)}."
    if Notice.held():
        yield "Emails are held back since a restore, until a Level 5 releases them."
    if stuck := Notice.stuck().count():
        yield f"{stuck} email{'' if stuck == 1 else 's'} could not be delivered yet."


def daily(tables):
    """Once a day (Europe/London): check everything and email the head of the history to every Level 5. Returns whether it was due."""
    last = Event.latest("event:anchor")
    if last and last.at.astimezone(LONDON).date() >= now().astimezone(LONDON).date():
        return False
    try:
        result = " ".join(verify(tables))
    except Refused as problem:
        result = f"SOMETHING DOES NOT FIT. {problem} Tell IT today; the page History says more."
    with transaction():
        again = Event.latest("event:anchor")
        if (again and again.id) != (last and last.id):
            return False  # another process was first
        people = list(User.level_5())
        anchor = Event.write("event:anchor", Event(), None, told=people, result=result)
        backup, drill = Event.latest("event:backup"), Event.latest("event:drill")
        body = pages.get_template("email/anchor.txt").render(anchor=anchor, result=result, backup=backup, drill=drill)
        for person in people:
            Notice.create(event=anchor, user=person, email=person.email, subject=f"History up to event {anchor.id}", body=body)
    return True
