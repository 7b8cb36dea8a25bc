"""What integration tests and benchmarks share: models, qcc and ONNX Runtime from Python."""
