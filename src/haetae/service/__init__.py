"""The service: a desk's folder over HTTP on loopback, for the dashboard and for a person's commands.

Here: the application (``app``), who may ask for what (``tokens``, ``access``), what travels
(``schemas``), and one router per subject. Not here: how anything is found out (``wiring.views``),
how it looks (``dashboard``). The service never trades: a command goes into the desk's inbox, and the
desk lets its guards review it. Nothing is imported by this file, so that a client may take
``service.schemas`` alone.
"""
