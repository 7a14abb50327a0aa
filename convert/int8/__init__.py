"""From PyTorch to static int8 LiteRT, and what that costs."""
