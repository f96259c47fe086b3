"""Names in Redis."""


class Keys:
    """Names of our keys in Redis; all begin with `redis.key_prefix`, arq's own with `arq:`."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.bookings = f"{prefix}:booking:"
        self.open = f"{prefix}:open"
        self.queue = f"{prefix}:queue"
        """What the names of all queues begin with."""
        self.turns = f"{prefix}:turns"
        self.lanes = f"{prefix}:lanes"
        self.bell = f"{prefix}:bell"
        self.index = f"{prefix}:bookings"
        self.links = f"{prefix}:links"
        self.dead = f"{prefix}:dead"
        self.delayed = f"{prefix}:delayed"
        self.accounts = f"{prefix}:accounts"
        self.audit = f"{prefix}:audit"
        self.history = f"{prefix}:history"
        self.written = f"{prefix}:written"
        self.fleet = f"{prefix}:fleet"
        self.seen = f"{prefix}:seen"

    def open_of(self, app: str) -> str:
        """The open parts of one app."""
        return f"{self.open}:{app}"

    def dead_of(self, app: str) -> str:
        """The dead letters of one app."""
        return f"{self.dead}:{app}"

    def queue_of(self, app: str) -> str:
        """The queue of what is new of an app."""
        return f"{self.queue}:app:{app}"

    def queue_of_lane(self, lane: str) -> str:
        """The queue of what is to be tried again in a lane."""
        return f"{self.queue}:lane:{lane}"

    def delayed_at(self, wid: str, state: str) -> str:
        """The parts with a delayed write at a calendar: those `retrying`, those `parked`.

        Of the parked ones, `wakeable` are those that wait for the calendar itself, by when a success there
        may wake them.
        """
        return f"{self.delayed}:{state}:{wid}"

    def account(self, name: str, part: str = "clock") -> str:
        """Of an account or one of its lanes: `clock`, `slots`, `bucket`, or the parts `waiting` for it."""
        return f"{self.prefix}:account:{part}:{name}"

    def consent(self, account: str) -> str:
        """The hash of the consent of a user's account."""
        return f"{self.prefix}:consent:{account}"

    def office(self, name: str) -> str:
        """What one process of the fleet does at a time."""
        return f"{self.prefix}:office:{name}"

    def process(self, name: str) -> str:
        """What one process of the fleet tells of itself."""
        return f"{self.fleet}:{name}"

    def booking(self, bid: str) -> str:
        """The hash of one booking."""
        return self.bookings + bid

    def delivery(self, did: str) -> str:
        """The hash of one quarantined delivery."""
        return f"{self.prefix}:delivery:{did}"

    def link(self, lid: str) -> str:
        """The hash of one registered link."""
        return f"{self.prefix}:link:{lid}"

    def link_called(self, cronofy_id: str) -> str:
        """What holds our id of the link that Cronofy calls so."""
        return f"{self.prefix}:link-called:{cronofy_id}"
