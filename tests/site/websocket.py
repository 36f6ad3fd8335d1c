"""A WebSocket server's opening handshake (RFC 6455 section 4.2), and nothing after it.

    websocket.py ADDRESS PORT
"""

import base64
import hashlib
import http.server
import socketserver
import sys
import time

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        key = self.headers.get("Sec-WebSocket-Key", "")
        if self.path == "/slow":
            time.sleep(30)
        if self.headers.get("Upgrade", "").lower() != "websocket" or not key:
            self.send_error(426)
            return
        accept = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", accept)
        self.end_headers()
        self.close_connection = True

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingTCPServer):
    """Not http.server's: that one asks the DNS for its own name first, and here none answers."""
    allow_reuse_address = True
    daemon_threads = True


if __name__ == "__main__":
    Server((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
