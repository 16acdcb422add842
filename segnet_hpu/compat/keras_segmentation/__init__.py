"""keras_segmentation's names, arguments and results over our models, training and inference."""
