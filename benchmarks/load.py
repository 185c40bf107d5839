"""Send requests from 16 connections: with wrk if it is on PATH, else from a process of our own."""

import json
import re
import selectors
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

CONNECTIONS = 16
TIMEOUT_S = 20.0
WRK = shutil.which("wrk")
NAME = "wrk" if WRK else "the generator in benchmarks/load.py"
UNITS_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True)
class Load:
    """What a server did under load; `failed` counts requests without a response, or with a status other than 2xx."""

    requests_per_s: float
    p50_ms: float
    p99_ms: float
    failed: int


def run(url: str, seconds: int) -> Load:
    """Request `url` repeatedly, one request at a time on each connection."""
    if WRK:
        words = [WRK, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", url]
        return _read_wrk(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    words = [sys.executable, "-m", "benchmarks.load", url, str(seconds)]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return Load(**json.loads(said))


def _read_wrk(said: str) -> Load:
    def found(pattern: str) -> "re.Match[str]":
        match = re.search(pattern, said)
        if match is None:
            raise ValueError(f"wrk printed no {pattern}:\n{said}")
        return match

    def milliseconds(percent: int) -> float:
        match = found(rf"{percent}%\s+([\d.]+)(us|ms|s)\b")
        return float(match[1]) * UNITS_MS[match[2]]

    failed = sum(map(int, re.findall(r"(?:connect|read|write|timeout|responses:) (\d+)", said)))
    return Load(float(found(r"Requests/sec:\s+([\d.]+)")[1]), milliseconds(50), milliseconds(99), failed)


class Caller:
    """One connection that repeats a request as soon as it is answered."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._request = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
        self.socket = socket.create_connection((parts.hostname or "", parts.port or 80), timeout=TIMEOUT_S)
        self.asked_at = 0.0
        self.is_last = False  # whether the server announced that it closes after this response
        self._answer = b""

    def ask(self) -> None:
        """Send the request."""
        self.asked_at = time.perf_counter()
        self._answer = b""
        self.socket.sendall(self._request)

    def hear(self) -> int | None:
        """Read what has arrived; return the status once the response is complete, else None.

        Raises:
            OSError: the server closed the connection, or sent nothing for too long.
        """
        heard = self.socket.recv(65536)
        if not heard:
            raise ConnectionResetError("the server closed the connection")
        self._answer += heard
        head, end, body = self._answer.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        if not end or length is None or len(body) < int(length[1]):
            return None
        self.is_last = b"connection: close" in head.lower()
        return int(head[9:12])


def generate(url: str, seconds: float) -> Load:
    """Do what wrk does, in this process."""
    took_s: list[float] = []
    failed = 0
    with selectors.DefaultSelector() as selector:
        for _ in range(CONNECTIONS):
            caller = Caller(url)
            selector.register(caller.socket, selectors.EVENT_READ, caller)
            caller.ask()
        started_at = time.perf_counter()
        while time.perf_counter() - started_at < seconds:
            for ready, _ in selector.select(0.1):
                caller = ready.data
                if (status := caller.hear()) is not None:
                    took_s.append(time.perf_counter() - caller.asked_at)
                    failed += not 200 <= status < 300
                    caller.ask()
    took_s.sort()
    half, most = took_s[len(took_s) // 2], took_s[int(len(took_s) * 0.99)]
    return Load(len(took_s) / seconds, half * 1000, most * 1000, failed)


if __name__ == "__main__":
    print(json.dumps(asdict(generate(sys.argv[1], float(sys.argv[2])))))
