"""The warehouse's own articles, places, people and carriers: invented here, the same in every run.

The shapes and proportions follow the reference data of the real system (126 articles in 18 categories, 80 pick
locations in 8 zones, 56 workers of whom 40 work in the morning, 8 sellers in 3 buildings).
"""

from __future__ import annotations

import csv
import math
import random
from dataclasses import dataclass

from ingest.simulator.statuses import SEEDS
from ingest.simulator.stream import stream

# code, name, zone, articles, kg from/to, price from/to, reorder point from/to, how many are hazmat, fragile, high
# value (they stand first) and oversized (they stand last)
_CATEGORIES = (
    ("TENT", "Tent", "ZONE-A", 8, 1.5, 12.0, 149, 799, 5, 25, 0, 1, 6, 2),
    ("LAMP", "Headlamp", "ZONE-B", 8, 0.05, 0.28, 19, 129, 20, 80, 8, 6, 0, 0),
    ("GPS", "Navigator", "ZONE-B", 6, 0.1, 0.65, 179, 699, 20, 40, 6, 6, 4, 0),
    ("JACKET", "Jacket", "ZONE-C", 8, 0.25, 0.9, 59, 349, 15, 120, 0, 0, 0, 0),
    ("BOOT", "Boot", "ZONE-C", 6, 0.6, 1.6, 79, 289, 25, 100, 0, 0, 0, 0),
    ("STOVE", "Stove", "ZONE-D", 8, 0.08, 1.35, 29, 219, 30, 60, 8, 0, 0, 0),
    ("MUG", "Mug", "ZONE-D", 6, 0.1, 0.45, 9, 39, 10, 40, 0, 6, 0, 0),
    ("FILTER", "Water filter", "ZONE-D", 6, 0.06, 0.4, 24, 99, 15, 60, 0, 0, 0, 0),
    ("CHAIR", "Folding chair", "ZONE-A", 6, 0.85, 9.5, 39, 259, 2, 20, 0, 0, 0, 4),
    ("LENS", "Binocular", "ZONE-B", 6, 0.2, 0.9, 89, 899, 15, 50, 0, 6, 4, 0),
    ("HEATER", "Hand warmer", "ZONE-E", 6, 0.1, 0.35, 14, 59, 5, 40, 6, 0, 0, 0),
    ("ROPE", "Cord", "ZONE-F", 8, 0.02, 0.15, 4, 25, 50, 300, 0, 0, 0, 0),
    ("CLIP", "Carabiner", "ZONE-F", 8, 0.01, 0.3, 3, 35, 25, 200, 0, 0, 0, 0),
    ("CELL", "Power cell", "ZONE-E", 8, 0.12, 0.65, 19, 149, 20, 100, 8, 0, 0, 0),
    ("PACK", "Backpack", "ZONE-G", 8, 0.3, 2.2, 39, 329, 8, 150, 0, 0, 2, 0),
    ("CLIMB", "Harness", "ZONE-G", 8, 0.15, 1.5, 29, 189, 12, 40, 0, 0, 0, 0),
    ("BIKE", "Bicycle part", "ZONE-H", 6, 0.02, 35.0, 12, 1290, 2, 60, 2, 0, 3, 2),
    ("GARDEN", "Garden tool", "ZONE-H", 6, 0.25, 5.5, 9, 119, 6, 60, 2, 5, 0, 1),
)
_MODELS = ("Alder", "Birch", "Cedar", "Dune", "Elm", "Fjord", "Glacier", "Heath")
_FIRST = (
    "Ada", "Bilal", "Chidi", "Dalia", "Emil", "Farah", "Goran", "Hana", "Ines", "Jonas", "Kofi", "Lena", "Marek",
    "Nadia", "Oskar", "Paloma", "Quentin", "Rosa", "Sven", "Tamar",
)  # fmt: skip
_LAST = (
    "Abara", "Bergman", "Castillo", "Dvorak", "Eriksen", "Fontaine", "Gruber", "Haddad", "Ivanova", "Jansen", "Kaya",
    "Lindqvist", "Moreau", "Novak", "Okafor", "Petrov", "Quiroga", "Rossi", "Sato", "Tanaka",
)  # fmt: skip
_STREETS = (
    "Orchard Lane", "Mill Road", "Harbor Street", "Station Road", "Chapel Lane", "Willow Avenue", "Quarry Street",
    "River Drive", "Maple Court", "Summit Road", "Meadow Way", "Canal Street", "Prospect Avenue", "Garden Terrace",
    "Lakeview Drive",
)  # fmt: skip
_CITIES = (
    ("Boise", "ID", "83702"), ("Tucson", "AZ", "85701"), ("Omaha", "NE", "68102"), ("Madison", "WI", "53703"),
    ("Raleigh", "NC", "27601"), ("Tacoma", "WA", "98402"), ("Albany", "NY", "12207"), ("Reno", "NV", "89501"),
    ("Mobile", "AL", "36602"), ("Toledo", "OH", "43604"), ("Fresno", "CA", "93721"), ("Lincoln", "NE", "68508"),
    ("Dayton", "OH", "45402"), ("Eugene", "OR", "97401"), ("Savannah", "GA", "31401"),
)  # fmt: skip
_GIFT_MESSAGES = ("Happy birthday!", "Thank you for everything.", "Enjoy the trails!", "With love, from all of us", "")

