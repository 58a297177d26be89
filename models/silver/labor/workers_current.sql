{{ config(materialized='view', group='labor', contract={'enforced': false}, persist_docs={}) }}
select worker_id, employee_id, name, transform(skills, s -> cast(row(s.type, s.level, s.certified_at) as row(skill_type varchar, level bigint, certified_at timestamp(6) with time zone))) as skills,
 current_zone, current_task_id, status, shift_type, shift_started_at, 1e0 as avg_tasks_per_hour, 1e0 as avg_items_per_hour, 1e0 as accuracy_rate, updated_at, is_deleted, processing_time, document_id
from {{ ref('worker_documents') }}
