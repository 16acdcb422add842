"""keras_segmentation's path of its data loader."""

from segnet_hpu.compat.keras_segmentation.data_loader import (
    DATA_LOADER_SEED,
    DataLoaderError,
    class_colors,
    get_image_array,
    get_pairs_from_paths,
    get_segmentation_array,
    image_segmentation_generator,
    verify_segmentation_dataset,
)

__all__ = ["DATA_LOADER_SEED", "DataLoaderError", "class_colors", "get_image_array", "get_pairs_from_paths",
           "get_segmentation_array", "image_segmentation_generator", "verify_segmentation_dataset"]
