"""Who may do what, and how the history says it: one vocabulary, "noun:verb", for permission, step,
method and event.
"""

from typing import NamedTuple

STAFF = ("Staff", "Contributor", "Safeguarding team", "Manager", "DSL", "Head")
HELPERS, TEAM, MANAGERS, LEVEL_5 = STAFF[1:], STAFF[2:], STAFF[3:], STAFF[4:]
OUTSIDE = ("Safeguarding governor", "Chair of governors", "Reviewer")
FORMS = (*STAFF, *OUTSIDE)
LEADS = ("Safeguarding team", *LEVEL_5)  # the DSL, and who stands in for them


class Verb(NamedTuple):
    """One row of the vocabulary. A new permission opens records until its row says otherwise."""

    says: str | None  # what the history says of whoever did it; None for what is no event
    allows: str = ""  # what the permission allows, in a sentence; "" for what is no permission
    roles: tuple[str, ...] = ()  # the shipped roles that have it
    opens: bool = True  # shows records, or decides about one: giving it waits for a Level 5


VOCABULARY = {
    "incident:report": Verb(
        "reported the incident", "Report incidents, and see those they reported.", STAFF
    ),
    "incident:read": Verb(
        "read the incident", "Read every incident that does not name them.", TEAM
    ),
    "incident:export": Verb(
        "exported the list of incidents", "Export the list of incidents as CSV.", MANAGERS
    ),
    "incident:amend": Verb(
        "added to the incident", "Add a dated addendum to an incident they may see.", STAFF
    ),
    "incident:raise_alert": Verb(
        "changed the safeguarding alert to Yes",
        "Change the safeguarding alert from No to Yes, with a reason.",
        STAFF,
    ),
    "incident:withdraw_alert": Verb(
        "changed the safeguarding alert to No",
        "Change the safeguarding alert from Yes to No, with a reason.",
        MANAGERS,
    ),
    "incident:not_notifiable": Verb(
        "decided that it is not notifiable",
        "Decide that an alert is not notifiable, with a reason.",
        MANAGERS,
    ),
    "incident:reconsider": Verb(
        "reopened the decision not to notify",
        "Open a decision not to notify again, with a reason.",
        MANAGERS,
    ),
    "incident:acknowledge": Verb(
        "acknowledged the incident",
        "Acknowledge incidents: say that somebody has them in hand.",
        TEAM,
    ),
    "incident:alarm": Verb("told every DSL that nobody has acknowledged it"),
    "incident:correct_child": Verb(
        "corrected which child it is about",
        "Put right that a wrong child was linked to an incident, with a reason.",
        MANAGERS,
    ),
    "triage:decide": Verb(
        "decided on the incident",
        "Triage incidents they may see: case, risk, threshold, categories, decision and why.",
        TEAM,
    ),
    "visitor_pass:make": Verb(
        "made a visitor pass",
        "Make and withdraw the codes by which visitors and supply staff hand in a report.",
        TEAM,
    ),
    "visitor_pass:withdraw": Verb("withdrew a visitor pass"),
    "slip:hand_in": Verb("took in a report of somebody without an account"),
    "slip:alarm": Verb("told the safeguarding team that nobody has taken up a visitor’s report"),
    "slip:read": Verb(
        "read a visitor’s report",
        "Read what visitors handed in, but for what is about them.",
        LEADS,
    ),
    "slip:take_up": Verb(
        "made an incident of a visitor’s report",
        "Choose the child of a visitor’s report, and make it an incident.",
        LEADS,
    ),
    "slip:set_aside": Verb(
        "set a visitor’s report aside", "Set a visitor’s report aside, with a reason.", LEVEL_5
    ),
    "case:read": Verb(
        "read the case",
        "Follow the triage and the cases of incidents they may see, and lead cases.",
        TEAM,
    ),
    "case:open": Verb("opened the case"),
    "case:edit": Verb(
        "edited the case", "Say who leads a case, and what is needed before it can close.", TEAM
    ),
    "case:add": Verb(
        "added an incident to the case", "Have an incident stand in a further case.", TEAM
    ),
    "case:move": Verb(
        "moved an incident to another case",
        "Move an incident to another case, with a reason.",
        TEAM,
    ),
    "case:monitor": Verb(
        "set the case to be monitored", "Set a case to be monitored until a day.", TEAM
    ),
    "case:close": Verb("closed the case", "Close a case from which nothing is missing.", MANAGERS),
    "case:close_anyway": Verb(
        "closed the case although something was missing",
        "Close a case although something is missing, with a reason.",
        LEVEL_5,
    ),
    "case:confirm": Verb(
        "confirmed the closing", "Sign, as the second person, that a case is closed.", LEVEL_5
    ),
    "case:send_back": Verb(
        "sent the case back", "Send a case back that somebody wants to close.", LEVEL_5
    ),
    "case:hand_over": Verb(
        "handed the case over",
        "Hand over the cases that somebody leads, to one colleague.",
        MANAGERS,
    ),
    "case:reopen": Verb("reopened the case", "Reopen a case, with a reason.", MANAGERS),
    "attachment:add": Verb("attached a file"),
    "attachment:infected": Verb("found a virus in a file"),
    "attachment:cleared": Verb("found the virus in a file no more"),
    "attachment:read": Verb("fetched a file"),
    "attachment:read_original": Verb(
        "fetched a file as it was attached",
        "Fetch a file as it was attached, with what it says of place, camera and author.",
        LEVEL_5,
    ),
    "incident:name_adult": Verb(
        "named an adult whom it is about",
        "Name an adult whom the concern turns out to be about; it is shut to them from then on.",
        MANAGERS,
    ),
    "incident:clear_adult": Verb(
        "withdrew that an adult was named",
        "Withdraw, with a reason, that an adult was named as the one whom it is about.",
        LEVEL_5,
    ),
    "incident:share": Verb(
        "shared the incident", "Share an incident with a named person.", MANAGERS
    ),
    "incident:unshare": Verb("withdrew what was shared", "Withdraw what was shared.", MANAGERS),
    "emergency:begin": Verb(
        "began emergency access",
        "In an emergency, read every record and "
        "add to incidents for 24 hours, with a "
        "reason; every Level 5 is told at once.",
        ("Contributor",),
    ),
    "record:refused": Verb("was refused a record"),
    "log:trigger": Verb(
        "triggered the notification", "Trigger a notification: create the Ofsted log.", MANAGERS
    ),
    "log:read": Verb(
        "read the Ofsted log",
        "Be assigned to Ofsted logs and read those they are assigned to.",
        HELPERS,
    ),
    "log:read_all": Verb(None, "Read every Ofsted log that does not concern them.", TEAM),
    "log:export": Verb(
        "exported the list of Ofsted logs", "Export the list of Ofsted logs as CSV.", MANAGERS
    ),
    "log:pdf": Verb(
        "made a PDF of the Ofsted log",
        "Print an Ofsted log they may see, with its incident and tracker, as PDF.",
        HELPERS,
    ),
    "log:edit": Verb("edited the Ofsted log", "Fill in the Ofsted log.", TEAM),
    "log:tell": Verb("wrote down that Ofsted was told"),
    "log:assign": Verb(
        "changed who is assigned", "Assign people to an Ofsted log, and take them off.", MANAGERS
    ),
    "log:complete": Verb(
        "completed and signed off the log", "Sign a log off when nothing is missing.", MANAGERS
    ),
    "log:complete_anyway": Verb(
        "completed the log although something was missing",
        "Sign a log off although something is missing, with a reason.",
        LEVEL_5,
    ),
    "log:reopen": Verb("reopened the log", "Reopen a completed log, with a reason.", LEVEL_5),
    "task:read": Verb(None, "Follow the tasks about incidents they may see.", TEAM),
    "task:give": Verb("gave a task", "Give tasks about incidents they may see.", TEAM),
    "task:done": Verb("did the task", "Do the tasks that are theirs.", STAFF),
    "task:cancel": Verb("cancelled a task", "Cancel a task, with a reason.", TEAM),
    "task:hand_over": Verb(
        "handed over a task", "Hand a leaver’s open tasks over to a colleague.", MANAGERS
    ),
    "clarification:ask": Verb(
        "asked a question", "Ask the reporter of an incident, with a day to answer by.", TEAM
    ),
    "clarification:answer": Verb(
        "answered a question", "Answer what they are asked about their own reports.", STAFF
    ),
    "clarification:withdraw": Verb(
        "withdrew a question", "Withdraw a question to a reporter, with a reason.", TEAM
    ),
    "feedback:give": Verb(
        "gave a word to the author of a report",
        "Thank or correct the author of a report, off the child’s record.",
        TEAM,
    ),
    "feedback:acknowledge": Verb(
        "read what was said about their report",
        "Read what is said to them about their own reports.",
        STAFF,
    ),
    "contact:read": Verb(
        "read the contact",
        "Follow who outside was told about incidents they may see, and the duties with a clock.",
        TEAM,
    ),
    "contact:add": Verb(
        "recorded a contact", "Record whom outside was told or asked, and what they said.", TEAM
    ),
    "contact:acknowledge": Verb(
        "wrote down that it was acknowledged",
        "Write down that a body acknowledged what it was told.",
        TEAM,
    ),
    "contact:escalate": Verb(
        "escalated the contact", "Write down that they went up a step where no answer came.", TEAM
    ),
    "contact:conclude": Verb(
        "wrote down the outcome of the contact", "Write down the outcome of a contact.", TEAM
    ),
    "contact:pack": Verb(
        "made a copy for a recipient",
        "Make a pack from a referral: a PDF of its facts for one named recipient.",
        TEAM,
    ),
    "contact:approve_pack": Verb(
        "approved a copy for a recipient",
        "Approve, as the second person, that a pack leaves.",
        MANAGERS,
    ),
    "contact:pdf": Verb("fetched a copy for a recipient"),
    "tracker:begin": Verb(
        "began the safeguarding tracker", "Begin the safeguarding tracker of a log.", TEAM
    ),
    "section:read": Verb("read a section"),
    "section:save": Verb("saved a section", "Fill in the tracker's sections.", HELPERS),
    "section:read_restricted": Verb(
        None, "Read and fill in restricted sections (allegations against adults).", MANAGERS
    ),
    "submission:read": Verb(
        "read the form",
        "Begin forms, and open those that a right of their role or their name opens.",
        FORMS,
        opens=False,
    ),
    "submission:read_restricted": Verb(
        None, "Open forms that are no child’s: audits, reviews, those they were named for.", OUTSIDE
    ),
    "submission:begin": Verb("began the form"),
    "submission:fill_in": Verb("filled in the form"),
    "submission:submit": Verb("submitted the form"),
    "submission:send_back": Verb("returned the form"),
    "submission:sign": Verb("signed the form"),
    "submission:name": Verb("named somebody for the form"),
    "submission:unname": Verb("took somebody off the form"),
    "submission:pdf": Verb("made a PDF of the form"),
    "submission:export": Verb(
        "exported the list of forms", "Export lists of forms they may see as CSV.", MANAGERS
    ),
    "enclosure:add": Verb("attached a file to the form"),
    "enclosure:read": Verb("fetched a file of the form"),
    "enclosure:infected": Verb("found a virus in a file of the form"),
    "enclosure:cleared": Verb("found the virus in a file of the form no more"),
    "child:read": Verb("read the child's record", "See the list of children.", TEAM),
    "child:edit": Verb(
        "edited the child's details", "Add children and correct their details.", TEAM
    ),
    "child:add": Verb("added the child"),
    "child:flag": Verb("set flags"),
    "child:unflag": Verb("ended a flag"),
    "child:school": Verb("wrote down an earlier school"),
    "child:received_file": Verb("wrote down that the file of an earlier school came"),
    "child:absence": Verb("read in absence"),
    "child:mark": Verb(
        "marked it in the chronology",
        "Mark lines of a child’s chronology as significant, with a headline of their own.",
        TEAM,
    ),
    "entry:read": Verb(
        "read an entry made by hand", "Read what was entered by hand in a child’s chronology.", TEAM
    ),
    "entry:add": Verb(
        "added an entry by hand",
        "Add entries by hand to a child’s chronology: an earlier school’s file, an agency’s.",
        TEAM,
    ),
    "entry:withdraw": Verb(
        "withdrew an entry", "Withdraw an entry made by hand, with a reason.", TEAM
    ),
    "scan:infected": Verb("found a virus in what was scanned"),
    "scan:cleared": Verb("found the virus in what was scanned no more"),
    "scan:read": Verb("fetched what was scanned"),
    "extract:make": Verb(
        "made a copy of the chronology",
        "Make a copy of a child’s chronology for one named recipient, as they see it.",
        TEAM,
    ),
    "extract:read": Verb("fetched a copy of the chronology"),
    "child:relate": Verb(
        "wrote down somebody around the child",
        "Write down the people around a child; a colleague among them is shut out.",
        TEAM,
    ),
    "child:unrelate": Verb(
        "ended a relation of the child",
        "End that somebody is around a child; a colleague’s only by a Level 5.",
        TEAM,
    ),
    "roll:take": Verb(
        "began to import the roll",
        "Import the roll, the list of children, from a file of theirs.",
        (*TEAM, "IT"),
        opens=False,
    ),
    "roll:drop": Verb("threw away a list of children that was not imported"),
    "roll:finish": Verb("finished importing the roll"),
    "template:edit": Verb(
        "edited the template", "Edit what trackers ask.", ("DSL", "IT"), opens=False
    ),
    "template:add": Verb("added the template"),
    "template:ask_also": Verb("asked open forms what is new"),
    "template_section:edit": Verb("edited a section of the template"),
    "template_section:add": Verb("added a section to the template"),
    "question:edit": Verb("edited a question"),
    "question:add": Verb("added a question"),
    "choice:edit": Verb("edited a choice", "Edit the choice lists.", ("DSL", "IT"), opens=False),
    "choice:add": Verb("added a choice"),
    "profile:edit": Verb(
        "edited what a body asks",
        "Edit what the forms of other bodies ask, and their ladders.",
        ("DSL", "IT"),
        opens=False,
    ),
    "profile:add": Verb("added what a body asks"),
    "duty:edit": Verb(
        "edited a duty note", "Edit the duty notes and their clocks.", ("DSL", "IT"), opens=False
    ),
    "duty:add": Verb("added a duty note"),
    "abbreviation:edit": Verb(
        "edited the glossary", "Edit the glossary of abbreviations.", ("DSL", "IT"), opens=False
    ),
    "abbreviation:add": Verb("added to the glossary"),
    "guidance:edit": Verb(
        "edited what to record",
        "Edit what the school wants recorded, and the numbers beside the report form.",
        LEVEL_5,
    ),
    "guidance:add": Verb("wrote what to record"),
    "policy_document:edit": Verb(
        "changed who is to read the policy, and by when",
        "Publish policies for staff to read, in editions, and see by name who has read them.",
        LEVEL_5,
    ),
    "policy_document:add": Verb("published the policy"),
    "policy_document:retire": Verb("retired the policy"),
    "policy_document:export": Verb("exported who has read the policy"),
    "policy_document:acknowledge": Verb(
        "read the policy", "Read the policies that are for them, and say so.", STAFF
    ),
    "sheet:choose": Verb(
        "chose a passphrase for their emergency sheet",
        "Have an emergency sheet of their own made each night, encrypted, and fetch it.",
        LEVEL_5,
    ),
    "sheet:make": Verb("made an emergency sheet"),
    "sheet:read": Verb("fetched their emergency sheet"),
    "notice:read": Verb(None, "See the emails sent about records they may see.", TEAM),
    "notice:release": Verb(
        "released the emails that were held back",
        "Let the emails go that a restore from a backup holds back.",
        LEVEL_5,
    ),
    "notice:send": Verb("delivered an email"),
    "notice:fail": Verb("could not deliver an email, for good"),
    "notice:withhold": Verb("kept back an email about what its person may no longer see"),
    "notice:retry": Verb(
        "had the stuck emails tried again",
        "Try emails again that could not be delivered.",
        (*LEVEL_5, "IT"),
        opens=False,
    ),
    "event:read": Verb(
        None,
        "Open the page History: the last check, backups and stuck emails, "
        "without any record’s content.",
        (*LEVEL_5, "IT"),
        opens=False,
    ),
    "event:read_all": Verb(
        None, "Read on the page History who did what, of all that they may see.", LEVEL_5
    ),
    "event:verify": Verb("checked that everything fits"),
    "event:adopt": Verb("took what every record said until then into the history"),
    "event:anchor": Verb("sent the head of the history to every Level 5"),
    "event:stamp": Verb("had the head of the history time-stamped"),
    "event:erase": Verb("erased what the history said, under a retention decision"),
    "event:backup": Verb("made a backup"),
    "event:drill": Verb("restored a backup as a drill"),
    "event:restore": Verb("restored everything from a backup; emails are held back"),
    "event:copy": Verb("moved everything to another database"),
    "document:add": Verb("froze the words that were signed off"),
    "document:keep": Verb("kept the signed copy"),
    "counts:read": Verb(
        None, "See how many incidents and logs there are, never a name.", ("Governor",), opens=False
    ),
    "setting:edit": Verb(
        "edited the school or home",
        "Name the schools and homes of this installation.",
        ("DSL", "IT"),
        opens=False,
    ),
    "setting:add": Verb("added the school or home"),
    "user:edit": Verb(
        "edited the person",
        "Set people up, give and take roles; what opens records waits for a Level 5.",
        ("IT",),
        opens=False,
    ),
    "user:add": Verb("added the person"),
    "user:reset_factor": Verb(
        "reset the second factor",
        "Reset a person’s second factor; it "
        "waits for a Level 5 once they have "
        "chosen a passphrase.",
        ("IT",),
        opens=False,
    ),
    "user:told": Verb("was sent an email about their account"),
    "user:choose": Verb("chose when emails come"),
    "user:digest": Verb("gathered a day’s emails in one"),
    "user:handed_over": Verb("handed over a colleague’s work"),
    "user:calendar": Verb("made a secret calendar address"),
    "user:no_calendar": Verb("ended the calendar address"),
    "user:signed_in": Verb("signed in"),
    "user:new_browser": Verb("signed in from a browser that was new for them"),
    "user:signed_out": Verb("signed out"),
    "user:failed": Verb("failed to sign in"),
    "user:many_reads": Verb("opened far more records today than usual"),
    "user:password": Verb("changed their passphrase"),
    "user:factor": Verb("changed their second factor"),
    "role:edit": Verb(
        "edited the role",
        "Edit roles and their permissions; what opens records waits for a Level 5.",
        ("IT",),
        opens=False,
    ),
    "role:add": Verb("added the role"),
    "proposal:make": Verb("asked for a change that opens records"),
    "proposal:new_code": Verb(
        "made another code", "Make another code for a change that was approved.", LEVEL_5
    ),
    "proposal:claim": Verb("typed the code that was handed over"),
    "proposal:approve": Verb(
        "approved the change",
        "Approve a change that opens records, unless they asked for it or gain by it.",
        LEVEL_5,
    ),
    "proposal:refuse": Verb(
        "refused the change", "Refuse a change that would open records.", LEVEL_5
    ),
}

