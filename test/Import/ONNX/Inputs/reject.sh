#!/bin/sh
# reject.sh PYTHON MODELS TMP CASE CASE...: prints what the importer says of each
# case; fails unless it exits with 1 and exactly one error.
python=$1 models=$2 tmp=$3
shift 3
"$python" "$models" "$@" "$tmp" || exit 2
for case in "$@"; do
  qcc-translate --import-onnx "$tmp.$case" -o /dev/null 2>"$tmp.txt"
  status=$?
  errors=$(grep -c ' error: ' "$tmp.txt")
  echo "== $case: exit $status, $errors error"
  sed 's/^.*error: /error: /' "$tmp.txt"
  [ "$status" = 1 ] && [ "$errors" = 1 ] || exit 3
done
