"""Orders and their change records, made inside Trino: 5 million envelopes through Kafka would take an hour.

A record is a function of the document's number alone, so every run measures the same bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

TOPIC = "cdc.wms.orders"
PARTITIONS = 3
LAST_DAY = date(2026, 10, 31)
_NOON_AFTER = int(datetime(2026, 11, 1, 12, tzinfo=UTC).timestamp() * 1000)


@dataclass(frozen=True)
class Collection:
    """A collection of ``documents`` orders, ``per_day`` created evenly over each UTC day up to LAST_DAY.

    documents is a multiple of per_day: the newest day is a whole one, which is the most that a change of it can read.
    """

    documents: int
    per_day: int

    @property
    def days(self) -> int:
        """On how many days the documents were created."""
        return self.documents // self.per_day

    @property
    def first_day(self) -> date:
        """The day of document 0."""
        return LAST_DAY - timedelta(days=self.days - 1)

    def created(self, number: str) -> str:
        """SQL: epoch milliseconds at which a document was created."""
        start = int(datetime.combine(self.first_day, datetime.min.time(), UTC).timestamp())
        second = f"(({number}) % {self.per_day}) * 86400 / {self.per_day}"
        return f"(({start} + (({number}) / {self.per_day}) * 86400 + {second}) * 1000)"

    def inserts(self, table: str, low: int, high: int) -> str:
        """The statement that writes the insert records of documents low to high - 1.

        Bronze gets them on the day of their creation, one file for each day, as after its maintenance.
        """
        at = self.created("number")
        return f"""
insert into {table}
with numbers as ({_sequence(high - low, f"{low} + step")}),
records as (
    select
        number,
        number % {PARTITIONS} as kafka_partition,
        number / {PARTITIONS} as kafka_offset,
        {at} as at,
        {self._oid("number")} as oid,
        {_letters("sku")} as letters
    from numbers
),
images as (select *, {_image("'received'", "at", "at")} as after_image from records)
{_record("c", "'null'", _quoted("after_image"), "'null'")}
"""

    def updates(self, table: str, numbers: str) -> str:
        """The statement that writes an update of each document in ``numbers`` (SQL with a column number)."""
        description = _text(_DESCRIPTION, at="to_iso8601(from_unixtime(at / 1000e0, 'UTC'))")
        return f"""
