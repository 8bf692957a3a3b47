"""Paper: a page of words turned into a PDF that keeps every word, in whatever script."""

import io
import re
import unicodedata
import warnings
from collections.abc import Iterator
from hashlib import sha256
from html import unescape
from threading import Lock

from .archive import archived
from .fonts import packaged
from .shaping import Lettering, ignorable, rightward, teach

CHUNK = 1500  # characters: the time for a paragraph grows with the square of its length
LONG = re.compile(rf"<p\b([^>]*)>([^<]{{{CHUNK},}})</p>")
# Where a page wants its own SHA-256 printed, counted with this mark in its place: a tag, for nobody
# can type one. The second form is how pages asked before they were made so.
DIGEST = re.compile(r"<digest></digest>|(?<= record )\{digest\}(?=</div>)")
ENDS = re.compile(r"</(?:p|tr|h[1-6]|div|table)>|<br\s*/?>")  # of a line of words
ORDER = "\ufeff"  # the mark of byte order, which PDF/A will not have as a letter
VIRAMA = 9  # the combining class of the signs that join two consonants
ONE = Lock()  # ReportLab knows the fonts that are made for a document by name


def chunks(text: str) -> Iterator[str]:
    """Text (of HTML) in short pieces that keep every character, cut between words or letters."""
    while len(text) > CHUNK:
        between = (at for at in range(CHUNK, CHUNK // 2, -1) if begins(text, at))
        end = text.rfind(" ", 1, CHUNK) + 1 or next(between, CHUNK)
        yield text[:end]
        text = text[end:]
    yield text


def several(paragraph):
    return "".join(f"<p{paragraph[1]}>{part}</p>" for part in chunks(paragraph[2]))


def begins(text: str, at: int) -> bool:
    """Whether a letter begins at a place: no mark, nor part of a syllable or an entity of HTML."""
    mark = unicodedata.category(text[at])[0] == "M" or ignorable(text[at])
    joined = unicodedata.combining(text[at - 1]) == VIRAMA
    return not mark and not joined and not re.search("&[^;]{0,6}$", text[at - 7 : at])


def words(html: str) -> str:
    """The words of a page as plain text (NFC): a line a paragraph or row, tabs between cells."""
    body = html[html.index("<body") :].replace("\n", " ")
    text = re.sub(r"</t[dh]>", "\t", ENDS.sub("\n", body))
    lines = [line.strip() for line in unescape(re.sub(r"<[^>]*>", "", text)).split("\n")]
    return unicodedata.normalize("NFC", "".join(f"{line}\n" for line in lines if line))


def to_pdf(html: str, seconds: float = 60) -> bytes:
    """Render a page of templates/pdf to PDF bytes. Closed to the network and to files but fonts.

    `seconds` is the longest it may take, for a request waits for it. Every script is drawn as its
    readers expect it; a letter that no font has is written as its Unicode name in brackets. The
    words are in it once more as a file. Raises RuntimeError when xhtml2pdf reports an error or a
    warning: a PDF that lacks something is not evidence.
    """
    from xhtml2pdf import pisa
    from xhtml2pdf.config.resources import ResourceAccessPolicy

    from .typeface import FAMILIES, PLAIN, register

    teach()
    html = DIGEST.sub(sha256(html.encode()).hexdigest()[:32], html)
    html = unicodedata.normalize("NFC", html)
    head, body, rest = html.replace(ORDER, "").partition("<body")
    lettering = Lettering()
    page = lettering.page(LONG.sub(several, rightward(rest)))
    some = packaged("manimgx_fonts", "NotoSans[wght].ttf")  # a face names a file; ours are known
    families = [PLAIN, *FAMILIES.values()]
    faces = [(PLAIN, "bold"), *((family, "normal") for family in families)]
    face = "@font-face {{ font-family: {}; font-weight: {}; src: url('{}') }} "
    style = "".join(face.format(*pair, some.as_posix()) for pair in faces)
    style += f"body {{ font-family: {', '.join(families)}; overflow-wrap: break-word }}"
    page, out = f"{head}<style>{style}</style>{body}{page}", io.BytesIO()
    limits = {"allow_remote": False, "max_render_seconds": seconds}
    policy = ResourceAccessPolicy.server(some.parent, **limits)
    with ONE, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of libraries below xhtml2pdf
        register(page, lettering)
        done = pisa.CreatePDF(page, dest=out, path=f"{some.parent}/", resource_policy=policy)
    if done.err or done.warn:
        found = f"{done.err} errors, {done.warn} warnings {[entry[2] for entry in done.log][:3]}"
        raise RuntimeError(f"The PDF could not be made whole: {found}")
    title = re.search("<title>(.*?)</title>", head)
    return archived(out.getvalue(), words(html), unescape(title[1]) if title else "")
