"""What a cloud tells of a run: plain records, derived from the journal or read from a real account."""
