"""Many configurations of one strategy on one stretch: what is tried, where it runs, and what it is worth.

Here: search spaces (`space`, `spelling`), searches (`search`, `adaptive`), one point (`points`, `work`), executors
(`executors`, `processes`, `cluster`), windows and the stitched path of a walk-forward (`folds`, `stitching`), the
judgement of the best (`luck`). Not here: the folder a sweep can be resumed from and the book of trials (``wiring``).
"""
