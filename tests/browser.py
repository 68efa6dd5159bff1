"""A headless Chromium, driven over two pipes by its own protocol: no driver and no package is needed."""

import base64
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_PATIENCE = 300
"""Seconds until a browser is taken to hang; other programs may keep the machine busy."""
_QUIET = (
    *("--headless=new", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-quic"),
    *("--disable-component-update", "--disable-sync", "--disable-extensions", "--mute-audio", "--hide-scrollbars"),
    "--disable-dev-shm-usage",  # containers have little of it
)


def chromium_or_skip() -> str:
    """Return the path of a Chromium; skip the test where there is none."""
    found = next((path for name in _NAMES if (path := shutil.which(name)) is not None), None)
    if found is None:
        pytest.skip(f"needs a Chromium on the PATH, as {', '.join(_NAMES)}")
    return found


class Browser:
    """One browser with one page; a context manager.

    Attributes:
        complaints: errors of the page since it was opened: exceptions, console errors, and what its policy refused.
        requests: addresses that the page asked for since it was opened, but for those that it holds itself.

    Args:
        program: path of Chromium.
        profile: an empty folder.
        *more: further arguments of Chromium.
    """

    def __init__(self, program: str, profile: Path, *more: str) -> None:
        self.complaints: list[str] = []
        self.requests: list[str] = []
        read_here, self._write = os.pipe()
        self._read, write_there = os.pipe()
        root = ("--no-sandbox",) if os.geteuid() == 0 else ()
        command = [
            program,
            *_QUIET,
            *root,
            *more,
            "--remote-debugging-pipe",
            f"--user-data-dir={profile}",
            "about:blank",
        ]
        # the protocol is spoken over descriptors 3 and 4
        words = ["bash", "-c", f'exec "$@" 3<&{read_here} 4>&{write_there}', "bash", *command]
        self._process = subprocess.Popen(
            words, pass_fds=(read_here, write_there), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(read_here)
        os.close(write_there)
        self._number = 0
        self._rest = b""
        self._session: str | None = None
        self._loaded = self._asks_for_file = False

    def __enter__(self) -> Self:
        """Attach to the first page."""
        targets = self._ask("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        self._session = self._ask("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._ask(f"{domain}.enable")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the browser."""
        os.close(self._write)
        self._process.terminate()
        self._process.wait(_PATIENCE)
        os.close(self._read)

    def open(self, file: Path, width: int, height: int = 900) -> None:
        """Open a file in a window of a size and wait until it is loaded."""
        self._ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        self._loaded = False
        self.complaints.clear()
        self.requests.clear()
        self._ask("Page.navigate", url=file.as_uri())
        while not self._loaded:
            self._hear()

    def run(self, script: str) -> Any:
        """Return what a script in the page evaluates to."""
        result = self._ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def wait_until(self, script: str) -> None:
        """Wait until a script in the page is true."""
        deadline = time.monotonic() + _PATIENCE
        while not self.run(script):
            assert time.monotonic() < deadline, f"never true: {script}"
            time.sleep(0.05)

    def click(self, selector: str) -> None:
        """Click the middle of an element, as a mouse does."""
        place = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.scrollIntoView({{block: 'center', "
            "behavior: 'instant'}); const b = e.getBoundingClientRect(); "
            "return [b.x + b.width / 2, b.y + b.height / 2] })()"
        )
        self.point(*place)
        for kind in ("mousePressed", "mouseReleased"):
            self._ask(
                "Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", buttons=1, clickCount=1
            )

    def point(self, x: float, y: float) -> None:
        """Move the pointer."""
        self._ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def press(self, key: str) -> None:
        """Press a key, such as ``Tab`` or ``Enter``."""
        code = {"Tab": 9, "Enter": 13}[key]
        text = {"text": "\r"} if key == "Enter" else {}
        common = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self._ask("Input.dispatchKeyEvent", type="keyDown", **common, **text)
        self._ask("Input.dispatchKeyEvent", type="keyUp", **common)

    def press_until_a_file_is_asked_for(self, key: str) -> None:
        """Press a key and wait until the browser would let a person choose a file, of which none is chosen."""
        self._ask("Page.setInterceptFileChooserDialog", enabled=True)
        self._asks_for_file = False
        self.press(key)
        while not self._asks_for_file:
            self._hear()

    def screenshot(self, file: Path, *, whole: bool = False) -> None:
        """Write what the window shows, or the whole page, to a PNG file."""
        more = {}
        if whole:
            size = self._ask("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
            more = {"captureBeyondViewport": True, "clip": clip}
        file.write_bytes(base64.b64decode(self._ask("Page.captureScreenshot", format="png", **more)["data"]))

    def _ask(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        content = json.dumps(message).encode() + b"\0"
        while content:
            content = content[os.write(self._write, content) :]
        while True:
            answer = self._hear()
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]

    def _hear(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._read], [], [], _PATIENCE)
            assert ready, "the browser says nothing"
            heard = os.read(self._read, 1 << 20)
            assert heard, f"the browser ended with status {self._process.poll()}"
            self._rest += heard
        first, _, self._rest = self._rest.partition(b"\0")
        message = json.loads(first)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, method: str, parameters: dict[str, Any]) -> None:
        if method == "Page.loadEventFired":
            self._loaded = True
        elif method == "Page.fileChooserOpened":
            self._asks_for_file = True
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(parameters["exceptionDetails"])[:500])
        elif method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning", "assert"):
            self.complaints.append(str(parameters["args"])[:500])
        elif method == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
            self.complaints.append(str(parameters["entry"])[:500])
        elif method == "Network.requestWillBeSent":
            url = parameters["request"]["url"]
            if not url.startswith(("data:", "about:", "blob:")):
                self.requests.append(url)
