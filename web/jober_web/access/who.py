"""Whoever asks, and what they may do: the values are jober's own."""

from jober.access import Actor, Scope, Who

__all__ = ["Actor", "Scope", "Who"]
