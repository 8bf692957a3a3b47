"""Browsers in words: "Firefox on Windows". What a browser says of itself is looked at, never
shown.
"""

UNNAMED = "a browser that does not say its name"
# the first that fits: most call themselves by the names of others, too
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Opera", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Vivaldi", "Vivaldi"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chromium", "Chromium"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)


def named(says: str | None) -> str:
    """The browser whose User-Agent is `says`, in our own words: "Safari on iPhone".

    An iPad says that it is a Mac, unless it is asked for pages for telephones.
    """
    browser, system = (
        next((name for sign, name in known if sign in (says or "")), None)
        for known in (BROWSERS, SYSTEMS)
    )
    if not browser:
        return f"{UNNAMED}, on {system}" if system else UNNAMED
    return f"{browser} on {system}" if system else browser
