"""How the availability engine finds times; `scheduler.availability` is the way in."""
