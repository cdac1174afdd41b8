"""The whole trading life in one command: what each stage builds, runs and reports.

Stages run in the order of ``stages.STAGES``; each leaves a JSON record in the output folder, so an
interrupted demo continues where it stopped. Faces (``cli.demo``) render; nothing here prints.
"""
