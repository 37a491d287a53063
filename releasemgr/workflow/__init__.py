"""The kernel: the one way to change a record.

Models declare their steps with django-fsm. Everybody else - pages, admin, engine, imports - calls
``perform``, which locks, checks, moves, records and dispatches, or ``edit`` for plain fields.
"""
