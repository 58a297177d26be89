-- References that the services leave dangling: pack tasks and shipments made by a worker name a random wave, a pick task without
-- a worker names a PK- that is nobody. Worth a look, never an error.
{{ config(severity='warn') }}

with dangling as (

    {{ dangling_references([
        ['pick_tasks_current', 'wave_id', 'waves_current', 'wave_id'],
        ['pack_tasks_current', 'wave_id', 'waves_current', 'wave_id'],
        ['shipments_current', 'wave_id', 'waves_current', 'wave_id'],
        ['pick_tasks_current', 'picker_id', 'worker_documents', 'worker_id'],
        ['pack_tasks_current', 'packer_id', 'worker_documents', 'worker_id'],
        ['pick_tasks_current', 'parent_order_id', 'orders_current', 'order_id'],
        ['shipments_current', 'package_id', 'pack_tasks_current', 'package_id'],
    ]) }}

),

final as (

    select
        reference,
        target,
        count(*) as rows_with_it,
        min_by(value_without_target, document_id) as example_value,
        min(document_id) as example_document_id
    from dangling
    group by reference, target

)

select * from final
