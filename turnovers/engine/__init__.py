"""The run engine: it carries accepted turnovers out, task by task.

The database is the only truth; a message is a hint that may be lost, doubled or late.
``ledger`` keeps the book of claims and outcomes, ``advance`` carries a run forward, ``scheduler``
finds what is due and what was left lying.
"""
