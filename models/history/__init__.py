"""What proves the rest: events, emails, papers, signatures."""
