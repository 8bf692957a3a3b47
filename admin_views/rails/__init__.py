"""Every override of Flask-Admin and Flask-Security: the traps, each met once."""
