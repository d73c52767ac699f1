"""Refinement: search, measure what was found and its neighbours, fit, again."""
