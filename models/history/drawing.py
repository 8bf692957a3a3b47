"""Drawings on paper: an SVG whose words are outlines, as a PDF takes no letter without a font."""

from base64 import b64encode


def outlines(words: str, x: float, y: float, size: float) -> str:
    """A path that draws a few words of Latin, bold, centred on `x`, with their feet on `y`."""
    import uharfbuzz
    from fontTools.pens.svgPathPen import SVGPathPen
    from fontTools.pens.transformPen import TransformPen

    from .fonts import faces

    face = faces()["Sans"]
    buffer = uharfbuzz.Buffer()
    buffer.add_str(words)
    buffer.guess_segment_properties()
    uharfbuzz.shape(face.fonts[True], buffer)
    scale = face.scale * size / 1000
    at = x - sum(place.x_advance for place in buffer.glyph_positions) * scale / 2
    pen = SVGPathPen(None)
    for glyph, place in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        turned = TransformPen(pen, (scale, 0, 0, -scale, at, y))
        face.outline(glyph.codepoint, True).replay(turned)
        at += place.x_advance * scale
    return pen.getCommands()


def as_address(svg: str) -> str:
    """An SVG as the address of a picture, whole in itself: nothing has to be looked for."""
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"
