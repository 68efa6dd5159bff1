"""The service, asked by a real client."""

import asyncio
import contextlib
import io
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import zlib

import httpx2
import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from openfer.inference.serve.app import create_app
from openfer.inference.serve.batching import Batcher
from openfer.inference.serve.limits import Limits

LIMITS = Limits(images=3, megabytes=2.0, megapixels=4.0, requests=8)


def encoded(pixels: np.ndarray, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def png(width: int, height: int, content: bytes, *others: tuple[bytes, bytes]) -> bytes:
    """Return a PNG of 8-bit RGB whose header may claim what is not there."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), *others, (b"IDAT", content), (b"IEND", b"")]
    parts = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def posted(client: TestClient, *files: bytes, field: str = "images") -> httpx2.Response:
    return client.post("/predict", files=[(field, (f"{place}.png", file)) for place, file in enumerate(files)])


@pytest.fixture(scope="module")
def client(predictor):
    with TestClient(create_app(predictor, LIMITS)) as made:
        yield made


@pytest.fixture(scope="module")
def pictures(photographs) -> list[bytes]:
    return [encoded(photograph) for photograph in photographs[40:48]]


def test_it_answers_what_predict_says(client, predictor, photographs, pictures) -> None:
    answer = posted(client, pictures[0], encoded(np.full((80, 80, 3), 128, np.uint8)), pictures[1])
    assert answer.status_code == 200, answer.text
    first, empty, third = answer.json()["images"]
    assert answer.json()["model"] == predictor.card.slug
    assert (first["name"], first["width"], first["height"]) == ("0.png", 320, 240)
    assert empty["faces"] == []
    for told, photograph in ((first, photographs[40]), (third, photographs[41])):
        (face,), (expected,) = told["faces"], predictor.predict([photograph])[0]
        assert face["expression"] == expected.expression
        np.testing.assert_allclose(list(face["probabilities"].values()), expected.probabilities, atol=1e-5)
        np.testing.assert_allclose(face["box"], expected.box, atol=0.06)
        np.testing.assert_allclose(face["points"], expected.points, atol=0.06)
        assert len(face["blendshapes"]) == 52


def test_places_are_in_the_pixels_of_the_upright_original(predictor, photographs) -> None:
    large = np.asarray(Image.fromarray(photographs[40]).resize((960, 720)))
    turned = np.ascontiguousarray(large[::-1, ::-1])
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    with TestClient(create_app(predictor, Limits(side=320))) as client:
        files = [("images", encoded(large)), ("images", encoded(turned, "JPEG", quality=95, exif=exif))]
        one, other = client.post("/predict", files=files).json()["images"]
    assert (one["width"], one["height"]) == (other["width"], other["height"]) == (960, 720)
    expected = predictor.predict([photographs[40]])[0][0].box * 3
    np.testing.assert_allclose(one["faces"][0]["box"], expected, atol=20)
    np.testing.assert_allclose(other["faces"][0]["box"], expected, atol=20)


BOMB = zlib.compress(bytes(20_000_000))
"""Twenty million zeros in twenty thousand bytes."""

BAD = {
    "text": (b"hello", 422, r'file 1 is no image that can be read: not an image \(starts with "hello"\)'),
    "nothing": (b"", 422, "zero bytes"),
    "page": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 422, "not an image"),
    "address": (b"file:///etc/passwd", 422, "not an image"),
    "header of 100 megapixels": (png(10_000, 10_000, BOMB), 422, "100 megapixels, the limit is 4"),
    "header of a terapixel": (png(1_000_000, 1_000_000, BOMB), 422, "megapixels, the limit is 4"),
    "more pixels than the header says": (png(16, 16, BOMB), 200, ""),
    "compressed text": (png(16, 16, b"", (b"zTXt", b"a\0\0" + BOMB), (b"iCCP", b"a\0\0" + BOMB)), 422, "PNG"),
    "archive": (b"PK\x03\x04" + BOMB, 422, "not an image"),
    "truncated": (encoded(np.full((64, 64, 3), 99, np.uint8))[:-40], 422, "PNG"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_in_words(client, name) -> None:
    content, status, words = BAD[name]
    answer = posted(client, content)
    assert answer.status_code == status, answer.text
    if status != 200:
        assert re.search(words, answer.json()["detail"])
    assert client.get("/health").json()["status"] == "ok"


def test_one_pixel_is_an_image_without_faces(client) -> None:
    answer = posted(client, encoded(np.zeros((1, 1, 3), np.uint8)), encoded(np.zeros((1, 900, 3), np.uint8)))
    assert answer.status_code == 200, answer.text
    assert [image["faces"] for image in answer.json()["images"]] == [[], []]


def test_a_wrong_form_is_refused_in_words(client, pictures) -> None:
    words = r"send a form \(multipart/form-data\) whose files all have the name 'images'"
    wrong = [
        client.post("/predict"),
        client.post("/predict", content=pictures[0], headers={"Content-Type": "image/png"}),
        client.post("/predict", json={"url": "http://169.254.169.254/"}),
        client.post("/predict", files={"photo": pictures[0]}),
        client.post("/predict", files=[("images", pictures[0]), ("photo", pictures[0])]),
        client.post("/predict", data={"images": "/etc/passwd"}),
    ]
    for answer in wrong:
        assert answer.status_code == 400, answer.text
        assert re.search(words + "|Too many fields", answer.json()["detail"])
    text = client.post("/predict", files={"images": pictures[0]}, data={"path": "/etc/passwd"})
    assert text.status_code == 400
    broken = client.post("/predict", content=b"--x\r\n", headers={"Content-Type": "multipart/form-data"})
    assert broken.status_code == 400
    assert client.get("/predict").status_code == 405


def test_limits_on_number_bytes_and_faces_are_told(client, predictor, photographs, pictures) -> None:
    many = posted(client, *pictures[:4])
    assert many.status_code == 400
    assert "Maximum number of files is 3" in many.json()["detail"]
    large = posted(client, bytes(2_100_000))
    assert large.status_code == 413
    assert "larger than 2 megabytes" in large.json()["detail"]

    def unannounced():
        yield b'--x\r\nContent-Disposition: form-data; name="images"; filename="a"\r\n\r\n'
        yield from (bytes(500_000) for _ in range(6))

    chunked = client.post(
        "/predict", content=unannounced(), headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert chunked.status_code == 413
    two = np.concatenate(photographs[40:42], axis=1)
    with TestClient(create_app(predictor, Limits(faces=1))) as strict:
        answer = posted(strict, encoded(two))
    assert answer.status_code == 422
    assert answer.json()["detail"] == "file 1 shows more than 1 faces; send a part of it"


def test_a_bad_file_does_not_spoil_another_request_of_its_batch(predictor, pictures) -> None:
    app = create_app(predictor, LIMITS)

    async def asked():
        async with app.router.lifespan_context(app):
            transport = httpx2.ASGITransport(app)
            async with httpx2.AsyncClient(transport=transport, base_url="http://openfer") as client:
                sent = [client.post("/predict", files={"images": file}) for file in (*pictures[:3], b"hello")]
                answers = await asyncio.gather(*sent)
                return answers, (await client.get("/metrics")).text

    answers, metrics = asyncio.run(asked())
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 422]
    assert 'openfer_requests_total{path="/predict",status="200"} 3.0' in metrics
    assert "openfer_faces_total 3.0" in metrics
    batches = float(re.search(r"openfer_batch_images_count (\S+)", metrics)[1])
    assert batches < 4  # what arrives during the first batch is predicted together
    assert "openfer_batch_images_sum 4.0" in metrics


def test_more_requests_at_once_than_allowed_are_told_to_come_back(predictor, pictures) -> None:
    app = create_app(predictor, LIMITS)

    async def asked():
        async with app.router.lifespan_context(app):
            transport = httpx2.ASGITransport(app)
            async with httpx2.AsyncClient(transport=transport, base_url="http://openfer", timeout=60) as client:
                sent = [client.post("/predict", files={"images": pictures[n % 8]}) for n in range(100)]
                answers = await asyncio.gather(*sent)
                return answers, await client.post("/predict", files={"images": pictures[0]})

    answers, later = asyncio.run(asked())
    found = {status: [a for a in answers if a.status_code == status] for status in (200, 429)}
    assert len(found[200]) + len(found[429]) == 100
    assert len(found[200]) >= LIMITS.requests
    assert {answer.headers["Retry-After"] for answer in found[429]} == {"1"}
    assert found[429][0].json()["detail"].startswith("8 requests are worked on already")
    assert later.status_code == 200


async def _never():
    await asyncio.Event().wait()


async def _hung_up():
    return {"type": "http.disconnect"}


@pytest.mark.parametrize(
    ("receive", "status", "words"),
    [(_never, 408, b"not complete after 0.05 seconds"), (_hung_up, 400, b"the client hung up")],
    ids=["slow", "gone"],
)
def test_a_client_that_does_not_send_all_is_refused(predictor, receive, status, words) -> None:
    app = create_app(predictor, Limits(seconds=0.05))
    sent = []

    async def send(message):
        sent.append(message)

    headers = [(b"content-type", b"multipart/form-data; boundary=x"), (b"content-length", b"1000")]
    scope = {"type": "http", "method": "POST", "path": "/predict", "headers": headers, "query_string": b""}
    asyncio.run(app(scope | {"raw_path": b"/predict", "root_path": "", "scheme": "http"}, receive, send))
    assert sent[0]["status"] == status
    assert words in sent[1]["body"]


def test_a_request_as_large_as_the_limit_is_answered(predictor, pictures) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1500, 1500, 3), dtype=np.uint8)
    with TestClient(create_app(predictor, Limits(megabytes=28, side=256))) as client:
        answer = posted(client, *[encoded(noise, "BMP")] * 4, pictures[0])
    assert answer.status_code == 200, answer.text
    assert [image["width"] for image in answer.json()["images"]] == [1500] * 4 + [320]


def test_what_the_batch_as_a_whole_fails_for_is_told_to_each_caller_and_the_next_one_works() -> None:
    def answer(items):
        if "bad" in items:
            raise RuntimeError("no answer")
        return [item.upper() for item in items]

    async def asked():
        batcher = Batcher(answer, 4)
        await batcher.start()
        failed = await asyncio.gather(batcher(["bad"]), batcher(["bad"]), return_exceptions=True)
        found = await batcher(["a", "b", "c", "d", "e"])
        await batcher.stop()
        return failed, found

    failed, found = asyncio.run(asked())
    assert [str(error) for error in failed] == ["no answer"] * 2
    assert found == ["A", "B", "C", "D", "E"]


def test_the_card_and_a_page_without_outside_requests_are_served(client, predictor) -> None:
    assert client.get("/model").json() == json.loads(predictor.card.model_dump_json())
    page = client.get("/docs").text
    assert "default-src 'none'" in page
    assert not re.search(r"""(src|href)=["'](https?:)?//""", page)
    description = client.get("/openapi.json").json()
    assert set(description["paths"]) == {"/predict", "/health", "/model", "/metrics"}
    answers = description["paths"]["/predict"]["post"]["responses"]
    assert set(answers) == {"200", "400", "408", "413", "422", "429"}
    assert client.get("/nowhere").status_code == 404


@pytest.mark.slow
def test_the_program_answers_over_a_socket_and_ends_what_it_has_begun(model_file, pictures) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", "from openfer.console import main; main()", "serve", "--model", str(model_file)]
    server = subprocess.Popen([*command, "--port", str(port)], stderr=subprocess.PIPE, text=True, env={**os.environ})
    try:
        for line in server.stderr:
            if "Uvicorn running" in line:
                break
        address = f"http://127.0.0.1:{port}"
        answers = []

        def ask():
            files = [("images", (f"{n}.png", file)) for n, file in enumerate(pictures * 2)]
            answers.append(httpx2.post(f"{address}/predict", files=files, timeout=120))

        asking = threading.Thread(target=ask)
        asking.start()
        while asking.is_alive() and "openfer_batch_images_count 1.0" not in httpx2.get(f"{address}/metrics").text:
            pass  # sixteen images are two batches: the second one is on its way
        server.send_signal(signal.SIGTERM)
        asking.join()
        _, said = server.communicate(timeout=60)
    finally:
        with contextlib.suppress(ProcessLookupError):
            server.kill()
    assert answers[0].status_code == 200
    assert len(answers[0].json()["images"]) == 16
    assert server.returncode in (0, -signal.SIGTERM)  # uvicorn ends by the signal that it was sent
    assert "Traceback" not in said
