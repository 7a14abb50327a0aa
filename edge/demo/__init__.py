"""Makes the demo clip: a woman comes in, shows her moods, talks, and leaves again.

Run `python -m edge.demo --out FILE.mp4 --portrait PORTRAIT.png`. The picture of her is the portrait
of the astronaut Eileen Collins by NASA, in the public domain, that scikit-image carries as
`data/astronaut.png`; `setup.sh` takes it out of that package. What is shown and heard when stands
in `edge.demo.script`.
"""
