"""A TCP link between two loopback ports that can be cut, stalled and slowed."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from typing import Any

from wms_mesh.stack import LOOPBACK

CHUNK = 64 * 1024


class Proxy:
    """Listens on one port and passes everything to another, in a thread of its own.

    listen, target: ports on loopback. Nothing is refused while the target is down but what it refuses itself.
    """

    def __init__(self, listen: int, target: int) -> None:
        self._listen, self._target = listen, target
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"proxy-{listen}", daemon=True)
        self._links: set[asyncio.StreamWriter] = set()
        self._is_cut = False
        self._pause = 0.0
        self._open: asyncio.Event

    def start(self) -> None:
        """Listen; raise OSError when the port is taken."""
        self._thread.start()
        self._do(self._start())

    def stop(self) -> None:
        """Close every connection and end."""
        self.cut()
        self._do(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def cut(self) -> None:
        """Reset every connection, and each new one at once."""
        self._is_cut = True
        self._do(self._reset())

    def stall(self) -> None:
        """Keep the connections and pass nothing: what a dead network between two hosts looks like."""
        self._loop.call_soon_threadsafe(self._open.clear)

    def slow(self, seconds: float) -> None:
        """Hold back each chunk of at most 64 KiB for so long."""
        self._pause = seconds

    def heal(self) -> None:
        """Pass everything again."""
        self._is_cut, self._pause = False, 0.0
        self._loop.call_soon_threadsafe(self._open.set)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10)

    async def _start(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self._server = await asyncio.start_server(self._serve, LOOPBACK, self._listen)

    async def _stop(self) -> None:
        self._server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    async def _reset(self) -> None:
        for link in self._links:
            link.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._links.add(writer)
        try:
            if self._is_cut:
                return
            far_reader, far_writer = await asyncio.open_connection(LOOPBACK, self._target)
            self._links.add(far_writer)
            try:
                # A half-closed connection goes on in the other direction.
                await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))
            finally:
                self._links.discard(far_writer)
                far_writer.transport.abort()
        except OSError:
            pass  # the target refuses or resets: its client sees the same
        finally:
            self._links.discard(writer)
            writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(CHUNK):
            await asyncio.sleep(self._pause)
            await self._open.wait()
            writer.write(chunk)
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()
