"""What the protection of references costs and gives, measured on pictures: `facestep evaluate protection`."""
