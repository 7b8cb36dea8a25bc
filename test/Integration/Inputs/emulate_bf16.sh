#!/bin/sh
# emulate_bf16.sh TOOLS MODEL.onnx STEM: compiles the model for AMX with layers in
# bf16, replaces the instructions by loops, and compares: with AVX512-VNNI, which
# rounds the weights alone, and with tensors kept, where no kernel rounds its result.
set -e
PATH=$1:$PATH
qcc "$2" -precision=bf16 -target=x86-avx512-vnni -o "$3.so"
qcc-run "$3.so" -o="$3.npz"
for keep in false true; do
  qcc "$2" -precision=bf16 -target=x86-amx -keep-tensors=$keep -emit=kernels -o "$3.mlir"
  grep -o 'func.func private @[a-z]*_tiles_[0-9]*' "$3.mlir" | sort | tail -1
  qcc-opt "$3.mlir" -x86-emulate-tiles -o "$3.emulated.mlir"
  qcc-emit "$3.emulated.mlir" -expand-math -o "$3.$keep.so"
done
qcc-run "$3.false.so" -threads=1 -o="$3.fused.npz"
qcc-run "$3.false.so" -threads=3 -expect="$3.fused.npz" -rtol=0 -atol=0
qcc-run "$3.true.so" -threads=1 -expect="$3.fused.npz" -rtol=0 -atol=0
# Something is rounded, and not much.
if qcc-run "$3.false.so" -expect="$3.npz" -rtol=0.00001 -atol=0.00001 > /dev/null; then
  exit 1
fi
qcc-run "$3.false.so" -expect="$3.npz" -rtol=0.05 -atol=0.05
