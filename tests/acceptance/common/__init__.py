"""What the proofs of several parts use."""
