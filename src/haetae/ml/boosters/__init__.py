"""The three libraries of boosted trees, one file each, all fulfilling ``base.Ranker``.

``rankers`` is the face; nothing else imports these. Each file translates the shared settings into its
library's words and back: objectives, groups, devices, early stopping, contributions, bytes.
"""
