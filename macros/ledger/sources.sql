{# The tables that together hold every record, and what becomes of a record that stands in one. tests/unit/dbt/test_tables.py holds it to the collections. #}
{% macro ledger_sources() -%}
    {{ return({
        'orders_raw': 'bronze', 'inventory_raw': 'bronze', 'waves_raw': 'bronze', 'pick_tasks_raw': 'bronze',
        'pack_tasks_raw': 'bronze', 'shipments_raw': 'bronze', 'workers_raw': 'bronze', 'domain_events_raw': 'bronze',
        'quarantine': 'quarantine', 'erased_records': 'erased',
    }) }}
{%- endmacro %}


{# Marks where the rows of earlier runs are chosen: all of them, or those of days that bronze no longer has. #}
{% macro ledger_known() -%}
    true /* counted before */
{%- endmacro %}


{# Marks where the snapshots of this run stand. #}
{% macro ledger_positions() -%}
    cast(map() as map(varchar, bigint))
{%- endmacro %}
