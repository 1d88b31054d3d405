"""Trying again: how long to wait between attempts, and when to stop."""

from __future__ import annotations

import dataclasses
import random
import time
from collections.abc import Callable, Iterator

import grpc

from mantissa import _errors


@dataclasses.dataclass(frozen=True)
class Retry:
    """How calls are repeated while the server is away. Times in seconds.

    `first_wait` doubles with each attempt up to `longest_wait`; `attempts` is for a single call
    that is safe to repeat, the first counted; a stream or a transfer that broke off is taken up
    again for `patience` without any progress.
    """

    first_wait: float = 0.1
    longest_wait: float = 5.0
    attempts: int = 4
    patience: float = 600.0


def waits(retry: Retry) -> Iterator[float]:
    """Growing waits, each between half and all of the nominal one, so that clients that lost the
    same server do not come back at the same moment."""
    nominal = retry.first_wait
    while True:
        yield nominal * random.uniform(0.5, 1.0)
        nominal = min(nominal * 2, retry.longest_wait)


class Resumption:
    """Keeps count of the breaks of one stream.

        resumption = Resumption(retry, address)
        while True:
            try:
                ...  # the stream, from where it broke off
            except (grpc.RpcError, Unavailable) as error:
                resumption.pause(error)  # raises where it is of no use to go on
    """

    def __init__(self, retry: Retry, address: str,
                 sleep: Callable[[float], None] = time.sleep) -> None:
        self._retry = retry
        self._address = address
        self._sleep = sleep
        self.progressed()

    def progressed(self) -> None:
        """Something new has arrived."""
        self._since = time.monotonic()
        self._waits = waits(self._retry)

    def pause(self, error: grpc.RpcError | _errors.Unavailable) -> None:
        """Waits before the next attempt; raises if `error` is no break or patience has run out."""
        if isinstance(error, _errors.Unavailable):
            told: _errors.MantissaError = error
            hopeless = False
        else:
            told = _errors.from_rpc(error, self._address)
            hopeless = not _errors.is_break(error)
        if hopeless or time.monotonic() - self._since >= self._retry.patience:
            raise told from error
        self._sleep(next(self._waits))
