{# A rate lies between 0 and 1; NULL says that it could not be computed. #}
{% test is_fraction(model, column_name) %}
select {{ column_name }}
from {{ model }}
where {{ column_name }} < 0 or {{ column_name }} > 1
{% endtest %}
