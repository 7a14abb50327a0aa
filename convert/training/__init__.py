"""What both nets share in training: recipes, the loop, the optimizer, weights."""
