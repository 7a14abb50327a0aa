"""What is known of one person at rest, and where it is kept."""
