-- An order that two open waves want is picked twice. A warning: an order that goes back to pending_retry stays in its old wave's list.
{{ config(severity='warn') }}

with members as (

    select
        member.order_id,
        waves.wave_id
    from {{ ref('waves_current') }} as waves
    cross join unnest(transform(waves.orders, member -> member.order_id)) as member (order_id)
    where not waves.is_deleted and waves.status not in ('completed', 'cancelled')

),

final as (

    select
        order_id,
        array_sort(array_agg(distinct wave_id)) as waves
    from members
    group by order_id
    having count(distinct wave_id) > 1

)

select * from final
