"""A Maven coordinate, and one file that the lock pins."""

from __future__ import annotations

from dataclasses import dataclass

from wms_mesh.errors import MeshError


@dataclass(frozen=True, order=True)
class Coordinate:
    """``group:artifact:version[:classifier[:packaging]]``; the classifier may be empty (``g:a:v::tar.gz``)."""

    group: str
    artifact: str
    version: str
    classifier: str = ""
    packaging: str = "jar"

    @classmethod
    def parse(cls, text: str) -> Coordinate:
        """Raises MeshError when the text is not a coordinate."""
        parts = text.split(":")
        if not 3 <= len(parts) <= 5 or not all(parts[:3]) or (len(parts) == 5 and not parts[4]):
            raise MeshError(f"'{text}' is not a coordinate: write group:artifact:version[:classifier[:packaging]].")
        return cls(*parts)

    def __str__(self) -> str:
        parts = [self.group, self.artifact, self.version]
        if self.packaging != "jar":
            parts += [self.classifier, self.packaging]
        elif self.classifier:
            parts.append(self.classifier)
        return ":".join(parts)

    @property
    def filename(self) -> str:
        """As a Maven repository names it."""
        classifier = f"-{self.classifier}" if self.classifier else ""
        return f"{self.artifact}-{self.version}{classifier}.{self.packaging}"

    @property
    def path(self) -> str:
        """Relative to the root of any Maven repository, remote or local."""
        return f"{self.group.replace('.', '/')}/{self.artifact}/{self.version}/{self.filename}"


@dataclass(frozen=True, order=True)
class Locked:
    """A file that may run: its coordinate, its SHA-256 (hex) and its size in bytes."""

    coordinate: Coordinate
    sha256: str
    size: int
