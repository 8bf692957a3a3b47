"""Need to know: which rows a person sees. One page, asked by every door; what they may do to a row
is a permission on top.
"""

from collections.abc import Callable
from typing import Any

from peewee import Expression, ModelSelect, fn

from models.access.proposal import Proposal
from models.access.visitor_pass import VisitorPass
from models.case.abbreviation import Abbreviation
from models.case.case import Case, Link
from models.case.child import Child, OfChild
from models.case.choice import Choice
from models.case.duty import Duty
from models.case.extract import Extract
from models.case.feedback import Feedback
from models.case.form_part import Enclosure, Listed, Reader, Signature, SubmissionSection
from models.case.guidance import Guidance
from models.case.incident import Incident, OfIncident
from models.case.log import Assignee, Log
from models.case.policy_document import Acknowledgement, PolicyDocument
from models.case.profile import Profile
from models.case.relation import Relation
from models.case.right import REVIEWS, Right
from models.case.sharing import LASTS, Emergency, Share
from models.case.shut_out import ShutOut
from models.case.slip import Slip
from models.case.submission import Submission
from models.case.task import Task
from models.case.template import Question, Template, TemplateSection
from models.case.tracker import Section, Tracker
from models.ground.clock import now
from models.ground.record import Base, NoIncident
from models.ground.words import when
from models.history.document import Document
from models.history.event import READS, Event, Story
from models.history.notice import DIGEST, ENDS, HANDED, Notice
from models.people.role import Role
from models.people.setting import Setting
from models.people.user import User, UserRole
from models.shelf.upload import Roll


def in_emergency(by: User) -> bool:
    """Whether `by` has emergency access now; asked once for each User object, so once a request."""
    if "_emergency" not in by.__dict__:
        by.__dict__["_emergency"] = by.may("emergency:begin") and Emergency.of(by) is not None
    return by.__dict__["_emergency"]


def shut_out(by: User) -> bool:
    """Whether `by` is shut out of anything, as most are not; asked once for each User object, so
    once a request.
    """
    if "_shut_out" not in by.__dict__:
        by.__dict__["_shut_out"] = bool(ShutOut.anything(by.id))
    return by.__dict__["_shut_out"]


def reads(by: User, permission: str) -> set[int] | None:
    """The schools and homes all of whose records `by` reads by `permission`, or in an emergency;
    None for all.
    """
    within = by.within(permission)
    if within is None:
        return None
    urgent = by.within("emergency:begin") if in_emergency(by) else set()
    return None if urgent is None else within | urgent


def narrowed(condition: Any, by: User, permission: str, model: Any) -> Any:
    """`condition` on rows of `model`, and that their incident is where `by` has `permission`."""
    within = by.within(permission)
    if within is None:
        return condition
    return condition & model.among(lambda column: Incident.lies(within, column))


def assigned(by: User, column: Any) -> Expression:
    """The condition that `by` is assigned to the log of the incident whose id stands in `column`,
    and that it counts: see Grants.stays.
    """
    mine, leads = Assignee.logs_of(by), by.grants.level_5
    if any(setting for _role, setting in by.grants) and leads is not None:
        logs = Log.select(Log.id).where(Incident.lies(leads, Log.incident))
        mine = mine.where(Assignee.by.is_null(False) | Assignee.log.in_(logs))
    return column.in_(Log.select(Log.incident).where(Log.id.in_(mine)))


def sees(by: User, column: Any) -> Expression:
    """The condition that `by` sees the incident whose id stands in `column`: the one rule of need
    to know, for every noun.

    What they reported; what is assigned to or shared with them; all of the schools and homes in
    which they have incident:read, or emergency access. Never what they are shut out of, and never
    what belongs to none.
    """
    others = column.is_null(False)
    if shut_out(by):  # else a long list is spared a look-up for each row
        others &= column.not_in(ShutOut.incidents_of(by))
    within = reads(by, "incident:read")
    if within is None:
        return others
    theirs = column.in_(Incident.select(Incident.id).where(Incident.reported_by == by))
    theirs |= column.in_(Share.incidents_of(by))
    if by.may("log:read"):
        theirs |= assigned(by, column)
    if within:
        theirs |= Incident.lies(within, column)
    return others & theirs


