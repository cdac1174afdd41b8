"""The calls of KIS by area, each module with a ``TABLE`` of operations; ``operations`` joins them.

Field names are those of the KIS workbook of 2026-06. Rows of orders, accounts, prices and bars are in
``wire.rows``; the rows of the other areas stand beside their calls.
"""
