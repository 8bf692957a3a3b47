"""Archive: a PDF made one for the archive, its words in it as a file (PDF/A-3u, ISO 19005-3)."""

import io
from datetime import UTC
from xml.sax.saxutils import escape

from models.ground.clock import now

LANGUAGE = "en-GB"
NAME = "words.txt"
XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:pdf="http://ns.adobe.com/pdf/1.3/" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/">
<pdfaid:part>3</pdfaid:part><pdfaid:conformance>U</pdfaid:conformance>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<dc:language><rdf:Bag><rdf:li>{language}</rdf:li></rdf:Bag></dc:language>
<pdf:Producer>{producer}</pdf:Producer>
<xmp:CreateDate>{made}</xmp:CreateDate><xmp:ModifyDate>{made}</xmp:ModifyDate>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""


def archived(pdf: bytes, words: str, title: str) -> bytes:
    """`pdf` (bytes), all of whose fonts are embedded, with title, language, colours and `words`."""
    import pypdf
    from PIL.ImageCms import ImageCmsProfile, createProfile
    from pypdf.generic import ArrayObject, DecodedStreamObject, DictionaryObject, NumberObject
    from pypdf.generic import NameObject as Name
    from pypdf.generic import TextStringObject as Text

    writer, data = pypdf.PdfWriter(clone_from=io.BytesIO(pdf)), words.encode()
    made = now().astimezone(UTC).replace(microsecond=0)

    def dictionary(kind=DictionaryObject, **entries):
        held = kind()
        held.update({Name(f"/{key}"): value for key, value in entries.items()})
        return held

    def stream(content, **entries):
        held = dictionary(DecodedStreamObject, **entries)
        held.set_data(content)
        return writer._add_object(held)

    file = writer.add_attachment(NAME, data)
    file.alternative_name, file.description = Text(NAME), Text("The words of this paper, in UTF-8")
    file.subtype, file.size = Name("/text/plain"), NumberObject(len(data))
    file.modification_date = made
    file.associated_file_relationship = Name("/Alternative")  # the same in another form
    colours = ImageCmsProfile(createProfile("sRGB")).tobytes()
    moment = made.strftime("D:%Y%m%d%H%M%S+00'00'")
    writer.add_metadata({"/Title": title, "/CreationDate": moment, "/ModDate": moment})
    said = {
        "title": title,
        "producer": str(writer.metadata and writer.metadata.producer),
        "made": made.isoformat(),
    }
    about = XMP.format(language=LANGUAGE, **{key: escape(value) for key, value in said.items()})
    intent = dictionary(
        Type=Name("/OutputIntent"),
        S=Name("/GTS_PDFA1"),
        OutputConditionIdentifier=Text("sRGB"),
        Info=Text("sRGB"),
        DestOutputProfile=stream(colours, N=NumberObject(3)),
    )
    entries = dictionary(
        Lang=Text(LANGUAGE),
        Metadata=stream(about.encode(), Type=Name("/Metadata"), Subtype=Name("/XML")),
        OutputIntents=ArrayObject([intent]),
        AF=ArrayObject([file.pdf_object.indirect_reference]),
    )
    writer.root_object.update(entries)
    writer.generate_file_identifiers()
    writer.pdf_header = "%PDF-1.7"
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()
