"""The rules, one module a family. Nothing is listed here: :func:`goodmeasure.auditing.rule.all_rules` finds them."""
