"""Makes files.zip: a few text files in folders, to be counted.

    python make-data.py

Written the same every time: same order, same dates, same bytes.
"""

import zipfile

FILES = {
    "poems/sea.txt": "The sea is calm to-night.\nThe tide is full, the moon lies fair\nUpon the straits.\n",
    "poems/tyger.txt": "Tyger Tyger, burning bright,\nIn the forests of the night;\nWhat immortal hand or eye,\n"
    "Could frame thy fearful symmetry?\n",
    "tables/planets.csv": "planet,moons\nMercury,0\nVenus,0\nEarth,1\nMars,2\nJupiter,95\nSaturn,146\nUranus,28\nNeptune,16\n",
    "tables/empty.csv": "",
    "a name with blanks.txt": "Names may hold blanks.\n",
}

with zipfile.ZipFile("files.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    for name, text in FILES.items():
        entry = zipfile.ZipInfo(name, date_time=(2020, 1, 1, 0, 0, 0))
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = 0o644 << 16
        archive.writestr(entry, text)