def sees_log(by: User, column: Any) -> Expression:
    """The condition that `by` sees the Ofsted log, and all of it, of the incident whose id stands
    in `column`.

    With log:read those assigned to them, or whose incident is shared with them; all of the schools
    and homes in which they have log:read_all, or emergency access. Never one about them.
    """
    within = reads(by, "log:read_all")
    if within is None:
        return sees(by, column)
    theirs = Incident.lies(within, column)
    if by.may("log:read"):
        shared = assigned(by, column) | column.in_(Share.incidents_of(by))
        theirs = theirs | shared if within else shared
    return sees(by, column) & theirs if within or by.may("log:read") else theirs


def who_sees(incident: Incident) -> list[tuple[User, list[str]]]:
    """Who can see `incident`, and why: [(User, [reason, …])] by name. The same rules as `sees`,
    from the record's side; a test holds them together.
    """
    shut_out = ShutOut.of(incident.id)
    log = Log.select(Log.id).where(Log.incident == incident).first()
    rows = {row.user_id: row for row in Assignee.of(log)} if log else {}
    shared = {share.user_id: f"shared by {share.by}" for share in Share.of(incident)}
    emergencies = {
        row.user_id: f"emergency access until {when(row.until)}"
        for row in Emergency.select().where(Emergency.begun_at > now() - LASTS)
    }
    seen = []
    for person, grants in User.with_grants():
        row, urgent = rows.get(person.id), emergencies.get(person.id, "")
        reasons = [
            "reported it" if person.id == incident.reported_by_id else "",
            "their role reads every incident" if grants.may("incident:read", incident) else "",
            row.why
            if row and grants.may("log:read") and grants.stays(not row.by_id, incident)
            else "",
            shared.get(person.id, ""),
            urgent if urgent and grants.may("emergency:begin", incident) else "",
        ]
        if any(reasons) and person.id not in shut_out:
            seen.append((person, [reason for reason in reasons if reason]))
    return seen


def cases(by: User) -> "ModelSelect[Any]":
    """Those opened for what they see, with case:read there; none in which an incident stands that
    they are shut out of, even where the one it was opened for is not shut: that stands in another
    case than what they are named in.
    """
    rows = Case.narrowed(Case.select().where(sees(by, Case.incident)), by)
    if not shut_out(by):
        return rows
    shut = Link.select(Link.case).where(Link.ended_at.is_null())
    return rows.where(Case.id.not_in(shut.where(Link.incident.in_(ShutOut.incidents_of(by)))))


def who_sees_case(case: Case) -> list[tuple[User, list[str]]]:
    """Who can see `case`, and why: whoever sees the incident it was opened for, and may read cases.
    Who is shut out of one incident in it is shut out of that one too.
    """
    may = {person.id for person in User.who_may("case:read", case)} - case.shut_out()
    return [(person, why) for person, why in who_sees(case.incident) if person.id in may]


def sections(by: User) -> "ModelSelect[Any]":
    query = Section.select().where(Section.among(lambda column: sees_log(by, column)))
    within = by.within("section:read_restricted")
    if within is None:
        return query
    theirs = Section.among(lambda column: Incident.lies(within, column))
    return query.where(~Section.restricted | theirs if within else ~Section.restricted)


def documents(by: User) -> "ModelSelect[Any]":
    """Copies kept at sign-off hold the whole tracker and its history: for those who may read all of
    it.

    A restricted section that was saved before the sign-off, and emptied, shuts a copy as well:
    earlier versions kept such a copy as open.
    """
    of_forms = Document.event.in_(Event.select(Event.id).where(Event.subject == Submission.noun()))
    query = Document.select().where(Document.among(lambda column: sees_log(by, column)), ~of_forms)
    within = by.within("section:read_restricted")
    if within is None:
        return query
    signing, save = Event.alias(), Event.alias()
    held = (
        save.select(save.id)
        .join(Section, on=(save.record == Section.id))
        .where(save.subject == "section", save.verb == "section:save", Section.restricted)
        .where(save.incident == signing.incident, save.id < signing.id)
    )
    closed = signing.select(signing.id).where(signing.id == Document.event, fn.EXISTS(held))
    free = ~Document.restricted & ~fn.EXISTS(closed)
    theirs = Document.among(lambda column: Incident.lies(within, column))
    return query.where(free | theirs if within else free)


