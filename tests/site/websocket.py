"""A WebSocket server's opening handshake (RFC 6455 section 4.2), and nothing after it.

    websocket.py ADDRESS PORT

Python's own HTTP server takes longer to load than all else here: each site has one of these.
"""

import base64
import hashlib
import socket
import sys
import threading
import time

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
REFUSAL = ("HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nContent-Length: 0\r\n"
           "Connection: close\r\n\r\n")


def answer(client):
    """One request, and the end of the connection."""
    with client, client.makefile("r", encoding="latin-1", newline="\r\n") as lines:
        path = lines.readline().split(" ")[1:2]
        headers = {}
        while (line := lines.readline().strip()):
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        key = headers.get("sec-websocket-key", "")
        if path == ["/slow"]:
            time.sleep(30)
        if headers.get("upgrade", "").lower() != "websocket" or not key:
            reply = REFUSAL
        else:
            accept = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
            reply = ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     f"Sec-WebSocket-Accept: {accept}\r\n\r\n")
        client.sendall(reply.encode())


def main(address, port):
    """Until it is ended."""
    with socket.create_server((address, port), backlog=128) as server:
        while True:
            client, _ = server.accept()
            threading.Thread(target=answer, args=(client,), daemon=True).start()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
