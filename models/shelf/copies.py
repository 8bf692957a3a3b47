"""The copies kept at sign-offs, looked at: whole, as the history says, time-stamped; and whether a
paper is one of them.
"""

from base64 import b64decode
from collections import Counter
from hashlib import sha256
from typing import Any

from models.case.log import SIGNED, Log
from models.ground.record import Refused
from models.ground.words import when
from models.history.document import Document
from models.history.event import Event
from models.history.seal import judged, named, stamped


def papers() -> tuple[Counter[str], int]:
    """Every sign-off has its copy; every kept copy is what the history says, and its signature
    whole.

    Returns ({"whole": how many, "foreign": by a certificate in use before, "none": kept before
    copies were signed}, how many are still to be made).
    """
    counts: Counter[str] = Counter()
    waiting = 0
    signed = Event.select(Event.id).where(Event.verb.in_(SIGNED))
    if (
        lost := signed.where(Event.id.not_in(Document.select(Document.event)))
        .order_by(Event.id)
        .first()
    ):
        raise Refused(f"The copy of the sign-off in event {lost.id} is gone.")
    said = {
        event.record: event.detail
        for event in Event.select()
        .where(Event.subject == "document", Event.verb == "document:keep")
        .order_by(Event.id.desc())
    }  # the first counts
    for document in Document.select().order_by(Document.id).iterator():
        kept = said.get(document.id)
        if document.pdf is None and not kept:
            waiting += 1
            continue
        if not kept or (
            sha256(bytes(document.pdf or b"")).hexdigest(),
            document.sha256,
            document.digest,
        ) != (kept["sha256"], kept["sha256"], kept["digest"]):
            raise Refused(f"Kept copy {document.id} is not the one that the history names.")
        seen, status = judged(bytes(document.pdf)) if kept.get("signed") else ("none", None)
        if kept.get("signed") and seen not in ("whole", "foreign"):
            raise Refused(
                f"The signature of kept copy {document.id} is not whole, though the history says "
                "that it was signed."
            )
        if kept.get("stamped") and not (status and status.timestamp_validity):
            raise Refused(
                f"Kept copy {document.id} has no time stamp, though the history says that it was "
                "given one."
            )
        counts[seen] += 1
    return counts, waiting


def said_of_papers(counts: Counter[str], waiting: int) -> str:
    """What papers() found, as a sentence."""
    signed, before, foreign = counts.total() - counts["none"], counts["none"], counts["foreign"]
    parts = [
        f"{counts.total():,} kept copies, all as they were signed: {signed:,} with a whole "
        "signature"
    ]
    parts += [f"{foreign:,} of these by a certificate in use before"] if foreign else []
    parts += [f"{before:,} kept before copies were signed"] if before else []
    return f"{', '.join(parts)}." + (f" {waiting} could not be made yet." if waiting else "")


def stamps() -> Any:
    """Every time stamp of the history's head is of the event that it names.

    Returns [(when, by whom)], the latest first.
    """
    found = []
    kept = Event.select().where(Event.verb == "event:stamp", Event.payload != "")
    for event in kept.order_by(Event.id.desc()).iterator():
        line = event.detail["head"]
        start = line.split()[-1]
        if not (given := stamped(b64decode(event.detail["token"]), line)):
            raise Refused(
                f"The time stamp in event {event.id} is not whole, or was not given for the line "
                "that it stands beside."
            )
        if not Event.select().where(Event.hash == start).exists():
            raise Refused(
                f"No event is the one that was time-stamped on {when(given[0])}: the history was "
                "rewritten."
            )
        found.append(given)
    return found


def sign_offs() -> int:
    """Every completed log has who signed it off, when, and the copy kept then. Returns how many."""
    completed = list(Log.select().where(Log.status == "completed").order_by(Log.id))
    signed = {
        event.record: event
        for event in Event.select()
        .where(Event.subject == "log", Event.verb.in_(SIGNED))
        .order_by(Event.id)
    }
    kept = {document.event_id for document in Document.select(Document.event)}
    for record in completed:
        event = signed.get(record.id)
        if not event or not event.by_id or event.id not in kept:
            raise Refused(
                f"{record} is completed, but who signed it off, when, or the copy kept then is "
                "missing."
            )
    return len(completed)


NOT = {
    "whole": "This is not, byte for byte, a copy kept here, though what it says was signed by "
    "this installation and is unchanged. Fetch the kept copy.",
    "changed": "This is not what was signed off: the file was changed after it was signed.",
    "foreign": "This is not what was signed off here: the signature is another’s.",
    "none": "This is not a copy kept at a sign-off: it carries no signature. A working print has "
    "none; ask for the kept copy.",
}


def of_paper(content: bytes) -> str:
    """Whether `content` (bytes of a PDF) is what was signed off: a sentence that says so. Raises
    Refused with a sentence that says what it is not.
    """
    digest, (signature, status) = sha256(content).hexdigest(), judged(content)
    document = Document.get_or_none(Document.sha256 == digest)
    kept = document and document.kept
    if (
        kept
        and kept["sha256"] == digest
        and (signature == "whole" or signature == "foreign" or not kept.get("signed"))
    ):
        event = document.event  # type: ignore[union-attr]  # it is there: kept says so
        seal = {
            "whole": "Its signature is this installation’s and whole.",
            "foreign": "Its signature is whole, by a certificate that was in use before.",
        }
        said = (
            f"{event.detail.get('record', 'a log')}, kept when {event.detail.get('by', event.by)} "
            ""
            ""
            f"signed it off on {when(event.at)} (event {event.id})"
        )
        signed = seal.get(signature, "It was kept before copies were signed.")
        if status and (stamp := status.timestamp_validity):
            signed += f" {named(stamp.signing_cert)} stamped it on {when(stamp.timestamp)}."
        return (
            f"This is the copy of {said}, byte for byte. {signed} Record digest {kept['digest']}."
        )
    raise Refused(NOT[signature])
