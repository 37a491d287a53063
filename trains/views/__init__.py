"""The pages of trains and of what rides them."""
