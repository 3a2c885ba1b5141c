"""The lab on this machine alone: one page on 127.0.0.1, for whoever asks for it by that name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from goodmeasure.errors import UsageError

HERE = "127.0.0.1"
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Type": "text/html; charset=utf-8",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@contextmanager
def serving(page: str, port: int = 0) -> Iterator[ThreadingHTTPServer]:
    """A server of one page, closed at the end; a free port unless one is given. Error: GM009.

    Requests are answered while its ``serve_forever`` runs.
    """
    try:
        server = ThreadingHTTPServer((HERE, port), _handler(page.encode()))
    except (OSError, OverflowError) as error:
        raise UsageError(f"nothing can be served on port {port}", seen=str(error), fix="leave --port out") from error
    server.daemon_threads = True  # a browser that keeps its line open does not keep the program
    with server:
        yield server


def address(server: ThreadingHTTPServer) -> str:
    """Where a browser finds the page."""
    return f"http://{HERE}:{server.server_port}/"


def _handler(page: bytes) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers with the page, or with the reason why not."""

        protocol_version = "HTTP/1.1"
        timeout = 30.0

        def do_GET(self) -> None:
            """Send the page."""
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            """Send what comes before the page."""
            self._answer(with_body=False)

        def _answer(self, *, with_body: bool) -> None:
            status, body = self._found()
            self.send_response(status)
            for name, value in {**_HEADERS, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if with_body:
                self.wfile.write(body)

        def _found(self) -> tuple[HTTPStatus, bytes]:
            # A page elsewhere can lead its own name to this machine: such a request names another host.
            assert isinstance(self.server, ThreadingHTTPServer)
            port = self.server.server_port
            if self.headers.get_all("Host", []) not in ([f"{HERE}:{port}"], [f"localhost:{port}"]):
                return HTTPStatus.MISDIRECTED_REQUEST, b"this is not the host that was asked for\n"
            if self.path.partition("?")[0] != "/":
                return HTTPStatus.NOT_FOUND, b"there is one page here: /\n"
            return HTTPStatus.OK, page

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the terminal is the reader's."""

    return Handler
