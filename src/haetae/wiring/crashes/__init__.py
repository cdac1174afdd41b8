"""Crash tests: the desk and every durable write, killed at each named point, started again and judged.

Read in this order: ``points`` (where a process may die), ``dying`` (how it dies), ``ground`` (the market and folder
that survive), ``acting`` (the desk that does not), ``writing`` (the files beside it), ``scenarios``, ``judging``,
``sweep`` (the face). Not here: what the points stand in; that code knows only ``ports.Passing``.
"""
