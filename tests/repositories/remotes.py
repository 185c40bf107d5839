"""Remote repositories for tests: in a folder, or served over https on this machine."""

import datetime
import http.server
import os
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LINK, SUBMODULE, EXECUTABLE = "120000", "160000", "100755"

Content = bytes | tuple[str, bytes] | None  # the bytes of a plain file, or a mode and bytes; None deletes the file


def _data(content: Content) -> bytes | None:
    """Return the bytes of a file or a link, None for a submodule or a deletion."""
    if isinstance(content, tuple):
        return None if content[0] == SUBMODULE else content[1]
    return content


class Remote:
    """A bare repository; commits are made without a working tree, so that paths may hold any bytes."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self.environment = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        folder.mkdir(parents=True)
        self.git("init", "--quiet", "--bare", "--initial-branch=main", *arguments, ".")

    @property
    def url(self) -> str:
        return self.folder.as_uri()

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        command = ["git", "-c", "user.name=test", "-c", "user.email=test@example.com", *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, input=stdin, check=True, capture_output=True
        )
        return done.stdout.decode(errors="surrogateescape").strip()

    def commit(self, files: Mapping[str | bytes, Content], branch: str = "main", *, orphan: bool = False) -> str:
        """Commit changes to `branch` and return the commit id; an `orphan` has no parent."""
        parents = [] if orphan else self.git("for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}").split()
        self.git("read-tree", *(parents or ["--empty"]))
        self.git("update-index", "-z", "--index-info", stdin=b"".join(self._entries(files)))
        commit = self.git("commit-tree", "-m", "x", *(f"-p{parent}" for parent in parents), self.git("write-tree"))
        self.git("update-ref", f"refs/heads/{branch}", commit)
        return commit

    def _entries(self, files: Mapping[str | bytes, Content]) -> Iterator[bytes]:
        contents = {data for content in files.values() if (data := _data(content)) is not None}
        blob_ids = self._write_blobs(sorted(contents))
        for name, content in files.items():
            path = name.encode() if isinstance(name, str) else name
            mode = content[0] if isinstance(content, tuple) else "100644"
            data = _data(content)
            if data is not None:
                yield b"%s %s\t%s\0" % (mode.encode(), blob_ids[data], path)
            elif content is None:
                yield b"0 %s\t%s\0" % (b"0" * 40, path)
            else:
                yield b"%s %s\t%s\0" % (mode.encode(), b"a" * 40, path)

    def _write_blobs(self, contents: Sequence[bytes]) -> dict[bytes, bytes]:
        """Write contents as blobs, with one process, and return their ids."""
        with TemporaryDirectory() as folder:
            for number, content in enumerate(contents):
                Path(folder, str(number)).write_bytes(content)
            paths = "".join(f"{folder}/{number}\n" for number in range(len(contents)))
            ids = self.git("hash-object", "-w", "--no-filters", "--stdin-paths", stdin=paths.encode()).encode().split()
        return dict(zip(contents, ids, strict=True))

    def allow_filters(self) -> None:
        """Allow fetches to leave out blobs, as the three Git hosts do."""
        self.git("config", "uploadpack.allowFilter", "true")
        self.git("config", "uploadpack.allowAnySHA1InWant", "true")


class Gateway(http.server.BaseHTTPRequestHandler):
    """Git's own server over https. It redirects requests for paths below /moved/ or without `.git`.

    Attributes:
        requests: path and Authorization header of each request.
        authorization: the Authorization header that is required, if any.
        cuts_packs: whether it closes the connection in the middle of each long answer.
    """

    protocol_version = "HTTP/1.1"
    root: Path
    requests: list[tuple[str, str | None]]
    authorization: str | None = None
    cuts_packs = False

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _answer(self) -> None:
        path, _, query = self.path.partition("?")
        body = self._body()
        self.requests.append((path, self.headers["Authorization"]))
        if path.startswith("/moved/") or not path.split("/info/")[0].split("/git-")[0].endswith(".git"):
            target = self.path.replace("/moved/", "/").replace("/info/", ".git/info/", "/moved/" not in path)
            return self._send(301, {"Location": target}, b"")
        if self.authorization and self.headers["Authorization"] != self.authorization:
            return self._send(401, {"WWW-Authenticate": "Basic"}, b"")
        return self._serve(path, query, body)

    def _body(self) -> bytes:
        if self.headers["Transfer-Encoding"] == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body
        return self.rfile.read(int(self.headers["Content-Length"] or 0))

    def _serve(self, path: str, query: str, body: bytes) -> None:
        environment = os.environ | {
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers["Git-Protocol"] or "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers["Content-Type"] or "",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers["Content-Encoding"] or "",
        }
        answer = subprocess.run(["git", "http-backend"], env=environment, input=body, capture_output=True).stdout
        head, _, content = answer.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self._send(int(headers.pop("Status", "200 OK").split()[0]), headers, content)

    def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.cuts_packs and len(content) > 10_000:
            self.wfile.write(content[: len(content) // 2])
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self.wfile.write(content)


@contextmanager
def https(root: Path, certificate: Path) -> Iterator[tuple[type[Gateway], int]]:
    """Serve the repositories below `root` on https://localhost:<port>/, with a certificate written to `certificate`."""
    handler = type("Serving", (Gateway,), {"root": root, "requests": []})
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certify(certificate)
    context.load_cert_chain(certificate)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield handler, server.server_port
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def stalling_https(certificate: Path, *, trickles: bool) -> Iterator[int]:
    """Accept TLS connections on localhost and answer no request, or with ten bytes a second.

    Yields the port. Stops with the block, or by itself after 30 s.
    """
    certify(certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    stopped, deadline = threading.Event(), time.monotonic() + 30
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)

        def serve() -> None:
            while not stopped.is_set() and time.monotonic() < deadline:
                with suppress(OSError):
                    connection, _ = listener.accept()
                    with context.wrap_socket(connection, server_side=True) as client:
                        client.settimeout(0.1)
                        stall(client)

        def stall(client: ssl.SSLSocket) -> None:
            client.recv(1 << 16)
            if trickles:
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not stopped.is_set() and time.monotonic() < deadline:
                try:
                    if not client.recv(1 << 16):
                        return
                except TimeoutError:
                    client.sendall(b"x" if trickles else b"")

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            stopped.set()
            thread.join()


def certify(place: Path) -> None:
    """Write a private key and a self-signed certificate for localhost to one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    place.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
