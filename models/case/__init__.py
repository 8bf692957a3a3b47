"""What is recorded: children, incidents, logs, trackers."""