def notices(by: User) -> "ModelSelect[Any]":
    """Their own about their account and about cases that they may see, and with notice:read all
    those about logs that they may see.
    """
    own = (Notice.user == by) & (
        Notice.of_no_incident() | Notice.among(lambda column: sees(by, column))
    )
    if not by.may("notice:read"):
        return Notice.select().where(own)
    of_logs = Notice.among(lambda column: sees_log(by, column))
    return Notice.select().where(own | narrowed(of_logs, by, "notice:read", Notice))


def events(by: User) -> "ModelSelect[Any]":
    """The history, with event:read_all: of the cases that they may see, and what belongs to none.

    But for refusals that belong to none: their being there, or not, would tell whether there is
    a record. One's own are shown to nobody, others' to nobody who is shut out of anything; nor is
    for whom others made copies of a chronology. That somebody had a daily email, or a leaver's
    work, tells the same, so neither it nor the sending of what belongs to no case is shown; what
    was said to an author is shown to those who may see that. What was done to a child, or to what
    is of one, for whoever sees the child.
    """
    if not by.may("event:read_all"):
        return Event.select().where(False)
    refused = (Event.verb == "record:refused") & Event.incident.is_null()
    told = [~refused | (Event.by != by)]
    if shut_out(by):  # for whom a copy of a chronology was made can tell that there is something
        told = [~refused, (Event.subject != "extract") | (Event.by == by)]
    told.append(Event.verb.not_in((DIGEST, HANDED, *ENDS.values())))
    theirs = feedback(by).select(Feedback.id)
    told.append((Event.subject != Feedback.noun()) | Event.record.in_(theirs))
    told.append((Event.subject != Slip.noun()) | Event.record.in_(slips(by).select(Slip.id)))
    of_none = Submission.incident.is_null() & (
        Submission.child.is_null() | Submission.child.in_(children(by).select(Child.id))
    )
    forms = Submission.narrowed(Submission.select(Submission.id).where(of_none), by)
    for noun, rows in (
        (Submission.noun(), forms),
        (Enclosure.noun(), Enclosure.select(Enclosure.id).where(Enclosure.submission.in_(forms))),
        (Task.noun(), Task.select(Task.id).where(Task.submission.in_(forms))),
    ):
        told.append((Event.subject != noun) | Event.record.is_null() | Event.record.in_(rows))
    told.append(no_copy_of_others(forms))
    # most are related to nobody, and read of all the children: asked once
    if by.within("child:read") is not None or Relation.children_of(by).exists():
        told += about_seen(by)
    if (within := by.within("event:read_all")) is not None:
        # whose list it was is not kept
        told.append((Event.subject != Roll.noun()) | (Event.by == by))
        there = UserRole.select(UserRole.user).where(UserRole.covering(within))
        told.append((Event.subject != Emergency.noun()) | Event.by.in_(there))
    of_cases = narrowed(sees(by, Event.incident), by, "event:read_all", Event)
    theirs = Submission.narrowed(Submission.select(Submission.id), by)  # their incident is asked
    of_cases &= (Event.subject != Submission.noun()) | Event.record.in_(theirs)
    of_cases &= no_copy_of_others(theirs)
    if shut_out(by):
        theirs = cases(by).select(Case.id)
        of_cases &= (Event.subject != Case.noun()) | Event.record.in_(theirs)
    return Event.select().where((Event.incident.is_null() & every(told)) | of_cases)


def no_copy_of_others(forms: Any) -> Expression:
    """The condition that an event is about no copy kept of a form other than `forms` (a query of
    ids): it names the form.
    """
    signed = Event.alias()
    others = signed.select(signed.id).where(
        signed.subject == Submission.noun(), signed.record.not_in(forms)
    )
    kept = Document.select(Document.id).where(Document.event.in_(others))
    return (Event.subject != Document.noun()) | Event.record.not_in(kept)


