"""A report of -report=FILE.json as text."""
import json
import sys

report = json.load(open(sys.argv[1]))
print(f"{report['model']} for {report['target']}, {report['arena_bytes']} bytes of memory, "
      f"{report['flash_bytes']} of code and constants")
layers = report["layers"]
for layer in layers:
    parts = [layer["reason"]]
    if "sqnr_db" in layer:
        parts.append(f"{layer['sqnr_db']:.0f} dB")
        histogram = layer["histogram"]
        size = 4
        for extent in layer["shape"]:
            size *= extent
        assert sum(histogram["float"]) == sum(histogram["compiled"]) == size, layer
    if "ms" in layer:
        assert layer["ms"] > 0
        parts.append("timed")
    parts.append(f"{layer['weight_bytes']} bytes")
    names = [layers[i]["name"] for i in layer["inputs"]]
    shape = "x".join(map(str, layer["shape"]))
    print(f"{layer['name']}: {layer['op']} {shape} {layer['precision']}, {', '.join(parts)}, "
          f"after {', '.join(names)}")
for output in report["outputs"]:
    if not output["samples"]:
        print(f"output {output['name']}: not compared")
        continue
    print(f"output {output['name']}: {output['sqnr_db']:.0f} dB on {output['samples']} samples, "
          f"same top-1 on {output.get('same_top1', '-')}")
if "accuracy" in report:
    accuracy = report["accuracy"]
    if "top1_drop" in accuracy:
        mean, low, high = accuracy["top1_drop"]
        assert low <= mean <= high and abs(
            accuracy["float_top1"] - accuracy["compiled_top1"] - mean) < 1e-9, accuracy
        print(f"top-1 of {accuracy['samples']}: float {100 * accuracy['float_top1']:.1f} %, "
              f"drop {100 * mean:.1f} %")
    if "agreement" in accuracy:
        print(f"same class: {100 * accuracy['agreement'][0]:.0f} %")
if "search" in report:
    search = report["search"]
    print(f"search under {search['budget']} for {search['loss']}: "
          f"{[p['int8_layers'] for p in search['points']]}, chosen "
          f"{[p['int8_layers'] for p in search['points'] if p['verdict'] == 'chosen']}")
