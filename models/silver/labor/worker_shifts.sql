{{ config(materialized='current_state', group='labor', key=['document_id', 'started_at'], partition='shift_day') }}

{{ cdc_current_state(
    source('bronze', 'workers_raw'),
    [
        ['worker_id', 'varchar'],
        ['shift_id', 'varchar', 'current_shift.shift_id'],
        ['shift_type', 'varchar', 'current_shift.shift_type'],
        ['zone', 'varchar', 'current_shift.zone'],
        ['ended_at', 'timestamp(6) with time zone', 'current_shift.end_time'],
    ],
    per={'name': 'started_at', 'value': cdc_timestamp(cdc_json_at('document', ['current_shift', 'start_time']))},
    day={'name': 'shift_day', 'value': utc_day('started_at')},
) }}
