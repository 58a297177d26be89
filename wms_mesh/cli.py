"""The command line: ``./mesh COMMAND``. Each command says what it does, and ends with what to do next."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live

from benchmarks import cli as benchmarks
from ingest.simulator import cli as simulator
from wms_mesh import lifecycle, views
from wms_mesh.contracts import command as contracts
from wms_mesh.errors import MeshError
from wms_mesh.quality import command as quality
from wms_mesh.quarantine import cli as quarantine
from wms_mesh.report import command as report
from wms_mesh.slo import command as slo
from wms_mesh.stack import LOOPBACK, Stack

app = typer.Typer(
    help="The WMS data mesh on one machine: MongoDB to KPI, with real engines.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
console = Console(stderr=True)  # progress and notes; results go to standard output

Engines = Annotated[list[str] | None, typer.Argument(help="Only these engines and what they need.", show_default="all")]


@app.command()
def up(
    engines: Engines = None,
    monitoring: Annotated[
        bool,
        typer.Option(
            "--monitoring",
            help="Every engine serves metrics; a Prometheus that is installed watches. MESH_MONITORING=1",
        ),
    ] = False,
    secure: Annotated[
        bool, typer.Option("--secure", help="Trino with TLS, passwords and access control by role. MESH_SECURE=1")
    ] = False,
) -> None:
    """Start the embedded stack and wait until every engine did real work."""
    from wms_mesh import doctor
    from wms_mesh.monitoring import tools

    stack = Stack.from_env()
    stack = replace(stack, monitoring=stack.monitoring or monitoring, secure=stack.secure or secure)
    doctor.require(stack)
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        now = lifecycle.up(stack, engines or [], lambda status: live.update(views.waiting(status)))
    console.print(views.status_table(now))
    if stack.monitoring and not tools.find("prometheus"):
        console.print(f"The engines serve metrics, and nobody reads them. {tools.MISSING}")
    if stack.secure:
        console.print(
            f"Trino asks who you are: [b]./mesh sql --user analyst[/b]; the passwords are in {stack.home / 'secrets'}."
        )
    console.print(
        "Next: [b]./mesh simulate[/b] writes a working day, [b]./mesh sql[/b] asks questions, [b]./mesh down[/b] stops."
    )


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="Print JSON to standard output.")] = False) -> None:
    """Show every engine: state, process, port, memory, restarts, and what the connector and the job do."""
    now = lifecycle.status(Stack.from_env())
    if as_json:
        print(json.dumps(now.as_json(), indent=2, default=str))
    else:
        Console().print(views.status_table(now))
    if not now.ready:
        raise typer.Exit(1)


@app.command()
def logs(
    engine: Annotated[str, typer.Argument(help="An engine of `./mesh status`, or `supervisor`.")],
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many lines from the end.")] = 100,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep printing what is added.")] = False,
) -> None:
    """Print an engine's log."""
    folder = Stack.from_env().home / "logs"
    path = folder / f"{engine}.log"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.log"))) or "none yet: `./mesh up` first"
        raise MeshError(f"There is no log of '{engine}'. There is one of: {known}.")
    raise typer.Exit(subprocess.call(["tail", f"-n{lines}", *(["-F"] if follow else []), str(path)]))


@app.command()
def down(
    purge: Annotated[
        bool, typer.Option("--purge", help="Then remove all data, logs and secrets of this stack.")
    ] = False,
) -> None:
    """Stop everything in order. The data stays, unless --purge."""
    stack = Stack.from_env()
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        ran = lifecycle.down(stack, lambda now: live.update(views.stopping(now)))
    console.print("Stopped." if ran else "Nothing was running.")
    if purge:
        lifecycle.purge(stack)
        console.print(
            f"Removed {stack.home}. Downloads stay in {stack.cache}; remove that folder to be rid of them, too."
        )
    elif ran:
        console.print("The data is kept: [b]./mesh up[/b] goes on where it stopped.")


@app.command()
def doctor() -> None:
    """Check beforehand all that `up` needs: Python, Java, ports, disk, memory."""
    from wms_mesh import doctor as checks

    findings = checks.diagnose(Stack.from_env())
    Console().print(checks.table(findings))
    if any(finding.state is checks.State.FAIL for finding in findings):
        raise typer.Exit(1)


@app.command()
def sql(
    command: Annotated[
        str | None, typer.Option("--command", "-c", help="One or more statements, separated by ';'.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", exists=True, dir_okay=False, help="Statements in a file.")
    ] = None,
    output: Annotated[str, typer.Option("--format", help="table, csv or json (a line per row).")] = "table",
    user: Annotated[
        str | None, typer.Option("--user", help="On a secure stack: engineer, quality, product_owner or analyst.")
    ] = None,
) -> None:
    """Ask Trino; without -c or -f, a prompt."""
    from wms_mesh import sql as client

    text = command if command is not None else file.read_text(encoding="utf-8") if file else None
    if text is None and not sys.stdin.isatty():
        text = sys.stdin.read()
    client.run(Stack.from_env(), text, client.Format(output), user)


