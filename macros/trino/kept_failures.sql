{#
    A data test, counted first: only when rows fail does a table keep them, iceberg.test_failures.<name of the test>, until the
    test passes again. dbt's own way drops and makes a table for each test of each run, the passed ones included: three
    statements and a commit in place of one query.
#}
{% materialization test, adapter='trino' -%}
    {%- set failing = get_limit_subquery_sql(sql, config.get('limit')) -%}
    {%- set relations = [] -%}

    {%- call statement('main', fetch_result=True) -%}
        {{ get_test_sql(failing, config.get('fail_calc'), config.get('warn_if'), config.get('error_if'), limit=none) }}
    {%- endcall -%}

    {%- if should_store_failures() -%}
        {%- set kept = api.Relation.create(database=database, schema=schema, identifier=model.alias, type='table') -%}
        {%- if adapter.get_relation(database=database, schema=schema, identifier=model.alias) -%}
            {%- do adapter.drop_relation(kept) -%}
        {%- endif -%}
        {%- if (load_result('main').table.rows[0]['failures'] or 0) | int > 0 -%}
            {%- call statement('keep') -%}
                {{ get_create_sql(kept, failing) }}
            {%- endcall -%}
            {%- do relations.append(kept) -%}
        {%- endif -%}
    {%- endif -%}

    {{ return({'relations': relations}) }}
{%- endmaterialization %}
