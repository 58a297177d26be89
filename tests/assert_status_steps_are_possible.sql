-- No document goes from a status to one that its state machine (seed status_transitions) never leads to: from packed back to
-- picking. What a snapshot or a lost record hides is no false alarm, since every way of several steps counts, not only one step.
-- Left out, and shown by assert_status_steps_are_allowed: steps out of a final status (some services do not guard them) and into
-- the first one (a document that was deleted and made again begins anew).
{{ config(warn_if='> 0', error_if='> 100') }}

with steps as (

    {{ status_steps() }}

),

ways as (

    {{ reachable_statuses() }}

),

known as (

    select * from {{ ref('status_values') }}

),

final as (

    select steps.*
    from steps
    inner join known as before on steps.entity = before.entity and steps.from_status = before.status
    inner join known as after on steps.entity = after.entity and steps.to_status = after.status
    left join ways
        on steps.entity = ways.entity and steps.from_status = ways.from_status and steps.to_status = ways.to_status
    where steps.is_dated and not before.is_terminal and not after.is_initial and ways.entity is null

)

select * from final
