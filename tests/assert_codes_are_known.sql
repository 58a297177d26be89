-- Codes that the services do not check themselves are among those that their code names. An empty one is not chosen yet.
{{ config(severity='warn') }}
{%- set priorities = ['same_day', 'next_day', 'standard'] %}
{%- set packages = ['box', 'envelope', 'bag', 'padded_envelope', 'custom'] %}
{%- set shifts = ['morning', 'afternoon', 'night'] %}
{%- set codes = [
    ['waves_current', 'wave_type', [
        'digital', 'wholesale', 'priority', 'mixed', 'hazmat', 'cold_chain', 'high_value', 'fragile', 'specialized', 'standard',
    ]],
    ['waves_current', 'fulfillment_mode', ['wave', 'waveless', 'hybrid']],
    ['waves_current', 'orders.priority', priorities],
    ['inventory_current', 'velocity_class', ['A', 'B', 'C']],
    ['inventory_current', 'storage_strategy', ['chaotic', 'directed', 'velocity']],
    ['pick_tasks_current', 'exceptions.reason', ['item_not_found', 'damaged', 'quantity_mismatch']],
    ['pack_tasks_current', 'package_type', packages],
    ['pack_tasks_current', 'suggested_package_type', packages],
    ['worker_documents', 'shift_type', shifts],
    ['worker_documents', 'skills.type', ['picking', 'packing', 'receiving', 'consolidation', 'replenishment', 'walling']],
] %}

with found as (

    {{ unknown_codes(codes) }}
    union all
    select
        'shipments_current.carrier_code' as code_of,
        shipments.carrier_code as code,
        shipments.document_id
    from {{ ref('shipments_current') }} as shipments
    left join {{ ref('carriers') }} as carriers on shipments.carrier_code = carriers.carrier_code
    where shipments.carrier_code <> '' and carriers.carrier_code is null

),

final as (

    select
        code_of,
        code,
        count(*) as documents,
        min(document_id) as example_document_id
    from found
    group by code_of, code

)

select * from final
