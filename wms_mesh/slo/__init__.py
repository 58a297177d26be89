"""The promises of models/groups.yml, measured: gold.data_product_slo has a row for each product and measurement.

promises.py reads them. look.py compares whole collections with silver inside of Trino, but for what that cannot show
(misfits.py). point.py knows how to prove that silver has everything from before a moment, arrival.py waits for it, and
judge.py then tells errors from what changed later. delay.py has the history of what became visible when, timing.py what
it means for a product. verdict.py is the row, table.py keeps it, measure.py puts all of it together. command.py and
view.py show it, regular.py measures again and again beside the refresher.
"""
