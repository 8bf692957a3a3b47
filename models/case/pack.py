"""A pack: the facts that a body asks for with a referral, on paper for one named recipient."""

import re
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from peewee import CharField, ForeignKeyField, ModelSelect, TextField

from models.ground.clock import now
from models.ground.database import transaction
from models.ground.fields import Moment, Pick, YesNo
from models.ground.record import Refused
from models.ground.settings import settings
from models.ground.words import bare, pages, shown
from models.history.event import Event
from models.history.step import starts
from models.people.setting import Setting
from models.people.user import User

from .annex import Somebody, annexed
from .child import ANOTHER, Child, Flag
from .contact import Contact
from .hiding import hide, mentioned
from .incident import Addendum, Involved, OfIncident
from .injury import numbered
from .relation import Relation

SEVERAL = re.compile(r"\band\b|[;&\n]", re.IGNORECASE)
ADULT = "another adult"
SHORTEST = 3  # letters of a part of a name that is looked for by itself, in scripts with letters


class Pack(OfIncident):
    """A copy for one recipient: its words are frozen when it is made, the PDF is made of them. It
    waits for a second person first, where the school wants that.
    """

    STATUSES = ("waits", "approved")  # nothing: nobody had to approve it
    keeps, part_of = "submitted", "contact"
    changes = ("status", "approved_by", "approved_at", "version")
    no_line = "a copy, which stands on the page of its contact"
    opens = Contact.opens

    contact = ForeignKeyField(Contact, backref="packs", on_delete="RESTRICT")
    recipient = CharField(max_length=120, verbose_name="For whom")
    others = YesNo(default=False, verbose_name="Are other children named?")
    words = TextField()
    by = ForeignKeyField(User, on_delete="RESTRICT")
    at = Moment()
    status = Pick(fixed=STATUSES, null=True, max_length=20, verbose_name="Approval")
    approved_by = ForeignKeyField(
        User, null=True, backref="approved", on_delete="RESTRICT", verbose_name="Approved by"
    )
    approved_at = Moment(null=True, verbose_name="Approved")

    def __str__(self):
        return f"copy for {self.recipient} about {self.incident}"

    @classmethod
    def of(cls, contact: Contact) -> "ModelSelect[Pack]":
        """Those of a contact in order, with who made them, without their words."""
        own = cls.id, cls.contact, cls.recipient, cls.others, cls.at, cls.status, cls.approved_at
        second = User.alias()
        rows = cls.select(*own, *User.named(), *User.named(second))
        rows = rows.join(User, on=(cls.by == User.id)).switch(cls)
        rows = rows.left_outer_join(second, on=(cls.approved_by == second.id), attr="approved_by")
        return rows.where(cls.contact == contact).order_by(cls.id)

    @classmethod
    def to_approve(cls, by: User) -> "ModelSelect[Pack]":
        """A query of those that wait for another person than who made them: `by` is another."""
        return cls.select().where(cls.status == "waits", cls.by != by)

    @property
    def digest(self) -> str:
        """The SHA-256 of its words; its first half is printed at the foot of each page."""
        return sha256(self.words.encode()).hexdigest()

    @classmethod
    @starts(*Contact.STATUSES, who=Contact.a_referral)
    def pack(cls, contact: Contact, recipient: str, asked: str, others: Any, by: User) -> "Pack":
        """Freeze the words of a pack for `recipient`, one person. asked: what is asked of them.
        others: whether other children are named, as a form says it. The history says for whom, with
        the digest.
        """
        recipient = " ".join(recipient.split())
        if SEVERAL.search(recipient):
            sentence = "A pack is for one person. Make another one for the next."
            raise Refused("No pack was made.", {"recipient": sentence})
        with transaction():
            moment = now()
            words = paper(contact, recipient, asked, bool(others), by)
            pack = cls.create(
                incident=contact.incident_id,
                contact=contact,
                recipient=recipient,
                others=bool(others),
                words=words,
                by=by,
                at=moment,
                status="waits" if settings.pack_sign_off else None,
            )
            named = "Other children are named." if others else ""
            Event.write(
                "contact:pack",
                contact,
                by,
                reason=f"For {recipient}. {named}".strip(),
                recipient=recipient,
                sha256=pack.digest,
            )
        return pack

    @staticmethod
    def another(contact: Contact, by: User) -> bool:
        """Another person than the one who made it approves a copy."""
        return Pack.to_approve(by).where(Pack.contact == contact).exists()

    @classmethod
    @starts(*Contact.STATUSES, who=another)
    def approve_pack(cls, contact: Contact, pack: "Pack", by: User) -> "Pack":
        """The second person has read a copy, and it may leave. Pressed by two at once, the first
        stands.
        """
        with transaction():
            waits = Pack.to_approve(by).where(Pack.contact == contact).select(Pack.id)
            if not (
                cls.update(
                    status="approved", approved_by=by, approved_at=now(), version=cls.version + 1
                )
                .where(cls.id == pack.id, cls.id.in_(waits))
                .execute()
            ):
                raise Refused("This copy does not wait for you. Nothing was changed.")
            Event.write(
                "contact:approve_pack",
                contact,
                by,
                reason=f"For {pack.recipient}.",
                recipient=pack.recipient,
                sha256=pack.digest,
            )
        return cls.get_by_id(pack.id)


