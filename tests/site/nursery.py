"""Where the sites of a test come from: a process that has read and made what all of them need, and forks
for each.

A request comes over its standard input, a socket: a site's arguments and environment, and its three
standard streams. The answer is a descriptor of the new process (pidfd_open(2)). It ends with that socket.
The sites are processes of their own then, and end as they do for everybody: with their standard input.
"""

import contextlib
import json
import os
import socket

from . import isolation, servers

MOST_BYTES = 1 << 18  # of a request


def serve(site):
    """`site(arguments, ahead)` is one, in a process of its own, and gives its exit status."""
    ahead = servers.ahead()
    control = socket.socket(fileno=0)
    while True:
        try:
            request, streams, _, _ = socket.recv_fds(control, MOST_BYTES, 3)
        except KeyboardInterrupt:  # the terminal's, to the test as well
            request = b""
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:  # those that have ended
                pass
        if not request:
            return 0
        child = os.fork()
        if child == 0:
            isolation.end_with(lambda: _become(site, ahead, json.loads(request), streams))
        process = os.pidfd_open(child)
        with contextlib.suppress(BrokenPipeError):  # who asked is gone: so is the site's standard input
            socket.send_fds(control, [b" "], [process])
        for descriptor in (process, *streams):
            os.close(descriptor)


def _become(site, ahead, request, streams):
    for number, stream in enumerate(streams):  # the first takes the socket's place
        os.dup2(stream, number)
        os.close(stream)
    arguments, environment = request
    os.environ.clear()
    os.environ.update(environment)
    return site(arguments, ahead)
