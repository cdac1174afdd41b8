"""Effects on the way between client and broker: ports, connections, deliveries of whole replies.

Here: T01 to T16, T21, B05 and what a strike on ports and sessions asks of the shell. Not here: what a reply says
(``told``), what a frame carries (``streams``).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from haetae.emulator.calls import Delivery, Manner, Reply, refuse
from haetae.emulator.faults.armed import Armed
from haetae.emulator.faults.entries import Timebase
from haetae.emulator.faults.occasions import Occasion
from haetae.emulator.faults.stage import FOREVER, Flap, HangUp, Show, Shut, Stage, StopReading
from haetae.emulator.faults.transport_entries import REST_DOORS
from haetae.emulator.gate import Refusal
from haetae.emulator.hub import Line
from haetae.emulator.tls import Certificate
from haetae.kis.wire import envelope

_LOST = {"closed": Manner.CLOSED, "reset": Manner.RESET, "silent": Manner.SILENT}
_PAGE = (
    "<!DOCTYPE html>\n<html><head><title>{status} 시스템 점검 안내</title></head>"
    "<body><h1>{status}</h1><p>잠시 후 다시 이용해 주십시오.</p></body></html>\n"
)


def page(status: int) -> Reply:
    """Return the HTML page of something that stands before the broker's own service."""
    return Reply(_PAGE.format(status=status).encode(), status, media="text/html; charset=utf-8")


def reset_at_arrival(_armed: Armed, _stage: Stage, _occasion: Occasion) -> Manner:
    """T02: the connection is reset before the body is read."""
    return Manner.RESET


def close_at_arrival(armed: Armed, _stage: Stage, _occasion: Occasion) -> Manner:
    """T10: a kept connection ends as the next request arrives."""
    return _LOST[armed.fault.what["how"]]


def not_taken(armed: Armed, _stage: Stage, _occasion: Occasion) -> Reply:
    """T04: nothing reaches the broker, and nothing is answered."""
    return Reply(b"", delivery=Delivery(_LOST[armed.fault.what["how"]]))


def lost(armed: Armed, _stage: Stage, _occasion: Occasion, reply: Reply) -> Reply:
    """T03, B05: the broker has done it, its answer is lost."""
    return replace(reply, delivery=Delivery(_LOST[armed.fault.what["how"]]))


def late(armed: Armed, _stage: Stage, _occasion: Occasion, reply: Reply) -> Reply:
    """T05: the answer comes late, at once or byte by byte."""
    seconds = float(armed.fault.what["seconds"])
    if armed.fault.what["how"] == "drip":
        return replace(reply, delivery=replace(reply.delivery, manner=Manner.DRIP, drip_s=seconds))
    return _after(armed, reply, seconds)


def _after(armed: Armed, reply: Reply, seconds: float) -> Reply:
    """Return a reply that waits longer, on the clock of the fault."""
    wait, market = reply.delivery.wait_s + seconds, armed.fault.timebase is Timebase.MARKET
    return replace(reply, delivery=replace(reply.delivery, wait_s=wait, market_time=market))


def slow(armed: Armed, _stage: Stage, _occasion: Occasion, reply: Reply) -> Reply:
    """T12: latency, and up to so much jitter more."""
    what = armed.fault.what
    wait = (what["ms"] + what["jitter_ms"] * armed.dice.random()) / 1_000
    return _after(armed, reply, wait)


def torn(armed: Armed, _stage: Stage, _occasion: Occasion, reply: Reply) -> Reply:
    """T06: the JSON is cut, or the length that is told is not the length that comes."""
    how = armed.fault.what["how"]
    if how == "truncated":
        return replace(reply, body=reply.body[: len(reply.body) * 2 // 3])
    return replace(reply, delivery=Delivery(Manner.CUT if how == "cut" else Manner.SURPLUS))


def html(_armed: Armed, _stage: Stage, _occasion: Occasion, _reply: Reply | None = None) -> Reply:
    """T07: a page for people, with status 200."""
    return page(200)


def server_error(armed: Armed, _stage: Stage, occasion: Occasion, _reply: Reply | None = None) -> Reply:
    """T08: HTTP 5xx, with a page or with a code of the broker."""
    status, code = int(armed.fault.what["status"]), str(armed.fault.what["code"])
    if not code:
        return page(status)
    return Reply(envelope.build_refusal(code), status, occasion.tr)


def rate_refused(armed: Armed, _stage: Stage, occasion: Occasion) -> Reply:
    """T09: refused for the rate, in the broker's words or in HTTP's."""
    how = armed.fault.what["how"]
    return page(429) if how == "429" else refuse(Refusal(how), occasion.tr)


def refuse_connections(armed: Armed, stage: Stage) -> None:
    """T01: the ports are closed for a while."""
    what = armed.fault.what
    until = stage.after(what["seconds"], armed.fault.timebase)
    stage.commands.append(Shut(tuple(what["doors"]), until))


def show_wrong_certificate(armed: Armed, stage: Stage) -> None:
    """T11: handshakes from now on show a certificate that no client may take."""
    seconds = armed.fault.what["seconds"]
    until = stage.after(seconds, armed.fault.timebase) if seconds else None
    stage.commands.append(Show(Certificate(armed.fault.what["how"]), until))
    stage.commands.append(Shut(REST_DOORS, stage.after(0.0, armed.fault.timebase)))


def nothing_gets_through(armed: Armed, stage: Stage) -> None:
    """T13: ports take no connection, requests are not answered, sessions are silent."""
    what = armed.fault.what
    until = stage.after(what["seconds"], armed.fault.timebase)
    for door in what["doors"]:
        stage.dark[door] = (until, what["requests"] == "late")


def half_dead(armed: Armed, stage: Stage) -> None:
    """T14: sessions stay open and nothing comes, or heart beats only."""
    what, base = armed.fault.what, armed.fault.timebase
    for line in chosen_lines(armed, stage):
        if what["how"] == "no_data":
            stage.dataless[line] = stage.after(what["seconds"], base) if what["seconds"] else FOREVER
            continue
        stage.muted[line] = FOREVER
        stage.commands.append(StopReading(line))
        stage.later(what["frees_key_after_s"], base, partial(stage.exchange.hub.close, line))


def close_sessions(armed: Armed, stage: Stage) -> None:
    """T15: sessions are closed with a code."""
    for line in chosen_lines(armed, stage):
        stage.commands.append(HangUp(line, int(armed.fault.what["code"])))


def flap(armed: Armed, stage: Stage) -> None:
    """T16: for a while, every session ends soon after it began."""
    what, base = armed.fault.what, armed.fault.timebase
    stage.flaps.append(Flap(stage.after(what["seconds"], base), what["every_s"], base, int(what["code"])))


def heart_beats(armed: Armed, stage: Stage) -> None:
    """T21: for a while no heart beat, or far too many."""
    what = armed.fault.what
    rate = 0 if what["how"] == "withheld" else int(what["per_second"])
    stage.pings = (stage.after(what["seconds"], armed.fault.timebase), rate)


def chosen_lines(armed: Armed, stage: Stage) -> list[Line]:
    """Return the sessions that a strike means: the one whose frame it counted, else all that fit."""
    where, struck = armed.fault.where, armed.memory.get("line")
    return [
        line
        for line in (stage.exchange.hub.lines if struck is None else [struck])
        if line not in stage.muted
        and (not where.domain or line.mode.value in where.domain)
        and (not where.app_key or line.app_key in where.app_key)
        and (not where.stream or any(stream in line.held for stream in where.stream))
    ]
