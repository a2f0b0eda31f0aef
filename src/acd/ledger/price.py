"""What a request costs: what a person set, else dated list prices of `genai-prices`, exact to the last digit.

Facts: ../shared/facts/pricing.md says what the library gets right and where its traps are; that its prices equal
what Claude Code charges was checked there, and is checked again by tests/unit/test_price.py.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from importlib.metadata import version
from math import inf
from typing import NamedTuple

from genai_prices import Usage as LibraryUsage
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, ModelPrice, PriceContext, Provider, TieredPrices

from acd.core.models import Usage
from acd.core.price_rows import PriceOverride

_CONTEXT_MARK = re.compile(r"\[\d+[km]\]$")
_CLOUD_NAME = re.compile(r"^([a-z-]+\.)?anthropic\.")
_PROBE = 1_000_000
_BATCH, _FAST = {"processing": "batch"}, {"speed": "fast"}
_SOLD_BY = "from:"
_US_FACTOR = Decimal("1.1")
SET_BY_HAND = "set by hand"
"""How the source of a price begins that a person set."""


class Price(NamedTuple):
    """A request's price and where it comes from."""

    cost_usd: Decimal
    source: str
    day: date


class Rates(NamedTuple):
    """USD for one token (one search) of each kind, for requests within one tier of context."""

    input: Decimal
    output: Decimal
    cache_read: Decimal
    cache_write_5m: Decimal
    cache_write_1h: Decimal
    web_search: Decimal

    def cost(self, usage: Usage) -> Decimal:
        """The price of one request. Cache writes of unknown kind count as 5-minute writes, the agents' default."""
        unknown = (
            usage.cache_write_tokens - usage.cache_write_5m_tokens - usage.cache_write_1h_tokens
        )
        return (
            usage.input_tokens * self.input
            + usage.output_tokens * self.output
            + usage.cache_read_tokens * self.cache_read
            + (usage.cache_write_5m_tokens + max(unknown, 0)) * self.cache_write_5m
            + usage.cache_write_1h_tokens * self.cache_write_1h
            + usage.web_searches * self.web_search
        )


class ModelRates(NamedTuple):
    """Rates of a model on a day. A request with more than `thresholds[i]` tokens of prompt pays `tiers[i + 1]` for all of it."""

    thresholds: tuple[int, ...]
    tiers: tuple[Rates, ...]

    def cost(self, usage: Usage) -> Decimal:
        """The price of one request: its whole prompt, cached parts included, decides the tier."""
        prompt = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
        return self.tiers[bisect_left(self.thresholds, prompt)].cost(usage)


class Found(NamedTuple):
    """Rates and where they come from: `price_source` of the requests that they price."""

    rates: ModelRates
    source: str


@dataclass
class PriceList:
    """Prices by provider, model and day. Keeps what it looked up: a look-up takes about 0.2 ms, a request microseconds.

    Prices that depend on the hour of the day are not told apart: a day has the price of its noon (UTC).
    """

    fresh_until: float = -inf
    """Until when (monotonic) what a person set need not be looked at again; see `acd.ledger.overrides`."""
    _known: dict[tuple[str, str, date, str], Found | None] = field(default_factory=dict)
    _library: _Library = field(default_factory=lambda: _Library())
    _source: str = field(default_factory=lambda: f"genai-prices {version('genai-prices')}")
    _overrides: tuple[PriceOverride, ...] = ()

    def override(self, overrides: Iterable[PriceOverride]) -> None:
        """Take these before the library, each from its day on until the next one of the same model."""
        given = tuple(overrides)
        if given != self._overrides:
            self._overrides = given
            self._known.clear()

    def price(
        self, provider: str, model: str, usage: Usage, at: datetime, *, terms: str = ""
    ) -> Price | None:
        """The price of a request, or None when the model has none.

        Args:
            provider: provider id of genai-prices, where `terms` do not name who sold it.
            model: the model's name as the agent reported it; a context mark such as `[1m]` is ignored.
            usage: the request's tokens.
            at: when it was made; its day in UTC decides which price held.
            terms: what else the list price depends on, as `RequestSeen.terms`; a price set by hand holds whatever they are.
        """
        day = (at if at.tzinfo is UTC else at.astimezone(UTC)).date()
        found = self.find(provider, model, day, terms)
        return None if found is None else Price(found.rates.cost(usage), found.source, day)

    def find(self, provider: str, model: str, day: date, terms: str = "") -> Found | None:
        """By what requests of a day (in UTC) are priced, as `price` does; None when the model has no price."""
        key = (provider, model, day, terms)
        if key not in self._known:
            self._known[key] = self._find(provider, model, day, terms)
        return self._known[key]

    def load(self) -> None:
        """Load the list prices now, which takes some tenths of a second: else the first request to be priced does."""
        get_snapshot()

    def rates(self, provider: str, model: str, day: date) -> ModelRates | None:
        """Rates of a model on a day, for `acd prices`; None when it has none."""
        found = self._find(provider, model, day)
        return None if found is None else found.rates

    def source(self, provider: str, model: str, day: date) -> str | None:
        """Where the price of a model on a day comes from: `price_source` of its requests; None when it has none."""
        found = self._find(provider, model, day)
        return None if found is None else found.source

    def providers_set(self, model: str, day: date) -> list[str]:
        """For which providers alone a price was set by hand that holds on a day, sorted."""
        named = {
            one.provider for one in self._overrides if _is_about(one, one.provider, model, day)
        }
        return sorted(named - {""})

    def _find(self, provider: str, model: str, day: date, terms: str = "") -> Found | None:
        if terms.startswith(_SOLD_BY):
            sold_by, _, terms = terms.partition(" ")
            provider = sold_by.removeprefix(_SOLD_BY)
        named = [one for one in self._overrides if _is_about(one, provider, model, day)]
        if named:
            # The newest day counts; on the same day who is meant more exactly.
            best = max(named, key=lambda one: (one.valid_from, one.provider, one.model == model))
            rates = ModelRates((), (_rates_set(best),))
            return Found(rates, f"{SET_BY_HAND} from {best.valid_from}")
        listed = self._library.look_up(provider, model, day, terms)
        return None if listed is None else Found(listed, self._source)


