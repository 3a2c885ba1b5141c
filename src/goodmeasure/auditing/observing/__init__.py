"""Any program under observation: what it does is written down at the seams of its libraries, and put together as cases.

A program is run as it is. What one of its training steps computed becomes a model, a loss, inputs and targets, which the
rules judge as they judge what `goodmeasure.audit` is given.
"""
