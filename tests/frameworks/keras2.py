"""A model of Keras 3 in the form in which Keras 2 saved one: model.save("m.h5").

The configuration is what Keras 2.15 documents: batch_input_shape, dtype as a word, inbound_nodes as
lists [layer, call, result, {}], calls of a model that is a layer counted from 1, operations as
TFOpLambda.  Weights are model_weights/LAYER/VARIABLE:0, a variable being LAYER/kernel of the
innermost layer, whatever models are around it.
"""
import json

import h5py
import numpy as np

FUNCTIONS = {"Add": "__operators__.add", "Subtract": "math.subtract", "Multiply": "math.multiply",
             "TrueDivide": "math.truediv", "Divide": "math.truediv", "Relu6": "nn.relu6",
             "Relu": "nn.relu", "Sigmoid": "math.sigmoid", "Silu": "nn.silu"}
NAMES = {"DepthwiseConv2D": {"kernel": "depthwise_kernel"},
         "DepthwiseConv1D": {"kernel": "depthwise_kernel"}}


def is_operation(layer):
    return "keras.src.ops" in layer.get("module", "")


def config_of(value):
    """Without what only Keras 3 says."""
    if isinstance(value, list):
        return [config_of(v) for v in value]
    if not isinstance(value, dict):
        return value
    if value.get("class_name") == "DTypePolicy":
        return value["config"]["name"]
    old = {k: config_of(v) for k, v in value.items()
           if k not in ("module", "registered_name", "build_config", "shared_object_id", "optional",
                        "quantization_config", "synchronized", "compile_config")}
    if "batch_shape" in old:
        old["batch_input_shape"] = old.pop("batch_shape")
    return old


class Model:
    """One model's configuration; `models` are the names of the layers that are models."""

    def __init__(self, config):
        layers = config["layers"]
        self.models = {l["config"]["name"] for l in layers if "layers" in l["config"]}
        self.functional = {l["config"]["name"] for l in layers if "input_layers" in l["config"]}
        self.config = {"name": config["name"], "layers": [self.layer(l) for l in layers]}
        for key in ("input_layers", "output_layers"):
            if key in config:
                ports = config[key]
                ports = [ports] if isinstance(ports[0], str) else ports
                # Keras 3 counts from 1 here as well, for functional models.
                self.config[key] = [list(p) if p[0] in self.functional else self.tensor(p)
                                    for p in ports]
        if "build_input_shape" in config and "input_layers" not in config:
            self.config["build_input_shape"] = config["build_input_shape"]

    def tensor(self, history):
        name, call, result = history
        return [name, call + (name in self.models), result]

    def refs(self, args):
        if isinstance(args, list):
            return [r for a in args for r in self.refs(a)]
        if isinstance(args, dict):
            return [self.tensor(args["config"]["keras_history"]) + [{}]]
        return []

    def node(self, layer, node):
        refs = self.refs(node["args"])
        if not is_operation(layer):
            return refs
        constants = [a for a in node["args"] if isinstance(a, (int, float))]
        further = {"name": None}
        if len(refs) == 2:
            further["y"] = refs[1][:3]
        elif constants:
            further["y"] = constants[0]
        return refs[0][:3] + [further]

    def layer(self, layer):
        if "layers" in layer["config"]:
            config, kind = Model(layer["config"]).config, layer["class_name"]
        elif is_operation(layer):
            config = {"name": layer["name"], "trainable": True, "dtype": "float32",
                      "function": FUNCTIONS[layer["class_name"]]}
            kind = "TFOpLambda"
        else:
            config, kind = config_of(layer["config"]), layer["class_name"]
        if kind == "LeakyReLU":
            config["alpha"] = config.pop("negative_slope")
        if kind == "BatchNormalization":
            config["axis"] = [3]
        old = {"class_name": kind, "config": config}
        if "inbound_nodes" in layer:
            old["name"] = layer["name"]
            old["inbound_nodes"] = [self.node(layer, n) for n in layer["inbound_nodes"]]
        return old


def variables(layer):
    """(name, value) of all weights of a layer, of the models in it as well."""
    found = []
    for inner in getattr(layer, "layers", []):
        found += variables(inner)
    if hasattr(layer, "layers"):
        return found
    kind = type(layer).__name__
    for w in layer.weights:
        name = w.path.split("/")[-1]
        if name != "seed_generator_state":
            found.append((f"{layer.name}/{NAMES.get(kind, {}).get(name, name)}:0", np.asarray(w)))
    return found


def save(model, path, version="2.15.0", fixed=False):
    """`fixed`: texts of a fixed length, as h5py wrote bytes before."""
    text = json.loads(model.to_json())
    old = {"class_name": text["class_name"], "config": Model(text["config"]).config}
    encoded = json.dumps(old).encode()
    with h5py.File(path, "w") as f:
        f.attrs["keras_version"] = np.bytes_(version) if fixed else version
        f.attrs["backend"] = "tensorflow"
        f.attrs["model_config"] = np.bytes_(encoded) if fixed else encoded.decode()
        group = f.create_group("model_weights")
        group.attrs["layer_names"] = np.array([l.name.encode() for l in model.layers])
        group.attrs["backend"] = "tensorflow"
        group.attrs["keras_version"] = version
        for layer in model.layers:
            inner = group.create_group(layer.name)
            found = variables(layer)
            inner.attrs["weight_names"] = np.array([n.encode() for n, _ in found])
            for name, value in found:
                inner.create_dataset(name, data=value)
