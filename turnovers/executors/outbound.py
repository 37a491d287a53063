"""Calls to the outside: only to allowed hosts, at the address that was checked, with an end.

A host is resolved once, its addresses are checked, and the connection goes to what was checked;
nothing is read from the environment (no proxy), no redirect is followed, and every answer is cut
off at a time and at a size.
"""

from __future__ import annotations

import http.client
import ipaddress
import re
import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Address = ipaddress.IPv4Address | ipaddress.IPv6Address

CONNECT_SECONDS = 10.0
#: An answer that has begun may not pause for longer.
PAUSE_SECONDS = 30.0
LOOK_SECONDS = 1.0
MOST_ANSWER = 64 * 1024
MOST_HEADERS = 64 * 1024
PORTS = {"http": 80, "https": 443}
HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+", re.ASCII)
NAT64 = ipaddress.ip_network("64:ff9b::/96")
IPV4_COMPATIBLE = ipaddress.ip_network("::/96")
THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")
#: Where clouds tell a machine its own secrets, besides the link-local address.
METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254")
)
#: What comes before the IPv4 address in the second half of an ISATAP address.
ISATAP = frozenset({0x0000_5EFE, 0x0200_5EFE})


class NotCalled(Exception):
    """The outside was not touched; the message says why, in a sentence."""


class Unclear(Exception):
    """The call went out and no whole answer came back."""


@dataclass(frozen=True)
class Target:
    """Where a URL leads."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def name(self) -> str:
        """As OUTBOUND_ALLOW lists it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Answer:
    """What came back, cut at ``MOST_ANSWER``."""

    status: int
    phrase: str
    body: bytes
    #: By their names in small letters; of several with one name the last.
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


def target_of(url: str) -> Target:
    """Take a URL apart; raises ``ValueError``, in words, for one that is not to be called."""
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname:
        raise ValueError("Give an address that begins with https:// or http://.")
    if parts.username is not None or parts.password is not None:
        raise ValueError("An address may not contain a user name or password.")
    if any(character.isspace() or not character.isprintable() for character in url):
        raise ValueError("An address may not contain spaces.")
    if not HOST.fullmatch(parts.hostname.lower()):
        raise ValueError("Write the host in plain letters, digits, dots and hyphens.")
    path = parts.path or "/"
    if parts.query:
        path = f"{path}?{parts.query}"
    port = parts.port if parts.port is not None else PORTS[parts.scheme]
    return Target(parts.scheme, parts.hostname.lower(), port, path)


def is_allowed(target: Target) -> bool:
    """Whether the administrators let us call there."""
    return target.name in {entry.strip().lower() for entry in settings.OUTBOUND_ALLOW}


def call(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes,
    timeout: float,
    still_ours: Callable[[], bool] = lambda: True,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Answer:
    """Make the call and return the answer, within ``timeout`` seconds altogether.

    ``still_ours`` is asked when the connection stands, right before the first byte is sent, and
    ``is_stopped`` about every second while the answer is waited for.
    Raises ``NotCalled`` where nothing was sent and ``Unclear`` where the answer did not come.
    """
    deadline = time.monotonic() + timeout
    target = target_of(url)
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.response_class = _Response
    sock = connection.sock = _connect(target, min(CONNECT_SECONDS, timeout))
    try:
        if not still_ours():
            raise NotCalled("The run was stopped, or somebody else took the task, before the call.")
        sock.settimeout(timeout)
        talk = _Talk(connection, method, target.path, headers, body)
        ended = talk.within(deadline, is_stopped)
    finally:
        connection.close()
    if talk.answer is not None:
        return talk.answer
    if ended:
        raise Unclear(f"{target.name} broke off: {_words(talk.error)}.") from talk.error
    if time.monotonic() >= deadline:
        raise Unclear(f"No answer from {target.name} within {timeout:g} seconds.")
    raise Unclear(f"It was stopped before {target.name} had answered.")


class _Talk(threading.Thread):
    """One request and its answer, apart, so that whoever waits for it can cut it off."""

    def __init__(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
    ) -> None:
        super().__init__(daemon=True)
        self.connection = connection
        self.request = (method, path, body or None, dict(headers))
        self.answer: Answer | None = None
        self.error: Exception = OSError("no answer")

    def within(self, deadline: float, is_stopped: Callable[[], bool]) -> bool:
        """Have it, until the deadline or a stop; whether it ended by itself."""
        sock: socket.socket = self.connection.sock
        self.start()
        try:
            while (left := deadline - time.monotonic()) > 0:
                self.join(min(LOOK_SECONDS, left))
                if not self.is_alive():
                    # A socket's own time-out is the deadline, too: who saw it first is by chance.
                    return time.monotonic() < deadline
                if is_stopped():
                    break
            return False
        finally:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            self.join()

    def run(self) -> None:
        try:
            self.answer = self._converse()
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.error = error

    def _converse(self) -> Answer:
        self.connection.request(*self.request)
        sock = self.connection.sock
        # An answer that ends with its connection owns the socket: it is closed here, come what may.
        with self.connection.getresponse() as response:
            with suppress(OSError):
                sock.settimeout(min(PAUSE_SECONDS, sock.gettimeout() or PAUSE_SECONDS))
            body = response.read(MOST_ANSWER)
            if response.length and len(body) < MOST_ANSWER:
                raise OSError("the answer ended before it was complete")
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, response.reason, body, headers)