SHIFT_HOURS = {"morning": 0, "afternoon": 8, "night": 16}  # hours after the warehouse's day begins


@dataclass(frozen=True, slots=True)
class Location:
    """One pick location."""

    id: str
    zone: str
    aisle: str
    rack: int
    level: int


@dataclass(frozen=True, slots=True)
class Product:
    """One article; lengths in cm, weight in kg, price in major units."""

    sku: str
    name: str
    weight: float
    price: float
    dimensions: tuple[float, float, float]
    hazmat: bool
    fragile: bool
    high_value: bool
    reorder_point: int
    reorder_quantity: int
    locations: tuple[Location, ...]
    stock: int


@dataclass(frozen=True, slots=True)
class Seller:
    """A merchant, with the building that holds its goods. products: popular ones first."""

    id: str
    name: str
    tenant: str
    facility: str
    warehouse: str
    products: tuple[Product, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """One worker. skills: (type, level 1 to 5, certified)."""

    worker_id: str
    employee_id: str
    name: str
    zone: str
    shift: str
    skills: tuple[tuple[str, int, bool], ...]


@dataclass(frozen=True, slots=True)
class Carrier:
    """A parcel service."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Reference:
    """Everything that stands there before the first order."""

    sellers: tuple[Seller, ...]
    people: tuple[Person, ...]
    carriers: tuple[Carrier, ...]

    @classmethod
    def build(cls, orders_per_hour: float) -> Reference:
        """The warehouse, with people and stock enough for a rate.

        56 workers carry about 200 orders an hour, the stock as it stands about 60.
        """
        draw = stream("reference")
        products = _products(draw, _locations(), max(1.0, orders_per_hour / 60))
        return cls(_sellers(products), _people(draw, math.ceil(orders_per_hour / 200)), _carriers())


_BUILDINGS = (  # seller, tenant, facility, warehouse: 5, 2 and 1 sellers per facility; 6 and 2 per tenant
    ("Cairn Outfitters", "TENANT-DEFAULT", "FAC-001", "WH-001"),
    ("Lumen Trail", "TENANT-DEFAULT", "FAC-001", "WH-001"),
    ("North & Wool", "TENANT-DEFAULT", "FAC-001", "WH-001"),
    ("Camp Kitchen", "TENANT-DEFAULT", "FAC-001", "WH-002"),
    ("Clear Sight Optics", "TENANT-DEFAULT", "FAC-001", "WH-002"),
    ("Knots & Co", "TENANT-ENTERPRISE", "FAC-002", "WH-003"),
    ("Vertical Supply", "TENANT-ENTERPRISE", "FAC-002", "WH-003"),
    ("Back Yard", "TENANT-DEFAULT", "FAC-003", "WH-004"),
)


def _locations() -> dict[str, list[Location]]:
    with (SEEDS / "zones.csv").open(encoding="utf-8", newline="") as file:
        zones = list(csv.DictReader(file))
    return {
        row["zone"]: [
            Location(f"LOC-{row['aisle']}-{n + 1:03d}", row["zone"], row["aisle"], n // 3 % 5 + 1, n % 3 + 1)
            for n in range(int(row["location_count"]))
        ]
        for row in zones
    }


def _products(draw: random.Random, locations: dict[str, list[Location]], scale: float) -> list[Product]:
    products = []
    placed = dict.fromkeys(locations, 0)
    for code, noun, zone, count, light, heavy, cheap, dear, low, high, hazmat, fragile, valuable, large in _CATEGORIES:
        shelves = locations[zone]
        for n in range(count):
            share = draw.random()
            oversized = n >= count - large
            edge = 105 + 40 * share if oversized else 8 + 50 * share
            reorder_point = int((low + (high - low) * draw.random()) * scale) + 1
            # Every ninth article stands just above its reorder point, so that any day sees a delivery.
            stock = reorder_point + 8 if draw.random() < 1 / 9 else reorder_point * draw.randint(4, 12)
            first = placed[zone]
            placed[zone] += 1
            places = (shelves[first % len(shelves)], shelves[(first + 5) % len(shelves)])
            products.append(
                Product(
                    sku=f"SKU-{code}-{n + 1:03d}",
                    name=f"{noun} {_MODELS[n]}",
                    weight=round(heavy if oversized and heavy > 30 else light + (heavy - light) * share, 3),
                    price=round(cheap + (dear - cheap) * (1 - n / count), 2),
                    dimensions=(round(edge, 1), round(edge * 0.6, 1), round(edge * 0.3, 1)),
                    hazmat=n < hazmat,
                    fragile=n < fragile,
                    high_value=n < valuable,
                    reorder_point=reorder_point,
                    reorder_quantity=reorder_point * 5,
                    locations=places if draw.random() < 0.3 else places[:1],
                    stock=max(stock, int(25 * scale)),
                )
            )
    return products


def _sellers(products: list[Product]) -> tuple[Seller, ...]:
    codes = sorted({product.sku.split("-")[1] for product in products})
    sellers = []
    for n, (name, tenant, facility, warehouse) in enumerate(_BUILDINGS):
        own = set(codes[n :: len(_BUILDINGS)])
        goods = tuple(product for product in products if product.sku.split("-")[1] in own)
        sellers.append(Seller(f"SLR-{n + 1:03d}", name, tenant, facility, warehouse, goods))
    return tuple(sellers)


def _people(draw: random.Random, crews: int) -> tuple[Person, ...]:
    skill_sets = (
        ("picking",), ("picking", "consolidation"), ("picking",), ("packing", "consolidation"),
        ("receiving", "replenishment"), ("picking", "packing"), ("packing",), ("picking", "consolidation"),
        ("picking",), ("packing", "consolidation"), ("picking",), ("receiving", "replenishment"),
        ("picking", "packing", "consolidation", "receiving", "replenishment"), ("picking", "packing"),
    )  # fmt: skip
    people = []
    for n in range(56 * crews):
        # Every seventh works in the afternoon and every seventh at night: 40, 8 and 8 of 56. The skill sets shift by
        # one each week of seven, so each shift has every skill.
        shift = {5: "afternoon", 6: "night"}.get(n % 7, "morning")
        skills = skill_sets[(n + n // 7) % len(skill_sets)]
        people.append(
            Person(
                worker_id=f"WRK-{n + 1:03d}",
                employee_id=f"EMP-{n + 1:03d}",
                name=f"{_FIRST[n * 7 % 20]} {_LAST[(n * 3 + n // 20) % 20]}",
                zone=f"ZONE-{'ABCDEFGH'[n // 7 % 8]}",
                shift=shift,
                skills=tuple((skill, draw.randint(3, 5), draw.random() < 0.93) for skill in skills),
            )
        )
    return tuple(people)


def _carriers() -> tuple[Carrier, ...]:
    with (SEEDS / "carriers.csv").open(encoding="utf-8", newline="") as file:
        return tuple(Carrier(row["carrier_code"], row["carrier_name"]) for row in csv.DictReader(file))


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who orders once."""

    name: str
    street: str
    city: str
    state: str
    zip_code: str
    phone: str


def customer(draw: random.Random) -> Customer:
    """A new customer somewhere in the country."""
    city, state, zip_code = draw.choice(_CITIES)
    return Customer(
        name=f"{draw.choice(_FIRST)} {draw.choice(_LAST)}",
        street=f"{draw.randint(100, 9999)} {draw.choice(_STREETS)}",
        city=city,
        state=state,
        zip_code=zip_code,
        phone=phone(draw),
    )


def phone(draw: random.Random) -> str:
    """A number of the range kept for fiction."""
    return f"+1555{draw.randrange(10_000_000):07d}"


def gift_message(draw: random.Random) -> str:
    """What stands on the card; sometimes nothing."""
    return draw.choice(_GIFT_MESSAGES)
