"""`acd prices`: what models cost."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated

import msgspec
import typer

from acd.agents.registry import adapter_names, load_adapter
from acd.cli.figures import NOTHING, tokens
from acd.cli.options import AsJson, DatabaseUrl, Home, Verbose, new_app
from acd.cli.output import Cell, Column, say, show_json, show_table
from acd.cli.source import MOST_DAYS, ask, read_settings
from acd.core.contract import ModelSpending, ModelUsage
from acd.ledger.price import ModelRates, PriceList, Rates
from acd.reports.rows import row_of

app = new_app()

_MILLION = 1_000_000
_COLUMNS = (
    Column("Model", flexible=True),
    Column("Over", right=True),
    Column("Input", right=True),
    Column("Output", right=True),
    Column("Cached", right=True),
    Column("Write 5m", right=True),
    Column("Write 1h", right=True),
    Column("Requests", right=True, needs=90),
)


class Tier(msgspec.Struct, frozen=True, rename="camel"):
    """Rates in USD for a million tokens (for one search), for prompts of more than `above_tokens`."""

    above_tokens: int
    input: Decimal
    output: Decimal
    cache_read: Decimal
    cache_write_5m: Decimal
    cache_write_1h: Decimal
    web_search: Decimal


class ModelPrices(msgspec.Struct, frozen=True, rename="camel"):
    """A model with its rates on a day; `tiers` is null when it has no known price."""

    model: str
    requests: int
    unpriced_requests: int
    cost_usd: Decimal
    tiers: list[Tier] | None


@app.command()
def prices(
    models: Annotated[
        list[str] | None, typer.Argument(metavar="[MODEL]…", help="Those ever used if left out.")
    ] = None,
    day: Annotated[
        datetime | None, typer.Option("--day", formats=["%Y-%m-%d"], help="Today if left out.")
    ] = None,
    as_json: AsJson = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    verbose: Verbose = False,
) -> None:
    """List prices of models in USD for a million tokens, and which models have none.

    "Over": the rates of requests with a longer prompt than that.
    """
    settings = read_settings(home=home, database_url=database_url)
    found = ask(settings, "prices", lambda source: source.model_usage(days=MOST_DAYS, repo_id=None))
    used = row_of(found, ModelUsage).by_model
    on = day.date() if day else datetime.now(UTC).date()
    rows = [_priced(name, used.get(name), on) for name in models or used]
    if as_json:
        show_json(msgspec.json.Encoder(decimal_format="number").encode(rows))
    elif rows:
        show_table(_COLUMNS, [line for row in rows for line in _lines(row)])
        say(
            f"Prices of {on} from genai-prices; a request has the price of its own day.",
            after_blank=True,
        )
        _tell_unpriced(rows)
    else:
        say("No model was used yet. `acd prices MODEL` shows the price of any.")


def _priced(model: str, spent: ModelSpending | None, day: date) -> ModelPrices:
    rates = _rates(model, day)
    return ModelPrices(
        model=model,
        requests=spent.requests if spent else 0,
        unpriced_requests=spent.unpriced_requests if spent else 0,
        cost_usd=spent.cost if spent else Decimal(0),
        tiers=None if rates is None else _tiers(rates),
    )


def _rates(model: str, day: date) -> ModelRates | None:
    """By the providers of the agents that are installed; the list itself then looks at all others."""
    providers = {load_adapter(name).provider for name in adapter_names()}
    found = (PriceList().rates(provider, model, day) for provider in sorted(providers))
    return next((rates for rates in found if rates is not None), None)


def _tiers(rates: ModelRates) -> list[Tier]:
    return [
        _tier(above, one) for above, one in zip((0, *rates.thresholds), rates.tiers, strict=True)
    ]


def _tier(above: int, rates: Rates) -> Tier:
    return Tier(
        above_tokens=above,
        input=_million(rates.input),
        output=_million(rates.output),
        cache_read=_million(rates.cache_read),
        cache_write_5m=_million(rates.cache_write_5m),
        cache_write_1h=_million(rates.cache_write_1h),
        web_search=_plain(rates.web_search),
    )


def _million(rate: Decimal) -> Decimal:
    return _plain(rate * _MILLION)


def _plain(rate: Decimal) -> Decimal:
    return Decimal(f"{rate.normalize():f}")


def _lines(row: ModelPrices) -> list[list[Cell]]:
    requests = f"{row.requests:,}"
    if row.tiers is None:
        return [[row.model, *([NOTHING] * 6), requests]]
    return [
        [
            row.model if index == 0 else "",
            tokens(tier.above_tokens) if tier.above_tokens else "",
            *(
                _usd(rate)
                for rate in (
                    tier.input,
                    tier.output,
                    tier.cache_read,
                    tier.cache_write_5m,
                    tier.cache_write_1h,
                )
            ),
            requests if index == 0 else "",
        ]
        for index, tier in enumerate(row.tiers)
    ]


def _usd(rate: Decimal) -> str:
    return f"${rate:.2f}" if rate == round(rate, 2) else f"${rate:f}"


def _tell_unpriced(rows: list[ModelPrices]) -> None:
    unpriced = [row.model for row in rows if row.tiers is None or row.unpriced_requests]
    if unpriced:
        say(
            f"Without a known price, so not in any cost: requests of {', '.join(unpriced)}. Their tokens are counted."
        )
