"""From pictures and sound to readings."""
