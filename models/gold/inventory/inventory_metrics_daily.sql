{{ config(
    materialized='daily',
    group='inventory',
    follows=['inventory_days', 'inventory_transactions'],
    grain=['date', 'sku'],
    partitioning=['month(date)'],
) }}

with levels as (

    select
        *,
        coalesce(sku, 'unknown') as known_sku
    from {{ ref('inventory_days') }}
    where {{ touched('inventory_day', 'on_days') }}

),

-- An article that was deleted and came back has two documents: the day begins with the earlier one and ends with the later.
stock as (

    select
        levels.inventory_day,
        levels.known_sku,
        min_by(
            levels.opening_quantity, row({{ cdc_position('levels.opening_source') }}, levels.document_id)
        ) as starting_quantity,
        max_by(
            row(
                levels.product_name, levels.total_quantity, levels.reserved_quantity, levels.hard_allocated_quantity,
                levels.available_quantity, levels.reorder_point
            ),
            row({{ cdc_position('levels') }}, levels.document_id)
        ) as closing
    from levels
    group by levels.inventory_day, levels.known_sku

),

movements as (

    select
        transaction_day,
        coalesce(sku, 'unknown') as known_sku,
        coalesce(sum(quantity) filter (where type = 'receive'), 0) as received,
        coalesce(-sum(quantity) filter (where type = 'pick'), 0) as picked,
        coalesce(-sum(quantity) filter (where type = 'ship'), 0) as shipped,
        coalesce(sum(quantity) filter (where type in ('adjust', 'shortage')), 0) as adjusted,
        coalesce(-sum(quantity) filter (where type = 'shortage'), 0) as short,
        coalesce(sum(quantity) filter (where type = 'return_to_shelf'), 0) as returned
    from {{ ref('inventory_transactions') }}
    -- A movement without a readable moment has no day.
    where created_at is not null and {{ touched('transaction_day', 'on_days', back=29) }}
    group by transaction_day, coalesce(sku, 'unknown')

),

joined as (

    select
        stock.starting_quantity,
        stock.closing,
        coalesce(stock.inventory_day, movements.transaction_day) as metrics_day,
        coalesce(stock.known_sku, movements.known_sku) as sku,
        coalesce(movements.received, 0) as received,
        coalesce(movements.picked, 0) as picked,
        coalesce(movements.shipped, 0) as shipped,
        coalesce(movements.adjusted, 0) as adjusted,
        coalesce(movements.short, 0) as short,
        coalesce(movements.returned, 0) as returned
    from stock
    full outer join movements on stock.inventory_day = movements.transaction_day and stock.known_sku = movements.known_sku

),

with_month as (

    select
        *,
        sum(picked) over (
            partition by sku order by metrics_day range between interval '29' day preceding and current row
        ) as picked_30_days
    from joined

),

final as (

    select
        -- The consumers' queries call it so.
        metrics_day as date,  -- noqa: RF04
        sku,
        starting_quantity,
        received as quantity_received,
        picked as quantity_picked,
        shipped as quantity_shipped,
        adjusted as quantity_adjusted,
        short as quantity_short,
        returned as quantity_returned,
        picked_30_days,
        cast(current_timestamp at time zone 'UTC' as timestamp(6) with time zone) as processing_time,
        closing[1] as product_name,
        closing[2] as ending_quantity,
        received - picked - shipped + adjusted as net_quantity,
        closing[3] as reserved_quantity,
        closing[4] as hard_allocated_quantity,
        closing[5] as available_quantity,
        closing[6] as reorder_point,
        round(if(starting_quantity + closing[2] > 0, picked * 2e0 / (starting_quantity + closing[2])), 6) as turnover_rate,
        round(if(picked_30_days > 0, closing[2] * 30e0 / picked_30_days), 6) as days_of_supply,
        closing[5] <= closing[6] as is_low_stock
    from with_month

)

select * from final
