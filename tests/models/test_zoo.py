"""Every line of the registry, and one ENCODER_DECODER for each further encoder, through the shared tester."""

from base import ModelTester
from keras_segmentation_parameters import PARAMETERS
from segnet_hpu.models.registry import MODELS

# Keras' documented counts without the classifier, EfficientNet's less the 7 numbers of its normalisation, and
# torchvision's without classifier plus the moving statistics of 8512 channels.
ENCODERS = {"resnet50": 23_587_712, "resnet101": 42_658_176, "mobilenet_v2": 2_257_984, "xception": 20_861_480,
            "efficientnet": 4_049_571 - 7, "resnet34": 21_797_672 - 513_000 + 2 * 8512}


def deeplab(encoder, deep, low, separable=False):
    """The parameters of DeepLabv3+ at 12 classes, by hand. deep, low: channels of f5 and f2."""
    def conv(inputs, outputs, kernel=1):
        if separable and kernel == 3:
            return 9 * inputs + 4 * inputs + conv(inputs, outputs)
        return kernel ** 2 * inputs * outputs + 4 * outputs

    pyramid = 2 * conv(deep, 256) + 3 * conv(deep, 256, 3) + conv(5 * 256, 256)
    return (ENCODERS[encoder] + pyramid + conv(low, 48) + conv(256 + 48, 256, 3) + conv(256, 256, 3)
            + 256 * 12 + 12)


class FcnTester(ModelTester):
    """The 4096 channels of the head are for parameter counts; 64 train as well."""

    stride = 1
    size = (32, 64)
    refused = {33: (32, 64), 400: (384, 416)}
    options = {"width": 64}
    learning_rate = 3e-4


class Fcn8Tester(FcnTester):
    beyond = 8


class Fcn32Tester(FcnTester):
    beyond = 32


class PspnetTester(ModelTester):
    stride = 4
    size = (192, 192)
    refused = {193: (192, 384), 100: (192, 384)}


class PspnetOfItsOwnTester(ModelTester):
    stride = 1
    size = (41, 89)
    refused = {32: (41, 89), 480: (473, 521)}


class DeepLabTester(ModelTester):
    stride = 1
    size = (32, 40)
    refused = {34: (32, 40), 5: (8, 16)}


class TestFcn8(Fcn8Tester):
    model_name = "fcn_8"


class TestFcn32(Fcn32Tester):
    model_name = "fcn_32"
    policies = ("float32",)


class TestFcn8Vgg(Fcn8Tester):
    model_name = "fcn_8_vgg"
    policies = ("mixed_bfloat16",)


class TestFcn32Vgg(Fcn32Tester):
    model_name = "fcn_32_vgg"
    policies = ("float32",)


class TestFcn8Resnet50(Fcn8Tester):
    model_name = "fcn_8_resnet50"
    policies = ("mixed_bfloat16",)


class TestFcn32Resnet50(Fcn32Tester):
    model_name = "fcn_32_resnet50"
    policies = ()


class TestFcn8Mobilenet(Fcn8Tester):
    model_name = "fcn_8_mobilenet"
    policies = ("mixed_bfloat16",)


class TestFcn32Mobilenet(Fcn32Tester):
    model_name = "fcn_32_mobilenet"
    policies = ()


class TestPspnet(PspnetTester):
    model_name = "pspnet"
    policies = ("float32",)


class TestVggPspnet(PspnetTester):
    model_name = "vgg_pspnet"
    policies = ("mixed_bfloat16",)


class TestResnet50Pspnet(PspnetTester):
    model_name = "resnet50_pspnet"
    policies = ()


class TestPspnet50(PspnetOfItsOwnTester):
    model_name = "pspnet_50"
    policies = ("float32",)


class TestPspnet101(PspnetOfItsOwnTester):
    model_name = "pspnet_101"
    policies = ()


class TestUnetMini(ModelTester):
    model_name = "unet_mini"
    stride = 1
    refused = {33: (32, 36)}


class TestUnet(ModelTester):
    model_name = "unet"
    policies = ("float32",)


class TestVggUnet(ModelTester):
    model_name = "vgg_unet"
    policies = ("mixed_bfloat16",)


class TestResnet50Unet(ModelTester):
    model_name = "resnet50_unet"
    policies = ("float32",)


class TestMobilenetUnet(ModelTester):
    model_name = "mobilenet_unet"
    policies = ("float32",)


class TestSegnet(ModelTester):
    model_name = "segnet"
    policies = ("float32",)


