"""The refresher: a long-running process that keeps every data product within its freshness.

products.py reads the promises, schedule.py decides what is next, project.py runs it with dbt in this process, loop.py
puts them together, health.py, metrics.py and server.py tell others, process.py starts and stops it all.
"""
