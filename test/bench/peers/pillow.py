"""Pillow, as the models' reference code uses it: asked a line of JSON at a time, answers one. Pictures come as files and are held, so that only decoding, resizing and normalising are timed."""
import base64, io, json, sys, time

try:
    import numpy
    import PIL
    from PIL import Image
except ImportError as missing:
    print(json.dumps({"missing": str(missing)}), flush=True)
    sys.exit(0)

SIZE = 224
held = {}


def prepare(data, mean, std):
    began = time.perf_counter()
    picture = Image.open(io.BytesIO(data))
    picture.load()
    decoded = time.perf_counter()
    width, height = picture.size
    short = min(width, height)
    fitted = [SIZE if edge == short else int(edge * SIZE / short) for edge in (width, height)]
    left, top = [(edge - SIZE) // 2 for edge in fitted]
    square = picture.resize(fitted, Image.Resampling.BICUBIC).crop((left, top, left + SIZE, top + SIZE))
    resized = time.perf_counter()
    samples = numpy.asarray(square)
    values = numpy.ascontiguousarray(((samples.astype(numpy.float32) / 255 - mean) / std).transpose(2, 0, 1))
    normalized = time.perf_counter()
    return samples, values, [decoded - began, resized - decoded, normalized - resized]


print(json.dumps({"version": PIL.__version__}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    file = asked["file"]
    if file not in held:
        with open(file, "rb") as source:
            held[file] = source.read()
    mean, std = (numpy.array(asked[name], numpy.float32) for name in ("mean", "std"))
    samples, _, seconds = prepare(held[file], mean, std)
    print(json.dumps({"seconds": seconds, **({"pixels": base64.b64encode(samples.tobytes()).decode()} if asked["pixels"] else {})}), flush=True)
