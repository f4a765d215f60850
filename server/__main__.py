"""`python -m server`: serves Keyturn until it is told to stop. `--help` lists what can be chosen."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import socket
import sys

from server.options import Options, OptionsError, read
from server.supervisor import SOCKET, Supervisor

SET_PARENT_DEATH_SIGNAL = 1  # of Linux's prctl(2)


def main(arguments: list[str]) -> int:
    """The exit code."""
    try:
        return _run(arguments)
    except OptionsError as error:
        return _refused(str(error))


def _run(arguments: list[str]) -> int:
    options = read(arguments, os.environ)
    _check_certificate(options)
    inherited = os.environ.pop(SOCKET, None)
    if inherited:
        number, parent = map(int, inherited.split())
        _end_with(parent)
        return _serve(options, socket.socket(fileno=number))
    sockets = _sockets(options)
    if options.workers == 1:
        return _serve(options, sockets[0])
    for each in sockets:
        each.listen(options.backlog)
    return Supervisor(options, arguments, sockets).run()


def _sockets(options: Options) -> list[socket.socket]:
    """One for each worker. Raises OptionsError."""
    try:
        alone = bound(options.host, options.port)
        if options.workers == 1:
            return [alone]
        alone.close()  # it was free: nobody else is here who would share it with us
        return [bound(options.host, options.port, shared=True) for _ in range(options.workers)]
    except OSError as error:
        raise OptionsError(f"Cannot listen on {options.host}, port {options.port}: {error.strerror}.") from None


def bound(host: str, port: int, shared: bool = False) -> socket.socket:
    """A socket at this address; with `shared`, one among several to which Linux hands out connections evenly. Raises
    OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listening = socket.socket(family, kind, protocol)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if family == socket.AF_INET6:
        listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)  # `::` is every address, also the old ones
    try:
        listening.bind(address)
    except BaseException:
        listening.close()
        raise
    return listening


def _serve(options: Options, listening: socket.socket) -> int:
    import gc

    gc.disable()  # what a starting process makes, it keeps
    logging.basicConfig(stream=sys.stdout, level=logging.WARNING, format="%(message)s")
    from chalicelib.settings import SettingsError
    from server.worker import serve  # with the web server and the application

    gc.enable()
    try:
        return serve(options, listening)
    except SettingsError as error:
        raise OptionsError(str(error)) from None


def _check_certificate(options: Options) -> None:
    """The web server's own message would be a traceback."""
    if options.certificate:
        import ssl

        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
                options.certificate, options.key, password=_no_password
            )
        except OSError as error:  # ssl.SSLError is one
            raise OptionsError(f"--certificate and --key cannot be used: {error.strerror or error}.") from None


def _no_password() -> str:
    """OpenSSL would ask the terminal, where nobody sits. A key that has a password is refused."""
    return ""


def _end_with(parent: int) -> None:
    """Have Linux tell us to stop when the supervisor has ended, however that came."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(0)


def _refused(why: str) -> int:
    print(why, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