class _Response(http.client.HTTPResponse):
    """An answer whose headers have an end, too."""

    def begin(self) -> None:
        whole: Any = self.fp
        self.fp = _Capped(whole)  # type: ignore[assignment]
        super().begin()
        if self.fp is not None:
            self.fp = whole


class _Capped:
    """The lines of the headers, all in all no more than ``MOST_HEADERS`` bytes."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.left = MOST_HEADERS

    def readline(self, limit: int = -1) -> bytes:
        line = self.file.readline(limit)
        self.left -= len(line)
        if self.left < 0:
            raise http.client.HTTPException("its headers are too long")
        return line

    def close(self) -> None:
        self.file.close()

    def flush(self) -> None:
        """Nothing is written."""


def _connect(target: Target, timeout: float) -> socket.socket:
    """A connection to the address that was checked, over TLS where the URL says so."""
    if not is_allowed(target):
        raise NotCalled(f"{target.name} is not on the list of allowed targets (OUTBOUND_ALLOW).")
    deadline = time.monotonic() + timeout
    error: OSError = OSError("no address")
    for family, address in _checked_addresses(target, timeout):
        left = deadline - time.monotonic()
        if left <= 0:
            break
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.settimeout(left)
        try:
            sock.connect(address)
            # Headers and body go out as two writes: the second must not wait for an answer.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return _secured(sock, target)
        except OSError as problem:
            sock.close()
            error = problem
    raise NotCalled(f"Could not connect to {target.name}: {_words(error)}.") from error


def _secured(sock: socket.socket, target: Target) -> socket.socket:
    if target.scheme == "http":
        return sock
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context.wrap_socket(sock, server_hostname=target.host)


def _checked_addresses(target: Target, timeout: float) -> list[tuple[socket.AddressFamily, Any]]:
    """Every address of the host, or none where one of them is not for us to call."""
    found = _resolve(target, timeout)
    if not names_itself(target.host):
        for _, address in found:
            if leads_inside(ipaddress.ip_address(str(address[0]).partition("%")[0])):
                raise NotCalled(f"{target.host} leads to {address[0]}, which may not be called.")
    return found


def _resolve(target: Target, timeout: float) -> list[tuple[socket.AddressFamily, Any]]:
    """The addresses of the host, asked for once; apart, since resolving knows no time-out."""
    if _is_address(target.host):  # nobody has to be asked
        numeric = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        told = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM, flags=numeric)
        return [(family, address) for family, _, _, _, address in told]
    found: list[Any] = []
    failed: list[Exception] = []

    def resolve() -> None:
        try:
            found.extend(socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            failed.append(error)

    thread = threading.Thread(target=resolve, daemon=True)
    thread.start()
    thread.join(timeout)
    if thread.is_alive():
        raise NotCalled(f"{target.host} was not resolved within {timeout:g} seconds.")
    if failed:
        raise NotCalled(f"{target.host} has no address: {_words(failed[0])}.") from failed[0]
    return [(family, address) for family, _, _, _, address in found]


def names_itself(host: str) -> bool:
    """Whether the list of allowed targets names the very address, not a name for it."""
    return host == "localhost" or _is_address(host)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def leads_inside(address: Address) -> bool:
    """Whether an address means this machine, its link or no single machine, in any disguise."""
    plain = undisguised(address)
    if plain in METADATA or plain in THIS_NETWORK or getattr(plain, "is_site_local", False):
        return True
    return (
        plain.is_loopback
        or plain.is_link_local
        or plain.is_multicast
        or plain.is_unspecified
        or plain.is_reserved
    )


def undisguised(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one that only wraps it."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
    if inner is None and (address in NAT64 or (address in IPV4_COMPATIBLE and int(address) > 1)):
        inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    if inner is None and (int(address) >> 32) & 0xFFFF_FFFF in ISATAP:
        inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return inner or address


def _words(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text)[:200].rstrip(".").lower()