def slips(by: User) -> "ModelSelect[Any]":
    """What was handed in by who has no account, where they have slip:read: never what they are shut
    out of and, once it is an incident, only with that.
    """
    rows = Slip.read_by(by)
    return rows.where(Slip.incident.is_null() | sees(by, Slip.incident))


def passes(by: User) -> "ModelSelect[Any]":
    """The passes of the schools and homes where they make them."""
    within = by.within("visitor_pass:make")
    rows = VisitorPass.select()
    return rows if within is None else rows.where(VisitorPass.setting.in_(within))


def guidance(by: User) -> "ModelSelect[Any]":
    """What is told to those who report, of the schools and homes where they edit it."""
    within = by.within("guidance:edit")
    rows = Guidance.select()
    return rows if within is None else rows.where(Guidance.setting.in_(within))


def policy_documents(by: User) -> "ModelSelect[Any]":
    """Those that they are to read or have read; with policy_document:edit also all of the schools
    and homes where they have it, and what is for all of them.
    """
    within, rows = by.within("policy_document:edit"), PolicyDocument.select()
    if within is None:
        return rows
    if not by.may("policy_document:acknowledge"):
        return rows.where(False)
    read = Acknowledgement.select(Acknowledgement.document).where(Acknowledgement.user == by)
    theirs = PolicyDocument.id.in_(PolicyDocument.asked_of(by)) | PolicyDocument.id.in_(read)
    if within:
        here = PolicyDocument.setting
        theirs |= here.is_null() | here.in_(within)
    return rows.where(theirs)


def feedback(by: User) -> "ModelSelect[Any]":
    """What the team said to an author: for whoever may say it, and for the author; never to an
    adult whom the incident is about.
    """
    rows = Feedback.select().where(sees(by, Feedback.incident))
    within = by.within("feedback:give")
    if within is None:
        return rows
    own = Incident.select(Incident.id).where(Incident.reported_by == by)
    theirs = Incident.lies(within, Feedback.incident)
    return rows.where(Feedback.incident.in_(own) | theirs)


def every(conditions: list[Any]) -> Any:
    """The condition that all of `conditions` hold, nested as little as can be: SQLite reads no
    condition that is nested a hundred deep.
    """
    if len(conditions) == 1:
        return conditions[0]
    half = len(conditions) // 2
    return every(conditions[:half]) & every(conditions[half:])


def about_seen(by: User) -> list[Expression]:
    """The conditions that an event which belongs to no incident is about no child, or anything that
    is a child's, whom `by` does not see: one to whom they are related, or of another school or
    home.
    """
    theirs = children(by).select(Child.id)
    told = [(Event.subject != "child") | Event.record.is_null() | Event.record.in_(theirs)]
    model: Any
    for model in OfChild.every():
        seen = model.select(model.id).where(model.child.in_(theirs))
        other = (Event.subject != model.noun()) | Event.record.is_null()
        told.append(other | Event.record.in_(seen))
    return told


def submissions(by: User) -> "ModelSelect[Any]":
    """Forms that a right or a name opens to them; of an incident, or a child, only where they see
    that. Never one about themselves.
    """
    rows = Submission.select().where(Submission.incident.is_null() | sees(by, Submission.incident))
    theirs = children(by).select(Child.id)
    rows = rows.where(Submission.child.is_null() | Submission.child.in_(theirs))
    return Submission.narrowed(rows, by)


def of_form(model: Any) -> Callable[[User], Any]:
    """Rows that are of a form, for whoever sees the form."""

    def rows(by):
        return model.select().where(model.submission.in_(submissions(by).select(Submission.id)))

    return rows


def form_sections(by: User) -> "ModelSelect[Any]":
    """Those of forms that they see; restricted ones of those that they review."""
    seen = submissions(by)
    reviewed = seen.where(Submission.allowed(by, REVIEWS)).select(Submission.id)
    rows = SubmissionSection.select()
    rows = rows.where(SubmissionSection.submission.in_(seen.select(Submission.id)))
    return rows.where(~SubmissionSection.restricted | SubmissionSection.submission.in_(reviewed))


