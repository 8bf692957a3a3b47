"""Who gets in, and what they were writing: it knows no case."""
