"""What an agent could write to harm whoever looks at it: markup that runs, markup that lays out, text that hides."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

_CALLS = ("alert(1)", "window.harmed=1", "confirm`1`", "(0,prompt)(1)", "print()")
_CARRIERS = (
    "<script data-harm>{call}</script>",
    "</textarea><script data-harm>{call}</script>",
    "</title><script data-harm>{call}</script>",
    "--><script data-harm>{call}</script>",
    "]]><script data-harm>{call}</script>",
    "<img data-harm src=x onerror={call}>",
    '"><img data-harm src=x onerror="{call}">',
    "'><img data-harm src=x onerror='{call}'>",
    "`><img data-harm src=x onerror={call}>",
    "<svg data-harm onload={call}>",
    "<svg data-harm><animate onbegin={call} attributeName=x dur=1s>",
    "<math data-harm><mtext></mtext><script>{call}</script></math>",
    "<details data-harm open ontoggle={call}>x</details>",
    '" autofocus onfocus="{call}" data-harm="',
    "' onmouseover='{call}' data-harm='",
    "<iframe data-harm srcdoc='<script>parent.{call}</script>'></iframe>",
    "<a data-harm href=javascript:{call}>x</a>",
    "<form data-harm action=javascript:{call}><button>x</button></form>",
    "<base data-harm href=//evil.example/>",
    "<style data-harm>*{{display:none}}</style>",
    "<link data-harm rel=stylesheet href=//evil.example/x.css>",
    "<meta data-harm http-equiv=refresh content='0;url=javascript:{call}'>",
    "{{{{ cycler.__init__ }}}}<i data-harm onclick={call}>x</i>",
)
_HIDING = (
    "\u202e<b data-harm>txt.exe\u202c alert(1)",
    "\u2066<b data-harm>\u2069\u200f alert(1)",
    "\x1b]0;title\x07\x1b[2J<b data-harm>",
    "a\u200bb\ufeffc\x7f\x85<b data-harm>",
    "javascript:alert(1)//<b data-harm>",
    "\u2028alert(1)\u2029<b data-harm>",
    "&lt;script data-harm&gt;alert(1)&lt;/script&gt;",
    "\r\nSet-Cookie: harm=1\r\n\r\n<b data-harm>",
)
HIDDEN = frozenset("\x1b\x07\x7f\x85\u200b\u200f\u2028\u2029\u202c\u202e\u2066\u2069\ufeff")
COUNT = 100


def payloads() -> list[str]:
    """A hundred of them, all different."""
    found = list(dict.fromkeys(_all()))
    assert len(found) >= COUNT
    return [*found[: COUNT - len(_HIDING)], *_HIDING]


def _all() -> Iterator[str]:
    for call, carrier in product(_CALLS, _CARRIERS):
        yield carrier.format(call=call)
