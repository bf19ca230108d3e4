"""What protects secrets at rest: sealing, keyed hashing, and the references that use them."""
