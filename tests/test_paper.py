"""Paper: every word of a record is in its PDF, in whatever script, and drawn as readers expect
it.
"""

import re
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from html import escape
from io import BytesIO
from pathlib import Path

import page
import pytest
from PIL import Image, ImageChops, ImageFilter, ImageStat
from pypdf import PdfReader

from models import Document, Log
from models.history import seal, shaping
from models.history.paper import chunks, to_pdf, words

from .conftest import report
from .poppler import picture, places, text

SAID = {
    "Latin": "Łukasz Żółć, Ngũgĩ wa Kamaũ, Carol Vaughan-Ŵyn, ŷ, ș, ħ, Đặng Thị Hằng",
    "Latin, decomposed": "e\u0301 n\u0303 W\u0302 m\u0303, e\u0331, o\u0323\u0300, ɛ\u0300 "
                         "ɔ\u0301, Yoru\u0301ba\u0301 E\u0323\u0300ko\u0323\u0301",
    "Greek": "Ὀλυμπία και Ἀθῆναι, η κόρη μου",
    "Cyrillic": "Оксана Щербак, їжак, Ђорђе, Қазақ",
    "Arabic": "قالت الطفلة إنها لا تريد العودة إلى البيت (يوم 12 مايو 2026)؛ هل سُئِلَتْ؟ "
              "مُحَمَّدٌ ٢٠١٤",
    "Persian": "کودک می‌گوید که نمی‌خواهد به خانه برود، شماره ۱۲۳۴۵۶ و پدرش گچ‌کار است",
    "Urdu": "بچی نے کہا کہ وہ گھر نہیں جانا چاہتی، اس کی ٹیچر ڈاکٹر ہیں ۴۵۶۷ لڑکا",
    "Hebrew": "הילדה אמרה שהיא לא רוצה לחזור הביתה (ב-12.5.2026), שָׁלוֹם",
    "Hindi": "बच्ची ने कहा कि वह घर नहीं जाना चाहती। क्षत्रिय, श्रीमती, विद्यार्थी, दृष्टि, "
             "ड्रग्स १२३",
    "Bengali": "মেয়েটি বলল যে সে বাড়ি যেতে চায় না। ক্ষমা, স্ত্রী, বিজ্ঞান, কোথায়, কৌশল",
    "Punjabi": "ਬੱਚੀ ਨੇ ਕਿਹਾ ਕਿ ਉਹ ਘਰ ਨਹੀਂ ਜਾਣਾ ਚਾਹੁੰਦੀ। ਸ੍ਰੀ ਪ੍ਰੀਤਮ ਸਿੰਘ",
    "Gujarati": "છોકરીએ કહ્યું કે તે ઘરે જવા માંગતી નથી. ક્ષમા, શ્રી, વિદ્યાર્થી",
    "Tamil": "குழந்தை வீட்டிற்குப் போக விரும்பவில்லை என்று கூறினாள். ஸ்ரீ, கொடு, கௌரி",
    "Sinhala": "දරුවා ගෙදර යන්න කැමති නැහැ කියා කීවා. ශ්‍රී ලංකා, ක්‍රමය, කෝපය, ප්‍රශ්නය",
    "Thai": "เด็กหญิงบอกว่าไม่อยากกลับบ้านเพราะกลัวพ่อ น้ำ กำลัง ปู่ย่า เกี๊ยว ๑๒๓ Tom ไปโรงเรียน",
    "Chinese, simplified": "孩子说她不想回家，因为她害怕爸爸。她的名字是王小龙，今年7岁，在Thornley学校上学。",
    "Chinese, traditional": "孩子說她不想回家，因為她害怕爸爸。她的名字是陳美麗，今年七歲，學校在臺北。",
    "Japanese": "子どもは「家に帰りたくない」と言いました。山田花子さん、辻さん、スーパーマーケット、ｶﾀｶﾅ。",
    "Korean": "아이는 집에 가고 싶지 않다고 말했습니다. 김민수 학생, 국어 선생님 (한글 10시)",
    "Amharic": "ልጅቷ ወደ ቤት መመለስ አልፈልግም አለች። ሰላም፡ነው፡፡",
    "Tigrinya": "ቆልዓ ናብ ገዛ ክትምለስ ኣይትደልን እያ። ኤርትራ",
    "Armenian": "Երեխան ասաց, որ չի ուզում տուն գնալ։ Հայաստան",
    "Georgian": "ბავშვმა თქვა, რომ სახლში წასვლა არ უნდა. საქართველო",
    "Mixed": "Mrs Brown met محمد علي (aged 12) and בנימין at 14:05; he said “no”, then नमस्ते "
             "and 你好 twice.",
}  # fmt: skip
RIGHTWARD = ("Arabic", "Persian", "Urdu", "Hebrew", "Mixed")
FLOWING = ("Thai", "Chinese, simplified", "Chinese, traditional", "Japanese")  # without spaces
PICTURES = Path(__file__).parent / "pictures"
STYLE = """@page { size: 21cm 120cm; margin: 2cm } body { font-size: 9.5pt; line-height: 1.35 }
table { width: 100% } td.label { width: 5cm }"""


