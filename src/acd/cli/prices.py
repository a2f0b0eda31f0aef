"""`acd prices`: what models cost; `set` and `unset` are in `price_setting`."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
import typer
from typer.core import TyperGroup

from acd.agents.histories import provider_by_agent
from acd.cli.figures import NOTHING, tokens
from acd.cli.options import AsJson, DatabaseUrl, Home, Verbose
from acd.cli.output import Cell, Column, say, show_json, show_table
from acd.cli.price_setting import set_price, unset_price
from acd.cli.source import MOST_DAYS, Source, ask, read_settings
from acd.core.contract import ModelSpending, ModelUsage
from acd.core.price_rows import PriceOverride
from acd.ledger.price import SET_BY_HAND, ModelRates, PriceList, Rates
from acd.reports.rows import row_of, rows_of


class _ListUnlessTold(TyperGroup):
    """`acd prices` and `acd prices MODEL` list: only `set`, `unset` and `list` are commands of their own."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's own copy of click's context
        """Put the command's name in where it is left out."""
        named = bool(args) and (args[0] in self.commands or args[0] in ("-h", "--help"))
        return super().parse_args(ctx, args if named else ["list", *args])


app = typer.Typer(cls=_ListUnlessTold, add_completion=False, pretty_exceptions_enable=False)

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


class Tier(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """Rates in USD for a million tokens (for one search), for prompts of more than `above_tokens`."""

    above_tokens: int
    input: Decimal
    output: Decimal
    cache_read: Decimal
    cache_write_5m: Decimal = msgspec.field(name="cacheWrite5m")
    cache_write_1h: Decimal = msgspec.field(name="cacheWrite1h")
    web_search: Decimal


class ModelPrices(msgspec.Struct, frozen=True, rename="camel"):
    """A model with its rates on a day; `tiers` is null when it has no known price.

    `provider`: whose model it is alone, where a price was set for that one; such a row beside another counts no requests.
    """

    model: str
    provider: str | None
    requests: int
    unpriced_requests: int
    cost_usd: Decimal
    tiers: list[Tier] | None
    source: str | None


@app.callback()
def prices() -> None:
    """What models cost. `acd prices` lists those that were used, `acd prices MODEL` any; `set` and `unset` change a price."""


app.command("set")(set_price)
app.command("unset")(unset_price)


@app.command("list")
def list_prices(
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

    async def read(source: Source) -> tuple[bytes, bytes]:
        return await source.model_usage(
            days=MOST_DAYS, repo_id=None
        ), await source.price_overrides()

    spent, overrides = ask(settings, "prices", read)
    used = row_of(spent, ModelUsage).by_model
    listed = PriceList()
    listed.override(rows_of(overrides, PriceOverride))
    on = day.date() if day else datetime.now(UTC).date()
    rows = [row for name in models or used for row in _priced(listed, name, used.get(name), on)]
    if as_json:
        show_json(msgspec.json.Encoder(decimal_format="number").encode(rows))
    elif rows:
        show_table(_COLUMNS, [line for row in rows for line in _lines(row)])
        say(
            f"Prices of {on} from genai-prices; a request has the price of its own day.",
            after_blank=True,
        )
        for row in rows:
            if row.source and row.source.startswith(SET_BY_HAND):
                say(
                    f"{_name(row)}: {row.source} (`acd prices unset` takes it back; `acd prices list` has its name)."
                )
        _tell_unpriced(rows)
    else:
        say("No model was used yet. `acd prices MODEL` shows the price of any.")


def _priced(
    listed: PriceList, model: str, spent: ModelSpending | None, day: date
) -> list[ModelPrices]:
    """By the providers of the agents that are known; the list itself then looks at all others.

    What was set for one provider alone has its own row, but the first for an agent's own provider: that is what it pays.
    """
    providers = sorted(set(provider_by_agent().values()))
    alone = listed.providers_set(model, day)
    own = next((one for one in providers if one in alone), None)
    usual = own or next((one for one in providers if listed.rates(one, model, day)), "")
    first = _row(listed, model, usual, own, spent, day)
    return [first, *(_row(listed, model, one, one, None, day) for one in alone if one != own)]


def _row(
    listed: PriceList,
    model: str,
    provider: str,
    alone: str | None,
    spent: ModelSpending | None,
    day: date,
) -> ModelPrices:
    rates = listed.rates(provider, model, day)
    return ModelPrices(
        model=model,
        provider=alone,
        requests=spent.requests if spent else 0,
        unpriced_requests=spent.unpriced_requests if spent else 0,
        cost_usd=spent.cost if spent else Decimal(0),
        tiers=None if rates is None else _tiers(rates),
        source=listed.source(provider, model, day),
    )


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
        return [[_name(row), *([NOTHING] * 6), requests]]
    return [
        [
            _name(row) if index == 0 else "",
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


def _name(row: ModelPrices) -> str:
    return f"{row.model} ({row.provider})" if row.provider else row.model


def _usd(rate: Decimal) -> str:
    return f"${rate:.2f}" if rate == round(rate, 2) else f"${rate:f}"


def _tell_unpriced(rows: list[ModelPrices]) -> None:
    unpriced = [row.model for row in rows if row.tiers is None or row.unpriced_requests]
    if unpriced:
        say(
            f"Without a known price, so not in any cost: requests of {', '.join(unpriced)}. Their tokens are counted."
        )
