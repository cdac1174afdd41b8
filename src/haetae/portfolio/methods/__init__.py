"""One file per way to share the money out before any limit is looked at.

The first four are *shapes*: functions of a covariance that return proportions ``(n,) float64``,
positive and summing to one; ``approach`` leads to them within the limits. The other two are
*aims*: what the convex problem of ``optimiser`` is to maximise within the same limits.
"""
