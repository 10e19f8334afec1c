"""The parts of plot.py: what reads files (files.py), what all figures share (style.py), and the figures."""
