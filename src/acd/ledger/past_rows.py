"""Requests of long ago as rows for PostgreSQL's binary COPY, priced on the way: an import writes tens of thousands.

The rows are those that `Snapshots.row` makes, without the objects between.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from struct import Struct
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import astuple

from acd.core.models import Usage
from acd.database import binary
from acd.ledger.price import ModelRates, PriceList
from acd.ledger.snapshots import Snapshots
from acd.ledger.whole_rates import WholeRates, whole, whole_rates

USAGE_COLUMNS = (
    *("target_id", "session_id", "listed_at", "requested_at", "is_request"),
    *Usage.__struct_fields__,
    *("model", "price_source", "price_date", "price_terms"),
    *("cost_usd", "request_key", "request_ids", "tools", "subagent"),
)
OWNER_COLUMNS = ("request_key", "target_id", "session_id", "first_seen_at", "txid")

_HOME = Struct("!hi16si16s")
_COUNTS = Struct("!iqiqi?" + "iq" * len(Usage.__struct_fields__))
_OWNER = Struct("!i16si16siqi")
_OWNER_FIELDS = len(OWNER_COLUMNS).to_bytes(2, "big")


class _Kind(NamedTuple):
    """What requests of one model, day and terms have in common: the fields from `model` on, and what they are priced by."""

    fields: bytes
    rates: WholeRates | ModelRates | None

    def cost(self, usage: Usage) -> bytes:
        """The field `cost_usd`."""
        rates = self.rates
        if rates is None:
            return binary.NULL
        if isinstance(rates, WholeRates):
            return binary.numeric(rates.cost(usage), rates.scale)
        return binary.numeric(*whole(rates.cost(usage).normalize()))


class PastRows:
    """Makes the rows of one batch by the prices that hold now."""

    def __init__(self, prices: PriceList) -> None:
        self._prices = prices
        self._kinds: dict[tuple[str, str, date, str], _Kind] = {}
        self._whole: dict[int, WholeRates | None] = {}
        self._home: tuple[UUID, UUID] | None = None
        self._head = b""

    def usage(self, home: tuple[UUID, UUID], request: Snapshots, provider: str) -> bytes:
        """The row of `token_usage_details` (`USAGE_COLUMNS`) of a request that belongs to a session (target, session).

        Raises:
            UnicodeEncodeError, struct.error: PostgreSQL could not store it.
        """
        seen = request.greatest
        if home is not self._home:  # a session's requests follow each other
            self._home = home
            self._head = _HOME.pack(len(USAGE_COLUMNS), 16, home[0].bytes, 16, home[1].bytes)
        at = binary.moment(request.first_at)
        usage = seen.usage
        one, two, three, four, five, six, seven, eight = astuple(usage)
        counts = _COUNTS.pack(
            *(8, at, 8, at, 1, True),
            *(8, one, 8, two, 8, three, 8, four, 8, five, 8, six, 8, seven, 8, eight),
        )
        kind = self._kind(provider, seen.model, request.greatest_at, seen.terms)
        subagent = request.subagent or seen.subagent
        return b"".join(
            (
                self._head,
                counts,
                kind.fields,
                kind.cost(usage),
                binary.text(seen.request_key),
                binary.texts(sorted(request.ids)),
                binary.texts(request.tools),
                binary.NULL if subagent is None else binary.text(subagent),
            )
        )

    def owner(self, home: tuple[UUID, UUID], request: Snapshots) -> bytes:
        """The row of `request_owners` (`OWNER_COLUMNS`). Without a transaction id it is no news (0002_live_and_control.sql).

        Raises:
            UnicodeEncodeError: PostgreSQL could not store it.
        """
        target, session = home
        at = binary.moment(request.first_at)
        ids = _OWNER.pack(16, target.bytes, 16, session.bytes, 8, at, -1)
        return b"".join((_OWNER_FIELDS, binary.text(request.greatest.request_key), ids))

    def _kind(self, provider: str, model: str, at: datetime, terms: str) -> _Kind:
        day = (at if at.tzinfo is UTC else at.astimezone(UTC)).date()
        key = (provider, model, day, terms)
        kind = self._kinds.get(key)
        if kind is None:
            kind = self._kinds[key] = self._make_kind(provider, model, day, terms)
        return kind

    def _make_kind(self, provider: str, model: str, day: date, terms: str) -> _Kind:
        found = self._prices.find(provider, model, day, terms)
        source = binary.NULL if found is None else binary.text(found.source)
        priced_on = binary.NULL if found is None else binary.day(day)
        fields = b"".join((binary.text(model), source, priced_on, binary.text(terms)))
        if found is None:
            return _Kind(fields, None)
        rates = found.rates
        if (
            id(rates) not in self._whole
        ):  # the list has one object for each period in which a price holds
            self._whole[id(rates)] = whole_rates(rates)
        return _Kind(fields, self._whole[id(rates)] or rates)
