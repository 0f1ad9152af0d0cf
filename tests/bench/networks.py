"""Which networks make bench measures, and how the command line names them."""
import os
import re

DEFAULT = ["resnet50", "resnet18", "resnet34", "resnet101", "resnet152", "wide_resnet50_2",
           "resnext50_32x4d", "seresnet50", "mobilenet_v2", "densenet121", "resnet20", "resnet8",
           "tutorial/resnet50-keras", "resnet50:8", "resnet50:32"]
BATCHES = ["resnet50:8", "resnet50:32"]  # what 'all' has beside the files


def every(models_dir):
    """What 'all' means: each network of models/ and its folders, then BATCHES.  Not the
    tutorial's single blocks, which take no time and give their answers in another order."""
    found = []
    for folder, _, files in os.walk(models_dir):
        for file in files:
            path = os.path.join(folder, file)
            if not file.endswith(".net") or "-block" in file:
                continue
            with open(path) as f:
                if re.search(r"(?m)^net ", f.read()):  # not what others include
                    found.append(os.path.relpath(path, models_dir)[:-4])
    return sorted(found) + BATCHES


def parse(spec):
    """(name, what of models/ it is, ["-D", "NAME=VALUE", ...], batch or None) of
    MODEL[,NAME=VALUE]...[:BATCH].  ValueError: no such form."""
    model, colon, batch = spec.partition(":")
    if colon and not re.fullmatch("[1-9][0-9]*", batch):
        raise ValueError(f"'{spec}': a batch is a number from 1 on, as in {model}:8")
    stem, *given = model.split(",")
    for one in given:
        if not re.fullmatch(r"\w+=.+", one):
            raise ValueError(f"'{spec}': '{one}' is not of the form NAME=VALUE")
    defines = [word for one in given for word in ("-D", one)]
    return model, stem, defines, int(batch) if colon else None


def catalogued(models_dir):
    """What 'models' means: each network of docs/models.md, which are those of models/ itself."""
    return [name for name in every(models_dir) if "/" not in name and ":" not in name]


def chosen(specs, models_dir):
    """The networks to measure, none twice; ValueError says what is wrong with one."""
    if not os.path.isdir(models_dir):
        raise ValueError(f"no folder {models_dir}: 'make bench' in the build folder says where "
                         "the networks are, else --models-dir does")
    there, names = every(models_dir), []
    for spec in specs or DEFAULT:
        if spec not in ("all", "models") and parse(spec)[1] not in there:
            raise ValueError(f"no network '{spec}' in {models_dir}; there are "
                             + ", ".join(name for name in there if ":" not in name)
                             + ", 'models' for those of models/ itself, and 'all' for each of them")
        names += there if spec == "all" else catalogued(models_dir) if spec == "models" else [spec]
    return list(dict.fromkeys(names))
