"""Routes of the HTTP API. They are thin: read the parameters, ask a report, wrap its bytes."""
