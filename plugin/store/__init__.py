"""SQLAlchemy tables and the transaction they are used in."""
