"""How this process reaches others: proxies, certificate authorities, and what goes wrong on the way."""
