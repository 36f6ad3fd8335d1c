"""A way into a site's PC for a test outside, by way of a file: connections to a Unix socket go on to
a port of the loopback inside, and those of a port outside to the Unix socket.

    bridge.py SOCKET PORT      inside, until it is ended
    with Outside(socket) as port: ...   outside
"""

import os
import socket
import sys
import threading


def _copy(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    try:
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def _join(one, connect):
    try:
        other = connect()
    except OSError:
        one.close()
        return
    back = threading.Thread(target=_copy, args=(other, one), daemon=True)
    back.start()
    _copy(one, other)
    back.join()
    one.close()
    other.close()


def serve(listener, connect):
    """Until the listener is closed."""
    while True:
        try:
            one, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_join, args=(one, connect), daemon=True).start()


class Outside:
    """A port of the loopback here that leads to the Unix socket, whoever listens there now."""

    def __init__(self, path):
        self._path = path
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=serve, args=(self._listener, self._connect),
                                        daemon=True)

    def _connect(self):
        other = socket.socket(socket.AF_UNIX)
        try:
            other.connect(self._path)
        except OSError:
            other.close()
            raise
        return other

    def __enter__(self):
        self._thread.start()
        return self.port

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


def main(path, port):
    if os.path.exists(path):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    serve(listener, lambda: socket.create_connection(("127.0.0.1", port), 5))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
