"""What collateral is worth: simulated markets, and the ways in which a venue makes a price of them."""
