"""The drawn face: poses, drawing, animation."""
