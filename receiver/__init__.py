"""The HTTP edge: signature, callback parsing, acceptance. Knows no calendar."""
