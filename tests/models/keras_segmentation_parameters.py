"""keras_segmentation's parameter counts, measured with the real package.

Release 0.3.0 under TensorFlow 2.15.1, 12 classes:
`DIR/bin/python benchmarks/keras_segmentation_models.py count`. They do not depend on the input's size.
"""

PARAMETERS = {
    "fcn_8": 69_817_252,
    "fcn_32": 70_359_436,
    "fcn_8_vgg": 134_360_420,
    "fcn_32_vgg": 134_899_532,
    "fcn_8_resnet50": 451_524_004,
    "fcn_32_resnet50": 452_053_900,
    "fcn_8_mobilenet": 225_635_044,
    "fcn_32_mobilenet": 226_174_156,
    "pspnet": 3_324_300,
    "vgg_pspnet": 17_139_532,
    "resnet50_pspnet": 29_944_716,
    "pspnet_50": 46_770_380,
    "pspnet_101": 65_814_732,
    "unet_mini": 471_916,
    "unet": 4_477_516,
    "vgg_unet": 12_328_716,
    "resnet50_unet": 16_379_212,
    "mobilenet_unet": 6_321_292,
    "segnet": 3_703_372,
    "vgg_segnet": 11_554_572,
    "resnet50_segnet": 14_867_788,
    "mobilenet_segnet": 5_547_148,
}
