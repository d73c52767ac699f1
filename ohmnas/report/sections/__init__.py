"""Sections of the page of search results, one subject each."""
