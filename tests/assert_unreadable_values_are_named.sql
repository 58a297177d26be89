-- Exactly the values that are there and cannot be read are reported, with their path; absent, null and Go's zero time are not.
{%- set cases = [
    ['bigint', '7', ''],
    ['bigint', 'null', ''],
    ['bigint', '"twelve"', 'x="twelve"'],
    ['double', '"NaN"', 'x="NaN"'],
    ['timestamp(6) with time zone', '{"$date": -62135596800000}', ''],
    ['timestamp(6) with time zone', '"2024-02-30T25:61:00Z"', 'x="2024-02-30T25:61:00Z"'],
    ['array(row(sku varchar, quantity bigint))', '[{"sku": "A", "quantity": 1}, {"sku": "B", "quantity": "1O"}]', 'x[].quantity="1O"'],
    ['array(row(sku varchar, quantity bigint))', '"see attached note"', 'x="see attached note"'],
    ['array(row(sku varchar, quantity bigint))', '["text"]', 'x[]="text"'],
    ['array(row(sku varchar, quantity bigint))', 'null', ''],
    ['row(country varchar)', '{"country": {"code": "US"}}', 'x.country={"code":"US"}'],
    ['row(country varchar)', '[1]', 'x=[1]'],
] %}

with reported as (

    {% for type, json, expected in cases -%}
    select
        '{{ type }}' as read_as,
        '{{ json }}' as json_text,
        array_join(transform(failures, failure -> failure.path || '=' || failure.value), ';') as reported,
        '{{ expected }}' as expected
    from (
        select {{ cdc_unreadable([["json '" ~ json ~ "'", type, 'x', 'decoded']]) }} as failures
        from (select {{ cdc_decode("json '" ~ json ~ "'", type) }} as decoded)
    )
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

final as (

    select * from reported
    where reported <> expected

)

select * from final
