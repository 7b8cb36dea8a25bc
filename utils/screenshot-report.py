#!/usr/bin/env python3
"""Takes a picture of a report's page in headless Chromium.

  utils/screenshot-report.py OUT.png [--model=NAME] [--open=LAYER]
      [--size=WIDTHxHEIGHT] [--samples=N] [--options="..."] [--report=FILE]

Compiles a model of the assets on its calibration samples with -report=, and with
the options given, and opens the details of one layer. --report= takes a page
that is there already. The picture of the documentation is made by the first, one of
what a search tried by the second:

  utils/screenshot-report.py docs/images/report.png --open=Conv.9
  utils/screenshot-report.py search.png --model=mobilenetv1_0.25_128_f32 \\
      --samples=64 --size=1180x900 --options="-precision=auto -max-drop=kl:0.01"
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from harness import assets, compiler

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
TIMEOUT = 120  # seconds


def find_browser():
    for name in BROWSERS:
        if path := shutil.which(name):
            return path
    sys.exit(f"error: no browser: none of {', '.join(BROWSERS)} is in PATH; "
             "scripts/setup installs Chromium where it can")


def make_report(page, folder, args):
    calibration = assets.calibration_file(args.model, folder / "calib.npz", args.samples)
    feeds = assets.stored_sets(args.model)[0][0]
    # The page's title is the path that qcc is given.
    os.chdir(folder)
    model = pathlib.Path(f"{args.model}.onnx")
    model.symlink_to(assets.path(args.model).resolve())
    compiler.compile_model(model, "model.so", f"-calib={calibration}", f"-report={page}",
                           *args.options, feeds=feeds)


def open_layer(page, layer):
    """Clicks on the row of a layer as soon as the page is loaded."""
    script = ("<script>addEventListener('load', () => {"
              "for (const row of document.querySelectorAll('tr.layer'))"
              f" if (row.cells[1].textContent === {layer!r}) row.click();"
              "});</script>")
    text = page.read_text()
    if f">{layer}<" not in text and f'"{layer}"' not in text:
        sys.exit(f"error: the report has no layer {layer!r}")
    page.write_text(text + script)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--model", default="resnet8_cifar10_f32")
    parser.add_argument("--open", help="a layer whose details are shown")
    parser.add_argument("--size", default="1180x960")
    parser.add_argument("--samples", type=int, default=32, help="for calibration")
    parser.add_argument("--report", type=pathlib.Path, help="a page that exists")
    parser.add_argument("--options", type=str.split, default=[], help="more options for qcc")
    args = parser.parse_args()
    if args.report and not args.report.is_file():
        sys.exit(f"error: {args.report}: no such file")
    if not args.report and not assets.path(args.model).exists():
        sys.exit(f"error: the assets have no model {args.model}")
    args.out = args.out.resolve()
    width, height = args.size.split("x")
    browser = find_browser()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        page = folder / "report.html"
        if args.report:
            shutil.copyfile(args.report, page)
        else:
            make_report(page, folder, args)
        if args.open:
            open_layer(page, args.open)
        picture = folder / "report.png"
        done = subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             f"--user-data-dir={folder / 'profile'}", "--proxy-server=127.0.0.1:9",
             "--virtual-time-budget=5000", f"--window-size={width},{height}",
             f"--screenshot={picture}", page.as_uri()],
            capture_output=True, text=True, timeout=TIMEOUT)
        if done.returncode or not picture.exists():
            sys.exit(f"error: {os.path.basename(browser)} took no picture:\n{done.stderr[-2000:]}")
        shutil.move(picture, args.out)


if __name__ == "__main__":
    main()
