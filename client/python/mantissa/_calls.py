"""The calls of the API, repeated where that is safe."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from typing import Any

import grpc

from mantissa import _channel, _errors, _retry
from mantissa.v1 import (dataset_pb2_grpc, job_pb2_grpc, model_pb2_grpc, planner_pb2_grpc,
                         server_pb2_grpc)


def _stub(kind: Any, channel: Any) -> Any:
    """Generated stubs have no types."""
    return kind(channel)


class Calls:
    """A connection: the stubs of all services, the token, the patience. Thread-safe."""

    def __init__(self, address: str, *, token: str, tls_ca: str | os.PathLike[str] | bytes | None,
                 tls: bool, timeout: float, retry: _retry.Retry) -> None:
        self.address = address
        self.timeout = timeout
        self.retry = retry
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()
        self._channel = _channel.connect(address, token=token, tls_ca=tls_ca, tls=tls)
        self.server = _stub(server_pb2_grpc.ServerServiceStub, self._channel)
        self.model = _stub(model_pb2_grpc.ModelServiceStub, self._channel)
        self.planner = _stub(planner_pb2_grpc.PlannerServiceStub, self._channel)
        self.dataset = _stub(dataset_pb2_grpc.DatasetServiceStub, self._channel)
        self.job = _stub(job_pb2_grpc.JobServiceStub, self._channel)

    def close(self) -> None:
        self._channel.close()

    def call(self, method: Any, request: Any, *, timeout: float | None = None,
             repeatable: bool = True) -> Any:
        """The answer to a call that is no stream. While the server is unavailable the call is made
        again a few times, if `repeatable`."""
        waits = _retry.waits(self.retry)
        attempts = self.retry.attempts if repeatable else 1
        while True:
            try:
                return method(request, timeout=timeout or self.timeout, metadata=self._metadata)
            except grpc.RpcError as error:
                attempts -= 1
                if error.code() is not grpc.StatusCode.UNAVAILABLE or attempts <= 0:
                    raise _errors.from_rpc(error, self.address) from error
            time.sleep(next(waits))

    def stream(self, method: Any, request: Any) -> Any:
        """A stream of answers, once: to be iterated, and cancelled where it is left early."""
        return method(request, metadata=self._metadata)

    def upload(self, method: Any, requests: Iterable[Any]) -> Any:
        """The answer to a stream of requests, once."""
        return method(iter(requests), metadata=self._metadata)

    def resumption(self) -> _retry.Resumption:
        return _retry.Resumption(self.retry, self.address)
