"""The page: its chapters put together, rendered, written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from wms_mesh.errors import MeshError
from wms_mesh.report import account, carriers, colours, flow, products, source, stock, targets, work
from wms_mesh.report.parts import Block, Chapter, moment
from wms_mesh.report.source import Source
from wms_mesh.stack import Stack

NAME = "report.html"
CHAPTERS = (targets.CHAPTER, flow.CHAPTER, work.CHAPTER, carriers.CHAPTER, stock.CHAPTER, account.CHAPTER)


@dataclass(frozen=True)
class Written:
    """A page on disk. size: bytes."""

    path: Path
    size: int


@dataclass(frozen=True)
class Shown:
    """A chapter with what was found for it, or with the sentence that says why there is nothing."""

    chapter: Chapter
    text: str
    blocks: Sequence[Block]


def default(stack: Stack) -> Path:
    """Where the page of a stack stands unless somebody says otherwise."""
    return stack.home / NAME


def write(stack: Stack, path: Path) -> Written:
    """Read the tables of a running stack and write the page, whole or not at all.

    Raises MeshError when Trino does not answer or the file cannot be written.
    """
    content = render(source.of(stack)).encode()
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        raise MeshError(f"{path} cannot be written ({error.strerror}): choose another file with --output.") from error
    return Written(path, len(content))


def render(found: Source) -> str:
    """The page of what is there."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,  # a document of the warehouse can hold any text
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["say"] = say
    environment.filters["breakable"] = breakable
    return environment.get_template("page.html.j2").render(
        light=colours.LIGHT,
        dark=colours.DARK,
        made_at=moment(found.made_at),
        range=_range(found),
        products=products.chapter(found),
        product_sources=[name for name in (products.SLO, products.QUALITY) if name in found.tables],
        chapters=[_shown(found, one) for one in CHAPTERS],
    )


def say(text: str) -> Markup:
    """A sentence as HTML: what stands in backticks is a command or a table."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped in the same line


def breakable(name: str) -> Markup:
    """A name that may go over to the next line after a dot or an underscore."""
    return Markup(re.sub(r"(?<=[._])(?=\w)", "<wbr>", str(escape(name))))  # noqa: S704 - escaped in the same line


def _shown(found: Source, chapter: Chapter) -> Shown:
    missing = found.missing(chapter.needs)
    if not missing:
        return Shown(chapter, chapter.text, chapter.build(found))
    names = " and ".join(f"`{name}`" for name in missing)
    return Shown(chapter, f"Not built yet: {names}. `./mesh refresh --once` builds all tables.", ())


def _range(found: Source) -> str:
    if found.first_at is None or found.last_at is None:
        return "no data yet"
    return f"{moment(found.first_at)} to {moment(found.last_at)}"
