-- available = total - reserved - hard allocated, the locations hold the total, and nothing is negative. A warning: the service's
-- RecordShortage lowers available also when reservations absorb the loss, and a quantity can be damaged at the source.
{{ config(severity='warn') }}

with stock as (

    select
        *,
        reduce(locations, bigint '0', (total, location) -> total + location.quantity, total -> total) as quantity_in_locations
    from {{ ref('inventory_current') }}
    where not is_deleted

),

final as (

    select
        document_id,
        sku,
        total_quantity,
        reserved_quantity,
        hard_allocated_quantity,
        available_quantity,
        quantity_in_locations
    from stock
    where
        available_quantity <> total_quantity - reserved_quantity - hard_allocated_quantity
        or quantity_in_locations <> total_quantity
        or least(total_quantity, reserved_quantity, hard_allocated_quantity, available_quantity) < 0

)

select * from final
