import glob
import os
import platform
import shutil

import lit.formats
from lit.llvm import llvm_config

config.name = "QCC"
config.test_format = lit.formats.ShTest(not llvm_config.use_lit_shell)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "CMakeLists.txt"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.qcc_obj_root, "test")

llvm_config.use_default_substitutions()
llvm_config.with_environment("PATH", config.llvm_tools_dir, append_path=True)
llvm_config.add_tool_substitutions(
    ["qcc", "qcc-emit", "qcc-opt", "qcc-run", "qcc-translate", "qcc-unit-tests"],
    [config.qcc_tools_dir, config.llvm_tools_dir]
)
config.substitutions.append(("%cc", config.cc))
config.substitutions.append(("%qcc_lib", os.path.join(config.qcc_obj_root, "lib")))
config.substitutions.append(("%obj", config.qcc_obj_root))
config.substitutions.append(("%python", "/usr/bin/python3"))
config.substitutions.append(("%src", os.path.dirname(config.test_source_root)))
config.substitutions.append(("%assets", config.qcc_assets))

if os.path.isdir(os.path.join(config.qcc_assets, "models")):
    config.available_features.add("assets")
    config.environment["QCC_ASSETS"] = config.qcc_assets
for program, feature in (("cmake", "cmake"), ("dpkg-shlibdeps", "dpkg"),
                         ("chromium", "chromium")):
    if shutil.which(program):
        config.available_features.add(feature)
if not os.system("/usr/bin/python3 -c 'import ensurepip, setuptools, wheel' 2> /dev/null"):
    config.available_features.add("python-venv")
if platform.machine() == "x86_64":
    config.available_features.add("x86-host")
if shutil.which("qemu-aarch64") and os.path.exists(
        os.path.join(config.qcc_tools_dir, "qcc-run-arm64")):
    config.available_features.add("qemu-aarch64")
if os.path.exists("/proc/cpuinfo"):
    with open("/proc/cpuinfo") as cpuinfo:
        flags = cpuinfo.read().split()
    if "avx512_vnni" in flags and "avx512vbmi" in flags:
        config.available_features.add("avx512-vnni")
    if "avx_vnni" in flags:
        config.available_features.add("avx-vnni")
if shutil.which("qemu-x86_64"):
    config.available_features.add("qemu-x86_64")
config.substitutions.append(("%qcc-tools", config.qcc_tools_dir))
config.substitutions.append(("%arm64", "qemu-aarch64 -L /usr/aarch64-linux-gnu"))
config.substitutions.append(
    ("%qcc-run-arm64", os.path.join(config.qcc_tools_dir, "qcc-run-arm64")))

# ONNX Runtime, the independent oracle; scripts/setup brings it.
ort = os.environ.get("ORT_LIB")
if not ort:
    arch = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), "none")
    found = glob.glob(os.path.join(
        os.path.dirname(config.test_source_root), "build", "ort", "node_modules",
        "onnxruntime-node", "bin", "*", "linux", arch, "libonnxruntime.so.1"))
    ort = found[0] if found else ""
if os.path.exists(ort):
    config.available_features.add("ort")
    config.environment["ORT_LIB"] = ort
