"""`make bench` measures our writing hints and our pages; `make bench PEER=folder` measures them beside the
peer there.
"""

import os

from . import hints, pages, peer

if os.environ.get("PEER"):
    peer.main()
else:
    hints.main()
    pages.main()
