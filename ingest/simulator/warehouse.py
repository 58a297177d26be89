"""The whole warehouse: its services, wired as the orchestrator wires them."""

from __future__ import annotations

from collections.abc import Iterator

from ingest.simulator.changes import Change
from ingest.simulator.inventory import Inventory
from ingest.simulator.labor import Labor
from ingest.simulator.options import Options
from ingest.simulator.orders import Orders
from ingest.simulator.packing import Packing
from ingest.simulator.picking import Picking
from ingest.simulator.reference import Reference
from ingest.simulator.shipping import Shipping
from ingest.simulator.waves import Waves
from ingest.simulator.world import World


def changes(options: Options) -> Iterator[Change]:
    """Everything the services write and send in one simulated world, in the order of virtual time."""
    world = World(options)
    reference = Reference.build(options.rate)
    warehouses = tuple(dict.fromkeys(seller.warehouse for seller in reference.sellers))
    labor = Labor(world, reference.people)
    inventory = Inventory(world, reference.sellers, labor)
    orders = Orders(world, reference.sellers, inventory)
    waves = Waves(world, warehouses, orders)
    picking = Picking(world, inventory, labor, waves, orders)
    packing = Packing(world, inventory, labor, waves, orders)
    picking.on_picked = packing.create
    Shipping(world, reference.carriers, inventory, orders, packing)
    return world.run()
