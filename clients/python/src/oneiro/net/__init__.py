"""Worlds over the wire: the protocol of `src/net`, played in lockstep."""

from oneiro.net.remote import RemoteTick, RemoteWorld, open_server

__all__ = ["RemoteTick", "RemoteWorld", "open_server"]
