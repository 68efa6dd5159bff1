"""What a service counts, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

KNOWN = ("/predict", "/health", "/model", "/metrics", "/docs", "/openapi.json")
"""Paths that are counted by name; all others together, so that clients cannot invent series."""

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """Counts of one service."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "openfer_requests", "Requests by path and status.", ("path", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "openfer_request_seconds", "Time to answer.", ("path",), buckets=_SECONDS, registry=self._registry
        )
        self._faces = Counter("openfer_faces", "Faces that were predicted.", registry=self._registry)
        self._batches = Histogram(
            "openfer_batch_images", "Images in a batch.", buckets=(1, 2, 4, 8, 16), registry=self._registry
        )

    def count(self, path: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        known = path if path in KNOWN else "other"
        self._requests.labels(known, str(status)).inc()
        self._seconds.labels(known).observe(seconds)

    def batch(self, images: int, faces: int) -> None:
        """Count a batch."""
        self._batches.observe(images)
        self._faces.inc(faces)

    def text(self) -> bytes:
        """Return everything in Prometheus's text format."""
        return generate_latest(self._registry)
