"""The report: one HTML page, and tables for other documents, from what runs have left."""

from openfer.report.page import Report, report

__all__ = ["Report", "report"]
