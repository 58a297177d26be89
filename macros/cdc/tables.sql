{#
    The silver tables that are made of documents, for what looks at all of them. Kept as lists because dbt has to see a ref()
    when it parses; tests/unit/dbt/test_tables.py fails when a model is missing here.
#}
{% macro cdc_document_tables() -%}
    {{ return([
        'orders_current', 'inventory_current', 'waves_current', 'pick_tasks_current', 'pack_tasks_current', 'shipments_current',
        'worker_documents',
    ]) }}
{%- endmacro %}


{# Rows for a period of a document. #}
{% macro cdc_period_tables() -%}
    {{ return(['inventory_days', 'worker_shifts']) }}
{%- endmacro %}


{# Entries of a list inside of the documents. #}
{% macro cdc_entry_tables() -%}
    {{ return(['inventory_transactions']) }}
{%- endmacro %}
