"""The vocabulary `noun:verb`: permission, action, method and history word at once; and the roles we ship."""

# verb: (what it allows, for the person who sets up roles; what the history says after the actor's name)
VOCABULARY = {
    "incident:report": ("Report incidents, and see those they reported.", "reported the incident"),
    "incident:read": ("Read every incident that does not name them.", "read the incident"),
    "incident:export": ("Export the list of incidents as CSV.", "exported the list of incidents"),
    "incident:amend": ("Add a dated addendum to an incident they may see.", "added to the incident"),
    "incident:raise_alert": ("Change the safeguarding alert from No to Yes, with a reason.", "changed the safeguarding alert to Yes"),
    "incident:withdraw_alert": ("Change the safeguarding alert from Yes to No, with a reason.", "changed the safeguarding alert to No"),
    "incident:not_notifiable": ("Decide that an alert is not notifiable, with a reason.", "decided that it is not notifiable"),
    "incident:reconsider": ("Open a decision not to notify again, with a reason.", "reopened the decision not to notify"),
    "attachment:add": (None, "attached a file"),
    "attachment:read": (None, "fetched a file"),
    "attachment:read_original": (
        "Fetch a photograph as it was attached, with what it says of place and camera.",
        "fetched a file as it was attached",
    ),
    "incident:name_adult": (
        "Name an adult whom the concern turns out to be about; it is shut to them from then on.",
        "named an adult whom it is about",
    ),
    "incident:clear_adult": (
        "Withdraw, with a reason, that an adult was named as the one whom it is about.",
        "withdrew that an adult was named",
    ),
    "incident:share": ("Share an incident with a named person.", "shared the incident"),
    "incident:unshare": ("Withdraw what was shared.", "withdrew what was shared"),
    "emergency:begin": (
        "In an emergency, read every record and add to incidents for 24 hours, with a reason; every Level 5 is told at once.",
        "began emergency access",
    ),
    "record:refused": (None, "was refused a record"),
    "log:trigger": ("Trigger a notification: create the Ofsted log.", "triggered the notification"),
    "log:read": ("Be assigned to Ofsted logs and read those they are assigned to.", "read the Ofsted log"),
    "log:read_all": ("Read every Ofsted log that does not concern them.", None),
    "log:export": ("Export the list of Ofsted logs as CSV.", "exported the list of Ofsted logs"),
    "log:pdf": ("Print an Ofsted log they may see, with its incident and tracker, as PDF.", "made a PDF of the Ofsted log"),
    "log:edit": ("Fill in the Ofsted log.", "edited the Ofsted log"),
    "log:assign": ("Assign people to an Ofsted log, and take them off.", "changed who is assigned"),
    "log:complete": ("Sign a log off when nothing is missing.", "completed and signed off the log"),
    "log:complete_anyway": (
        "Sign a log off although something is missing, with a reason.",
        "completed the log although something was missing",
    ),
    "log:reopen": ("Reopen a completed log, with a reason.", "reopened the log"),
    "tracker:begin": ("Begin the safeguarding tracker of a log.", "began the safeguarding tracker"),
    "section:read": (None, "read a section"),
    "section:save": ("Fill in the tracker's sections.", "saved a section"),
    "section:read_restricted": ("Read and fill in restricted sections (allegations against adults).", None),
    "child:read": ("See the list of children.", "read the child's record"),
    "child:edit": ("Add children and correct their details.", "edited the child's details"),
    "child:add": (None, "added the child"),
    "template:edit": ("Edit what trackers ask.", "edited the template"),
    "template:add": (None, "added the template"),
    "template_section:edit": (None, "edited a section of the template"),
    "template_section:add": (None, "added a section to the template"),
    "question:edit": (None, "edited a question"),
    "question:add": (None, "added a question"),
    "choice:edit": ("Edit the choice lists.", "edited a choice"),
    "choice:add": (None, "added a choice"),
    "notice:read": ("See the emails sent about records they may see.", None),
    "notice:release": ("Let the emails go that a restore from a backup holds back.", "released the emails that were held back"),
    "notice:send": (None, "delivered an email"),
    "notice:fail": (None, "could not deliver an email, for good"),
    "notice:retry": ("Try emails again that could not be delivered.", "had the stuck emails tried again"),
    "event:read": ("Open the page History: the last check, backups and stuck emails, without any record’s content.", None),
    "event:read_all": ("Read on the page History who did what, of all that they may see.", None),
    "event:verify": (None, "checked that everything fits"),
    "event:adopt": (None, "took what every record said until then into the history"),
    "event:anchor": (None, "sent the head of the history to every Level 5"),
    "event:stamp": (None, "had the head of the history time-stamped"),
    "event:erase": (None, "erased what the history said, under a retention decision"),
    "event:backup": (None, "made a backup"),
    "event:drill": (None, "restored a backup as a drill"),
    "event:restore": (None, "restored everything from a backup; emails are held back"),
    "event:copy": (None, "moved everything to another database"),
    "document:add": (None, "froze the words that were signed off"),
    "document:keep": (None, "kept the signed copy"),
    "counts:read": ("See how many incidents and logs there are, never a name.", None),
    "user:edit": ("Set people up, give and take roles; what opens records waits for a Level 5.", "edited the person"),
    "user:add": (None, "added the person"),
    "user:reset_factor": (
        "Reset a person’s second factor; it waits for a Level 5 once they have chosen a passphrase.",
        "reset the second factor",
    ),
    "user:told": (None, "was sent an email about their account"),
    "user:signed_in": (None, "signed in"),
    "user:new_browser": (None, "signed in from a browser that was new for them"),
    "user:signed_out": (None, "signed out"),
    "user:failed": (None, "failed to sign in"),
    "user:many_reads": (None, "opened far more records today than usual"),
    "user:password": (None, "changed their passphrase"),
    "user:factor": (None, "changed their second factor"),
    "role:edit": ("Edit roles and their permissions; what opens records waits for a Level 5.", "edited the role"),
    "role:add": (None, "added the role"),
    "proposal:make": (None, "asked for a change that opens records"),
    "proposal:new_code": ("Make another code for a change that was approved.", "made another code"),
    "proposal:claim": (None, "typed the code that was handed over"),
    "proposal:approve": ("Approve a change that opens records, unless they asked for it or gain by it.", "approved the change"),
    "proposal:refuse": ("Refuse a change that would open records.", "refused the change"),
}

