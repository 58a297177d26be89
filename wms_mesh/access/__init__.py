"""Who may ask Trino for what: users and roles (roles.py), rules made of them (rules.py), how one connects (client.py).

In force on a secure stack (``./mesh up --secure``) and on a cluster, from the same file: ``infra/trino/rules.json``.
"""
