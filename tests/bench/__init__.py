"""Measuring: our own pages (pages.py), and beside a peer in the same run (peer.py, rows.py)."""
