"""One page a file: ``show(client, day)`` draws it from what the service tells of a trading day.

Not named ``pages``: Streamlit takes a folder of that name beside the start script for its own menu and
shows its files raw to whoever opens a page by its address first.
"""
