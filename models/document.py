"""Paper: a page of words turned into a PDF, and the copies that are kept for good."""

import io
import logging
import unicodedata
import warnings
from datetime import timedelta
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from xml.sax.saxutils import escape

from peewee import BlobField, CharField, ForeignKeyField, TextField

from .base import Base, Moment, Refused, YesNo, now, transaction
from .event import Event
from .seal import sign
from .settings import settings
from .words import pages

CHUNK = 1500  # characters: the time that a paragraph takes in xhtml2pdf grows with the square of its length
log = logging.getLogger("safeguarding")
HOUR = timedelta(hours=1)  # after which a PDF that could not be made is warned of, and tried again
AGAIN = {}  # {kept copy that could not be made: when this process tries it again}
DIGEST = "{digest}"  # where a page of words wants its own SHA-256 printed, counted with this mark in its place
TOKEN = 60  # characters: a longer run without a space would leave the page


def chunks(text):
    """Text as short paragraphs that keep every character: long ones cut at a space where there is one."""
    for line in (text or "").splitlines():
        while len(line) > CHUNK:
            cut = line.rfind(" ", 1, CHUNK) + 1 or CHUNK
            yield line[:cut]
            line = line[cut:]
        if line.strip():
            yield line


def wrapped(text):
    """Text in which a run of more than TOKEN characters without a space may break."""
    return " ".join(
        " ".join(word[i : i + TOKEN] for i in range(0, len(word), TOKEN)) if len(word) > TOKEN else word for word in str(text).split(" ")
    )


pages.filters.update(chunks=chunks, wrapped=wrapped)


def static_font(weight, name):
    """The path of Noto Sans at one weight, cut from the variable font that the package ships; made once per data folder (about 2 s)."""
    file = settings.folder / "fonts" / f"{name}.ttf"
    if not file.exists():
        import fontpkg_noto_sans
        from fontTools.ttLib import TTFont
        from fontTools.varLib.instancer import instantiateVariableFont

        font = TTFont(next((Path(fontpkg_noto_sans.__file__).parent / "files").glob("NotoSans[[]*.ttf")))
        for table in ("GSUB", "GPOS", "GDEF", "STAT", "MVAR"):
            del font[table]
        font = instantiateVariableFont(font, {"wght": weight, "wdth": 100})
        font["name"].setName(name, 6, 3, 1, 0x409)  # otherwise both weights are taken for one font
        font["name"].removeNames(nameID=6, platformID=1)
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(f".{id(font)}")
        font.save(part)
        part.replace(file)
    return file


@lru_cache(maxsize=4)
def letters_of(file):
    from fontTools.ttLib import TTFont

    return frozenset(TTFont(file).getBestCmap())


def kanji_font(letters):
    """A font with just `letters` of the Japanese font that the package ships: converting the whole takes 20 s a document."""
    import pylopdf_fonts_jp
    from fontTools import subset
    from fontTools.ttLib import TTFont

    whole = Path(pylopdf_fonts_jp.__file__).with_name("NotoSansJP-Regular.otf")
    have = letters & letters_of(whole)
    kept = have | set(range(32, 127))  # a space after a kanji is drawn with the kanji’s font
    file = settings.folder / "fonts" / f"kanji-{sha256(repr(sorted(have)).encode()).hexdigest()[:16]}.otf"
    if have and not file.exists():
        font = TTFont(whole)
        subsetter = subset.Subsetter(subset.Options(layout_features=[], notdef_outline=True))
        subsetter.populate(unicodes=kept)
        subsetter.subset(font)
        part = file.with_suffix(f".{id(font)}")
        font.save(part)
        part.replace(file)
    return (file if have else None), have


