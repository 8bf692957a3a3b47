"""Poppler, by which papers are read; run as a program it makes sure there is one, for `make
test`.
"""

import io
import os
import re
import shutil
import subprocess
import sys
from html import unescape

from PIL import Image


def run(tool, *args, pdf):
    return subprocess.run([tool, *args], input=pdf, capture_output=True, check=True).stdout


def text(pdf):
    """What `pdftotext` gives back."""
    return run("pdftotext", "-enc", "UTF-8", "-", "-", pdf=pdf).decode()


def places(pdf):
    """[(left, right, word)] of each word, in points from the left edge of its page."""
    found = run("pdftotext", "-bbox", "-", "-", pdf=pdf).decode()
    words = re.findall(r'<word xMin="([\d.]+)" yMin=".*?" xMax="([\d.]+)" .*?>(.*?)</word>', found)
    return [(float(left), float(right), unescape(word)) for left, right, word in words]


def picture(pdf, dpi=100):
    """The first page as it is drawn, in grey."""
    drawn = run("pdftoppm", "-singlefile", "-gray", "-r", str(dpi), "-", pdf=pdf)
    return Image.open(io.BytesIO(drawn))


def missing():
    return not (shutil.which("pdftotext") and shutil.which("pdftoppm"))


if __name__ == "__main__":
    if missing() and shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        subprocess.run(["apt-get", "install", "-y", "-qq", "poppler-utils"], check=True)
    if missing():
        sys.exit(
            "The tests of papers need Poppler's pdftotext and pdftoppm: install poppler-utils."
        )
