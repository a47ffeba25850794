"""Who may open a websocket here, as server/http/gate.ts has it: a page of a stranger is known by its Origin, and a name
of a stranger that was pointed at this machine by its Host. What is not a browser sends no Origin."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from distill.config import UserError

LOOPBACK = ("localhost", "127.0.0.1", "::1")
ANYWHERE = ("0.0.0.0", "::")


def is_loopback(host: str) -> bool:
    """True for an address that only this machine can reach."""
    address = _address(host)
    return host.lower() == "localhost" or (address is not None and address.is_loopback)


@dataclass(frozen=True)
class Gate:
    """`hosts`: names that the bridge goes by; `origins`: of pages that may connect, beside its own."""

    hosts: frozenset[str]
    origins: frozenset[str]
    loopback: bool
    anywhere: bool

    def why_refused(self, hosts: list[str], origins: list[str]) -> str | None:
        """By the Host and Origin headers of a request: BAD_HOST, BAD_ORIGIN, or None where it may be a websocket."""
        host = _name(hosts[0]) if len(hosts) == 1 else None
        if host is None or not (host in self.hosts or (self.anywhere and _address(host) is not None)):
            return "BAD_HOST"
        if not origins:
            return None
        if len(origins) > 1:
            return "BAD_ORIGIN"
        if origins[0] in self.origins:
            return None
        scheme, _, rest = origins[0].partition("://")
        from_ = _name(rest) if scheme and rest else None
        if from_ is not None and self.loopback and from_ in LOOPBACK:
            return None
        return None if from_ is not None and rest.lower() == hosts[0].lower() else "BAD_ORIGIN"


def gate_of(host: str, hosts: list[str], origins: list[str]) -> Gate:
    """Raises UserError where a name or an origin is none."""
    names = {host.lower()}
    for name in hosts:
        if _name(name) is None or _name(name) != name.lower().strip("[]"):
            raise UserError(f"allow_host has `{name}`, but a name such as dreams.example was expected, without a port")
        names.add(_name(name))
    for origin in origins:
        scheme, _, rest = origin.partition("://")
        if not scheme or _name(rest) is None:
            raise UserError(f"allow_origin has `{origin}`, but an origin such as https://example.org was expected")
    loopback, anywhere = is_loopback(host), host in ANYWHERE
    if loopback or anywhere:
        names.update(LOOPBACK)
    return Gate(frozenset(names), frozenset(origins), loopback, anywhere)


def _name(text: str) -> str | None:
    """The name or address of NAME:PORT in small letters, None where it is none."""
    if not text or any(sign in text for sign in "/\\?#@ "):
        return None
    try:
        split = urlsplit(f"//{text}")
        _ = split.port  # Raises on what is no port.
        return split.hostname
    except ValueError:
        return None


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
