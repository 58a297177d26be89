{# Every status that stands in a column is in seed status_values for the entity; the simulator writes from the same list. #}
{% test in_status_values(model, column_name, entity) %}
select {{ column_name }}, count(*) as rows_with_it
from {{ model }}
where
    {{ column_name }} is not null
    and {{ column_name }} not in (select status from {{ ref('status_values') }} where entity = '{{ entity }}')
group by {{ column_name }}
{% endtest %}
