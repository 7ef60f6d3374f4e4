"""What the answers say: tallies, rates, intervals, verdicts. No web, no database, no workbook, no clock.

Start with :mod:`analysis.rates`; :mod:`analysis.wave_report` puts all about one wave in one value. This door
imports nothing, so that ``python -m analysis`` starts fast.
"""
