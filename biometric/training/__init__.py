"""Governed training of our own small models: data by digest, split by person, one seed, a manifest of it all."""
