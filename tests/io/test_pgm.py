"""PGM files, as laboratories keep their faces."""

import numpy as np
import pytest

from openfer.io.images import read_image


@pytest.mark.parametrize("white", [255, 1000, 65535])
@pytest.mark.parametrize("plain", [False, True])
def test_pgm_reaches_its_own_white_in_both_of_its_writings(white: int, plain: bool) -> None:
    values = np.linspace(0, white, 12 * 9).round().astype(">u2" if white > 255 else np.uint8).reshape(9, 12)
    body = " ".join(map(str, values.ravel())).encode() if plain else values.tobytes()
    source = read_image(b"P%d\n# Yale B\n12 9\n%d\n" % (2 if plain else 5, white) + body)
    assert np.abs(source.pixels[..., 0] - 255 * (values / white)).max() <= 1
    assert source.pixels.max() == 255
    assert source.oddities == (("grey",) if white == 255 else ("16-bit grey",))
