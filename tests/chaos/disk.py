"""A folder with a limited size: a tmpfs, whose limit can be moved under its users."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

ROOMY = 2 * 1024**3  # bytes; a storm writes some 100 MB
SPARE = 256 * 1024  # bytes left when it is full: less than one data file of a busy checkpoint


def may_mount() -> bool:
    """Whether this process may mount one: only root can."""
    return os.geteuid() == 0 and shutil.which("mount") is not None


class LimitedFolder:
    """A folder that can be full. ``path`` exists and is empty when it is mounted."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def mount(self) -> None:
        """Begin with room for everything; raise CalledProcessError when the system refuses."""
        self._mount("-t", "tmpfs", "-o", f"size={ROOMY}", "tmpfs", str(self.path))

    def fill(self) -> None:
        """Leave SPARE bytes."""
        self._limit(shutil.disk_usage(self.path).used + SPARE)

    def clear(self) -> None:
        """Give the room back."""
        self._limit(ROOMY)

    def unmount(self) -> None:
        """Let go of it, and of what it holds."""
        subprocess.run(["umount", str(self.path)], check=True)

    def _limit(self, size: int) -> None:
        self._mount("-o", f"remount,size={size}", str(self.path))

    def _mount(self, *arguments: str) -> None:
        subprocess.run(["mount", *arguments], check=True)
