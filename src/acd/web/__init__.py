"""What every answer over HTTP has in common: who may ask, how errors look, which headers go out."""