app.command("simulate")(simulator.command)
app.command("slo")(slo.command)
app.command("quality")(quality.command)
app.command("contracts")(contracts.command)
app.command("report")(report.command)
app.add_typer(benchmarks.app, name="bench")
app.add_typer(quarantine.app, name="quarantine")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def refresh(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="One `dbt build`, then exit with its code.")] = False,
    target: Annotated[str, typer.Option(envvar="DBT_TARGET", help="dbt's target: embedded, ci or prod.")] = "embedded",
) -> None:
    """Keep every data product within its freshness, until Ctrl-C or SIGTERM; `up` runs one of these for its stack.

    With --once, build what is new and end; further options go to dbt (`--select orders_current`, `--full-refresh`). It
    takes turns with the running refresher.

    /healthz, /livez and /metrics answer on MESH_REFRESHER_HOST (127.0.0.1) at the port that is printed. Data tests of a
    product run every MESH_REFRESHER_TEST_MINUTES (15).

    --target prod needs no embedded stack: the variables that profiles/profiles.yml names (MESH_TRINO_HOST,
    MESH_TRINO_USER, MESH_TRINO_PASSWORD or MESH_TRINO_JWT, ...), and MESH_HOME, a folder for locks and dbt's artifacts.
    """
    from wms_mesh import transform

    stack = Stack.from_env()
    if once:
        raise typer.Exit(transform.build(stack, context.args, target))
    if context.args:
        raise MeshError(f"'{' '.join(context.args)}' is an option for dbt: give it together with --once.")
    from wms_mesh.refresher import process

    process.run(stack, target)


Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command()
def resnapshot(
    collection: Annotated[str, typer.Argument(help="A captured collection, e.g. orders.")],
    filter_: Annotated[
        str | None,
        typer.Option("--filter", help='Only these documents, as MongoDB\'s own JSON: \'{"status": "picking"}\'.'),
    ] = None,
    yes: Yes = False,
) -> None:
    """Read a collection's documents again while changes go on: mends silver where a change was lost on its way.

    Nothing newer is taken back. A document that is not in MongoDB any more is not found: that is `./mesh recapture`.
    """
    from wms_mesh.repair import resnapshot as repair

    stack = Stack.from_env()
    request = repair.plan(stack, collection, filter_)
    _agree(yes, f"Read {request.matching:,} documents of {request.namespace} again?")
    with console.status("Waiting for the connector") as shown:
        outcome = repair.run(stack, request, lambda text: shown.update(f"Reading {request.namespace}: {text}"))
    print(f"{outcome.documents:,} documents read, {outcome.records:,} snapshot records in {request.collection.topic}")
    if outcome.documents > outcome.records:
        console.print(f"{outcome.documents - outcome.records:,} changed meanwhile and came as changes.")
    console.print("Next: the refresher takes them in within its cadence, [b]./mesh refresh --once[/b] now.")


@app.command()
def recapture(yes: Yes = False) -> None:
    """Go on after the connector's place in MongoDB's oplog is lost; `./mesh status` says when that is so.

    Forgets the place, takes every document again, and finds those that were deleted meanwhile: their deletes never
    come, so records are written that mark them as deleted, with source.snapshot 'vanished'.
    """
    from wms_mesh.repair import recapture as repair
    from wms_mesh.repair import vanished

    stack = Stack.from_env()
    _agree(yes, "Forget where the connector is, and read every document of every captured collection again?")
    with console.status("Stopping the connector") as shown:
        outcome = repair.run(stack, lambda text: shown.update(f"Recapture: {text}"))
    print(f"{outcome.records:,} documents captured again")
    for one in outcome.vanished:
        print(
            f"{one.collection.name}: {len(one.ids):,} of {one.alive:,} are not in MongoDB any more, e.g. {one.ids[0]}"
        )
    suspicious = [one for one in outcome.vanished if len(one.ids) > one.alive / 2]
    if suspicious and yes:
        raise MeshError(
            f"More than half of {', '.join(one.collection.name for one in suspicious)} would be marked as deleted: when"
            " that is right, run it again without --yes and say so."
        )
    if outcome.vanished:
        _agree(yes, "Mark them as deleted?")
        print(f"{vanished.mark(stack, outcome.vanished):,} documents marked as deleted")
    console.print("Next: the refresher takes them in within its cadence, [b]./mesh refresh --once[/b] now.")


@app.command()
def rebuild(
    model: Annotated[str, typer.Argument(help="A silver or gold model, e.g. orders_current.")], yes: Yes = False
) -> None:
    """Build a model's table anew from its sources and swap in what differs; readers keep the old rows until then."""
    from wms_mesh.repair import rebuild as repair

    stack = Stack.from_env()
    with console.status("dbt reads the project"):
        table = repair.table(stack, model)
    _agree(yes, f"Compute all of {table} again?")
    with console.status(f"Building {table} beside the one that readers see"):
        outcome = repair.run(stack, model, table)
    print(f"{table}: {outcome.before:,} rows before, {outcome.after:,} after, {outcome.differing:,} differed")
    console.print(
        "Tables that follow it compute what changed in their next run: [b]./mesh refresh --once[/b] does it now."
    )


