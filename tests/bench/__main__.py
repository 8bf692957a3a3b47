"""`make bench` measures our pages; `make bench PEER=folder` measures them beside the peer there."""

import os

from . import pages, peer

if os.environ.get("PEER"):
    peer.main()
else:
    pages.main()
