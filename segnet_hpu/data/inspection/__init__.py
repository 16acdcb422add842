"""What an unknown folder holds, and the description by which it is a data set: pairs, splits, codings, oddities."""
