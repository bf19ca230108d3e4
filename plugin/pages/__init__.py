"""Blueprints that render templates/."""
