"""The Facestep service: a Flask application that identity providers send people to."""