class TestResnet50Segnet(ModelTester):
    model_name = "resnet50_segnet"
    policies = ()


class TestMobilenetSegnet(ModelTester):
    model_name = "mobilenet_segnet"
    policies = ("mixed_bfloat16",)


class TestFcn16(FcnTester):
    model_name = "fcn_16"
    policies = ("float32",)
    # fcn_8's without what joins f3: a score of 256 channels, and a smaller last kernel the other way round.
    parameters = PARAMETERS["fcn_8"] - (256 * 12 + 12) - 4 * 4 * 12 * 12 + (32 * 32 - 16 * 16) * 12 * 12


# VGG16's convolutions, and its two fully connected layers as convolutions.
VGG16 = 14_714_688 + (49 * 512 + 1 + 4096 + 1) * 4096


class TestFcn8sVgg(FcnTester):
    model_name = "fcn_8s_vgg"
    policies = ("float32",)
    parameters = VGG16 + (4096 + 512 + 256 + 3) * 12 + (2 * 4 * 4 + 16 * 16) * 12 * 12


class TestFcn8sWideVgg(FcnTester):
    model_name = "fcn_8s_wide_vgg"
    policies = ("mixed_bfloat16",)
    parameters = VGG16 + (4096 + 1) * 512 + 4 * 4 * 512 * 512 + 8 * 8 * 512 * 256 + 16 * 16 * 256 * 12


class TestDeeplabv3plus(DeepLabTester):
    model_name = "deeplabv3plus"
    policies = ("float32",)
    parameters = deeplab("resnet50", 2048, 256)


class TestResnet18Unet(ModelTester):
    model_name = "resnet18_unet"
    policies = ("mixed_bfloat16",)
    # torchvision's without classifier and the last stage, which a U-Net leaves out; 2240 channels with statistics.
    parameters = (11_689_512 - 513_000 + 2 * 2240 - (9 * 256 + 27 * 512 + 256) * 512 - 2 * 5 * 512
                  + 9 * (256 * 512 + (512 + 128) * 256 + (256 + 64) * 128 + (128 + 64) * 64 + 64 * 12)
                  + 5 * (512 + 256 + 128 + 64) + 12)


def linknet_block(channels, width):
    """Parameters of a block: 1x1, 3x3, 1x1 without biases, each with four numbers a channel of its normalisation."""
    quarter = channels // 4
    return (channels + 9 * quarter + width) * quarter + 4 * (quarter + quarter + width)


class TestResnet18Linknet(ModelTester):
    model_name = "resnet18_linknet"
    size = (32, 64)
    stride = 1
    refused = {33: (32, 64)}
    # torchvision's without classifier; 4800 channels with statistics.
    parameters = 11_689_512 - 513_000 + 2 * 4800 + 9 * 32 * 12 + 12 + sum(
        linknet_block(*block) for block in ((512, 256), (256, 128), (128, 64), (64, 64), (64, 32)))


class TestResnet34Deeplabv3plus(DeepLabTester):
    model_name = "resnet34_deeplabv3plus"
    policies = ()
    parameters = deeplab("resnet34", 512, 64)


class TestResnet101Deeplabv3plus(DeepLabTester):
    model_name = "resnet101_deeplabv3plus"
    policies = ()
    parameters = deeplab("resnet101", 2048, 256)
    options = {"output_stride": 8}


class TestMobilenetV2Deeplabv3plus(DeepLabTester):
    model_name = "mobilenet_v2_deeplabv3plus"
    parameters = deeplab("mobilenet_v2", 1280, 24, separable=True)
    options = {"separable": True}


class TestXceptionDeeplabv3plus(DeepLabTester):
    model_name = "xception_deeplabv3plus"
    policies = ("float32",)
    parameters = deeplab("xception", 2048, 128)


class TestEfficientnetFcn8(FcnTester):
    model_name = "efficientnet_fcn_8"
    policies = ("mixed_bfloat16",)
    parameters = (ENCODERS["efficientnet"] + (49 * 1280 + 1 + 4096 + 1) * 4096 + (4096 + 112 + 40 + 3) * 12
                  + (2 * 16 + 256) * 12 * 12)


def test_no_line_is_left_out():
    tested = {cls.model_name for cls in globals().values() if isinstance(cls, type) and issubclass(cls, ModelTester)}
    of_other_tests = {"vgg_segnet"}
    pairs = {name for name, spec in MODELS.items() if not spec.network}
    assert pairs - of_other_tests <= tested
