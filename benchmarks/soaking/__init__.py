"""What the long runs against the emulator share: its process, its bad days, and the collector it is run with."""
