"""Hierarchical risk parity: money is split along a tree of correlations, no matrix is inverted.

López de Prado (2016): cluster by the distance ``sqrt((1 - correlation) / 2)``, order the names as the
leaves of the tree, then halve the list again and again and share the money between the halves in
inverse proportion to the variance each would have at inverse variances. Ward's linkage instead of
the paper's single one, whose chains put unlike names side by side, and neighbouring leaves as near as
the tree allows (Bar-Joseph 2001). The list is halved at ``n // 2``, so which end of the tree comes
first matters a little; it follows from the names' codes.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from haetae.portfolio.request import FloatArray

Linkage = Literal["ward", "single", "average", "complete"]


def leaves(covariance: FloatArray, linkage: Linkage = "ward") -> list[int]:
    """Return the places of the names in the order of the tree's leaves."""
    from scipy.cluster.hierarchy import leaves_list
    from scipy.cluster.hierarchy import linkage as cluster
    from scipy.spatial.distance import squareform

    deviation = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(deviation, deviation)
    distance = np.sqrt(np.clip((1.0 - correlation) / 2.0, 0.0, 1.0))
    np.fill_diagonal(distance, 0.0)
    tree = cluster(squareform(distance, checks=False), method=linkage, optimal_ordering=True)
    return [int(k) for k in leaves_list(tree)]


def _cluster_variance(covariance: FloatArray, names: list[int]) -> float:
    block = covariance[np.ix_(names, names)]
    weights = 1.0 / np.diag(block)
    weights = weights / weights.sum()
    return float(weights @ block @ weights)


def shape(covariance: FloatArray, linkage: Linkage = "ward") -> FloatArray:
    """Return the proportions of the recursive bisection; a single name takes all."""
    n = len(covariance)
    weights = np.ones(n)
    if n == 1:
        return weights
    parts = [leaves(covariance, linkage)]
    while parts:
        halves: list[list[int]] = []
        for names in parts:
            middle = len(names) // 2
            left, right = names[:middle], names[middle:]
            risk_left, risk_right = _cluster_variance(covariance, left), _cluster_variance(covariance, right)
            share = risk_right / (risk_left + risk_right)
            weights[left] *= share
            weights[right] *= 1.0 - share
            halves += [half for half in (left, right) if len(half) > 1]
        parts = halves
    return weights
