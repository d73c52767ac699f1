"""HTML reports: one self-contained page about search results or a measured table. Needs no torch."""

from ohmnas.report.results import results_page
from ohmnas.report.subject import Subject, read_subject, read_subjects
from ohmnas.report.tables import table_page

__all__ = ["Subject", "read_subject", "read_subjects", "results_page", "table_page"]
