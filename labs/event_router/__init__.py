"""An event router: a bus, rules that decide by what an event says, teams that get what they asked for."""
