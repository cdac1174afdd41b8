"""Which addresses a model may be asked at: one host, over TLS or on this machine, never a cloud's inner address.

The key and the account's figures travel to this address, so it is checked when it is configured and its
resolved addresses are checked again before every connection. Redirects are never followed (``wire``).
"""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

_INNER = frozenset({"metadata", "metadata.google.internal", "metadata.goog", "instance-data"})
"""Names under which clouds hand out the machine's own credentials."""
_INNER_ADDRESSES = frozenset({"169.254.169.254", "100.100.100.200", "fd00:ec2::254", "168.63.129.16"})


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_inner(address: str) -> bool:
    """Whether an address hands out secrets of the machine or can be no service (link-local, metadata, none)."""
    try:
        found = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None) or found
    return bool(str(mapped) in _INNER_ADDRESSES or mapped.is_link_local or mapped.is_unspecified or mapped.is_multicast)


def address_fault(url: str) -> str:
    """Return why an address is refused, or nothing."""
    if any(letter.isspace() or not letter.isprintable() for letter in url):
        return "it has blanks or control characters"
    try:
        parts: SplitResult = urlsplit(url)
        host = (parts.hostname or "").rstrip(".").lower()
        port = parts.port
    except ValueError:
        return "it is no address"
    if parts.scheme not in ("http", "https"):
        return f"scheme {parts.scheme!r} is not http or https"
    if not host or port == 0:
        return "it names no host"
    if parts.username is not None or parts.password is not None:
        return "it carries a user name or password; the key belongs in HAETAE_LLM_API_KEY"
    if parts.query or parts.fragment:
        return "it has a query or fragment"
    if host in _INNER or is_inner(host):
        return "it is an inner address of the machine or its cloud"
    if parts.scheme == "http" and not is_loopback(host):
        return "without TLS only this machine may be asked (use https, or a tunnel to localhost)"
    return ""
