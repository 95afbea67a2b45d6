"""What all of them execute."""

from redis import Redis

from benchmarks.peers import RAN, socket


def nothing() -> int:
    return 1


def counted() -> int:
    """Nothing, and tell that it ran."""
    with Redis(unix_socket_path=socket()) as connection:
        connection.incr(RAN)
    return 1
