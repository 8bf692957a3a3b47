"""Photographs: what they say of place and camera is not shown, and the original is kept."""

import io
from hashlib import sha256

import pytest
from PIL import Image, ImageChops

from models import Attachment, Event, Refused

from .conftest import report

GPS, MAKE, UPRIGHT = 0x8825, 0x010F, 0x0112


def photograph(form="JPEG", turned=6):
    """A picture as a telephone takes it: with the place, the camera, an owner’s note, and turned on
    its side.
    """
    exif = Image.Exif()
    exif[MAKE], exif[UPRIGHT] = "Telephone of Dave Pritchard", turned
    exif.get_ifd(GPS).update({1: "N", 2: (54.0, 3.0, 12.5), 3: "W", 4: (2.0, 4.0, 1.1)})
    out = io.BytesIO()
    picture = Image.radial_gradient("L").convert("RGB").resize((120, 80))
    more = (
        {"quality": 88, "comment": b"Home of Zofia", "xmp": b"<x:xmpmeta>Thornley</x:xmpmeta>"}
        if form == "JPEG"
        else {}
    )
    picture.save(out, form, exif=exif, **more)
    return out.getvalue()


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_the_place_is_not_shown_and_the_original_is_kept(cast, school, form):
    content = photograph(form)
    assert b"Telephone" in content, "the picture really says it"
    row = Attachment.add(report(school), school.dave, f"wrist.{form.lower()}", content)
    shown = cast.alice.get(f"/incident/file/?id={row.id}").data
    with Image.open(io.BytesIO(shown)) as after, Image.open(io.BytesIO(content)) as before:
        assert dict(after.getexif()) == {UPRIGHT: 6} and not after.getexif().get_ifd(GPS), (
            "which way up it is stays"
        )
        assert max(ImageChops.difference(after, before).getextrema())[1] <= 3, (
            "the picture is the same to the eye"
        )
    for word in (b"Telephone", b"Zofia", b"Thornley", b"GPS", b"xmpmeta"):
        assert word not in shown
    original = cast.alice.get(f"/incident/file/?id={row.id}&original=1")
    assert original.data == content and row.sha256 == sha256(content).hexdigest()
    assert (
        Event.last(row, "attachment:read_original").by == school.alice
        and Event.last(row, "attachment:read").by == school.alice
    )


def test_the_original_is_for_those_who_may(cast, school):
    row = Attachment.add(report(school), school.dave, "wrist.jpg", photograph())
    for person in (cast.dave, cast.carol, cast.mark):
        assert person.get(f"/incident/file/?id={row.id}").status_code == 200
        assert person.get(f"/incident/file/?id={row.id}&original=1").status_code == 403
        assert person.get(f"/incident/file/?id={row.id}&original=1&look=1").status_code == 403
        page = person.get(f"/attachment/details/?id={row.id}")
        assert page.status_code == 200 and "as it was attached" not in page.text_only
    assert "as it was attached" in cast.alice.get(f"/attachment/details/?id={row.id}").text_only


@pytest.mark.parametrize(
    "content", [photograph()[:400], photograph("PNG")[:200], b"\xff\xd8\xff\xe1" + b"x" * 200]
)
def test_a_picture_that_cannot_be_read_is_not_shown_with_what_it_may_say(cast, school, content):
    row = Attachment.add(report(school), school.dave, "broken.jpg", content)
    with pytest.raises(Refused, match="cannot be read"):
        row.shown()
    page = cast.alice.get(f"/incident/file/?id={row.id}")
    assert page.status_code == 409 and "cannot be read" in page.text_only and row.read() == content
