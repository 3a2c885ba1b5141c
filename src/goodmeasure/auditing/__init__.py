"""The audit: what is wrong between a model, its output, its loss, its targets, its training step and its decision.

It looks at programs of any framework and knows none of our losses: a rule asks for evidence, evidence is gathered once.
"""

from __future__ import annotations

from goodmeasure.auditing.engine import audit
from goodmeasure.auditing.finding import Audit, Finding, Skipped
from goodmeasure.auditing.rule import Rule, all_rules, pages

__all__ = ["Audit", "Finding", "Rule", "Skipped", "all_rules", "audit", "pages"]
