"""The board, its pins, its I2C buses and its temperature: asked in one place."""
