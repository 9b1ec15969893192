# Serves what the packing has built; which that was is written in bento.json.
set -eu
read_field() { sed -n 's/.*"'"$1"'": *"\([A-Za-z0-9_.:-]*\)".*/\1/p' @BENTO@/bento.json; }
generation=$(read_field generation)
tag=$(read_field tag)
export BENTOML_HOME="@BENTO@/$generation"
python=python3
workers=
case "$generation" in
    bento-1.1)
        workers="--api-workers 1"
        if command -v @BENTO_1_1@ > /dev/null; then python=@BENTO_1_1@; fi
        ;;
esac
# shellcheck disable=SC2086
exec "$python" -m bentoml serve "$tag" --host 0.0.0.0 --port @PORT@ $workers
