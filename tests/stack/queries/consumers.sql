-- List available schemas
SHOW SCHEMAS FROM iceberg;

-- View order fulfillment metrics
SELECT
    date,
    priority,
    total_orders,
    completed_orders,
    completion_rate,
    avg_fulfillment_time_hours
FROM iceberg.gold.order_fulfillment_daily
WHERE date >= CURRENT_DATE - INTERVAL '7' DAY
ORDER BY date DESC;

-- Cross-domain query: Orders with inventory and shipping
SELECT
    o.order_id,
    o.customer_id,
    o.priority,
    o.status,
    s.tracking_number,
    s.carrier_code,
    s.shipped_at
FROM iceberg.silver.orders_current o
LEFT JOIN iceberg.silver.shipments_current s ON o.order_id = s.order_id
WHERE o.created_at >= CURRENT_DATE - INTERVAL '1' DAY
LIMIT 100;

-- Real-time operational metrics
SELECT * FROM iceberg.gold.active_operations_snapshot
ORDER BY snapshot_time DESC
LIMIT 1;

-- Query operational MongoDB directly
SELECT order_id, status, priority
FROM mongodb.wms.orders
WHERE status = 'picking'
LIMIT 10;

-- Query Kafka events
SELECT
    _message,
    _timestamp
FROM kafka.default."wms.orders.events"
LIMIT 10;

-- Connectivity checks of the troubleshooting pages
SELECT * FROM system.runtime.nodes;
SHOW SCHEMAS FROM iceberg;