def paper(body, style=STYLE):
    head = f"<title>A paper</title><style>{style}</style>"
    return f"<html lang='en-GB'><head>{head}</head><body>{body}</body></html>"


def tokens(given):
    """The words of a text: letters, marks, numbers and joiners; all else is what parts them."""
    given = unicodedata.normalize("NFC", given).replace("\u200f", "")
    kept = ("\u200c", "\u200d")
    pieces = (
        sign if unicodedata.category(sign)[0] in "LMN" or sign in kept else " " for sign in given
    )
    return "".join(pieces).split()


def run_on(given):
    """A text without what parts its words: where a line was broken is not part of what it says."""
    return "".join(tokens(given))


@pytest.fixture(scope="module")
def scripts():
    """All scripts on one long page: in a table, as a heading, as a paragraph of two lines, bold."""
    rows, lines = "", ""
    for name, said in SAID.items():
        said = escape(said)
        rows += f'<tr><td class="label">{name}</td><td><p>{said}</p></td></tr>'
        lines += f"<h3>{said[:12]}</h3><p>{said} {said}</p><p>{name} <b>{said}</b></p>"
    return to_pdf(paper(f"<table>{rows}</table>{lines}"))


@pytest.mark.parametrize("script", SAID)
def test_every_word_of_every_script_is_given_back(scripts, script):
    found, said = text(scripts), SAID[script]
    if script in RIGHTWARD:  # pdftotext gives the parts of such a line in an order of its own
        for word in tokens(said):
            assert tokens(found).count(word) >= 4, word
    else:
        assert run_on(found).count(run_on(said)) == 4
    if script not in FLOWING:
        assert set(tokens(said)) <= set(tokens(found)), "with the spaces between them"


@pytest.mark.parametrize("script", ["Hindi", "Urdu", "Thai"])
def test_it_is_drawn_as_its_readers_expect(script):
    """The pictures were looked at when they were made: joined letters, conjuncts, vowels in
    place.
    """
    small = "@page { size: 12cm 4cm; margin: 0.3cm } p { font-size: 15pt; margin: 0 }"
    said = f"<p>{SAID[script]}</p><p><b>{SAID[script][:20]}</b></p>"
    drawn = picture(to_pdf(paper(said, small)))
    with Image.open(PICTURES / f"{script.lower()}.png") as known:
        assert drawn.size == known.size
        pair = [one.convert("L").filter(ImageFilter.GaussianBlur(2)) for one in (drawn, known)]
    # Of 255: another reader of PDFs differs by 4 in its edges, a lost form of a letter by 10 and
    # more.
    assert ImageStat.Stat(ImageChops.difference(*pair)).rms[0] < 6


def test_lines_run_in_the_direction_of_their_script():
    cell = "<table><tr><td><p>سلام دنیا</p></td></tr></table>"
    pdf = to_pdf(
        paper(f"<p>שלום לך דוד</p>{cell}<p>Carol met נועם כהן there</p><p>Alice read it</p>")
    )
    left = {word: where for where, _right, word in places(pdf)}
    left |= {word[::-1]: where for word, where in left.items()}  # it gives letters as they stand
    assert left["שלום"] > left["לך"] > left["דוד"] > 300, "at the right margin"
    assert left["سلام"] > left["دنیا"] > 300
    assert left["Carol"] < left["met"] < left["כהן"] < left["נועם"] < left["there"] < 300
    assert left["Alice"] < left["read"] < left["it"] < 120


def test_lines_without_spaces_break_at_the_right_places_and_within_the_margins():
    long = {script: SAID[script].replace(" ", "") * 30 for script in (*FLOWING, "Hindi", "Arabic")}
    long["Latin"] = "x" * 5000
    cell = f"<table><tr><td class='label'>A</td><td>{'q' * 900}</td></tr></table>"
    pdf = to_pdf(paper("".join(f"<p>{said}</p>" for said in long.values()) + cell))
    found = text(pdf)
    for script in (*FLOWING, "Hindi", "Latin"):
        assert run_on(long[script]) in run_on(found), script
    assert run_on(found).count("q") == 900
    margin = (21 - 2) * 72 / 2.54
    assert max(right for _left, right, _word in places(pdf)) < margin + 3, (
        "a comma hangs over at most"
    )
    starts = {line[0] for line in found.splitlines() if line and "\u202b" not in line}
    assert not starts & set("，。、」ーっ"), "what may not begin a line"
    assert "Mn" not in map(unicodedata.category, starts)
    chinese = "".join(line for line in found.splitlines() if "王小龙" in line)
    assert not re.search("[\u4e00-\u9fff] [\u4e00-\u9fff]", chinese), "nothing is put in between"


def test_a_bracket_is_turned_with_its_line():
    pdf = to_pdf(paper("<p>قال « (لا</p>"))
    assert "»" in text(pdf) and ")" in text(pdf), "as it is drawn"
    assert page.is_pdf_compliant_bytes(pdf, profile=page.ValidationProfile.PDF_A_3U)


