#!/bin/sh
# emulate_tiles.sh TOOLS MODEL.onnx STEM: compiles the model for AMX, replaces the
# instructions by loops, and compares with the reference loops.
set -e
PATH=$1:$PATH
qcc "$2" -target=x86-amx -emit=kernels -o "$3.mlir"
grep -o 'func.func private @[a-z]*_tiles_[0-9]*' "$3.mlir"
qcc-opt "$3.mlir" -x86-emulate-tiles -o "$3.emulated.mlir"
qcc-emit "$3.emulated.mlir" -expand-math -o "$3.so"
qcc "$2" -target=x86-avx512-vnni -reference -o "$3.reference.so"
qcc-run "$3.reference.so" -o="$3.npz"
for threads in 1 3; do
  qcc-run "$3.so" -threads=$threads -expect="$3.npz" -rtol=0 -atol=0
done