def _agree(is_agreed: bool, question: str) -> None:
    if not is_agreed:
        typer.confirm(question, abort=True)


@app.command()
def ledger(
    topics: Annotated[list[str] | None, typer.Argument(help="Only these topics.", show_default="all")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON to standard output.")] = False,
) -> None:
    """Account for every Kafka offset: in bronze, in the quarantine, erased, missing or twice. Exits 1 for the last two.

    Reads gold.ingest_ledger, which the refresher keeps, and asks Kafka for its first and last offsets.
    """
    from wms_mesh.ledger import book

    pages = book.read(Stack.from_env(), topics or [])
    if as_json:
        print(json.dumps([page.as_json() for page in pages], indent=2, default=str))
    else:
        Console().print(book.table(pages))
    wrong = [sentence for page in pages for sentence in page.wrong()]
    for sentence in wrong:
        console.print(f"[red]{sentence}[/red]", highlight=False, soft_wrap=True)
    if wrong:
        raise typer.Exit(1)


@app.command()
def erase(
    customer: Annotated[str | None, typer.Option(help="A customer's id: orders, shipments, events, mentions.")] = None,
    worker: Annotated[str | None, typer.Option(help="A worker's id: document, shifts, events, mentions.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go, and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove a person's data from bronze, silver, gold and the quarantine for good, and prove it.

    Their own documents and the events about them go, and the ledger counts them as erased; where others mention
    them, a name without meaning takes the id's place. Then files are written anew and old snapshots expire: time travel
    to before ends, and a query that began before may fail. Exits 1 while something is left.
    """
    from wms_mesh.erase import command
    from wms_mesh.erase.person import Kind

    given = [(kind, text) for kind, text in ((Kind.CUSTOMER, customer), (Kind.WORKER, worker)) if text is not None]
    if len(given) != 1:
        raise MeshError("Say who: --customer ID or --worker ID.")
    [(kind, text)] = given
    raise typer.Exit(command.run(Stack.from_env(), kind, text, dry_run=dry_run, yes=yes))


@app.command()
def docs(
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Build the page, print where it is, and end.")] = False,
    port: Annotated[int | None, typer.Option(min=1, max=65535, show_default="the stack's")] = None,
) -> None:
    """Build the documentation of all tables from the running stack, and serve it until Ctrl-C.

    Beside it, under /quality/, the pages of the last `./mesh quality`.
    """
    from wms_mesh import docs as site
    from wms_mesh.quality import pages

    stack = Stack.from_env()
    with console.status("dbt reads the project and the tables (about 10 s)"):
        built = site.build(stack)
    shown = ", ".join(f"{count} {kind}{'s' if count != 1 else ''}" for kind, count in built.counts.items())
    console.print(f"{shown}; an overview, a page for each data product, lineage from source to exposure.")
    if built.missing:
        console.print(f"Not in Trino yet ([b]./mesh refresh[/b] builds them): {', '.join(built.missing)}.")
    if no_serve:
        print(built.page)
        return
    with site.serve(built.page, port or stack.port("docs"), pages.folder(stack)) as server:
        console.print("Ctrl-C ends.")
        print(f"http://{LOOPBACK}:{server.server_port}", flush=True)
        if (pages.folder(stack) / pages.INDEX).is_file():
            console.print(f"Data quality: http://{LOOPBACK}:{server.server_port}{site.QUALITY}")
        else:
            console.print("Data quality: not checked yet, [b]./mesh quality[/b] writes its pages.")
        site.run(server)
    console.print("Stopped.")


@app.command()
def demo(
    hours: Annotated[float, typer.Option(min=0.1, help="Virtual hours of the simulated working day.")] = 8.0,
    seed: Annotated[int, typer.Option(help="Seed of the simulated warehouse.")] = 7,
) -> None:
    """The main job, from nothing to KPIs: start, simulate a working day, transform, check, report."""
    from wms_mesh import demo as story

    raise typer.Exit(story.run(Stack.from_env(), hours=hours, seed=seed))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def test(
    context: typer.Context,
    suite: Annotated[
        str | None, typer.Argument(help="lint, unit, infra, stack or chaos.", show_default="all but chaos")
    ] = None,
) -> None:
    """Run the tests on an isolated stack; further options go to pytest."""
    from wms_mesh import testing

    raise typer.Exit(testing.run(suite, context.args))


def main() -> None:
    """Entry point: a MeshError is one sentence on standard error, never a traceback."""
    try:
        app(prog_name="./mesh")
    except MeshError as error:
        console.print(f"[red]{error}[/red]", highlight=False, soft_wrap=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)


if __name__ == "__main__":
    main()
