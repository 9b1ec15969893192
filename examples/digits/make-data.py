"""Makes digits.zip from scikit-learn's own data: 1,797 handwritten digits of 8 x 8 pixels (UCI, CC BY 4.0).

    python make-data.py

Written the same every time: same order, same dates, same bytes.
"""

import io
import zipfile

from sklearn.datasets import load_digits

ABOUT = """1,797 handwritten digits from the Optical Recognition of Handwritten Digits data set
(E. Alpaydin, C. Kaynak; UCI Machine Learning Repository, CC BY 4.0), as scikit-learn ships it.
digits.csv: 64 pixels p0 ... p63 (row by row, 0 white to 16 black) and the digit.
"""


def csv() -> str:
    pixels, digits = load_digits(return_X_y=True)
    text = io.StringIO()
    text.write(",".join([*(f"p{number}" for number in range(64)), "digit"]) + "\n")
    for row, digit in zip(pixels.astype(int), digits):
        text.write(",".join(map(str, [*row, digit])) + "\n")
    return text.getvalue()


with zipfile.ZipFile("digits.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    for name, text in [("digits.csv", csv()), ("about.txt", ABOUT)]:
        entry = zipfile.ZipInfo(name, date_time=(2020, 1, 1, 0, 0, 0))
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = 0o644 << 16
        archive.writestr(entry, text)
