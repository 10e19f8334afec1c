"""The modules of plot.py: reading files (files.py), the style of all figures (style.py), and the figures."""
