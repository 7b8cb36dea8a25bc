//===- Report.cpp - What qcc-run prints -----------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Report.h"

#include "Peak.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>

using namespace qcc;

/// A JSON string.
static std::string quoted(const char *text) {
  std::string result = "\"";
  for (; *text; ++text) {
    unsigned char c = static_cast<unsigned char>(*text);
    if (c == '"' || c == '\\') {
      result += '\\';
      result += char(c);
    } else if (c < 0x20) {
      char code[8];
      std::snprintf(code, sizeof(code), "\\u%04x", c);
      result += code;
    } else {
      result += char(c);
    }
  }
  return result + "\"";
}

static std::string number(double value) {
  char text[40];
  std::snprintf(text, sizeof(text), "%.9g", value);
  return text;
}

static std::string typeText(const qcc_tensor_info &tensor) {
  std::string text = name(DType(tensor.dtype));
  text += "[" + shapeString({tensor.shape, tensor.shape + tensor.rank}) + "]";
  if (tensor.quant_count == 1)
    text += "  (q - " + std::to_string(tensor.zero_points[0]) + ") * " +
            number(tensor.scales[0]);
  else if (tensor.quant_count > 1)
    text += "  " + std::to_string(tensor.quant_count) + " scales along axis " +
            std::to_string(tensor.quant_axis);
  return text;
}

static void printTensors(const char *kind, const qcc_tensor_info *tensors,
                         uint32_t count) {
  for (uint32_t i = 0; i < count; ++i)
    std::printf("  %s %" PRIu32 "  %s  %s\n", kind, i, tensors[i].name,
                typeText(tensors[i]).c_str());
}

static std::string tensorsJSON(const qcc_tensor_info *tensors, uint32_t count) {
  std::string text = "[";
  for (uint32_t i = 0; i < count; ++i) {
    const qcc_tensor_info &tensor = tensors[i];
    text += std::string(i ? ", " : "") + "{\"name\": " + quoted(tensor.name) +
            ", \"type\": \"" + name(DType(tensor.dtype)) + "\", \"shape\": [";
    for (int32_t d = 0; d < tensor.rank; ++d)
      text += (d ? ", " : "") + std::to_string(tensor.shape[d]);
    text += "]";
    if (tensor.quant_count) {
      text += ", \"axis\": " + std::to_string(tensor.quant_axis) +
              ", \"scales\": [";
      for (int32_t k = 0; k < tensor.quant_count; ++k)
        text += (k ? ", " : "") + number(tensor.scales[k]);
      text += "], \"zero_points\": [";
      for (int32_t k = 0; k < tensor.quant_count; ++k)
        text += (k ? ", " : "") + std::to_string(tensor.zero_points[k]);
      text += "]";
    }
    text += "}";
  }
  return text + "]";
}

static void printDescriptionJSON(const Artefact &artefact) {
  const qcc_model_info &model = artefact.model();
  std::string levels;
  for (uint32_t i = 0; i < model.num_levels; ++i)
    levels += (i ? ", " : "") + quoted(model.levels[i].name);
  std::printf("{\"target\": %s, \"build_id\": %s, \"levels\": [%s], "
              "\"level\": %s, \"threads\": %d, \"arena_bytes\": %" PRIu64
              ", \"steps\": %" PRIu32 ", \"inputs\": %s, \"outputs\": %s}\n",
              quoted(model.target).c_str(), quoted(model.build_id).c_str(),
              levels.c_str(), quoted(artefact.level().name).c_str(),
              artefact.threads(), model.arena_bytes, artefact.level().num_steps,
              tensorsJSON(model.inputs, model.num_inputs).c_str(),
              tensorsJSON(model.outputs, model.num_outputs).c_str());
}

void qcc::printDescription(const Artefact &artefact, bool json) {
  if (json)
    return printDescriptionJSON(artefact);
  const qcc_model_info &model = artefact.model();
  std::printf("target %s, levels", model.target);
  for (uint32_t i = 0; i < model.num_levels; ++i)
    std::printf(" %s", model.levels[i].name);
  std::printf("; here %s on %d thread%s\n", artefact.level().name,
              artefact.threads(), artefact.threads() == 1 ? "" : "s");
  printTensors("input ", model.inputs, model.num_inputs);
  printTensors("output", model.outputs, model.num_outputs);
  std::printf("  memory of an instance %" PRIu64 " bytes; %" PRIu32
              " steps; build %s\n",
              model.arena_bytes, artefact.level().num_steps, model.build_id);
}