def tasks(by: User) -> "ModelSelect[Any]":
    """Those of incidents that they see, as Task.narrowed has it; of forms those that they see, and
    what they are to do themselves, unless the form is about them.
    """
    of_incidents = Task.narrowed(
        Task.select(Task.id).where(Task.among(lambda column: sees(by, column))), by
    )
    own = Submission.select(Submission.id).where(
        Submission.about.is_null() | (Submission.about != by),
        Submission.incident.is_null() | Submission.incident.not_in(ShutOut.incidents_of(by)),
        Submission.child.is_null() | Submission.child.not_in(Relation.children_of(by)),
    )
    of_forms = Task.submission.in_(submissions(by).select(Submission.id))
    of_forms |= (Task.owner == by) & Task.submission.in_(own)
    return Task.select().where(Task.id.in_(of_incidents) | Task.incident.is_null() & of_forms)


def of_log(model: type[Base]) -> Callable[[User], Any]:
    """Rows that go with an Ofsted log, for whoever sees the log."""
    return lambda by: model.select().where(model.among(lambda column: sees_log(by, column)))


def only(model, permission):
    return lambda by: model.select() if by.may(permission) else model.select().where(False)


def children(by: User) -> "ModelSelect[Any]":
    """The roll, of the schools and homes in which they have child:read, but for the children to
    whom they are related.
    """
    within = by.within("child:read")
    if within is not None and not within:
        return Child.select().where(False)
    rows = Child.select().where(Child.id.not_in(Relation.children_of(by)))
    return rows if within is None else rows.where(Child.setting.in_(within))


def incidents(by: User) -> "ModelSelect[Any]":
    """As sees() has it; without a condition for who sees all, so that they are counted at once."""
    if reads(by, "incident:read") is None and not shut_out(by):
        return Incident.select()
    return Incident.select().where(sees(by, Incident.id))


def of_child(model: Any) -> Callable[[User], Any]:
    """Rows that are of a child, for whoever sees the child and has the permission that they ask."""

    def rows(by):
        seen = model.select().where(model.child.in_(children(by).select(Child.id)))
        seen = model.where_may(seen, by, model.permission)
        # a copy holds what its maker saw: who else reads it might see less
        return seen.where(Extract.by == by) if model is Extract else seen

    return rows


def who_sees_child(child: Child) -> list[tuple[User, list[str]]]:
    """Who can open the page of `child`, and why: as `children`, from the record's side. What each
    of them reads there is asked of every line again.
    """
    own = Relation.select(Relation.user).where(
        Relation.child == child, Relation.user.is_null(False)
    )
    now_there = own.where(Relation.ended_at.is_null())
    shut_out = {row.user_id for row in now_there}
    why = "their role opens the list of children"
    return [
        (person, [why])
        for person, grants in User.with_grants()
        if grants.may("child:read", child) and person.id not in shut_out
    ]


def copies(by: User) -> "ModelSelect[Any]":
    """The copies kept of logs, and those of forms: with restricted sections for who reviews."""
    seen = submissions(by)
    reviewed = seen.where(Submission.allowed(by, REVIEWS)).select(Submission.id)
    mine = Event.select(Event.id).where(Event.subject == Submission.noun())
    of_forms = mine.where(Event.record.in_(seen.select(Submission.id)))
    whole = mine.where(Event.record.in_(reviewed))
    return Document.select().where(
        Document.id.in_(documents(by).select(Document.id))
        | Document.event.in_(whole)
        | Document.event.in_(of_forms) & ~Document.restricted
    )


