"""Drills: the whole desk, real code, on a virtual clock and without sockets, under faults drawn from a seed.

`loop` (time and order), `line` (the way to the broker), `rig` (one desk and its broker), `plan` (what goes wrong and
when), `invariants` (what must hold all the same), `trace` (what happened, as one hash), `days` (many days, figures).
"""
