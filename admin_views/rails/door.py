"""The doors: signed in and permitted; what a form sends is one transaction, and counts once however
often it is sent.
"""

from hashlib import sha256

from flask import abort, flash, g, redirect, request, url_for
from flask_admin import AdminIndexView, BaseView
from flask_login import current_user
from werkzeug.exceptions import HTTPException

from models import Draft, Proposal, Receipt, transaction
from models.access.draft import ANEW

from .fields import number
from .sessions import check_passphrase, here
from .trouble import text_sent, with_text


def me():
    """The signed-in User itself, not Flask-Login's proxy; a page asks a hundred times."""
    return g.get("_login_user") or current_user._get_current_object()


def is_id(text):
    """Whether `text` can be the id of a row at all."""
    return number(text) is not None


def sent():
    """What the form holds, as [(name, text or bytes)], without its tokens: how a repeat is told
    from something new.
    """
    files = []
    for name, file in request.files.items(multi=True):
        files.append((name, file.filename + sha256(file.stream.read()).hexdigest()))
        file.stream.seek(0)
    return [pair for pair in request.form.items(multi=True) if pair[0] not in ANEW] + files


def saved(path):
    """Go to what a form made at `path`, and remember that it did, in the transaction of the change:
    sent again, it goes there too.
    """
    Receipt.keep(request.form.get("once"), me(), g.sent, path)
    Draft.drop(me(), here())
    return redirect(path)


class Door:
    """Shut to those who are not signed in, and to those without `permission` (None: anyone signed
    in).
    """

    permission, noun = None, ""
    title = ""  # as the menu and the page call it; a view without one is a base of others
    found_in = ""  # where it is found: "main", the bar; "set up", the page of that name; "" nowhere
    place = 50  # its order in the menu and among the cards of a page
    found_by = None  # who finds it there: those with this permission, or whoever may open it
    says = ""  # on the page Set up: what it is for
    cards = {}  # {noun of a page: the template of what this noun contributes there}

    def is_visible(self):
        return self.found_in == "main"

    def needs(self, limit):
        """What in this noun needs the person who is signed in, the most urgent first: [Need]."""
        return ()

    def card(self, page, record):
        """What the card of this noun says on the page (its noun) of `record`: a dict for the
        template, or None for no card.
        """
        return {}

    def cards_on(self, page, record):
        """[(template, what it says)] of the cards on a page, in the order of the nouns' places."""
        views = [view for view in self.admin._views if page in view.cards]
        said = [
            (view.cards[page], view.card(page, record))
            for view in sorted(views, key=lambda view: view.place)
            if view.is_accessible()
        ]
        return [(template, card) for template, card in said if card is not None]

    def is_accessible(self):
        user = me()
        return user.is_authenticated and (self.permission is None or user.may(self.permission))

    def _handle_view(self, name, **kwargs):
        """A new second factor opens nothing until a code, handed over face to face, shows whose it
        is.
        """
        asks = current_user.is_authenticated and self.noun != "account" and "let_in" not in g
        if asks and Proposal.holds_back(me()):
            return redirect(url_for("account.index_view", _anchor="code"))
        g.let_in = True  # a view may call another
        return super()._handle_view(name, **kwargs)

    def read_form(self, name):
        """Read and judge what was sent to the view `name`, where that changes nothing: before the
        transaction, for all other writers wait for its end.
        """

    def inaccessible_callback(self, name, **kwargs):
        if current_user.is_authenticated:
            abort(403)
        if text_sent():
            return with_text(401)
        return redirect(url_for("security.login", next=request.full_path.rstrip("?")))

    def _run_view(self, fn, *args, **kwargs):
        """Reads run as they are; whatever is posted is one transaction, taken at once, and on disk
        before the answer leaves.

        The same form sent again goes to what it made. A refusal (403, 404) leaves its line in the
        history.
        """
        if request.method != "POST":
            return fn(
                self, *args, **kwargs
            )  # Flask-Admin's own turns every TypeError into a misleading one
        check_passphrase()
        refusal, g.sent = None, sent()
        self.read_form(fn.__name__)
        with transaction():
            if again := Receipt.same(request.form.get("once"), me(), g.sent):
                flash("This was saved already, once. Here it is.", "success")
                return redirect(again.path)
            try:
                answer = fn(self, *args, **kwargs)
            except HTTPException as refused:
                refusal = refused
            g.committing = True
        if refusal:
            raise refusal
        if place := getattr(
            answer, "location", None
        ):  # what was done leads somewhere; a form shown again does not
            g.committed = place
        return answer


class Page(Door, BaseView):
    """A page that is of no record."""

    def __init__(self):
        super().__init__(name=self.title, endpoint=self.noun, url=f"/{self.noun.replace('_', '-')}")


class Home(Door, AdminIndexView):
    def __init__(self):
        super().__init__(name=self.title, endpoint="home", url="/")
