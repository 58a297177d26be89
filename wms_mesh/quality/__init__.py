"""What the owners promise of their rows, checked by Great Expectations: ``./mesh quality``.

lists.py and suites.py read what stands in quality/, gx.py has the library check it, run.py decides which rows and keeps
the results, table.py is gold.quality_results, command.py and view.py show it, regular.py runs it beside the refresher.
Nothing here imports the library (2 s and 150 MB) before a check runs.
"""

from wms_mesh.quality.table import health

__all__ = ["health"]
