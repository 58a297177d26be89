-- A service has begun to write a field that no column takes: silver keeps it in extra_fields, and this is the first day's notice.
{{ config(severity='warn') }}

with final as (

    select
        table_name,
        field,
        documents,
        first_seen,
        example_document_id,
        example_value
    from {{ ref('unknown_fields') }}

)

select * from final
