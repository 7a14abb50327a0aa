"""The voice net: data, training, evaluation, card."""
