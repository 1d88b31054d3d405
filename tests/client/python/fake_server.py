"""A server in this process that fails as it is told to.

    with FakeServer() as server:
        server.fail("GetJob", grpc.StatusCode.UNAVAILABLE, times=2)
        server.answer("GetJob", lambda request: job_pb2.Job(id=request.id))

Every call is kept in `server.calls`: name of the method and request.
"""

import concurrent.futures

import grpc

from mantissa.v1 import dataset_pb2, job_pb2

# Name of the method: service, request and response, kind.
_METHODS = {
    "GetJob": ("JobService", job_pb2.GetJobRequest, "unary_unary"),
    "SubmitJob": ("JobService", job_pb2.SubmitJobRequest, "unary_unary"),
    "WatchJob": ("JobService", job_pb2.WatchJobRequest, "unary_stream"),
    "GetLogs": ("JobService", job_pb2.GetLogsRequest, "unary_stream"),
    "FetchArtifact": ("JobService", job_pb2.FetchArtifactRequest, "unary_stream"),
    "QueryBlob": ("DatasetService", dataset_pb2.QueryBlobRequest, "unary_unary"),
    "UploadBlob": ("DatasetService", dataset_pb2.UploadBlobRequest, "stream_unary"),
    "DeleteDataset": ("DatasetService", dataset_pb2.DeleteDatasetRequest, "unary_unary"),
}


class FakeServer(grpc.GenericRpcHandler):
    """On a port of its own."""

    def __init__(self):
        self.calls, self.metadata = [], []
        self._answers, self._failures = {}, {}
        self._server = grpc.server(concurrent.futures.ThreadPoolExecutor(4), handlers=[self])
        self.address = "127.0.0.1:%d" % self._server.add_insecure_port("127.0.0.1:0")

    def __enter__(self):
        self._server.start()
        return self

    def __exit__(self, *unused):
        self._server.stop(None)

    def answer(self, method, answer):
        """answer(request) gives the response, or the responses of a stream; it may fail with
        Broken."""
        self._answers[method] = answer

    def fail(self, method, code, text="told to fail", details=b"", times=1):
        """The next calls fail before they are answered."""
        self._failures.setdefault(method, []).extend([Broken(code, text, details)] * times)

    def named(self, method):
        """The requests of one method."""
        return [request for name, request in self.calls if name == method]

    def service(self, handler_call_details):
        name = handler_call_details.method.rpartition("/")[2]
        _, request, kind = _METHODS[name]
        self.metadata.append(dict(handler_call_details.invocation_metadata))
        handler = getattr(grpc, kind + "_rpc_method_handler")
        return handler(lambda request, context: self._run(name, kind, request, context),
                       request_deserializer=request.FromString,
                       response_serializer=lambda response: response.SerializeToString())

    def _run(self, name, kind, request, context):
        if kind == "unary_stream":
            return self._stream(name, request, context)
        return next(self._stream(name, request, context, single=True))

    def _stream(self, name, request, context, single=False):
        self.calls.append((name, request))
        try:
            if self._failures.get(name):
                raise self._failures[name].pop(0)
            answer = self._answers[name](request)
            yield from [answer] if single else answer
        except Broken as broken:
            if broken.details:
                context.set_trailing_metadata((("grpc-status-details-bin", broken.details),))
            context.abort(broken.code, broken.text)


class Broken(Exception):
    """A call that ends with an error."""

    def __init__(self, code, text="broken", details=b""):
        super().__init__(text)
        self.code, self.text, self.details = code, text, details
