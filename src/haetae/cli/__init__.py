"""``haetae <noun> <verb>``: words in, exit code out.

Here: the command tree, messages for people in both languages, progress, JSON files of facts. Not
here: what a verb does (``wiring`` builds and runs it). Importing this room stays cheap, so
``--help`` answers at once: a verb imports what it needs when it is called.
"""