insert into {table}
with numbers as ({numbers}),
placed as (
    select
        number,
        number % {PARTITIONS} as kafka_partition,
        row_number() over (partition by number % {PARTITIONS} order by number) - 1 as place
    from numbers
),
records as (
    select
        number,
        kafka_partition,
        ({self.documents + PARTITIONS - 1} - kafka_partition) / {PARTITIONS} + place as kafka_offset,
        {_NOON_AFTER} + place as at,
        {self._oid("number")} as oid,
        {self.created("number")} as created,
        {_letters("sku")} as letters
    from placed
),
images as (
    select
        *,
        {_image("'received'", "created", "created")} as before_image,
        {_image("'validated'", "created", "at")} as after_image
    from records
)
{_record("u", _quoted("before_image"), _quoted("after_image"), description)}
"""

    def recent(self, count: int) -> str:
        """SQL for the numbers of the newest documents."""
        return _sequence(count, f"{self.documents - count} + step")

    def spread(self, count: int) -> str:
        """SQL for numbers that lie evenly over all documents."""
        return _sequence(count, f"step * {self.documents} / {count}")

    def _oid(self, number: str) -> str:
        seconds = f"lower(substr(to_hex(to_big_endian_64({self.created(number)} / 1000)), 9))"
        return f"{seconds} || lower(to_hex(to_big_endian_64({number})))"


# Debezium's spelling of a document. An insert's envelope has 2,037 bytes on average, an update's 3,842; those of the
# simulator's orders 2,007 and 3,865.
_DOCUMENT = (
    '{"_id": {"$oid": "<oid>"},"order_id": "ORD-<order>","tenant_id": "TENANT-DEFAULT","facility_id": "FAC-001",'
    '"warehouse_id": "WH-001","seller_id": "SLR-<seller>","channel_id": "<channel>",'
    '"external_order_id": "EXT-<external>","customer_id": "CUST-<customer>",'
    '"items": [<lines>],"shipping_address": {"street": "<street> Mill Road",'
    '"city": "<city>","state": "AZ","zip_code": "<zip>","country": "US","phone": "+1555<phone>",'
    '"recipient_name": "Quentin <name>"},"priority": "<priority>","status": "<status>","promised_delivery_at": '
    '{"$date": <promised>},"created_at": {"$date": <created>},"updated_at": {"$date": <updated>},"gift_wrap": false,'
    '"process_requirements": {"requirements": ["multi_item","fragile"]},"wave_id": "WV-MIX-<wave>"}'
)
_LINE = (
    '{"sku": "SKU-<sku>-00<line>","name": "Navigator Cedar","quantity": <quantity>,"weight": 0.<weight>,"dimensions": '
    '{"length": 40.9,"width": 24.5,"height": 12.3},"unit_price": <price>.67,"picked_qty": 0,"is_fragile": true,'
    '"is_hazmat": false,"requires_cold_chain": false}'
)
_DESCRIPTION = (
    r'{"removedFields":null,"updatedFields":"{\"status\": \"validated\", \"updated_at\": {\"$date\": \"<at>\"}}",'
    r'"truncatedArrays":null}'
)
_ENVELOPE = (
    '{"before":<before>,"after":<after>,"updateDescription":<description>,"source":{"version":"3.6.1.Final",'
    '"connector":"mongodb","name":"cdc","ts_ms":<at>,"snapshot":"false","db":"wms","sequence":null,"ts_us":<at>000,'
    '"ts_ns":<at>000000,"collection":"orders","ord":1,"lsid":null,"txnNumber":null,"wallTime":<at>},"op":"<op>",'
    '"ts_ms":<sent>,"transaction":null}'
)


def _sequence(count: int, number: str) -> str:
    """Trino's sequence() ends at 10,000 entries in a constant: a cross join of two makes any count."""
    rows = -(-count // 10_000)
    return f"""
select cast({number} as bigint) as number
from (
    select cast(high as bigint) * 10000 + low as step
    from unnest(sequence(0, {rows - 1})) as a (high)
    cross join unnest(sequence(0, 9999)) as b (low)
)
where step < {count}"""


def _text(template: str, **values: str) -> str:
    """SQL for a text with the value of an expression for each <name>: one concat, which copies the text once."""
    parts = [
        f"cast({values[part[1:-1]]} as varchar)" if part[:1] == "<" and part[1:-1] in values else f"'{part}'"
        for part in re.split(r"(<[a-z]+>)", template)
        if part
    ]
    return f"concat({', '.join(parts)})"


def _quoted(image: str) -> str:
    """A document as a JSON string. Nothing in it but quotes needs an escape."""
    return f"""concat('"', replace({image}, '"', '\\"'), '"')"""


def _letters(salt: str) -> str:
    """Letters that no compression foresees, the same for the same document."""
    return f"to_hex(xxhash64(to_utf8('{salt}' || cast(number as varchar))))"


def _one_of(salt: int, *values: str) -> str:
    chosen = ", ".join(f"'{value}'" for value in values)
    return f"element_at(array[{chosen}], cast((number * 7919 + {salt}) / 3 % {len(values)} + 1 as integer))"


def _image(status: str, created: str, updated: str) -> str:
    """The document as JSON text, with one to five lines."""
    line = _text(
        _LINE,
        sku="substr(letters, line, 5)",
        line="line",
        quantity="1 + (number + line) % 4",
        weight="100 + (number * 31 + line) % 900",
        price="10 + (number * 17 + line) % 790",
    )
    return _text(
        _DOCUMENT,
        oid="oid",
        order=f"lower(substr({_letters('order')}, 1, 8))",
        seller=_one_of(1, "001", "002", "003"),
        channel=_one_of(2, "ebay", "amazon", "shopify", "web"),
        external=f"substr({_letters('external')}, 1, 9)",
        customer=f"substr({_letters('customer')}, 1, 8)",
        lines=f"array_join(transform(sequence(1, 1 + number * 7919 / 5 % 5), line -> {line}), ',')",
        street="number % 9000 + 100",
        city=_one_of(3, "Tucson", "Omaha", "Dayton", "Boise", "Macon"),
        zip="10000 + number * 13 % 89999",
        phone="1000000 + number * 37 % 8999999",
        name=_one_of(4, "Abara", "Castillo", "Fontaine", "Okoye"),
        priority=_one_of(5, "standard", "standard", "next_day", "same_day"),
        status=status,
        promised=f"{created} + 172800000",
        created=created,
        updated=updated,
        wave="number / 50",
    )


def _record(op: str, before: str, after: str, description: str) -> str:
    """The bronze row of a record."""
    envelope = _text(
        _ENVELOPE, before=before, after=after, description=description, at="at", op=f"'{op}'", sent="at + 45"
    )
    return f"""
select
    '{TOPIC}',
    cast(kafka_partition as integer),
    kafka_offset,
    from_unixtime(at / 1000e0, 'UTC'),
    from_unixtime(at / 1000e0, 'UTC'),
    '{op}',
    '{{"$oid": "' || oid || '"}}',
    from_unixtime(at / 1000e0, 'UTC'),
    1,
    'false',
    {envelope}
from images
"""
