{#
    One macro per BSON type, all of the same shape: from a JSON value of Debezium's legacy strict extended JSON to a
    Trino value. Absent, null and unreadable are NULL; cdc_unreadable() tells the last from the others.
    `value` is an SQL expression of type json, or a place inside of one as cdc_json_at() gives it: {json, path}.
#}

{# Zero of Go's time.Time, year 1: the services store it for "not set". #}
{% macro cdc_zero_time() -%} -62135596800000 {%- endmacro %}

{# No parse failures, in the type of the column. #}
{% macro cdc_empty_list() -%} cast(array[] as array(row(path varchar, value varchar))) {%- endmacro %}


{# The document that a record shows, as JSON text. A delete shows it as it was before, when the collection keeps pre-images. #}
{% macro cdc_image() -%}
    if(op = 'd', json_extract_scalar(envelope, '$.before'), json_extract_scalar(envelope, '$.after'))
{%- endmacro %}


{# NaN and Infinity stand bare in Debezium's JSON: they are quoted, outside of strings, in the few texts that have the words. #}
{% macro cdc_readable(image) -%}
    if(
        strpos({{ image }}, 'NaN') > 0 or strpos({{ image }}, 'Infinity') > 0,
        regexp_replace(
            {{ image }}, '("(?:[^"\\]|\\.)*")|(-?(?:NaN|Infinity))', part -> coalesce(part[1], '"' || part[2] || '"')
        ),
        {{ image }}
    )
{%- endmacro %}


{# A name for a value that an expression needs several times, so that Trino plans and computes it once. #}
{% macro cdc_bind(value, name) -%}
    transform(array[{{ value }}], {{ name }} -> {{ caller() }})[1]
{%- endmacro %}


{# string: numbers and booleans as their text, an ObjectId as its 24 letters; an object is no text. #}
{% macro cdc_string(value) -%}
    coalesce(
        {{ cdc_scalar(value) }},
        {{ cdc_scalar(value, '$oid') }},
        {{ cdc_scalar(value, '$numberLong') }},
        {{ cdc_scalar(value, '$numberDecimal') }}
    )
{%- endmacro %}


{# The text of a number in any of its spellings: 7, {"$numberLong": "7"}, {"$numberDecimal": "7.00"}. #}
{% macro cdc_number_text(value) -%}
    coalesce(
        {{ cdc_scalar(value) }},
        {{ cdc_scalar(value, '$numberLong') }},
        {{ cdc_scalar(value, '$numberDecimal') }},
        {{ cdc_scalar(value, '$numberInt') }},
        {{ cdc_scalar(value, '$numberDouble') }}
    )
{%- endmacro %}


{# int32 and int64 (a Go int is stored as either). 2.0 is 2; 2.75 is unreadable, never 2 or 3. #}
{% macro cdc_bigint(value) -%}
    {%- call cdc_bind(cdc_number_text(value), 'x') -%}
        coalesce(
            try_cast(x as bigint),
            if(try_cast(x as double) = floor(try_cast(x as double)), try_cast(try_cast(x as double) as bigint))
        )
    {%- endcall -%}
{%- endmacro %}


{# double. NaN and the infinities are no measure: one of them would make every sum above it NaN. #}
{% macro cdc_double(value) -%}
    {%- call cdc_bind("try_cast(" ~ cdc_number_text(value) ~ " as double)", 'x') -%} if(is_finite(x), x) {%- endcall -%}
{%- endmacro %}


{# Decimal128, and money in any spelling, without a detour over double. #}
{% macro cdc_decimal(value, type) -%}
    try_cast({{ cdc_number_text(value) }} as {{ type }})
{%- endmacro %}


{# bool #}
{% macro cdc_boolean(value) -%}
    case {{ cdc_scalar(value) }} when 'true' then true when 'false' then false end
{%- endmacro %}


{#
    date, in UTC: {"$date": 1767323045678} in milliseconds (negative before 1970) or {"$date": {"$numberLong": "..."}}, and
    {"$date": "2026-05-06T00:00:00Z"} or a bare ISO text. Zero time is NULL; only years 1 to 9999 exist.
#}
{% macro cdc_timestamp(value) -%}
    coalesce(
        {% call cdc_bind(
            "try_cast(coalesce(" ~ cdc_scalar(value, '$date') ~ ", " ~ cdc_scalar(value, '$date', '$numberLong') ~ ") as bigint)", 'x'
        ) -%}
            if(
                x > {{ cdc_zero_time() }} and x < 253402300800000,
                timestamp '1970-01-01 00:00:00.000000 UTC' + interval '0.001' second * x
            )
        {%- endcall %},
        {% call cdc_bind("coalesce(" ~ cdc_scalar(value, '$date') ~ ", " ~ cdc_scalar(value) ~ ")", 'x') -%}
            if(
                regexp_like(x, '^\d{4}-\d\d-\d\d(T|$)'),
                try(cast(from_iso8601_timestamp(x) at time zone 'UTC' as timestamp(6) with time zone))
            )
        {%- endcall %}
    )
{%- endmacro %}


{# Any value, kept as JSON text. #}
{% macro cdc_json(value) -%}
    nullif(json_format({{ cdc_part(value) }}), 'null')
{%- endmacro %}


{# The fields of an object as a map of JSON values; NULL for anything else. #}
{% macro cdc_fields(value) -%}
    try_cast({{ cdc_part(value) }} as map(varchar, json))
{%- endmacro %}


{# Of such a map the fields that are not named, as one JSON object; NULL when there are none. #}
{% macro cdc_other_fields(fields, names) -%}
    {%- set others = "map_filter(" ~ fields ~ ", (name, field) -> name not in ('" ~ names | join("', '") ~ "'))" -%}
    if(cardinality({{ others }}) > 0, json_format(cast({{ others }} as json)))
{%- endmacro %}


{# An embedded document; its fields are named as in the type. #}
{% macro cdc_row(value, type) -%}
    cast(row(
        {%- for name, field_type in cdc_row_fields(type) %}
        {{ cdc_decode(cdc_json_at(value, [name]), field_type) }}{{ ',' if not loop.last }}
        {%- endfor %}
    ) as {{ type }})
{%- endmacro %}


{# The value at a JSON expression as a Trino type; `depth` keeps the variables of nested arrays apart. #}
{% macro cdc_decode(value, type, depth=0) -%}
    {%- if type == 'varchar' -%} {{ cdc_string(value) }}
    {%- elif type == 'json' -%} {{ cdc_json(value) }}
    {%- elif type == 'bigint' -%} {{ cdc_bigint(value) }}
    {%- elif type == 'double' -%} {{ cdc_double(value) }}
    {%- elif type == 'boolean' -%} {{ cdc_boolean(value) }}
    {%- elif type.startswith('decimal(') -%} {{ cdc_decimal(value, type) }}
    {%- elif type == 'timestamp(6) with time zone' -%} {{ cdc_timestamp(value) }}
    {%- elif type.startswith('row(') -%}
        if({{ cdc_fields(value) }} is not null, {{ cdc_row(value, type) }})
    {%- elif type.startswith('array(row(') -%}
        {%- set item = 'item_' ~ depth -%}
        transform(try_cast({{ cdc_part(value) }} as array(json)), {{ item }} -> {{ cdc_row(item, type[6:-1]) }})
    {%- elif type.startswith('array(') -%}
        {%- set item = 'item_' ~ depth -%}
        transform(try_cast({{ cdc_part(value) }} as array(json)), {{ item }} -> {{ cdc_decode(item, type[6:-1], depth + 1) }})
    {%- else -%}
        {{ exceptions.raise_compiler_error("No decoder for type '" ~ type ~ "': macros/cdc/decode.sql lists what there is.") }}
    {%- endif -%}
{%- endmacro %}


{#
    What stands at a place and cannot be read as its type: an array of (path, JSON text clipped to 200 letters), empty when
    all is well. A letter in the quantity of a line gives ('items[].quantity', '"twelve"').
    fields: [[place, type, path, SQL of the decoded value]], type text for a place that is no JSON. The value is decoded already, and decoding it again to see
    whether it failed would double the time that Trino plans.
#}
{% macro cdc_unreadable(fields) -%}
    transform(
        filter({{ cdc_candidates(fields) }}, candidate -> candidate.value <> 'null'),
        candidate -> cast(row(candidate.path, substr(candidate.value, 1, 200)) as row(path varchar, value varchar))
    )
{%- endmacro %}


{# (path, JSON text) of every value that was decoded to NULL; the text is NULL where nothing stands, or what means nothing. #}
{% macro cdc_candidates(fields, depth=0) -%}
    {%- set found = namespace(values=[], lists=[], pending=fields) -%}
    {%- for _ in range(9) if found.pending -%}
        {%- set inner = [] -%}
        {%- for value, type, path, decoded in found.pending if type != 'json' -%}
            {%- set result = decoded -%}
            {%- set text = value if type == 'text' else "json_format(" ~ cdc_part(value) ~ ")" -%}
            {%- if type == 'timestamp(6) with time zone' -%}
                {%- set text = "nullif(" ~ text ~ ", '{\"$date\":" ~ cdc_zero_time() | trim ~ "}')" -%}
            {%- elif type.startswith('row(') -%}
                {#- The decoded row is one of NULLs when something else stands there. -#}
                {%- set result = cdc_fields(value) -%}
            {%- endif -%}
            {%- do found.values.append("row('" ~ path ~ "', if(" ~ result ~ " is null, " ~ text ~ "))") -%}
            {%- if type.startswith('row(') -%}
                {%- for name, field_type in cdc_row_fields(type) -%}
                    {%- do inner.append([cdc_json_at(value, [name]), field_type, path ~ '.' ~ name, decoded ~ '.' ~ name]) -%}
                {%- endfor -%}
            {%- elif type.startswith('array(') -%}
                {%- set item = 'item_' ~ depth -%}
                {%- set candidates = cdc_candidates([[item, type[6:-1], path ~ '[]', 'decoded_' ~ item]], depth + 1) -%}
                {%- do found.lists.append(
                    "flatten(zip_with(coalesce(try_cast(" ~ cdc_part(value) ~ " as array(json)), array[]), coalesce(" ~ decoded
                    ~ ", array[]), (" ~ item ~ ", decoded_" ~ item ~ ") -> " ~ candidates ~ "))"
                ) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- set found.pending = inner -%}
    {%- endfor -%}
    concat(
        cast(array[{{ found.values | join(', ') }}] as array(row(path varchar, value varchar))),
        {{ (found.lists or [cdc_empty_list()]) | join(', ') }}
    )
{%- endmacro %}
