"""What a search shows while it runs, and at its end."""
