"""Where Chromium is; run as a program it makes sure there is one, for `make test` on a fresh
machine.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = (
    "chromium-headless-shell",  # without what draws a window, at half the work
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "msedge",
)
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find():
    """The path of a Chromium: CHROMIUM, one on the PATH, or the one that Playwright downloads; None
    if there is none.
    """
    from playwright.sync_api import sync_playwright

    named = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if named:
        return named
    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
    return str(own) if own.exists() else None


def install():
    """Playwright's own download first; where that is closed, Debian's packages, for root."""
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    if not find() and shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        for name in NAMES[:2]:
            if not find():
                subprocess.run(["apt-get", "install", "-y", "-qq", name], check=False)


if __name__ == "__main__":
    if not find():
        install()
    if not find():
        sys.exit(
            "The browser tests need Chromium, and none could be installed. Install it, or say "
            "where it is with CHROMIUM=/path/to/chromium."
        )
