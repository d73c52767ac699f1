"""Campaigns: plan, measure, store, resume, merge, verify."""
