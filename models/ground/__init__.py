"""What everything stands on: it knows no noun."""
