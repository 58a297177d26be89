"""Great Expectations over Trino: a checkpoint of one product and its data docs. No other module knows the library.

Rows are counted first without values, one query for all expectations of a batch; only what fails is asked for its rows.
Asking each expectation at once for its values, as the library does by default, is three queries for each of them.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

# Read when the library is imported: it reports to nobody.
os.environ["GX_ANALYTICS_ENABLED"] = "false"
warnings.filterwarnings("ignore", module="great_expectations")

import great_expectations as gx  # noqa: E402
import sqlalchemy as sa  # noqa: E402
from great_expectations.core.run_identifier import RunIdentifier  # noqa: E402
from great_expectations.data_context.types.base import (  # noqa: E402
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)
from great_expectations.exceptions import GreatExpectationsError  # noqa: E402
from great_expectations.execution_engine import SqlAlchemyExecutionEngine  # noqa: E402
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration  # noqa: E402
from great_expectations.expectations.metrics.metric_provider import metric_value  # noqa: E402
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider  # noqa: E402

from wms_mesh.errors import MeshError  # noqa: E402
from wms_mesh.quality.parts import Found, Part  # noqa: E402
from wms_mesh.quality.suites import Expectation, Suite  # noqa: E402

log = logging.getLogger("great_expectations")
log.setLevel(logging.ERROR)  # it warns of every query that is no table


VALUES = 5  # different ones of failing rows that are kept


class ColumnsOfAQuery(TableMetricProvider):  # type: ignore[misc]
    """The columns of a batch, from Trino's own description of its query.

    The library looks for them in information_schema, under the name of a table: a query has none.
    """

    metric_name = "table.column_types"
    value_keys = ("include_nested",)

    @metric_value(engine=SqlAlchemyExecutionEngine)  # type: ignore[untyped-decorator]
    def _sqlalchemy(
        cls,  # noqa: N805 - the library's manner
        execution_engine: SqlAlchemyExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        **_: object,
    ) -> list[dict[str, Any]]:
        rows = execution_engine.get_domain_records({"batch_id": metric_domain_kwargs.get("batch_id")})
        described = execution_engine.execute_query(sa.select(sa.text("*")).select_from(rows).limit(0))
        return [{"name": name} for name in described.keys()]  # noqa: SIM118 - a result iterates over its rows


def check(
    engine: Mapping[str, Any],
    suite: Suite,
    parts: Sequence[Part],
    run_id: str,
    run_at: datetime,
    docs: Path,
    keys: int,
) -> dict[str, Found]:
    """Run a product's checkpoint; returns what was found by the id of the expectation.

    engine: SQLAlchemy's, of Trino, as ``sql.alchemy`` tells it. docs: folder for the data docs. keys: how many failing
    rows are named.
    Raises MeshError when the library refuses an expectation, which it would leave out without a word.
    """
    context = _context(docs)
    source = context.data_sources.add_sql(name="trino", create_temp_table=False, **engine)
    definitions = {}
    for part in parts:
        rows = source.add_query_asset(name=part.name, query=part.rows).add_batch_definition_whole_table("rows")
        known = context.suites.add(_suite(suite, part))
        definitions[known.name] = context.validation_definitions.add(
            gx.ValidationDefinition(name=known.name, data=rows, suite=known)
        )
    checkpoint = context.checkpoints.add(
        gx.Checkpoint(
            name=suite.checkpoint, validation_definitions=list(definitions.values()), result_format="BOOLEAN_ONLY"
        )
    )
    outcome = checkpoint.run(run_id=RunIdentifier(run_name=run_id, run_time=run_at))

    found: dict[str, Found] = {}
    by_name = {_name(suite, part): part for part in parts}
    for identifier, results in outcome.run_results.items():
        part = by_name[results.suite_name]
        _explain(definitions[results.suite_name], part, results, keys)
        context.validation_results_store.set(identifier, results)
        found.update({_id(result): _found(part, result) for result in results.results})
    context.build_data_docs()
    return found


def _context(docs: Path) -> Any:
    """A project of the library that lives as long as this run, and writes only the pages."""
    site = {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(docs)},
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
    }
    return gx.get_context(
        project_config=DataContextConfig(
            store_backend_defaults=InMemoryStoreBackendDefaults(),
            analytics_enabled=False,
            progress_bars=ProgressBarsConfig(globally=False),
            data_docs_sites={"site": site},
        ),
        mode="ephemeral",
    )


def _explain(definition: Any, part: Part, results: Any, keys: int) -> None:
    """Look again at what failed, for its rows."""
    results.results = [
        _explained(definition, part, result, keys) if _needs_rows(part, result) else result
        for result in results.results
    ]
    succeeded = sum(bool(result.success) for result in results.results)
    results.success = succeeded == len(results.results)
    results.statistics.update(
        successful_expectations=succeeded,
        unsuccessful_expectations=len(results.results) - succeeded,
        success_percent=100 * succeeded / len(results.results),
    )


def _name(suite: Suite, part: Part) -> str:
    return f"{suite.name}.{part.name}"


def _suite(suite: Suite, part: Part) -> Any:
    return gx.ExpectationSuite(name=_name(suite, part), expectations=[_expectation(one) for one in part.expectations])


def _expectation(one: Expectation) -> Any:
    configuration = ExpectationConfiguration(
        type=one.type, kwargs=one.kwargs, severity=one.severity, notes=one.why, meta={"expectation_id": one.id}
    )
    try:
        return configuration.to_domain_obj()
    except (GreatExpectationsError, ValueError) as error:
        raise MeshError(f"Great Expectations refuses {one.id}: mend it in quality/expectations. {error}") from error


def _id(one: Any) -> str:
    """Of a result, or of a configuration."""
    meta: Mapping[str, Any] = getattr(one, "expectation_config", one).meta
    return str(meta["expectation_id"])


def _needs_rows(part: Part, result: Any) -> bool:
    return not result.success or _of(part, result).is_lenient


def _of(part: Part, result: Any) -> Expectation:
    return next(one for one in part.expectations if one.id == _id(result))


def _explained(definition: Any, part: Part, result: Any, keys: int) -> Any:
    """The same expectation once more, with the rows that fail. They may be mended meanwhile: this result counts."""
    if _error(result):
        return result
    configuration = result.expectation_config
    expectation = ExpectationConfiguration(
        type=configuration.type,
        kwargs={key: value for key, value in configuration.kwargs.items() if key != "batch_id"},
        meta=configuration.meta,
        notes=configuration.notes,
        severity=configuration.severity,
    ).to_domain_obj()
    result_format = {
        "result_format": "COMPLETE",
        "unexpected_index_column_names": list(part.key),
        "partial_unexpected_count": keys,
        "return_unexpected_index_query": False,
        "exclude_unexpected_values": _of(part, result).is_personal,
    }
    return definition.data.get_batch().validate(expectation, result_format=result_format)


def _found(part: Part, result: Any) -> Found:
    seen: Mapping[str, Any] = result.result or {}
    # Of several columns together the library tells the values, not the rows.
    rows = seen.get("unexpected_index_list") or [
        value for value in seen.get("partial_unexpected_list") or [] if isinstance(value, Mapping)
    ]
    named = dict.fromkeys(key for row in rows if {*part.key} <= {*row} for key in _keys(row, part.key))
    values = list(dict.fromkeys(str(value) for value in seen.get("partial_unexpected_list") or []))
    return Found(
        is_success=bool(result.success),
        evaluated=seen.get("element_count"),
        failed=int(seen.get("unexpected_count") or 0),
        keys=list(named),
        value=seen.get("observed_value", values[:VALUES] or None),
        error=_error(result),
    )


def _keys(row: Mapping[str, Any], key: Sequence[str]) -> list[str]:
    """Of a failing row; of all of them at once, a list in each column, where an expectation is for some rows only."""
    columns = [row[name] if isinstance(row[name], list) else [row[name]] for name in key]
    return ["/".join(map(str, values)) for values in zip(*columns, strict=True)]


def _error(result: Any) -> str:
    """Why the library could not check an expectation; empty when it could."""
    info: Mapping[str, Any] = result.exception_info or {}
    entries = [info] if "raised_exception" in info else [entry for entry in info.values() if isinstance(entry, Mapping)]
    return next((str(entry["exception_message"]) for entry in entries if entry.get("raised_exception")), "")
