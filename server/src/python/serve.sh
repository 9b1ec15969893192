# Serves what the packing has built; which that was is written in bento.json.
set -eu
read_field() { sed -n 's/.*"'"$1"'": *"\([A-Za-z0-9_.:-]*\)".*/\1/p' @BENTO@/bento.json; }
generation=$(read_field generation)
tag=$(read_field tag)
export BENTOML_HOME="@BENTO@/$generation"
workers=
case "$generation" in
    bento-1.1) workers="--api-workers 1" ;;
esac
# shellcheck disable=SC2086
exec '@PYTHON@' -m bentoml serve "$tag" --host 0.0.0.0 --port @PORT@ $workers
