"""ENet; its numbers are checked on real weights in tests/interchange/test_enet_caffe.py."""

from base import ModelTester


class TestEnet(ModelTester):
    model_name = "enet"
    parameters = 380_832
    stride = 1
    refused = {33: (32, 40)}

    def test_it_has_the_weights_of_the_published_file(self):
        """371,641 numbers stand in a real .caffemodel; Keras' batch norm has two statistics more a channel."""
        trainable = sum(w.shape.num_elements() for w in self.build(n_classes=5).trainable_weights)
        assert trainable == 371_641
