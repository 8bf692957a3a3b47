"""Our stylesheet, script and icon under names that change with their content: kept for a year."""

import re
from hashlib import sha256
from pathlib import Path

YEAR = "public, max-age=31536000, immutable"


def hashed(file):
    """The name under which a file is served: style.1a2b3c4d5e6f.css."""
    return f"{file.stem}.{sha256(file.read_bytes()).hexdigest()[:12]}{file.suffix}"


def install(app):
    """Give `url_for('static', …)` the hashed names, and serve what they name. Under any other hash,
    as a page from before an upgrade has it, comes what there is now, to be kept by nobody.
    """
    names = {file.name: hashed(file) for file in Path(app.static_folder).iterdir()}
    plain = app.view_functions["static"]

    @app.url_defaults
    def by_content(endpoint, values):
        if endpoint == "static":
            values["filename"] = names.get(values.get("filename"), values.get("filename"))

    def serve(filename):
        name = re.sub(r"\.[0-9a-f]{12}(?=\.\w+$)", "", filename)
        response = plain(filename=name)
        response.headers["Cache-Control"] = YEAR if names.get(name) == filename else "no-store"
        return response

    app.view_functions["static"] = serve