PERMISSIONS = {verb: allows for verb, (allows, _says) in VOCABULARY.items() if allows}

# What shows no record and decides about none. Adding anything else to a role waits for a Level 5: a new permission too, until it is written here.
HARMLESS = {
    "user:edit", "user:reset_factor", "role:edit", "template:edit", "choice:edit", "event:read", "notice:retry", "counts:read",
}  # fmt: skip

# What any member of staff has: a role of these and of nothing that opens more can be given at once.
REPORTS = {"incident:report", "incident:amend", "incident:raise_alert"}

STAFF = ["incident:report", "incident:amend", "incident:raise_alert"]
CONTRIBUTOR = STAFF + ["log:read", "section:save", "log:pdf", "emergency:begin"]
TEAM = (
    STAFF
    + ["log:read", "section:save", "log:pdf"]
    + ["incident:read", "log:read_all", "log:edit", "tracker:begin", "child:read", "child:edit", "notice:read"]
)
MANAGER = TEAM + [
    "incident:withdraw_alert",
    "incident:not_notifiable",
    "incident:reconsider",
    "incident:export",
    "incident:name_adult",
    "incident:share",
    "incident:unshare",
    "log:trigger",
    "log:assign",
    "log:complete",
    "log:export",
    "section:read_restricted",
]
CHECKS = ["event:read", "notice:retry"]
LEVEL_5 = MANAGER + CHECKS + [
    "log:complete_anyway", "log:reopen", "proposal:approve", "proposal:refuse", "proposal:new_code", "event:read_all",
    "notice:release", "incident:clear_adult", "attachment:read_original",
]  # fmt: skip
SETTING_UP = ["template:edit", "choice:edit"]

# name: (level, description, permissions)
SHIPPED_ROLES = {
    "Staff": (1, "Any member of staff: reports incidents and sees their own reports.", STAFF),
    "Contributor": (2, "Helps with the logs they are assigned to.", CONTRIBUTOR),
    "Safeguarding team": (3, "Deputies and pastoral leads: read all, fill in logs and trackers.", TEAM),
    "Manager": (4, "Decides whether a notification is due, and signs logs off.", MANAGER),
    "DSL": (5, "Designated Safeguarding Lead: keeps the records.", LEVEL_5 + SETTING_UP),
    "Head": (5, "Head teacher or registered manager.", LEVEL_5),
    "Governor": (0, "Sees counts only, never a name.", ["counts:read"]),
    "IT": (0, "Sets the system up and never reads a record.", SETTING_UP + ["user:edit", "user:reset_factor", "role:edit"] + CHECKS),
}
