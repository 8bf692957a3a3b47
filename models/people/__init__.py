"""Who signs in, and what their roles permit."""
