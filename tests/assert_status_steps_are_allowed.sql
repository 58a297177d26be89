-- Every step that a document took is one that the services allow (seed status_transitions). A warning, because history can lack
-- the status between: a snapshot (op r) shows a document as it stands, and bronze keeps 90 days. Then packed follows picking
-- although the order was consolidated, and nobody did wrong.
{{ config(severity='warn') }}

with steps as (

    {{ status_steps() }}

),

allowed as (

    select * from {{ ref('status_transitions') }}

),

final as (

    select
        steps.entity,
        steps.from_status,
        steps.to_status,
        count(*) as times,
        min_by(steps.document_id, row(steps.to_at, steps.document_id)) as example_document_id,
        min(steps.to_at) as first_at
    from steps
    left join allowed
        on steps.entity = allowed.entity and steps.from_status = allowed.from_status and steps.to_status = allowed.to_status
    where allowed.entity is null
    group by steps.entity, steps.from_status, steps.to_status

)

select * from final
