"""The lake: versioned tables of market data in the format of Delta Lake, their import and their reading.

``store.lake.Lake`` is the adapter of ``ports.BarLake``; ``store.importer`` takes files of others;
``store.reference`` answers what was known on a day; ``store.schema`` names the columns. Nothing is
imported here, so that the command line pays for Arrow only when it reads data.
"""
