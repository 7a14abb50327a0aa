"""The face on the OLED as soon as there is power: `python -m edge.splash`."""
