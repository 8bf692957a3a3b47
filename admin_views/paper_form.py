"""The paper form: one page to print, for when there is no screen; and what stands beside the report
form.
"""

from io import BytesIO

from flask import send_file
from flask_admin import expose

from models import Abbreviation, Choice, Guidance
from models.case.incident import HAPPENED
from models.ground.words import pages
from models.history.paper import to_pdf
from models.people.setting import Setting

from .rails.door import Page, me


def where():
    """The school or home whose words a reporter reads (an id): where they report, if that is one;
    else None.
    """
    within = me().within("incident:report")
    return next(iter(within)) if within and len(within) == 1 else None


class PaperFormView(Page):
    noun, title, place = "paper_form", "Paper form", 64
    permission = "incident:report"
    cards = {"incident form": "guidance/card.html"}

    def card(self, page, record):
        """Beside the report form: what the school wants recorded, the team, the numbers."""
        setting = where()
        return {"guidance": Guidance.of(setting), "team": Guidance.team(setting)}

    @expose("/")
    def index_view(self):
        setting = where()
        guidance, known = Guidance.of(setting), Choice.names("how it is known")
        html = pages.get_template("pdf/paper_form.html").render(
            guidance=guidance,
            team=Guidance.team(setting)[:12],
            letterhead=Setting.letterhead(guidance.setting),
            known=known,
            happened=HAPPENED,
            short=Abbreviation.used_in(guidance.duty, guidance.elsewhere, *known),
        )
        return send_file(
            BytesIO(to_pdf(html)), mimetype="application/pdf", download_name="paper-form.pdf"
        )
