"""keras_segmentation's room of the same name."""
