"""From a trained run to one ONNX file with its card; parity with torch, and 8-bit integers."""