def test_nothing_typed_is_dropped():
    alone, pictures, unseen = "\u0301a \u0e34b", "😀 👩‍👧 ❤️ ✓ ☎", "x\u200by\u2060z co\u00adop"
    unknown = "\U00010a01c \ue000d \U00010380e"
    found = text(to_pdf(paper(f"<p>Zoe\u0301 {alone} {unknown} {pictures} {unseen}</p>")))
    assert "Zoé" in found, "in normal form"
    assert "[KHAROSHTHI VOWEL SIGN I]c [U+E000]d [UGARITIC LETTER ALPA]e" in " ".join(found.split())
    assert "\u0301" in found and "\u0e34" in found, "a mark without a letter is drawn on a circle"
    assert all(sign in found for sign in pictures.split()) and unseen in found


def test_more_letters_than_fonts_can_hold_are_named(monkeypatch):
    monkeypatch.setattr(shaping, "MOST", 4)
    found = text(to_pdf(paper("<p>कखग</p><p>שָׁ</p>")))
    assert "कख[DEVANAGARI LETTER GA]" in found and "[HEBREW LETTER SHIN]" in found


@pytest.mark.parametrize(
    "piled", ["a\u0301", "م\u064e\u0651", "ก\u0e49", "👩\u200d", "\u1100", "क्"]
)
def test_a_thousand_marks_on_one_letter_spoil_no_paper(piled):
    found = text(to_pdf(paper(f"<p>Before {piled[0]}{piled[1:] * 700} {piled * 700} after</p>")))
    assert "Before" in found and "after" in found
    assert any(said in found for said in (piled, *map(unicodedata.name, piled)))


def test_two_papers_at_once_do_not_mix_their_letters():
    said = ["Hindi", "Thai", "Arabic", "Georgian"]
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda script: to_pdf(paper(f"<p>{SAID[script]}</p>")), said))
    for script, pdf in zip(said, made, strict=True):
        found = text(pdf)
        assert set(tokens(SAID[script])) <= set(tokens(found)) or run_on(SAID[script]) in run_on(
            found
        )


def test_long_paragraphs_are_cut_between_letters():
    given = "a b " * 2000 + "é" * 5000 + "क्षि" * 900 + "&amp;" * 900 + "\u0301" * 2000
    parts = list(chunks(given))
    assert "".join(parts) == given and max(map(len, parts)) <= 1500
    for before, after in zip(parts[:-2], parts[1:-1], strict=True):
        assert after[0] not in "\u094d\u093f" and before[-1] != "\u094d"
        assert before.count("&") == before.count(";")


def test_the_paper_fetches_nothing(tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"secret")
    with pytest.raises(RuntimeError, match="could not be made whole"):
        to_pdf(paper(f"<img src='{secret}'/><img src='http://127.0.0.1:9/x.png'/>"))


def test_no_mark_of_ours_can_be_typed(school):
    """Dave types what our pages were marked with; it stands on the paper as he typed it."""
    typed = "record {digest} /* fonts */ <digest></digest> &lt;digest&gt;"
    log = Log.trigger(report(school, what_happened=typed), school.mark)
    html = log.paper()
    found = " ".join(text(to_pdf(html)).split())
    assert typed in found and "font-face" not in found and "site-packages" not in found
    before = paper("<div>history 1 ab · record {digest}</div>")  # as pages asked for their digest
    for page_of_words in (html, before):
        digest = sha256(page_of_words.encode()).hexdigest()[:32]
        assert f"record {digest}" in text(to_pdf(page_of_words)), "the foot has it"


def test_the_signed_copy_is_for_the_archive_and_holds_its_words(school, ready):
    """Dave's words are in the signed PDF as a file, letter for letter; a checker not ours
    agrees.
    """
    said = f"{SAID['Hindi']}\n\n  {SAID['Urdu']} & <b>{SAID['Thai']}</b>\n{'z' * 4000} e\u0301"
    ready.incident.amend(text=said, by=school.dave)
    Log.get_by_id(ready.id).complete(by=school.mark)
    document = Document.get()
    pdf = document.content()
    assert seal.check(pdf) == "whole"
    verdict = page.validate_pdf_bytes(pdf, profile=page.ValidationProfile.PDF_A_3U)
    assert verdict.is_compliant, verdict.failures
    reader = PdfReader(BytesIO(pdf))
    (held,) = reader.attachment_list
    assert (held.name, held.subtype) == ("words.txt", "/text/plain")
    assert held.associated_file_relationship == "/Alternative"
    kept = held.content.decode()
    assert kept == words(document.words.replace("<digest></digest>", document.digest[:32]))
    for line in said.split("\n"):
        assert unicodedata.normalize("NFC", line.strip()) in kept.split("\n"), line
    assert reader.root_object["/Lang"] == "en-GB" and reader.metadata.title == ready.reference
    assert ready.reference in reader.xmp_metadata.dc_title.values()
    assert run_on(text(pdf)).count("z") >= 4000 and set(tokens(SAID["Urdu"])) <= set(
        tokens(text(pdf))
    )
