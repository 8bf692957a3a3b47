"""What a file says beside its content (place, camera, author, who changed it), taken out of the
copy that is handed out. What was attached stays as it was.
"""

import io
import logging
import zipfile

from PIL import Image, ImageOps
from pypdf import PdfReader, PdfWriter
from pypdf.generic import NameObject

from models.ground.record import Refused

DOTS = 50_000_000  # of a picture: what is larger would take more memory than there may be
FORMS = ("JPEG", "PNG", "MPO")  # the last is a JPEG of some cameras
SHOWN = 1_600  # dots on the longer side of a picture that is shown on a page
OBJECTS = 20_000  # of a PDF that is written anew; a larger one would take too long
UNPACKED, ENTRIES = 50_000_000, 2_000  # bytes and files of a Word document that is written anew
UPRIGHT = 0x0112  # the EXIF tag that says which way up a picture is
OPEN = "http://schemas.openxmlformats.org"
BLANK = {  # what stands in a Word document in place of what it says of itself
    f"docProps/{name}.xml": f'<?xml version="1.0" encoding="UTF-8"?><{tag}/>'.encode()
    for name, tag in (
        ("core", f'c:coreProperties xmlns:c="{OPEN}/package/2006/metadata/core-properties"'),
        ("app", f'Properties xmlns="{OPEN}/officeDocument/2006/extended-properties"'),
        ("custom", f'Properties xmlns="{OPEN}/officeDocument/2006/custom-properties"'),
    )
}
BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
BROKEN = (OSError, ValueError, SyntaxError, EOFError, *BOMBS)
logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it quotes what it cannot read


def opened(content: bytes) -> Image.Image:
    """A JPEG or PNG (bytes), read as nothing else, and not larger than memory allows."""
    picture = Image.open(io.BytesIO(content), formats=FORMS)
    width, height = picture.size
    if width * height > DOTS:
        raise ValueError("too large")
    return picture


def too_large(content: bytes) -> bool:
    """Whether a picture has more dots than can be drawn. One that cannot be read is none such."""
    try:
        with Image.open(io.BytesIO(content), formats=FORMS) as picture:
            return picture.size[0] * picture.size[1] > DOTS
    except BOMBS:
        return True
    except BROKEN:
        return False


def unreadable(name: str) -> Refused:
    return Refused(
        f"The picture “{name}” cannot be read, so it cannot be shown without what it says of "
        "place and camera. Nothing was changed."
    )


def without_metadata(content: bytes, name: str) -> bytes:
    """A JPEG or PNG (bytes) with nothing beside its picture but which way up it is and what its
    colours mean. Raises Refused where it cannot be read.
    """
    try:
        with opened(content) as picture:
            kept, out = Image.Exif(), io.BytesIO()
            if turned := picture.getexif().get(UPRIGHT):
                kept[UPRIGHT] = turned
            form = "PNG" if picture.format == "PNG" else "JPEG"
            same = "keep" if picture.format == "JPEG" else 92  # for a PNG it says nothing
            colours = picture.info.get("icc_profile")
            picture.info.clear()
            picture.save(out, form, exif=kept, icc_profile=colours, quality=same, comment=b"")
            return out.getvalue()
    except BROKEN:
        raise unreadable(name) from None


def for_a_page(content: bytes, name: str) -> bytes:
    """A picture (bytes) drawn anew as a JPEG for a page: upright, small enough for a telephone,
    and no byte of the file in it. Raises Refused where it cannot be read.
    """
    try:
        with opened(content) as picture:
            picture.draft("RGB", (SHOWN, SHOWN))  # a JPEG is read at about that size: quickly
            upright = ImageOps.exif_transpose(picture)
            upright.thumbnail((SHOWN, SHOWN))
            if "A" in upright.getbands() or "transparency" in upright.info:
                upright = upright.convert("RGBA")
                paper = Image.new("RGB", upright.size, "white")
                paper.paste(upright, mask=upright.getchannel("A"))
                upright = paper
            drawn, out = Image.new("RGB", upright.size), io.BytesIO()
            drawn.paste(upright.convert("RGB"))
            drawn.save(out, "JPEG", quality=85)
            return out.getvalue()
    except BROKEN:
        raise unreadable(name) from None


def pdf_without_metadata(content: bytes) -> bytes:
    """A PDF (bytes) without author, title, program and dates; as it is where it is locked, signed,
    very large or cannot be read: somebody has to be able to open it.
    """
    if content.count(b" obj") > OBJECTS or b"/ByteRange" in content:
        return content
    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted:
            return content
        writer = PdfWriter(clone_from=reader)
        writer.metadata = None
        for thing in (writer.root_object, *writer.pages):
            for name in ("/Metadata", "/PieceInfo"):
                thing.pop(NameObject(name), None)
        writer.compress_identical_objects(remove_duplicates=False, remove_unreferenced=True)
        out = io.BytesIO()
        writer.write(out)
        return out.getvalue()
    except Exception:  # whatever a damaged file makes a reader raise
        return content


def word_without_metadata(content: bytes) -> bytes:
    """A Word document (bytes) without author, company and who saved it last; as it is where it
    cannot be read, or unpacks to very much.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as old:
            entries, out = old.infolist(), io.BytesIO()
            if len(entries) > ENTRIES or sum(one.file_size for one in entries) > UNPACKED:
                return content
            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
                for one in entries:
                    plain = zipfile.ZipInfo(one.filename)
                    plain.compress_type = zipfile.ZIP_DEFLATED
                    new.writestr(plain, BLANK.get(one.filename) or old.read(one))
            return out.getvalue()
    except Exception:  # whatever a damaged file makes a reader raise
        return content


def bomb(content: bytes) -> bool:
    """Whether a Word document says that it unpacks to far more than any letter does, or cannot be
    unpacked at all.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            entries = packed.infolist()
            unpacked = sum(one.file_size for one in entries)
            return len(entries) > 10_000 or unpacked > 500_000_000
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError):
        return True


def programs(content: bytes) -> bool:
    """Whether a Word document holds macros. `content`: one that bomb() lets through."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return any(name.lower().endswith("vbaproject.bin") for name in packed.namelist())
