"""Ports for the servers that tests start."""

import random
import socket
from contextlib import suppress

# Where nobody is given a port by chance: Ray's workers take theirs below, the kernel hands out those above.
QUIET = range(20_000, 32_768)


def free_port() -> int:
    """A free TCP port of loopback that is still free when a server is up that takes a while to start."""
    while True:
        port = random.SystemRandom().choice(QUIET)  # hypothesis seeds the other generator, alike in each process
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
