"""`python -m bench.bare PORT`: the least that FastAPI can answer, on uvicorn as `acd serve` sets it up."""

from __future__ import annotations

import sys

import uvicorn
from fastapi import FastAPI
from starlette.responses import Response

app = FastAPI(docs_url=None, redoc_url=None)


@app.get("/bare")
async def bare() -> Response:
    return Response(b'{"data":[]}', media_type="application/json")


if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
    )