void qcc::printTimes(const Artefact &artefact, std::vector<uint64_t> times,
                     bool json) {
  std::sort(times.begin(), times.end());
  auto quantile = [&](double q) {
    return double(times[size_t(q * double(times.size() - 1) + 0.5)]) * 1e-6;
  };
  double least = quantile(0), median = quantile(0.5), p99 = quantile(0.99);
  if (json)
    std::printf("{\"min_ms\": %.6f, \"median_ms\": %.6f, \"p99_ms\": %.6f, "
                "\"runs\": %zu, \"threads\": %d, \"level\": %s}\n",
                least, median, p99, times.size(), artefact.threads(),
                quoted(artefact.level().name).c_str());
  else
    std::printf("min %.4f ms, median %.4f ms, p99 %.4f ms  (%zu runs, %d "
                "thread%s, %s)\n",
                least, median, p99, times.size(), artefact.threads(),
                artefact.threads() == 1 ? "" : "s", artefact.level().name);
}

namespace {
/// What the machine could do in the time of a step.
class Peaks {
public:
  explicit Peaks(const Artefact &artefact)
      : level(artefact.level().name), threads(artefact.threads()) {}

  /// Share of the peak that a step reaches; 0 where it is not known.
  double share(const qcc_step_info &step, double ns) {
    double peak = macsPerNs(step.macs_dtype);
    return step.macs && peak > 0 && ns > 0 ? double(step.macs) / (peak * ns)
                                           : 0;
  }
  double macsPerNs(int32_t dtype) {
    if (dtype != QCC_I8 && dtype != QCC_F32)
      return 0;
    double &peak = dtype == QCC_I8 ? integer : real;
    if (peak < 0)
      peak = measurePeak(level, dtype) * 1e-9 * threads;
    return peak;
  }

private:
  const char *level;
  int threads;
  double integer = -1, real = -1;
};
} // namespace

/// Billions of operations per second, a multiply-accumulate being two.
static double gops(int64_t macs, double ns) {
  return ns > 0 ? 2 * double(macs) / ns : 0;
}

static void printProfileJSON(const Artefact &artefact,
                             const std::vector<uint64_t> &steps, double total,
                             Peaks &peaks) {
  const qcc_level_info &level = artefact.level();
  std::printf("{\"level\": %s, \"threads\": %d, \"total_us\": %.3f, "
              "\"steps\": [",
              quoted(level.name).c_str(), artefact.threads(), total * 1e-3);
  for (size_t i = 0; i < steps.size(); ++i) {
    const qcc_step_info &step = level.steps[i];
    double ns = double(steps[i]);
    std::printf("%s{\"us\": %.3f, \"macs\": %" PRId64
                ", \"gops\": %.3f, \"peak_share\": %.4f, \"kernel\": %s, "
                "\"nodes\": %s, \"tiles\": %" PRId64 "}",
                i ? ", " : "", ns * 1e-3, step.macs, gops(step.macs, ns),
                peaks.share(step, ns), quoted(step.kernel).c_str(),
                quoted(step.nodes).c_str(), step.tiles);
  }
  std::printf("], \"peak_gops\": {\"i8\": %.3f, \"f32\": %.3f}}\n",
              2 * peaks.macsPerNs(QCC_I8), 2 * peaks.macsPerNs(QCC_F32));
}

void qcc::printProfile(const Artefact &artefact,
                       const std::vector<uint64_t> &steps, bool json) {
  const qcc_level_info &level = artefact.level();
  double total = 0;
  for (uint64_t time : steps)
    total += double(time);
  Peaks peaks(artefact);
  if (json)
    return printProfileJSON(artefact, steps, total, peaks);
  auto percent = [&](double ns) { return total > 0 ? 100 * ns / total : 0; };
  std::printf("%12s %7s %8s %6s  %-28s %s\n", "us", "%", "GOPS", "peak%",
              "kernel", "nodes");
  int64_t macs = 0;
  double ideal = 0; // time of all products at the peak
  for (size_t i = 0; i < steps.size(); ++i) {
    const qcc_step_info &step = level.steps[i];
    double ns = double(steps[i]);
    std::printf("%12.3f %7.2f", ns * 1e-3, percent(ns));
    if (step.macs)
      std::printf(" %8.1f %6.1f", gops(step.macs, ns),
                  100 * peaks.share(step, ns));
    else
      std::printf(" %8s %6s", "-", "-");
    std::printf("  %-28s %s\n", step.kernel, step.nodes);
    macs += step.macs;
    ideal += peaks.share(step, ns) * ns;
  }
  std::printf("%12.3f %7.2f %8.1f %6.1f  %zu steps, %s, %d thread%s\n",
              total * 1e-3, 100.0, gops(macs, total), percent(ideal),
              steps.size(), level.name, artefact.threads(),
              artefact.threads() == 1 ? "" : "s");
}
