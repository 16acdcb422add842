"""How a picture becomes what a model takes."""

from segnet_hpu.data.transforms import EvalTransform


def input_transform(model):
    """Return the EvalTransform for a model: to its size, and equalised (CLAHE) if it was trained so.

    The latter stands in the model's attribute `equalises`, which training and `load_model` set.
    """
    return EvalTransform(model.input_shape[1:3], clahe=getattr(model, "equalises", False))
