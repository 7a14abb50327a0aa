"""The face net: data, training, evaluation, card."""
