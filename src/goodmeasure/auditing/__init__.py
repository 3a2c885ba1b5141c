"""The audit: what is wrong between a model, its output, its loss, its targets, its training step and its decision."""

from .engine import audit
from .finding import Audit, Finding, Skipped
from .rule import Rule, pages, rules

__all__ = ["Audit", "Finding", "Rule", "Skipped", "audit", "pages", "rules"]
