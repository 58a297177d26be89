"""``./mesh report``: the state of the warehouse and of its data as one HTML page that needs no server and no network.

source.py knows which tables are there and what "the last day" is. Each chapter (products, targets, flow, work,
carriers, stock, account) asks gold and semantic and says what it found in the words of parts.py; plots.py draws,
page.py puts it together, browser.py and pictures.py look at the result with Chromium.
"""
