"""The daily set ``alpha``: the shape of a bar, prices beside the close, and 29 families over five windows.

The 158 features that research knows as Alpha158, in their usual order, each from its definition; where ours
differ (full windows only, NaN where a ratio has no meaning) the family's file says so. Known after the
close of their day (15:30 KST).
"""

from haetae.features.alpha.fold import SET

__all__ = ["SET"]