def to_pdf(html, seconds=60):
    """Render a page of templates/pdf to PDF bytes. Closed to the network and to files other than our fonts.

    `seconds` is the longest it may take, for a request waits for it. A letter that no font has is written as its Unicode name in brackets, so that nothing is lost. Raises RuntimeError when
    xhtml2pdf reports an error or a warning: a PDF that lacks something is not evidence.
    """
    from xhtml2pdf import pisa
    from xhtml2pdf.config.resources import ResourceAccessPolicy

    html = html.replace(DIGEST, sha256(html.encode()).hexdigest()[:32])
    regular, bold = static_font(400, "NotoSans-Regular"), static_font(700, "NotoSans-Bold")
    known = letters_of(regular)
    unknown = {ord(c) for c in html if ord(c) > 127} - known
    kanji, have = kanji_font(unknown)
    for code in unknown - have:
        sign = chr(code)
        name = "" if unicodedata.category(sign) in ("Cf", "Mn", "Cc") else f"[{unicodedata.name(sign, f'U+{code:04X}')}]"
        html = html.replace(sign, escape(name))
    faces = [
        f"@font-face {{ font-family: N; src: url('{regular}') }} @font-face {{ font-family: N; font-weight: bold; src: url('{bold}') }}"
    ]
    if kanji:
        faces += [f"@font-face {{ font-family: J; font-weight: {weight}; src: url('{kanji}') }}" for weight in ("normal", "bold")]
    html = html.replace("/* fonts */", f"{' '.join(faces)} body {{ font-family: N{', J' if kanji else ''} }}")
    policy = ResourceAccessPolicy.server(regular.parent, allow_remote=False, max_render_seconds=seconds)
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of libraries below xhtml2pdf
        result = pisa.CreatePDF(html, dest=out, path=f"{regular.parent}/", resource_policy=policy)
    if result.err or result.warn:
        raise RuntimeError(
            f"The PDF could not be made whole: {result.err} errors, {result.warn} warnings {[entry[2] for entry in result.log][:3]}"
        )
    return out.getvalue()


class Document(Base):
    """The copy kept at a sign-off: the words are frozen in its transaction, the PDF is made of them right after."""

    belongs, keeps = "event", "submitted"
    changes, sealed = ("pdf", "sha256"), "OLD.pdf IS NOT NULL"

    event = ForeignKeyField(Event, unique=True, on_delete="RESTRICT")  # the sign-off: names the record, the case, the person and the time
    restricted = YesNo()
    words = TextField()
    pdf = BlobField(null=True)
    sha256 = CharField(max_length=64, null=True)
    made_at = Moment(default=now)

    def __str__(self):
        return f"the copy kept of {self.event.detail.get('record', '')}"

    @classmethod
    def of_case(cls, query, incident):
        """The copies in `query` that were kept for one case, newest first, without their contents."""
        events = Event.select(Event.id).where(Event.incident == incident)
        return list(
            query.select(cls.id, cls.event, cls.sha256, cls.made_at, cls.restricted).where(cls.event.in_(events)).order_by(cls.id.desc())
        )

    @property
    def kept(self):
        """What the history says was kept: {sha256, digest, signed}; None before the PDF is made. The first counts."""
        event = (
            Event.select()
            .where(Event.subject == self.noun(), Event.record == self.id, Event.verb == "document:keep")
            .order_by(Event.id)
            .first()
        )
        return event and event.detail

    @property
    def digest(self):
        """The SHA-256 of the words that were signed off; its first half is printed at the foot of the paper."""
        return sha256(self.words.encode()).hexdigest()

    def content(self):
        """The signed PDF, byte for byte the same for ever: made at the first call after the sign-off, kept from then on.

        The history keeps its hash, so that neither the words nor the paper can be changed unseen.
        """
        if self.pdf is None:
            if self.kept is not None:
                raise Refused("This copy was kept once and is gone: restore it from a backup. Another is not made in its place.")
            pdf = sign(to_pdf(self.words, seconds=900), f"Signed off: {self.event.detail.get('record', '')}")
            with transaction():
                if Document.update(pdf=pdf, sha256=sha256(pdf).hexdigest()).where(Document.id == self.id, Document.pdf.is_null()).execute():
                    Event.write("document:keep", self, None, sha256=sha256(pdf).hexdigest(), digest=self.digest, signed=True)
            fresh = Document.get_by_id(self.id)
            self.pdf, self.sha256 = fresh.pdf, fresh.sha256
        return bytes(self.pdf)

    @classmethod
    def adopt(cls):
        """Put the hashes of copies that were kept before the history took them (schema 0003) into the history, once."""
        known = Event.select(Event.record).where(Event.subject == cls.noun(), Event.verb == "document:keep")
        for document in cls.select().where(cls.pdf.is_null(False), cls.id.not_in(known)).order_by(cls.id):
            Event.write("document:keep", document, None, sha256=document.sha256, digest=document.digest)

    @classmethod
    def late(cls):
        """The copies that are still only words an hour after the sign-off."""
        return cls.select().where(cls.pdf.is_null(), cls.made_at < now() - HOUR)

    @classmethod
    def finish(cls):
        """Make the PDFs that are still only words. Returns how many. One that cannot be made holds up none of the others: the home page warns of it."""
        made = 0
        for row in list(cls.select(cls.id).where(cls.pdf.is_null()).order_by(cls.id)):
            if AGAIN.get(row.id, now()) > now():
                continue
            try:
                made += bool(cls.get_by_id(row.id).content())
            except Exception as problem:  # its text may quote the record
                AGAIN[row.id] = now() + HOUR
                log.error("kept copy %s could not be made: %s", row.id, type(problem).__name__)
        return made
