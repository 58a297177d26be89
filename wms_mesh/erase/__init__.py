"""``./mesh erase``: take a person out of every table, and prove that no data file still holds them.

What the person owns (a customer's orders and their shipments, a worker's document, the events about them) is deleted
from bronze and blanked in silver; bronze.erased_records keeps where each record stood, so that the ledger counts it as
erased. Where other documents only mention the person's id, a name that means nothing takes its place.
"""