VISIBLE: dict[type[Base], Callable[[User], Any]] = {
    Incident: incidents,
    Case: cases,
    Log: of_log(Log),
    Assignee: of_log(Assignee),
    Tracker: of_log(Tracker),
    Section: sections,
    Document: copies,
    Submission: submissions,
    SubmissionSection: form_sections,
    Signature: of_form(Signature),
    Reader: of_form(Reader),
    Listed: of_form(Listed),
    Enclosure: of_form(Enclosure),
    Task: tasks,
    Notice: notices,
    Event: events,
    Feedback: feedback,
    Slip: slips,
    VisitorPass: passes,
    Guidance: guidance,
    PolicyDocument: policy_documents,
    Child: children,
    # whose file it is: another's holds children, and what they chose
    Roll: lambda by: Roll.select().where(Roll.by == by if by.may("roll:take") else False),
    **{model: of_child(model) for model in OfChild.every()},
    Template: only(Template, "template:edit"),
    TemplateSection: only(TemplateSection, "template:edit"),
    Question: only(Question, "template:edit"),
    Right: only(Right, "template:edit"),
    Choice: only(Choice, "choice:edit"),
    Profile: only(Profile, "profile:edit"),
    Duty: only(Duty, "duty:edit"),
    Abbreviation: only(Abbreviation, "abbreviation:edit"),
    User: only(User, "user:edit"),
    Role: only(Role, "role:edit"),
    Setting: only(Setting, "setting:edit"),
    Proposal: lambda by: (
        Proposal.select()
        if by.may("proposal:approve")
        else Proposal.select().where(Proposal.by == by)
    ),
}


def visible(model: type[Base], by: User) -> "ModelSelect[Any]":
    """The query of rows of `model` that the User `by` may see: a rule of its own above, else
    whoever sees its incident sees it.

    A model of no incident and without a rule has no door: KeyError.
    """
    if model in VISIBLE or isinstance(model.belongs, NoIncident):
        return VISIBLE[model](by)
    rows = model.select().where(model.among(lambda column: sees(by, column)))
    return model.narrowed(rows, by)


def cases_with(incident: int, by: User) -> list[Case]:
    """The cases in which an incident (an id) stands now, as far as `by` sees them."""
    ids = [id for (id,) in Case.ids_of(incident)]
    return list(visible(Case, by).where(Case.id.in_(ids)).order_by(Case.id)) if ids else []


def of_seen(model: Any, incident: Incident, by: User) -> list[Any]:
    """The rows of `model`, in their order, of an `incident` that `by` was shown: the rule of need
    to know was asked of it then, and is not asked of each of them again; what they ask besides is.
    """
    rows = model.shown_of(incident.id)
    asks = model.opens and not by.may(model.opens, incident)
    if rows and (asks or model in VISIBLE):
        open_to = visible(model, by).where(model.incident == incident.id).select(model.id)
        seen = {row.id for row in open_to}
        rows = [row for row in rows if row.id in seen]
    return rows


def story_of(
    incident: int, by: User, restricted: bool, record: Base | None = None, everyone: bool = False
) -> Story:
    """The history of one case for its page, of what `by` may see: an event about what opens less
    than its incident (a case, a contact, a task) is told to whoever sees that, and to nobody else.

    everyone: all who looked, not the latest only.
    """
    narrower = {
        model.noun(): model
        for model in OfIncident.every()
        # a form opens to fewer than its incident for everybody: it is asked where there is one
        if (model is not Submission or Submission.rows_of(incident))
        and model.narrowed(rows := model.select(), by) is not rows
    } | ({Case.noun(): Case} if shut_out(by) else {})
    most = None if narrower or everyone else READS
    story = Event.shown_of_incident(incident, restricted, most, record)
    if not narrower:
        return story
    asked: dict[str, set[int]] = {}
    for event in (*story.done, *story.looks):
        if event.subject in narrower:
            asked.setdefault(event.subject, set()).add(event.record)
    seen = set()
    for noun, ids in asked.items():
        model = narrower[noun]
        open_to: Any = visible(model, by).where(model.id.in_(ids)).select(model.id)
        seen |= {(noun, id) for (id,) in open_to.tuples()}
    done, looks = (
        [one for one in events if one.subject not in narrower or (one.subject, one.record) in seen]
        for events in (story.done, story.looks)
    )
    return Story(done, looks if everyone else looks[-READS:], len(looks))
