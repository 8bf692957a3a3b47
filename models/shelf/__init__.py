"""Everything on the move: checks, backups, lists taken in."""
