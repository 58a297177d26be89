-- Values that stand as NULL because they could not be read, by table and path: visible and counted, never fatal.
{{ config(severity='warn') }}

with final as (

    select
        table_name,
        path,
        count(*) as unreadable_values,
        min_by(document_id, row(document_id, value)) as example_document_id,
        min_by(value, row(document_id, value)) as example_value
    from {{ ref('parse_failures') }}
    where not is_deleted
    group by table_name, path

)

select * from final
