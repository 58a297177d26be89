{{ config(materialized='incremental', incremental_strategy='merge', unique_key='document_id') }}

{{ var('new_rows') }}
