"""What `python -m convert` can be asked to do."""