def _is_about(one: PriceOverride, provider: str, model: str, day: date) -> bool:
    return (
        one.valid_from <= day
        and one.provider in ("", provider)
        and (one.model == model or canonical_model(one.model) == canonical_model(model))
    )


def _rates_set(one: PriceOverride) -> Rates:
    """Rates are stored for a million tokens."""
    return Rates(
        input=one.input.scaleb(-6),
        output=one.output.scaleb(-6),
        cache_read=one.cache_read.scaleb(-6),
        cache_write_5m=one.cache_write_5m.scaleb(-6),
        cache_write_1h=one.cache_write_1h.scaleb(-6),
        web_search=one.web_search,
    )


def canonical_model(name: str) -> str:
    """A model's name without context mark and date suffix: only to find that two names mean the same model."""
    return re.sub(r"-20\d{6}$", "", _CONTEXT_MARK.sub("", name))


@dataclass
class _Library:
    """List prices of `genai-prices`. Keeps what it worked out: to look a model's rates up takes milliseconds, they hold for months."""

    _models: dict[tuple[str, str], tuple[Provider, ModelInfo] | None] = field(default_factory=dict)
    _rates: dict[tuple[str, str, int], ModelRates] = field(default_factory=dict)

    def look_up(self, provider: str, model: str, day: date, terms: str = "") -> ModelRates | None:
        """Rates of a model on a day under these terms; None when it has none."""
        key = (provider, model)
        if key not in self._models:
            self._models[key] = _find_model(provider, _CONTEXT_MARK.sub("", model))
        found = self._models[key]
        if found is None:
            return None
        noon = datetime.combine(day, time(12), UTC)
        if terms:
            return _rates_under(terms.split(), *found, noon)
        prices = found[1].get_prices(noon)
        # The library has one object for each period in which a price holds, and never lets it go.
        period = (*key, id(prices))
        if period not in self._rates:
            self._rates[period] = _rates_of(*found, prices, noon)
        return self._rates[period]


def _find_model(provider: str, name: str) -> tuple[Provider, ModelInfo] | None:
    """Of the agent's own provider, else of any that the name tells, else of the cloud that names models `us.anthropic.…-v1:0`."""
    clouds = ("aws",) if _CLOUD_NAME.search(name) else ()
    for one in (provider, None, *clouds):
        try:
            return get_snapshot().find_provider_model(name, None, one, None)
        except LookupError:
            continue
    return None


def _rates_under(terms: list[str], provider: Provider, info: ModelInfo, at: datetime) -> ModelRates:
    """Of requests made in a batch or in fast mode, as the library knows it; where it knows nothing, list price."""
    context = {**_BATCH, **_FAST}
    context = {name: value for name, value in context.items() if value in terms}
    rates = _rates_of(provider, info, info.get_prices(at, context), at, context)
    # The library knows no regions. Facts: the documentation of data residency: 1.1 times all tokens within the US.
    if "us" not in terms or provider.id != "anthropic":
        return rates
    return ModelRates(rates.thresholds, tuple(map(_within_the_us, rates.tiers)))


def _within_the_us(rates: Rates) -> Rates:
    dearer = {name: value * _US_FACTOR for name, value in rates._asdict().items()}
    return Rates(**{**dearer, "web_search": rates.web_search})


def _rates_of(
    provider: Provider,
    info: ModelInfo,
    prices: ModelPrice,
    at: datetime,
    context: PriceContext | None = None,
) -> ModelRates:
    thresholds = sorted(
        {
            tier.start
            for value in vars(prices).values()
            if isinstance(value, TieredPrices)
            for tier in value.tiers
        }
    )
    tiers = [_rates_at(provider, info, at, prompt, context) for prompt in _inside(thresholds)]
    return ModelRates(tuple(thresholds), tuple(tiers))


def _inside(thresholds: list[int]) -> list[int]:
    """A prompt size within each tier. The probe may not leave its tier: it is the whole prompt."""
    return [1, *(start + 1 for start in thresholds)] if thresholds else [_PROBE]


def _rates_at(
    provider: Provider,
    info: ModelInfo,
    at: datetime,
    prompt: int,
    context: PriceContext | None = None,
) -> Rates:
    """Ask the library for the price of `prompt` tokens of each kind and divide; exact, since prices are decimal fractions."""

    def rate(**usage: int) -> Decimal:
        quantity = LibraryUsage(**usage)
        price = info.calc_price(
            quantity, provider, genai_request_timestamp=at, price_context=context
        )
        return price.total_price

    base = rate(input_tokens=prompt)
    return Rates(
        input=base / prompt,
        output=(rate(input_tokens=prompt, output_tokens=_PROBE) - base) / _PROBE,
        cache_read=rate(input_tokens=prompt, cache_read_tokens=prompt) / prompt,
        cache_write_5m=rate(input_tokens=prompt, cache_write_tokens=prompt) / prompt,
        cache_write_1h=rate(
            input_tokens=prompt, cache_write_tokens=prompt, cache_write_1h_tokens=prompt
        )
        / prompt,
        web_search=rate(input_tokens=prompt, web_searches=1) - base,
    )
