"""Simulated presentations for `facestep evaluate attacks`: people, species of attacks, and the page between them.

    source = open_source(photos=None, seed=1)
    outcome = source.present("flat_print", 0, pipeline=pipeline)

Everything is determined by species, number and seed.
"""

from tests.simulator.laboratory.source import Conditions, Laboratory, open_source

__all__ = ["Conditions", "Laboratory", "open_source"]
