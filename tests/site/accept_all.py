"""Accepts TCP connections and is silent until the other end closes: accept_all.py ADDRESS PORT."""

import asyncio
import sys


async def _sink(reader, writer):
    try:
        while await reader.read(65536):
            pass
    except OSError:
        pass
    writer.close()


async def main(address, port):
    """Serves until it is killed."""
    server = await asyncio.start_server(_sink, address, port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
