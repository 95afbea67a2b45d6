"""Plots: values in, SVG out. Pure.

They have classes and no colours: the style sheet has those, for light and for dark. Whoever cannot
see them has the title of the plot, and of each of its marks.
"""
