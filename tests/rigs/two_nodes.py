"""A Ray cluster of two nodes on the loopback, in a process of its own: prints its address, ends with its input.

    RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER=0 RAY_TMPDIR=FOLDER python two_nodes.py

The first variable makes Ray take 127.0.0.1 for the address of this machine, as it does by itself on systems other than
Linux; without it a driver looks for the head under the machine's outer address.
"""

from __future__ import annotations

import os
import sys

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

from ray.cluster_utils import Cluster

STORE_BYTES = 100 * 2**20


def main() -> None:
    """Start both nodes, serve until the end of the input, stop them."""
    node = {"num_cpus": 1, "object_store_memory": STORE_BYTES, "node_ip_address": "127.0.0.1"}
    head = node | {"include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        cluster.add_node(**node)
        print(f"address {cluster.address}", flush=True)
        sys.stdin.read()
    finally:
        cluster.shutdown()


if __name__ == "__main__":
    main()
