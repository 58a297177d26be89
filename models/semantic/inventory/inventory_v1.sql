with stock as (

    select * from {{ ref('inventory_current') }}
    where not is_deleted

),

-- Days without a change have no row in gold: the latest one says how the article moves.
latest_days as (

    select
        sku,
        max(date) as metrics_date
    from {{ ref('inventory_metrics_daily') }}
    group by sku

),

metrics as (

    select daily.*
    from {{ ref('inventory_metrics_daily') }} as daily
    inner join latest_days on daily.sku = latest_days.sku and daily.date = latest_days.metrics_date

),

final as (

    select
        stock.sku,
        stock.product_name,
        stock.total_quantity,
        stock.reserved_quantity,
        stock.hard_allocated_quantity,
        stock.available_quantity,
        stock.reorder_point,
        stock.reorder_quantity,
        stock.available_quantity <= stock.reorder_point as is_low_stock,
        stock.locations,
        cardinality(stock.locations) as location_count,
        nullif(stock.velocity_class, '') as velocity_class,
        nullif(stock.storage_strategy, '') as storage_strategy,
        stock.updated_at,
        metrics.date as metrics_date,
        metrics.quantity_received,
        metrics.quantity_picked,
        metrics.quantity_shipped,
        metrics.quantity_adjusted,
        metrics.picked_30_days,
        metrics.turnover_rate,
        metrics.days_of_supply,
        stock.tenant_id,
        stock.facility_id,
        stock.warehouse_id,
        stock.seller_id,
        stock.document_id,
        {{ newest_processing_time('stock', ['metrics']) }} as processing_time
    from stock
    left join metrics on stock.sku = metrics.sku

)

select * from final
