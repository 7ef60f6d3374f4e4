"""Records in, responses judged, tallies kept: nothing here knows about HTTP."""
