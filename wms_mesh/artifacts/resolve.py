"""From the coordinates that people chose to every file with its checksum (only when the lock is renewed)."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

from jgo.maven import MavenContext, PythonResolver
from jgo.parse import Coordinate as MavenCoordinate

from wms_mesh.artifacts.coordinates import Coordinate
from wms_mesh.artifacts.sets import ArtifactSet


def resolve(chosen: ArtifactSet, poms: Path) -> list[Coordinate]:
    """The roots and, when the set is transitive, all that they need at run time; roots first, then sorted.

    poms: folder that keeps the project descriptions between runs.
    """
    if not chosen.transitive:
        return list(chosen.roots)
    maven = MavenContext(resolver=PythonResolver(), repo_cache=poms)
    exact = [maven.project(*name.split(":")) for name in chosen.exclude if "*" not in name]
    roots = [maven.create_dependency(_dependency(root), exact) for root in chosen.roots]
    _, needed = maven.resolver.resolve(roots)
    found = {
        Coordinate(one.groupId, one.artifactId, one.version, one.classifier or "", _packaging(one.type))
        for one in needed
        if one.scope in (None, "compile", "runtime") and not one.optional
    }
    names = {(root.group, root.artifact) for root in chosen.roots}
    wanted = (
        one
        for one in sorted(found)
        if one.packaging == "jar"
        and (one.group, one.artifact) not in names
        and not any(fnmatchcase(f"{one.group}:{one.artifact}", pattern) for pattern in chosen.exclude)
    )
    return [*chosen.roots, *wanted]


def _dependency(root: Coordinate) -> MavenCoordinate:
    # raw: the versions come from each root's own description. Otherwise the client imports the roots' managed versions
    # as a bill of materials, and log4j's brings kafka-clients 3.9.1 into the broker of 4.4.0.
    return MavenCoordinate(root.group, root.artifact, root.version, root.classifier or None, root.packaging, raw=True)


def _packaging(kind: str | None) -> str:
    # An OSGi bundle or a test jar is a jar by another name.
    return "jar" if kind in (None, "bundle", "test-jar", "ejb", "maven-plugin") else str(kind)
