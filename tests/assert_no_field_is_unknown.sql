-- A service has begun to write a field that no column takes: silver keeps it in extra_fields, and this is the first day's notice.
{{ config(severity='warn') }}

select * from {{ ref('unknown_fields') }}
