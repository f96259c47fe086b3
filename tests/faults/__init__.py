"""Faults that users of other systems saw, each with a test, and with proof that its defence is what survives it.

A test of fault N carries `@pytest.mark.fault(number=N)`. `without/NN-words.patch` takes the defence out of the
product's code; `python -m tests.faults` shows that the tests of fault N fail then. docs/faults.md lists them all.
"""
