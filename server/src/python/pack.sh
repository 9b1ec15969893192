# Puts the model into BentoML's store and builds what will be served; its last lines write down what that was.
set -eu
python='@PYTHON@'
command -v "$python" > /dev/null || python=python3
mkdir -p "$BENTOML_HOME"
if [ -f pack.py ]; then
    echo "Running pack.py"
    "$python" pack.py
fi
echo "Building"
built=/fletchline/state/built
"$python" -m bentoml build . -o tag > "$built" || { cat "$built"; exit 1; }
cat "$built"
tag=$(sed -n 's/^__tag__://p' "$built" | tail -n 1)
if [ -z "$tag" ]; then
    echo "bentoml build has named no tag" >&2
    exit 1
fi
printf '{"generation": "%s", "tag": "%s"}\n' '@GENERATION@' "$tag" > /fletchline/bento/bento.json
