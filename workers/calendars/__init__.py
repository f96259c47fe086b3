"""One module a provider, all behind `Calendar` in `port.py`; a third provider is added here."""
