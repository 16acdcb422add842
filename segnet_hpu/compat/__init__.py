"""The public names of other packages, for scripts that were written for them. Re-exported where users import them."""
