"""A DNS forwarder that answers late: late_dns.py ADDRESS SERVER MILLISECONDS."""

import heapq
import select
import socket
import sys
import time


def main(address, server, milliseconds):
    """Passes questions on at once, and answers back after a while."""
    family, _, _, _, own = socket.getaddrinfo(address, 53, type=socket.SOCK_DGRAM)[0]
    inside = socket.socket(family, socket.SOCK_DGRAM)
    inside.bind(own)
    outside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    outside.connect((server, 53))
    print("listening", flush=True)
    askers, waiting = {}, []
    while True:
        pause = max(0, waiting[0][0] - time.monotonic()) if waiting else None
        for ready in select.select([inside, outside], [], [], pause)[0]:
            if ready is inside:
                question, asker = inside.recvfrom(4096)
                askers[question[:2]] = asker
                outside.send(question)
            else:
                heapq.heappush(waiting, (time.monotonic() + milliseconds / 1000,
                                         outside.recv(4096)))
        while waiting and waiting[0][0] <= time.monotonic():
            answer = heapq.heappop(waiting)[1]
            if answer[:2] in askers:
                inside.sendto(answer, askers.pop(answer[:2]))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
