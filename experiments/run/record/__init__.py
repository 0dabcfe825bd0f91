"""What a run leaves: its directory, where it comes from, its event files."""
