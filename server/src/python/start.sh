# Gives a task a Python of its own in its work folder, upon the read-only one: `pip install` lands there, sees what is
# installed below as it is, and is found again wherever the work folder is found again. Then becomes the task's program.
set -eu
own=/work/.python
packages=$own/lib/python@MINOR@/site-packages
mkdir -p "$own/bin" "$packages"
ln -sfn '@BASE@' "$own/bin/python"
ln -sfn python "$own/bin/python3"
printf 'home = %s\nversion = %s\ninclude-system-site-packages = false\n' '@HOME@' '@VERSION@' > "$own/pyvenv.cfg"
printf "import site; site.addsitedir('%s')\n" '@PACKAGES@' > "$packages/fletchline.pth"
for name in pip pip3; do
    printf '#!/bin/sh\nexec %s/bin/python -m pip "$@"\n' "$own" > "$own/bin/$name"
    chmod 755 "$own/bin/$name"
done
exec "$@"
