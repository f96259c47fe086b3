"""Passes a callback on to the company's own addresses; retried and dead-lettered like any write.

Each delivery is passed on, in whatever order: what is newest is for the address to see. Should a worker die
between the answer and its record, the address hears of a delivery twice; `Sequence-Sync-Delivery` names it.
"""

from yarl import URL

from bookings import part_writes, state
from bookings.destination import addresses
from bookings.identity import endpoint_id
from bookings.record import Write
from config.settings import CalendarAddress
from workers.under_way import UnderWay


class ForwardUnderWay(UnderWay):
    """A delivery while it is passed on. Where it goes is looked up afresh, as a part's calendars are."""

    async def write(self) -> None:
        """Passes it on wherever that is due; failures end up in the writes."""
        now = self.means.clock()
        if self.claim.gone:
            self.writes = part_writes.withdrawn(self.writes, revision=self.claim.revision, now=now)
            return
        link = await self.means.store.link(self.claim.link) if self.claim.link else None
        found, missing = addresses(self.means.settings, self.claim.app, link)
        urls = {endpoint_id(url): url for url in found}
        self.route([self._target(wid, url) for wid, url in urls.items()], missing, now=now)
        await self.all([self._pass_on(write, urls[write.id]) for write in self.due(now)])

    def _target(self, wid: str, url: str) -> part_writes.Target:
        """As it is shown: by its host, since path and query may hold a token; what is sealed, by its id."""
        app = self.means.settings.app(self.claim.app)
        configured = app is not None and url in app.forward_to
        told = configured or not self.means.store.seal.on_bookings
        host = URL(url, encoded=True).authority if told else wid
        return part_writes.Target(wid, host, CalendarAddress("forward", host, ""))

    async def _pass_on(self, write: Write, url: str) -> None:
        forward, endpoints, now = self.claim.desired.forward, self.means.endpoints, self.means.clock()
        assert forward is not None  # else it were a part
        if endpoints.is_full(url):  # each takes a place that calendars need
            wait_s = self.means.settings.worker.request_timeout * self.means.jitter()
            self.put_off(write, due_at=now + int(wait_s * 1000), reason="endpoint_busy")
            return
        app = self.means.settings.app(self.claim.app)
        async with self.attempted(write):
            await endpoints.post(
                url, forward, delivery=self.claim.delivery, private=app is not None and app.forward_to_private
            )
            self.replace(state.passed_on(write, revision=self.claim.revision, now=self.means.clock()))
            self.count(write, "forwarded")
            self.log.info("write_done", write=write.id, calendar=write.calendar, outcome="forwarded")
