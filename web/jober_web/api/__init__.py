"""The HTTP API: one noun a file, each with a router of its own; `routes` puts them together.

`route` has the class of the routes, which tells what is wrong as a problem.
"""
