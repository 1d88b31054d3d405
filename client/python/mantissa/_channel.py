"""Where a server is and how to talk to it: address, token, TLS."""

from __future__ import annotations

import ipaddress
import os
import pathlib
from typing import Any

import grpc

from mantissa import _errors

DEFAULT_ADDRESS = "127.0.0.1:7070"

# The server takes messages of at most 4 MiB and sends none larger.
_MAX_MESSAGE_BYTES = 4 << 20

_OPTIONS = [
    ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
    # A server that comes back is found quickly: our own backoff spaces the calls.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 5000),
    ("grpc.max_reconnect_backoff_ms", 2000),
    # Without these a stream on a connection that silently died would wait for ever.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
    # Retries are ours, with what is safe to repeat known.
    ("grpc.enable_retries", 0),
    # A proxy from the environment is not for this.
    ("grpc.enable_http_proxy", 0),
    # A channel has its own connection: one that failed for another does not hold this one back.
    ("grpc.use_local_subchannel_pool", 1),
]


def _check_address(address: str) -> None:
    if address.startswith("unix:"):
        return
    host, colon, port = address.rpartition(":")
    if not (host and colon and port.isdecimal() and 1 <= int(port) <= 65535):
        raise _errors.InvalidArgument(
            f"address is {address!r}; allowed: HOST:PORT with a port of 1 to 65535, or unix:PATH. "
            f"Use for instance {DEFAULT_ADDRESS}.", field="address")


def is_this_machine(address: str) -> bool:
    """Whether what is sent to `address` stays here. A name may start like an address:
    127.example.com is anybody's."""
    if address.startswith("unix:"):
        return True
    host = address.rpartition(":")[0].removeprefix("[").removesuffix("]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _roots(tls_ca: str | os.PathLike[str] | bytes | None) -> bytes | None:
    if tls_ca is None or isinstance(tls_ca, bytes):
        return tls_ca
    return pathlib.Path(tls_ca).read_bytes()


def connect(address: str, *, token: str, tls_ca: str | os.PathLike[str] | bytes | None,
            tls: bool) -> Any:
    """A channel to `address`. Does not wait for the server."""
    _check_address(address)
    encrypted = tls or tls_ca is not None
    if token and not encrypted and not is_this_machine(address):
        raise _errors.FailedPrecondition(
            f"the token would travel unencrypted to {address}; allowed only to this machine. Give "
            "tls_ca with the certificates that the server's comes from, or tls=True.",
            field="token")
    if encrypted:
        return grpc.secure_channel(address, grpc.ssl_channel_credentials(_roots(tls_ca)), _OPTIONS)
    return grpc.insecure_channel(address, _OPTIONS)
