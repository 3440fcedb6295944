"""Names in sentences: the ensemble that ships in model.json, and the more varied ones of training."""

ENSEMBLE = (
    "{}",
    "a photo of a {}",
    "a picture of a {}",
    "a small photo of a {}",
    "a blurry photo of a {}",
    "an emoji of {}",
    "a drawing of a {}",
)
# Those of the ensemble that speak of drawings.
DRAWN = ("an emoji of {}", "a drawing of a {}")
PHOTO = (
    "{}",
    "a photo of a {}",
    "a picture of a {}",
    "a small photo of a {}",
    "a blurry photo of a {}",
    "a close-up photo of a {}",
    "a photo of one {}",
    "a {}",
    "the {}",
    "a photo of the {}",
    "a low resolution photo of a {}",
    "a bright photo of a {}",
    "a {} in the picture",
    "there is a {} here",
)
ART = (
    "{}",
    "{}",
    "{}",
    "an emoji of {}",
    "{} emoji",
    "an icon of {}",
    "icon of a {}",
    "a drawing of {}",
    "a picture of a {}",
    "a cartoon of a {}",
)


def fill(template, name):
    return template.replace("{}", name)
