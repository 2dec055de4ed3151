"""What only workers load: ONNX Runtime, NumPy, Arrow."""
