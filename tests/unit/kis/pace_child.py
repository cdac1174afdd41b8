"""A process that calls a server as often as the shared pace lets it, until it is told to stop (or is killed)."""

import asyncio
import sys
from pathlib import Path

from haetae.kis.budget import Rule
from haetae.kis.pace_file import SharedPace
from haetae.kis.pacing import Lane, Pacer
from haetae.wiring.clocks import SystemClock


async def main(port: int, file: Path, rate: float, seconds: float, lane: Lane) -> None:
    clock = SystemClock()
    pacer = Pacer(clock, lambda: Rule.of(rate, burst=1), store=SharedPace(file), lease_s=2.0)
    end = clock.monotonic() + seconds

    async def caller() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while clock.monotonic() < end:
            with await pacer.turn(lane) as turn:
                writer.write(f"{lane.name}\n".encode())
                if not await reader.readline():
                    return
                turn.answered()
        writer.close()

    await asyncio.gather(*(caller() for _ in range(6)))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]), Lane[sys.argv[5]]))