PERMISSIONS = {verb: row.allows for verb, row in VOCABULARY.items() if row.allows}
HARMLESS = {verb for verb, row in VOCABULARY.items() if row.allows and not row.opens}

# The nouns that people do not call by their own plural.
NOUNS = {
    "abbreviation": "The glossary",
    "submission": "Forms",
    "attachment": "Files",
    "child": "Children",
    "choice": "Lists",
    "clarification": "Questions to reporters",
    "counts": "Counts",
    "duty": "Duty notes",
    "emergency": "Emergency access",
    "entry": "Entries by hand",
    "extract": "Copies of chronologies",
    "event": "History",
    "feedback": "Thanks and corrections",
    "guidance": "What to record",
    "log": "Ofsted logs",
    "notice": "Emails",
    "policy_document": "Policies",
    "profile": "Bodies",
    "proposal": "Approvals",
    "roll": "The roll",
    "section": "Tracker sections",
    "setting": "Schools and homes",
    "sheet": "The emergency sheet",
    "slip": "Visitors’ reports",
    "triage": "Triage",
    "user": "People",
    "visitor_pass": "Visitor passes",
}


def by_noun(verbs):
    """`verbs` by what they are about, in the order of the vocabulary: [("Incidents", [verb])]."""
    found = {}
    order = list(VOCABULARY)
    for verb in sorted(verbs, key=lambda one: order.index(one) if one in order else len(order)):
        noun = verb.partition(":")[0]
        name = NOUNS.get(noun) or f"{noun.replace('_', ' ').capitalize()}s"
        found.setdefault(name, []).append(verb)
    return list(found.items())


