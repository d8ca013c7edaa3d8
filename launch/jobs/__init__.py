"""The work of commands, imported once their flags are parsed and checked."""
