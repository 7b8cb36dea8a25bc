//===- Report.cpp - What qcc-run prints -----------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Report.h"

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

void qcc::printProfile(const Artefact &artefact,
                       const std::vector<uint64_t> &steps, bool json) {
  const qcc_level_info &level = artefact.level();
  double total = 0;
  for (uint64_t time : steps)
    total += double(time);
  auto share = [&](uint64_t time) {
    return total > 0 ? 100 * double(time) / total : 0;
  };
  if (json)
    std::printf("{\"level\": %s, \"total_us\": %.3f, \"steps\": [",
                quoted(level.name).c_str(), total * 1e-3);
  else
    std::printf("%12s %7s  %-28s %s\n", "us", "%", "kernel", "nodes");
  for (size_t i = 0; i < steps.size(); ++i) {
    const qcc_step_info &step = level.steps[i];
    if (json)
      std::printf("%s{\"us\": %.3f, \"kernel\": %s, \"nodes\": %s, \"tiles\": "
                  "%" PRId64 "}",
                  i ? ", " : "", double(steps[i]) * 1e-3,
                  quoted(step.kernel).c_str(), quoted(step.nodes).c_str(),
                  step.tiles);
    else
      std::printf("%12.3f %7.2f  %-28s %s\n", double(steps[i]) * 1e-3,
                  share(steps[i]), step.kernel, step.nodes);
  }
  if (json)
    std::printf("]}\n");
  else
    std::printf("%12.3f %7.2f  %zu steps, %s, %d thread%s\n", total * 1e-3,
                100.0, steps.size(), level.name, artefact.threads(),
                artefact.threads() == 1 ? "" : "s");
}