def opens(verb):
    """Whether giving the permission waits for a Level 5: so does one that nobody knows."""
    return verb not in HARMLESS


# What any member of staff has: a role of these and of nothing that opens more can be given at once.
REPORTS = {verb for verb, row in VOCABULARY.items() if row.roles == STAFF}

ROLES = {  # the shipped roles: (level, what each is for)
    "Staff": (1, "Any member of staff: reports incidents and sees their own reports."),
    "Contributor": (2, "Helps with the logs they are assigned to."),
    "Safeguarding team": (3, "Deputies and pastoral leads: read all, fill in logs and trackers."),
    "Manager": (4, "Decides whether a notification is due, and signs logs off."),
    "DSL": (5, "Designated Safeguarding Lead: keeps the records."),
    "Head": (5, "Head teacher or registered manager."),
    "Governor": (0, "Sees counts only, never a name."),
    "Safeguarding governor": (0, "Reads the audits and reviews that are meant for governors."),
    "Chair of governors": (
        0,
        "Signs for the governors; stands in where a concern is about the head.",
    ),
    "Reviewer": (0, "From outside: opens the forms they were named for, for a time."),
    "IT": (0, "Sets the system up and never reads a record."),
}
SHIPPED_ROLES = {
    name: (level, purpose, [verb for verb, row in VOCABULARY.items() if name in row.roles])
    for name, (level, purpose) in ROLES.items()
}
