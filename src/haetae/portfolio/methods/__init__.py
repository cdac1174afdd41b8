"""One file per way to share the money out before any limit is looked at.

The first four are *shapes*: functions of a covariance that return proportions ``(n,) float64``,
positive and summing to one; ``approach`` leads to them within the limits. The other two are
*rewards*: what a unit of weight is worth to the convex problem of ``optimiser``, within the same limits.
"""