def texts(contact: Contact) -> str:
    """All that people typed which a pack prints, to be looked through for names."""
    incident = contact.incident
    said = [str(value) for value in incident.__data__.values() if isinstance(value, str)]
    addenda = list(Addendum.of(incident))
    said += [shown(cell) for one in numbered(incident, addenda) for cell in one.row.values()]
    said += [one.text for one in addenda]
    said += [contact.shared or "", contact.advice or ""]
    said += [shown(answer) for _question, answer in contact.answered()]
    return "\n".join(said)


def strangers(contact: Contact, text: str) -> tuple[list[Child], list[Child], list[str]]:
    """Whom a pack must not name: (the other children that are linked, any on the list whose whole
    name stands in `text`, the adults around the linked ones whose name does).
    """
    incident = contact.incident
    linked: dict[int, Any] = {one.child_id: one.child for one in Involved.of(incident) if one.child}
    linked.pop(incident.child_id, None)
    others = Child.id.not_in([incident.child_id, *linked])
    rows = list(Child.select(Child.id, Child.name, Child.setting).where(others))
    said = mentioned(text, (one.name for one in rows))
    found = [one for one in rows if one.name in said]
    own = {str(one.who) for one in Relation.of(incident.child)}
    around = Relation.select(Relation, *User.named()).left_outer_join(User)
    around = around.where(Relation.child.in_(list(linked)), Relation.ended_at.is_null())
    people = {one.who for one in around if (one.name or one.user_id) and one.who not in own}
    return list(linked.values()), found, sorted(mentioned(text, people))


def families(contact: Contact, by: User) -> list[str]:
    """The names that stand in a pack’s text and are of another family: a warning before it is
    made. Of children whom no form names to `by`, none: it would tell that there is such a child in
    another school or home.
    """
    text, knows = texts(contact), by.knows
    linked, found, adults = strangers(contact, text)
    if knows is not None:
        found = [one for one in found if one.setting_id in knows]
    kin = {one.other_id for one in Relation.of(contact.incident.child) if one.other_id}
    keep = own_words(contact)
    others = (one.name for one in [*linked, *found] if one.id not in kin)
    said = [one for one in others if mentioned(text, map(" ".join, parts_of(one, keep)))]
    return [*said, *adults]


def own_words(contact: Contact) -> set[str]:
    """The words of the names that a pack says: the child’s, and those of the people around them."""
    child = contact.incident.child
    said = [child.name, *(one.who for one in Relation.of(child) if not one.other_id)]
    return {word for name in said for word in bare(name)}


def parts_of(name: str, keep: set[str]) -> list[tuple[str, ...]]:
    """A name, and the words of it by which somebody may be called, but those in `keep`."""
    words = bare(name)
    alone = [
        (word,)
        for word in words
        if word not in keep and (len(word) >= SHORTEST or not word.isascii())
    ]
    return [words, *alone]


def without(contact: Contact, text: str, others: bool) -> Callable[[Any], str]:
    """A function that writes a value as the pack does: without the names that it must not say."""
    names: dict[tuple[str, ...], str] = {}
    if not others:
        linked, found, adults = strangers(contact, text)
        keep = own_words(contact)
        names |= {bare(one): ADULT for one in adults}
        names |= {words: ANOTHER for one in linked for words in parts_of(one.name, keep)}
        names |= {bare(one.name): ANOTHER for one in found}
    return lambda value: hide(shown(value), names)


def paper(contact: Contact, recipient: str, asked: str, others: bool, by: User) -> str:
    """The page that becomes the PDF of a pack."""
    incident, text = contact.incident, f"{texts(contact)}\n{asked}"
    involved, child = Involved.of(incident), incident.child
    addenda = list(Addendum.of(incident))
    known = by.may("child:read", child)  # a child who moved is another school's or home's by now
    out = without(contact, text, others)
    responsible = [one for one in Relation.of(child) if one.responsible] if known else []
    html = pages.get_template("pdf/pack.html").render(
        contact=contact,
        letterhead=Setting.letterhead(incident.setting),
        incident=incident,
        child=child,
        recipient=recipient,
        asked=asked,
        others=others,
        by=by,
        out=out,
        known=known,
        flags=list(Flag.in_force(child)) if known else [],
        responsible=responsible,
        children=[one for one in involved if one.child and one.child_id != incident.child_id],
        adults=[one for one in involved if one.adult],
        addenda=addenda,
        injuries=numbered(incident, addenda),
        answers=contact.answered(),
    )
    return annexed(
        html,
        [
            Somebody(child.name, "the child", incident.reported_at),
            Somebody(recipient, f"for whom this is, {contact.body}", now()),
            Somebody(by.name, by.job_title, now()),
            *(Somebody(one.adult.name, one.adult.job_title) for one in involved if one.adult),
            *(
                Somebody(one.child.name, one.part.lower())
                for one in involved
                if one.child and others
            ),
            *(Somebody(one.who, one.kind.lower()) for one in responsible),
        ],
    )
