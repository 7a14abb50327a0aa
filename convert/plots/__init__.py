"""The pictures of the model cards."""
