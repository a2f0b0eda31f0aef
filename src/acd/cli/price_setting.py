"""`acd prices set`, `acd prices unset`: what a model costs, whatever the price list says."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import typer

from acd.cli.figures import count_of
from acd.cli.options import DatabaseUrl, Home, Verbose
from acd.cli.output import say
from acd.cli.source import read_settings
from acd.cli.through import through
from acd.core.errors import ConfigError
from acd.core.price_rows import PriceOverride
from acd.core.settings import Settings
from acd.ledger.price import PriceList, Rates

_BOOK = "acd.cli.price_book"
_MILLION = 1_000_000


def _usd(text: str) -> Decimal:
    try:
        amount = Decimal(text.strip().removeprefix("$"))
    except InvalidOperation:
        raise typer.BadParameter(f"{text!r} is no amount of USD, such as 2.50") from None
    if not amount.is_finite() or amount < 0:
        raise typer.BadParameter(f"{text!r} is no price: it must be 0 or more")
    return amount


def _rate(option: str, meaning: str) -> Any:  # noqa: ANN401 - what typer makes of an option
    return typer.Option(option, metavar="USD", parser=_usd, help=meaning)


Model = Annotated[str, typer.Argument(metavar="MODEL", help="By the name that the agent gives.")]
From = Annotated[
    datetime | None,
    typer.Option("--from", formats=["%Y-%m-%d"], help="First day (UTC) on which it holds."),
]
Provider = Annotated[
    str | None,
    typer.Option("--provider", metavar="NAME", help="Only as this provider's model: anthropic."),
]


def set_price(
    model: Model,
    fresh: Annotated[Decimal, _rate("--input", "A million tokens of input.")],
    output: Annotated[Decimal, _rate("--output", "A million tokens of output.")],
    cache_read: Annotated[
        Decimal | None, _rate("--cache-read", "A million tokens read from the cache.")
    ] = None,
    cache_write_5m: Annotated[
        Decimal | None, _rate("--cache-write-5m", "A million tokens written to it for 5 minutes.")
    ] = None,
    cache_write_1h: Annotated[
        Decimal | None, _rate("--cache-write-1h", "A million tokens written to it for an hour.")
    ] = None,
    web_search: Annotated[Decimal | None, _rate("--web-search", "One web search.")] = None,
    first: From = None,
    provider: Provider = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
    verbose: Verbose = False,
) -> None:
    """Set what a model costs, in USD for a million tokens, from today on or from another day.

    It holds until the next day that was set, before any price list. What is left out costs what the list says, else (for
    the cache) what input costs. Recorded requests keep their price until `acd reprice`.

    acd prices set my-model --input 0.50 --output 2 --from 2026-11-01
    """
    if not model.strip():
        raise typer.BadParameter("it must not be empty", param_hint="MODEL")
    settings = _here(home, database_url)
    day = first.date() if first else datetime.now(UTC).date()
    listed = _listed(model, provider or "", day)
    rates = Rates(
        input=fresh / _MILLION,
        output=output / _MILLION,
        cache_read=_or_else(cache_read, listed and listed.cache_read, fresh),
        cache_write_5m=_or_else(cache_write_5m, listed and listed.cache_write_5m, fresh),
        cache_write_1h=_or_else(cache_write_1h, listed and listed.cache_write_1h, fresh),
        web_search=web_search
        if web_search is not None
        else (listed.web_search if listed else Decimal(0)),
    )

    async def write(book: Any) -> None:  # noqa: ANN401 - a PriceBook, whose module is loaded late
        await book.put(model, provider or "", day, rates)

    through(_BOOK, _BOOK, settings, "prices set", write)
    say(
        f"{model} costs ${fresh:f} (input) and ${output:f} (output) for a million tokens from {day} on."
    )
    say(
        f"Requests recorded so far keep their price: acd reprice --model {model} --since {day}T00:00+00:00"
    )


def unset_price(
    model: Model,
    first: From = None,
    provider: Provider = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
    verbose: Verbose = False,
) -> None:
    """Take back what was set for a model: all of it, or what holds from one day.

    Recorded requests keep their price until `acd reprice`.
    """
    day = first.date() if first else None

    async def drop(book: Any) -> tuple[int, list[PriceOverride]]:  # noqa: ANN401 - as above
        return await book.drop(model, provider, day), await book.overrides()

    dropped, left = through(_BOOK, _BOOK, _here(home, database_url), "prices unset", drop)
    if not dropped:
        names = sorted({f"{one.model} from {one.valid_from}" for one in left})
        raise ConfigError(
            f"no such price of {model!r} was set; there is {', '.join(names)}"
            if names
            else f"no price of {model!r} was set, nor any other"
        )
    say(f"{count_of(dropped, 'price')} of {model} taken back: the price list counts again.")
    say(f"Requests recorded so far keep their price: acd reprice --model {model}")


def _here(home: Any, database_url: str | None) -> Settings:  # noqa: ANN401 - a path or None
    settings = read_settings(home=home, database_url=database_url)
    if settings.url:
        raise ConfigError(
            "prices are set on the machine of the database, but ACD_URL names another server; for this machine: "
            "ACD_URL= acd prices …"
        )
    return settings


def _listed(model: str, provider: str, day: date) -> Rates | None:
    found = PriceList().rates(provider or "anthropic", model, day)
    return None if found is None else found.tiers[0]


def _or_else(given: Decimal | None, listed: Decimal | None, fresh: Decimal) -> Decimal:
    if given is not None:
        return given / _MILLION
    return fresh / _MILLION if listed is None else listed
