"""Pictures of every page and state of the product, for docs/screenshots and for the eye that compares them."""
